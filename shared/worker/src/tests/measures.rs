//! The metrics of calls.

use std::collections::BTreeMap;

use calls::call::Call;
use chrono::DateTime;
use crm::FaultClass;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::world::*;

/// The metrics that `work` recorded, counts and times, by name and dimension.
fn measured(work: impl Future<Output = ()>) -> BTreeMap<String, Vec<f64>> {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    let all = snapshots.snapshot().into_vec().into_iter();
    all.map(|(key, _, _, value)| {
        let (name, labels) = key.key().clone().into_parts();
        let labels: String =
            labels.iter().map(|label| [" ", label.key(), "=", label.value()].concat()).collect();
        let values = match value {
            DebugValue::Counter(count) => vec![f64::from(u32::try_from(count).unwrap())],
            DebugValue::Gauge(value) => vec![value.0],
            DebugValue::Histogram(values) => values.iter().map(|value| value.0).collect(),
        };
        (format!("{}{labels}", name.as_str()), values)
    })
    .collect()
}

/// A call that ended ten seconds before the webhook accepted its report.
fn ended(id: &str) -> Call {
    let mut call = call(0);
    call.id = calls::ids::CallId::parse(id).unwrap();
    call.ended_at = Some(fact(0, DateTime::from_timestamp(START - 10, 0).unwrap()));
    call
}

#[test]
fn a_logged_call_is_counted_and_timed_once() {
    let measures = measured(async {
        let world = world();
        world.pass(2);
        let report = world.report_of(&ended("call-1"), START);
        for _ in 0..2 {
            report.run(&world, &world.workspace(), world.turn(55)).await.unwrap();
        }
    });
    assert_eq!(measures["CallsLogged"], [1.0]);
    assert_eq!(measures["WebhookToTask"], [2_000.0]);
    assert_eq!(measures["CallEndToTask"], [12_000.0]);
    assert_eq!(measures.len(), 3, "{measures:?}");
}

#[test]
fn the_delay_of_a_temporary_fault_is_timed_and_the_delay_of_people_is_not() {
    let measures = measured(async {
        let passing = world();
        passing
            .salesforce
            .fail("create", Fault::Before(error(FaultClass::ConcurrentLimit, "REQUEST_LIMIT_EXCEEDED")));
        passing.reported(&ended("call-1")).await.unwrap();
        passing.pass(60 * 60);
        passing.woken().await.unwrap();
        assert_eq!(passing.status(), calls::status::SyncStatus::Success);

        let unknown = world();
        let people = std::mem::take(&mut unknown.salesforce.state().records);
        unknown.reported(&ended("call-1")).await.unwrap();
        unknown.salesforce.state().records = people;
        unknown.pass(60 * 60);
        unknown.woken().await.unwrap();
        assert_eq!(unknown.status(), calls::status::SyncStatus::Success);
    });
    assert_eq!(measures["CallsRetrying"], [1.0]);
    assert_eq!(measures["CallsNotFound"], [1.0]);
    assert_eq!(measures["CallsLogged"], [2.0]);
    assert_eq!(measures["WebhookToTask"], [3_600_000.0]);
}

#[test]
fn a_failed_call_is_counted_in_total_and_by_error_code() {
    let measures = measured(async {
        let world = world();
        world.fail_for_good("create", FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
        world.reported(&ended("call-1")).await.unwrap();
    });
    assert_eq!(measures["CallsFailed"], [1.0]);
    assert_eq!(measures["CallsFailed ErrorCode=FIELD_CUSTOM_VALIDATION_EXCEPTION"], [1.0]);
    assert_eq!(measures.len(), 2, "{measures:?}");
}

#[test]
fn refreshes_and_ended_connections_are_counted() {
    let measures = measured(async {
        let refreshed = world();
        refreshed.salesforce.state().good_access_token = "another".to_owned();
        refreshed.reported(&ended("call-1")).await.unwrap();
        let ended_grant = world();
        ended_grant.salesforce.state().good_access_token = "another".to_owned();
        ended_grant.salesforce.fail("refresh", Fault::Before(error(FaultClass::GrantEnded, "invalid_grant")));
        ended_grant.reported(&ended("call-1")).await.unwrap();
    });
    assert_eq!(measures["TokenRefreshes"], [1.0]);
    assert_eq!(measures["ConnectionsEnded"], [1.0]);
    assert_eq!(measures["CallsWaiting"], [1.0]);
}
