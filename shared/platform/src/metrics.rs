//! Metrics: writes what [`worker::measure`] counts to the function's log, in `CloudWatch`'s embedded metric format,
//! once per invocation.

use std::{io, sync::OnceLock};

use metrics_cloudwatch_embedded::{Builder, Collector};
use worker::measure;

use crate::config::{Env, ProcessEnv};

/// The metrics namespace, one per stack, so that no metric needs a dimension for it.
const NAMESPACE_VARIABLE: &str = "METRICS_NAMESPACE";

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Installs the recorder.
pub fn init() {
    let namespace = ProcessEnv.get(NAMESPACE_VARIABLE).unwrap_or_else(|| "Ringlog".to_owned());
    // On a second call, the first one's collector stays.
    if let Ok(collector) = Builder::new().cloudwatch_namespace(namespace).init() {
        COLLECTOR.get_or_init(|| collector);
        measure::describe();
    }
}

/// Writes what was counted since the last call. Call at the end of an invocation: anything later is written with the
/// next one.
pub fn flush() {
    if let Some(Err(error)) = COLLECTOR.get().map(|collector| collector.flush(io::stdout())) {
        tracing::warn!(error = %error, "the metrics could not be written");
    }
}
