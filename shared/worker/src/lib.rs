//! Logs each call exactly once: claims a row, observes, applies the plan, records the outcome. Each job has its own
//! file. All I/O goes through the traits in [`ports`], so there is no AWS, no HTTP and no clock here.

mod apply;
mod attempt;
mod breakers;
pub mod claim;
pub mod connection;
pub mod jobs;
mod make_lead;
pub mod measure;
pub mod message;
mod observe;
pub mod places;
pub mod ports;
mod preview;
mod rounds;
mod session;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod worker;

pub use claim::QueuedAgain;
pub use preview::{Drafts, Preview, PreviewError};
pub use rounds::Done;
pub use worker::{Ports, Turn, Worker};
