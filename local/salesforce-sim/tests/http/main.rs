//! The simulator over HTTP, as its clients see it.

#![allow(clippy::unwrap_used)] // Helpers of tests may; clippy only knows functions marked as tests.

mod control;
mod oauth;
mod orgs;
mod rest;
mod support;
