//! Sessions: renewed by one worker at a time, and only with enough time.

use std::time::Duration;

use calls::status::SyncStatus;
use crm::{FaultClass, Omitted, workspace::ConnectionState};

use crate::{jobs::LogNow, ports::Clock, session::Session};

use super::{reason, world::*};

#[tokio::test]
async fn a_session_that_is_refused_after_its_renewal_ends_the_attempt() {
    let world = world();
    for _ in 0..10 {
        world.salesforce.fail("search", Fault::Before(error(FaultClass::Session, "INVALID_SESSION_ID")));
    }
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "search"]);
    assert_eq!(world.status(), SyncStatus::Retrying);
}

/// Runs a report with this much time left and an expired session.
async fn with_an_expired_session(seconds: i64) -> (Vec<&'static str>, crm::workspace::Workspace) {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    let report = world.report_of(&call(0), START);
    report.run(&world, &world.workspace(), world.turn(seconds)).await.unwrap();
    (world.requests(), world.workspace())
}

#[tokio::test]
async fn a_refresh_starts_only_with_time_to_store_its_tokens() {
    assert_eq!(with_an_expired_session(15).await.0, ["search"]);
    assert_eq!(with_an_expired_session(17).await.0[..2], ["search", "refresh"]);
}

#[tokio::test]
async fn a_refresh_lease_that_was_taken_too_late_is_released_without_a_request() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.workspaces.faults.delay("acquire_refresh_lease", &world.clock, Duration::from_secs(10));
    let report = world.report_of(&call(0), START);
    report.run(&world, &world.workspace(), world.turn(20)).await.unwrap();
    assert_eq!(world.requests(), ["search"]);
    assert_eq!(world.workspace().refresh_lease, None);
}

#[tokio::test]
async fn an_ambiguous_refresh_is_repeated_once_if_time_allows() {
    let ambiguous = || Fault::Before(error(FaultClass::Ambiguous, "timeout"));
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", ambiguous());
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "refresh", "search", "create"]);

    let world = super::world::world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.state().refresh_takes = 10;
    world.salesforce.fail("refresh", ambiguous());
    let report = world.report_of(&call(0), START);
    report.run(&world, &world.workspace(), world.turn(25)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh"]);
}

/// If the user is only frozen, the grant still exists in Salesforce, and nothing would end it later.
#[tokio::test]
async fn a_grant_that_salesforce_refuses_is_revoked_when_its_tokens_are_deleted() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", Fault::Before(error(FaultClass::GrantEnded, "inactive_user")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "revoke"]);
}

#[tokio::test]
async fn an_expired_session_is_renewed_once() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "search", "create"]);
    assert_eq!(world.workspace().connection_version, 2);
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn another_workers_new_session_is_used() {
    let world = world();
    let as_read = world.workspace();
    {
        let mut workspace = world.edit_workspace();
        workspace.connection_version = 2;
        let connection = workspace.connection.as_mut().unwrap();
        connection.version = 2;
        connection.access_token = "access-2".to_owned().into();
        world.salesforce.state().good_access_token = "access-2".to_owned();
    }
    let report = world.report_of(&call(0), START);
    report.run(&world, &as_read, world.turn(50)).await.unwrap();
    assert_eq!(world.requests(), ["search", "search", "create"]);
}

#[tokio::test]
async fn an_ended_grant_makes_calls_wait() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", Fault::Before(error(FaultClass::GrantEnded, "invalid_grant")));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::WaitingForConnection, "reconnect_required"));
    assert_eq!(world.workspace().state, ConnectionState::ReconnectRequired);
}

#[tokio::test]
async fn a_token_request_in_progress_elsewhere_does_not_disconnect() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.fail_for_good("refresh", FaultClass::Passing, "invalid_grant");
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Retrying);
    assert_eq!(world.requests(), ["search", "refresh", "refresh", "refresh"]);
    let workspace = world.workspace();
    assert_eq!((workspace.state, workspace.refresh_lease), (ConnectionState::Connected, None));
}

