//! Metrics: what [`calls::measure`] counts, as `CloudWatch`'s embedded metrics in the function's log, once an
//! invocation.

use std::{io, sync::OnceLock};

use calls::measure;
use metrics_cloudwatch_embedded::{Builder, Collector};

use crate::config::{Env, ProcessEnv};

/// Where the metrics of a stack stand: one for each stack, so that none needs a dimension for it.
const NAMESPACE: &str = "METRICS_NAMESPACE";

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Starts counting.
pub fn init() {
    let namespace = ProcessEnv.get(NAMESPACE).unwrap_or_else(|| "Ringlog".to_owned());
    // A second call has nothing to do: the first one's collector stays.
    if let Ok(collector) = Builder::new().cloudwatch_namespace(namespace).init() {
        COLLECTOR.get_or_init(|| collector);
        measure::describe();
    }
}

/// Writes what was counted since the last time. At the end of an invocation: what comes later waits for the next.
pub fn flush() {
    if let Some(Err(error)) = COLLECTOR.get().map(|collector| collector.flush(io::stdout())) {
        tracing::warn!(error = %error, "the metrics could not be written");
    }
}
