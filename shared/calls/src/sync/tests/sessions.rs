//! Sessions: renewed by one worker at a time, with time enough, or not at all.

use std::sync::atomic::Ordering;

use crate::{crm::FaultClass, ledger::SyncStatus, sync::Report, workspace::ConnectionState};

use super::{reason, world::*};

#[tokio::test]
async fn a_session_that_is_refused_again_after_its_renewal_ends_the_attempt() {
    let world = world();
    for _ in 0..10 {
        world.salesforce.fail("search", Fault::Before(error(FaultClass::Session, "INVALID_SESSION_ID")));
    }
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "search"]);
    assert_eq!(world.status(), SyncStatus::Retrying);
}

/// A worker's turn with so much time left, and a session that has ended.
async fn with_an_ended_session(seconds: i64) -> (Vec<&'static str>, crate::workspace::Workspace) {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(seconds)).await.unwrap();
    (world.requests(), world.workspace())
}

#[tokio::test]
async fn a_refresh_begins_only_with_time_to_store_its_tokens() {
    assert_eq!(with_an_ended_session(15).await.0, ["search"]);
    assert_eq!(with_an_ended_session(17).await.0[..2], ["search", "refresh"]);
}

#[tokio::test]
async fn a_lease_that_was_won_too_late_is_given_back_and_nothing_is_asked() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.workspaces.1.seconds.store(10, Ordering::Relaxed);
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(20)).await.unwrap();
    assert_eq!(world.requests(), ["search"]);
    assert_eq!(world.workspace().refresh_lease, None);
}

#[tokio::test]
async fn an_ambiguous_refresh_is_tried_once_more_and_only_with_time() {
    let ambiguous = || Fault::Before(error(FaultClass::Ambiguous, "timeout"));
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", ambiguous());
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "refresh", "search", "create"]);

    let world = super::world::world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.1.seconds.store(10, Ordering::Relaxed);
    world.salesforce.fail("refresh", ambiguous());
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(25)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh"]);
}

/// A user who is only frozen: the grant lives on in Salesforce, and nobody would end it later.
#[tokio::test]
async fn a_grant_that_salesforce_refuses_is_ended_when_its_tokens_are_forgotten() {
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
async fn anothers_fresh_session_is_used() {
    let world = world();
    let as_read = world.workspace();
    {
        let mut workspace = world.workspaces.0.lock().unwrap();
        workspace.connection_version = 2;
        let connection = workspace.connection.as_mut().unwrap();
        connection.version = 2;
        connection.access_token = "access-2".to_owned().into();
        world.salesforce.state().good_access_token = "access-2".to_owned();
    }
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&as_read, &report, world.turn(50)).await.unwrap();
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
async fn a_token_request_in_progress_elsewhere_is_not_a_disconnect() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.fail_for_good("refresh", FaultClass::Passing, "invalid_grant");
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Retrying);
    assert_eq!(world.requests(), ["search", "refresh", "refresh", "refresh"]);
    let workspace = world.workspace();
    assert_eq!((workspace.state, workspace.refresh_lease), (ConnectionState::Connected, None));
}
