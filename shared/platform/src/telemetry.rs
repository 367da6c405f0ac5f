//! Logs: one JSON object per line, with a message and dotted fields, as `CloudWatch` reads them.
//!
//! Never logged, at any level: tokens, secrets, keys, codes, states and cookies; bodies of requests, responses and
//! queue messages; people's names, summaries, transcripts; phone numbers. Identifiers may be logged: `workspace.id`,
//! `call.id`, `message.id`, Salesforce ids, `error.code`. Our own errors name a place and a rule, never a value, so
//! they can be logged as they are. A failure is logged once, where it is handled.
//!
//! Libraries log only from `warn` upwards: at finer levels, the AWS SDK and the Lambda runtime log whole requests and
//! events. The runtime's span of an invocation is kept, because it has the request id.

use std::{io, panic::PanicHookInfo};

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, fmt::MakeWriter, layer::SubscriberExt as _, registry::Registry,
};

use crate::{
    config::{Env, ProcessEnv},
    metrics,
};

/// Our shared crates, whose logs are shown like the function's own.
const OURS: [&str; 8] = ["api", "calls", "crm", "platform", "salesforce", "voice", "wiring", "worker"];

/// The target of the Lambda runtime's invocation span.
const INVOCATION_TARGET: &str = "lambda_runtime::layers::trace";

/// Sets up logging and metrics for a function; `crate_name` is `env!("CARGO_CRATE_NAME")` of its `main.rs`. The level
/// is `LOG_LEVEL`, or else the level in Lambda's log settings, or else `info`.
pub fn init(crate_name: &'static str) {
    let subscriber = subscriber(crate_name, level(&ProcessEnv), io::stdout);
    // On a second call, the first one's subscriber stays.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    metrics::init();
}

fn level(env: &impl Env) -> LevelFilter {
    let text = env.get("LOG_LEVEL").or_else(|| env.get("AWS_LAMBDA_LOG_LEVEL"));
    text.and_then(|text| text.parse().ok()).unwrap_or(LevelFilter::INFO)
}

fn subscriber<W>(crate_name: &str, level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let libraries = level.min(LevelFilter::from_level(Level::WARN));
    let filter = OURS.iter().chain([&crate_name]).fold(
        Targets::new().with_default(libraries).with_target(INVOCATION_TARGET, LevelFilter::INFO),
        |targets, ours| targets.with_target(*ours, level),
    );
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(filter);
    Registry::default().with(lines)
}

/// Logs where it panicked. The panic's message may have content and is left out.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("unknown", 0), |at| (at.file(), at.line()));
    tracing::error!(error.code = "panic", code.file = file, code.line = line, "panicked");
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::{Arc, Mutex},
    };

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LevelFilter, events: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber("status", level, move || writer.clone()), events);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_json_with_its_message_and_fields_at_the_top() {
        let lines = logged(LevelFilter::INFO, || {
            tracing::info!(target: "status", { workspace.id = "acme", error.code = None::<&str> }, "shown");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "shown");
        assert_eq!(lines[0]["workspace.id"], "acme");
        assert_eq!(lines[0]["level"], "INFO");
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    fn a_line_carries_the_request_id_of_its_invocation() {
        let lines = logged(LevelFilter::INFO, || {
            let invocation = tracing::info_span!(
                target: INVOCATION_TARGET, "Lambda runtime invoke", requestId = "request-1"
            );
            invocation.in_scope(|| tracing::info!(target: "status", "shown"));
        });
        assert_eq!(lines[0]["span"]["requestId"], "request-1");
    }

    #[test]
    fn libraries_log_only_from_warn_upwards_even_if_we_log_everything() {
        let lines = logged(LevelFilter::TRACE, || {
            tracing::trace!(target: "lambda_runtime::layers::api_response", "a whole event");
            tracing::debug!(target: "aws_smithy_runtime::client", "a whole request");
            tracing::warn!(target: "hyper_util::client", "a warning");
            tracing::trace!(target: "platform::queue", "ours");
            tracing::trace!(target: "worker::worker", "ours");
            tracing::trace!(target: "status::handler", "ours");
        });
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["a warning", "ours", "ours", "ours"]);
    }

    #[test]
    fn the_logs_of_all_shared_crates_are_shown() {
        let name = |folder: fs::DirEntry| {
            let manifest = fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = "));
            name.unwrap().trim_matches('"').to_owned()
        };
        let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
        let mut names: Vec<_> = folders.map(|folder| name(folder.unwrap())).collect();
        names.sort();
        assert_eq!(names, OURS);
    }

    #[test]
    fn our_level_beats_lambdas() {
        assert_eq!(level(&[("LOG_LEVEL", "debug"), ("AWS_LAMBDA_LOG_LEVEL", "ERROR")]), LevelFilter::DEBUG);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")]), LevelFilter::ERROR);
        assert_eq!(level(&[("LOG_LEVEL", "loud")]), LevelFilter::INFO);
        assert_eq!(level(&[("LOG_LEVEL", "")]), LevelFilter::INFO);
    }
}
