//! What every store must do. Each case runs against both the table and the in-memory store, so that the functions'
//! tests can rely on the in-memory stores.

mod ledger;
mod oauth_states;
mod org;
mod workspaces;

use calls::{
    call::{Call, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
};
use crm::ledger::{Row, WriteId};
use platform::{
    hashed::Hashed,
    stores::{NewConnection, NewState, OAuthFlow},
};

/// Runs each case against `memory()` and against `table()`.
macro_rules! contract {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $case() { super::$case(super::memory()).await; })+
        }
        mod table {
            $(#[tokio::test] async fn $case() { super::$case(super::table().await).await; })+
        }
    };
}
pub(crate) use contract;

pub(crate) fn workspace_id() -> WorkspaceId {
    WorkspaceId::parse("acme").unwrap()
}

pub(crate) fn salesforce_id(id: &str) -> SalesforceId {
    SalesforceId::parse(id).unwrap()
}

/// A row accepted at time 1000.
pub(crate) fn row(call_id: &str, write_id: &str) -> Row {
    let mut call = Call::new(CallId::parse(call_id).unwrap());
    call.summary = Some(Fact { value: "They talked.".into(), reported_at: 1 });
    let mut row = Row::accepted(workspace_id(), call, 1000);
    row.phone_number = Some("+12345550123".into());
    row.write_id = Some(WriteId(write_id.into()));
    row
}

/// A connection whose tokens are `access-<n>` and `refresh-<n>`.
pub(crate) fn new_connection(n: &str) -> NewConnection {
    NewConnection {
        instance_url: "https://acme.my.salesforce.com".into(),
        login_url: "https://login.salesforce.com".into(),
        org_id: salesforce_id("00D000000000001EAA"),
        user_id: salesforce_id("005000000000001AAA"),
        user_name: Some("Sam Sample".into()),
        access_token: format!("access-{n}").into(),
        refresh_token: format!("refresh-{n}").into(),
        issued_at: 1000,
        time_zone: Some("America/New_York".parse().unwrap()),
        country: Some("CA".into()),
    }
}

pub(crate) fn new_state(state: &str, cookie: &str, expires_at: i64) -> NewState {
    NewState {
        state_hash: Hashed::of(state),
        cookie_hash: Hashed::of(cookie),
        flow: OAuthFlow {
            workspace_id: workspace_id(),
            code_verifier: "verifier".into(),
            redirect_uri: "https://api.example.com/api/salesforce/oauth/callback".into(),
            login_url: "https://login.salesforce.com".into(),
        },
        expires_at,
    }
}