/// Salesforce also responds like this to problems of its own.
#[tokio::test]
async fn an_authentication_failure_is_confirmed_by_a_second_request_after_a_pause() {
    let doubtful = || Fault::Before(error(FaultClass::GrantDoubtful, "invalid_grant"));
    for (refusals, state) in [(1, ConnectionState::Connected), (2, ConnectionState::ReconnectRequired)] {
        let world = world();
        world.salesforce.state().good_access_token = "another".to_owned();
        for _ in 0..refusals {
            world.salesforce.fail("refresh", doubtful());
        }
        world.reported(&call(0)).await.unwrap();
        assert_eq!(world.requests()[..3], ["search", "refresh", "refresh"]);
        assert!(world.clock.now().timestamp() >= START + 5);
        assert_eq!(world.workspace().state, state);
    }
    // Without time for the pause, the grant is kept and the call is retried.
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", doubtful());
    let report = world.report_of(&call(0), START);
    report.run(&world, &world.workspace(), world.turn(20)).await.unwrap();
    assert_eq!((world.status(), world.workspace().state), (SyncStatus::Retrying, ConnectionState::Connected));
}

/// A My Domain was renamed: the old name redirects for a while, then leads nowhere.
#[tokio::test]
async fn an_address_that_leads_nowhere_for_six_hours_requires_a_reconnect() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.fail_for_good("refresh", FaultClass::AddressGone, "http_404");
    world.reported(&call(0)).await.unwrap();
    let since = world.workspace().address_gone_since.unwrap();
    for (seconds, status) in [
        (60, SyncStatus::Retrying),
        (5 * 3600, SyncStatus::Retrying),
        (3600 - 60, SyncStatus::WaitingForConnection),
    ] {
        world.pass(seconds);
        let row = world.ledger.row("call-1");
        LogNow { call_id: &row.call_id }.run(&world, &world.workspace(), world.turn(55)).await.unwrap();
        assert_eq!(world.status(), status, "{seconds}");
        assert!(world.workspace().address_gone_since.is_none_or(|at| at == since));
    }
    let workspace = world.workspace();
    assert_eq!(workspace.state, ConnectionState::ReconnectRequired);
    assert!(workspace.state_reason.unwrap().contains("My Domain has changed"));
}

#[tokio::test]
async fn a_response_in_salesforces_format_proves_the_address() {
    for (class, status, forgets) in [
        (FaultClass::Passing, Some(400), true),
        (FaultClass::Ambiguous, Some(503), false),
        (FaultClass::Passing, None, false),
    ] {
        let world = world();
        world.salesforce.state().good_access_token = "another".to_owned();
        world.edit_workspace().address_gone_since = Some(START - 60);
        for _ in 0..4 {
            let response = crm::CrmError { status, ..error(class, "invalid_grant") };
            world.salesforce.fail("refresh", Fault::Before(response));
        }
        world.reported(&call(0)).await.unwrap();
        assert_eq!(world.workspace().address_gone_since.is_none(), forgets, "{status:?}");
    }
}

/// The lease lasts only for a request and a store; a slow read of the secret would use up that time.
#[tokio::test]
async fn the_client_secret_is_read_before_the_lease_is_taken() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.state().secret_takes = 30;
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "search", "create"]);
    assert_eq!(world.status(), SyncStatus::Success);
}

/// Or a search for everything would be repeated forever.
#[tokio::test]
async fn what_this_attempt_learned_is_not_from_memory() {
    let world = world();
    let workspace = world.workspace();
    let session = |omitted| {
        let connection = workspace.connection.clone().unwrap();
        Session::new(&world, &workspace.id, connection, omitted, world.turn(55))
    };
    let known = Omitted { unreadable: ["Lead.Phone".to_owned()].into(), ..Omitted::default() };
    assert!(session(known.clone()).omits_from_memory());
    let mut learning = session(Omitted::default());
    assert!(!learning.omits_from_memory());
    learning.newly_omitted.unfilterable.insert("Contact".to_owned());
    assert!(!learning.omits_from_memory());
    let mut forgetting = session(known);
    forgetting.newly_omitted.unfilterable.insert("Contact".to_owned());
    assert!(forgetting.omits_from_memory());
    forgetting.forget_omitted();
    assert!(!forgetting.omits_from_memory());
}
