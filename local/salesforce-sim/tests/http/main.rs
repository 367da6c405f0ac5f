//! The simulator over HTTP.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod control;
mod oauth;
mod orgs;
mod rest;
mod support;
