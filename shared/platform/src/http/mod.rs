//! The functions' HTTP layer: callers, request bodies, and responses in JSON and problem+json.

mod address;
mod body;
mod caller;
mod cookie;
mod etag;
mod problem;
mod problem_code;
mod response;

pub use address::PublicAddress;
pub use body::{json_body, json_body_or_default};
pub use caller::{Caller, CallerRules};
pub use cookie::{cookie, host_cookie};
pub use etag::{ETag, IfMatch, tagged_json};
pub use problem::{FieldError, Problem, WrittenProblem};
pub use problem_code::ProblemCode;
pub use response::json;
