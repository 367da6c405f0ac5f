//! New tables, and what only a table can get wrong: columns, indexes, plain text.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use calls::{
    call::Call,
    ids::{CallId, ErrorCode, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
};
use crm::{
    ApiUsage,
    ledger::{Foreign, Row, Stored, WriteId},
    workspace::{ConnectionState, Settings},
};
use platform::{
    aws::LazyClient,
    dynamo::{LedgerTable, OAuthStateTable, SettingsTable, WorkspaceTable},
    stores::{
        Connections as _, CountedRows as _, ListedRows as _, NewestRows as _, OAuthStates as _, Replaced,
        SettingsStore as _, SettingsView as _,
    },
    testing::keys,
};
use worker::ports::{DueRows as _, FailedRows as _, Ledger as _, Swap, WaitingRows as _, Workspaces as _};

use crate::{
    contract::{new_connection, new_state, row, workspace_id},
    emulator,
    template::create_table,
};

pub(crate) type Workspaces = WorkspaceTable<keys::Fixed>;
pub(crate) type OAuthStates = OAuthStateTable<keys::Fixed>;

pub(crate) async fn ledger() -> LedgerTable {
    let client = emulator::aws().dynamodb();
    let table = create_table(&client, "SyncLogsTable").await;
    LedgerTable::new(client, table)
}

pub(crate) async fn workspaces() -> (Workspaces, SettingsTable) {
    let Raw { client, table } = Raw::workspaces().await;
    let keys = keys::Fixed::default();
    (WorkspaceTable::new(client.clone(), &table, keys), SettingsTable::new(client, table))
}

pub(crate) async fn oauth_states() -> OAuthStates {
    let client = emulator::aws().dynamodb();
    let table = create_table(&client, "OAuthStatesTable").await;
    OAuthStateTable::new(client, table, keys::Fixed::default())
}

/// A table as DynamoDB sees it.
struct Raw {
    client: LazyClient<Client>,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

impl Raw {
    async fn workspaces() -> Self {
        let client = emulator::aws().dynamodb();
        let table = create_table(&client, "WorkspaceSettingsTable").await;
        Self { client, table }
    }

    async fn items(&self) -> Vec<Item> {
        self.client.scan().table_name(&self.table).send().await.unwrap().items.unwrap()
    }

    async fn put(&self, item: Item) {
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
    }

    fn workspaces_table(&self) -> Workspaces {
        WorkspaceTable::new(self.client.clone(), &self.table, keys::Fixed::default())
    }
}

#[tokio::test]
async fn no_token_is_stored_in_plain_text() {
    let raw = Raw::workspaces().await;
    raw.workspaces_table().connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    let stored = format!("{:?}", raw.items().await);
    assert!(stored.contains("https://acme.my.salesforce.com"), "{stored}");
    assert!(!stored.contains("access-1") && !stored.contains("refresh-1"), "{stored}");
}

#[tokio::test]
async fn no_verifier_state_or_cookie_is_stored_in_plain_text() {
    let client = emulator::aws().dynamodb();
    let table = create_table(&client, "OAuthStatesTable").await;
    let states = OAuthStateTable::new(client.clone(), &table, keys::Fixed::default());
    states.put(&new_state("state-1", "cookie-1", 100)).await.unwrap();
    let items = Raw { client, table }.items().await;
    let stored: Vec<_> = items[0].values().collect();
    for secret in ["state-1", "cookie-1", "verifier"] {
        assert!(!stored.contains(&&text(secret)), "{secret}: {stored:?}");
    }
}

#[tokio::test]
async fn a_token_that_was_moved_to_another_workspace_does_not_open_there() {
    let raw = Raw::workspaces().await;
    let table = raw.workspaces_table();
    table.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    let mut item = raw.items().await.remove(0);
    item.insert("workspace_id".into(), text("globex"));
    raw.put(item).await;
    let globex = table.load(&WorkspaceId::parse("globex").unwrap()).await.unwrap();
    assert_eq!(globex.state, ConnectionState::ReconnectRequired);
    assert!(globex.connection.is_none());
    assert!(table.load(&workspace_id()).await.unwrap().connection.is_some());
}

#[tokio::test]
async fn a_lost_key_makes_the_workspace_wait_for_a_reconnect_until_the_key_is_back() {
    let raw = Raw::workspaces().await;
    raw.workspaces_table().connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    let other = WorkspaceTable::new(raw.client.clone(), &raw.table, keys::Fixed::with_ids(&["9"]));
    let lost = other.load(&workspace_id()).await.unwrap();
    assert_eq!((lost.state, lost.connection.is_none()), (ConnectionState::ReconnectRequired, true));
    assert!(raw.workspaces_table().load(&workspace_id()).await.unwrap().connection.is_some());
    // Connecting again works, although the old grant cannot be opened.
    assert!(other.connect(&workspace_id(), &new_connection("2"), 2).await.unwrap().is_none());
    assert!(other.load(&workspace_id()).await.unwrap().connection.is_some());
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_a_failure_and_not_a_disconnect() {
    let raw = Raw::workspaces().await;
    raw.workspaces_table().connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    let without_keys = WorkspaceTable::new(raw.client.clone(), &raw.table, keys::Unavailable);
    assert!(without_keys.load(&workspace_id()).await.is_err());
    assert!(without_keys.disconnect(&workspace_id()).await.is_err());
    assert!(raw.workspaces_table().load(&workspace_id()).await.unwrap().connection.is_some());
}

#[tokio::test]
async fn an_unreadable_workspace_is_an_error_that_names_the_column() {
    let raw = Raw::workspaces().await;
    raw.put(HashMap::from([
        ("workspace_id".into(), text("acme")),
        ("connection_version".into(), text("seven")),
    ]))
    .await;
    let error = raw.workspaces_table().load(&workspace_id()).await.unwrap_err();
    assert_eq!(error.cause, "column connection_version cannot be read");
}

#[tokio::test]
async fn a_workspace_in_a_state_that_only_a_newer_version_knows_waits() {
    let raw = Raw::workspaces().await;
    let table = raw.workspaces_table();
    table.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    let mut item = raw.items().await.remove(0);
    item.insert("connection_state".into(), text("engaged"));
    raw.put(item.clone()).await;
    let workspace = table.load(&workspace_id()).await.unwrap();
    assert_eq!(workspace.state, ConnectionState::ReconnectRequired);
    assert!(workspace.connection.is_none() && workspace.state_reason.unwrap().contains("`engaged`"));
    assert_eq!(raw.items().await, [item], "the item was changed");
}

#[tokio::test]
async fn changes_of_the_connection_leave_everything_else_unchanged() {
    let raw = Raw::workspaces().await;
    let settings = HashMap::from([
        ("workspace_id".into(), text("acme")),
        ("default_country".into(), text("GB")),
        ("webhook_secret_version".into(), AttributeValue::N("7".into())),
        ("something_of_a_later_version".into(), text("kept")),
    ]);
    raw.put(settings.clone()).await;
    let table = raw.workspaces_table();
    table.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    table.disconnect(&workspace_id()).await.unwrap();
    let item = raw.items().await.remove(0);
    assert!(settings.iter().all(|(column, value)| item.get(column) == Some(value)), "{item:?}");
    let mut left: Vec<_> = item.keys().filter(|column| !settings.contains_key(*column)).collect();
    left.sort();
    assert_eq!(left, ["connection_state", "connection_version", "connection_write_id", "time_zone"]);
}

#[tokio::test]
async fn a_change_of_settings_writes_only_what_it_changes() {
    let raw = Raw::workspaces().await;
    let other = HashMap::from([
        ("workspace_id".into(), text("acme")),
        ("connection_state".into(), text("connected")),
        ("retention_days".into(), AttributeValue::N("30".into())),
        ("something_of_a_later_version".into(), text("kept")),
    ]);
    raw.put(other.clone()).await;
    let settings = SettingsTable::new(raw.client.clone(), &raw.table);
    let now = settings.settings(&workspace_id()).await.unwrap();
    let new = Settings { default_country: "GB".into(), ..now };
    assert_eq!(settings.replace(&workspace_id(), &new, |_| true).await.unwrap(), Replaced::Done);
    let item = raw.items().await.remove(0);
    assert!(other.iter().all(|(column, value)| item.get(column) == Some(value)), "{item:?}");
    let mut added: Vec<_> = item.keys().filter(|column| !other.contains_key(*column)).collect();
    added.sort();
    assert_eq!(added, ["default_country", "settings_write_id"]);
}

#[tokio::test]
async fn a_ledger_row_that_this_version_cannot_read_is_foreign_and_names_the_column() {
    let client = emulator::aws().dynamodb();
    let table = create_table(&client, "SyncLogsTable").await;
    let raw = Raw { client: client.clone(), table: table.clone() };
    raw.put(HashMap::from([("workspace_id".into(), text("acme")), ("call_id".into(), text("call-1"))])).await;
    let ledger = LedgerTable::new(client, table);
    let foreign = || Some(Stored::Foreign(Foreign { cause: "column status is missing".to_owned() }));
    let loaded = ledger.load(&workspace_id(), &CallId::parse("call-1").unwrap()).await;
    assert_eq!(loaded, Ok(foreign()));
    let swapped = ledger.swap(None, &row("call-1", "w1")).await;
    assert_eq!(swapped, Ok(Swap::Conflict(foreign())));
}

/// Any index can contain rows of a newer version.
#[tokio::test]
async fn a_row_of_a_newer_version_does_not_stop_others_from_being_read() {
    let client = emulator::aws().dynamodb();
    let table = create_table(&client, "SyncLogsTable").await;
    let raw = Raw { client: client.clone(), table: table.clone() };
    let ledger = LedgerTable::new(client, table);
    for n in 0..3 {
        let mut row = row(&format!("call-{n}"), "w1");
        row.finish(
            SyncStatus::WaitingForConnection,
            Some(Reason { code: "X".to_owned(), message: String::new() }),
            Some(1),
            90,
            1000,
        );
        ledger.swap(None, &row).await.unwrap();
    }
    let known = raw.items().await.remove(0);
    let newer = |changes: [(&str, AttributeValue); 2]| {
        let changes = changes.map(|(column, value)| (column.to_owned(), value));
        known.clone().into_iter().chain(changes).collect::<Item>()
    };
    raw.put(newer([("call_id", text("newer-1")), ("status", text("undoing"))])).await;
    raw.put(newer([("call_id", text("a key of another form")), ("status", text("undoing"))])).await;
    let known_ids: BTreeSet<_> = ["call-0", "call-1", "call-2"].map(str::to_owned).into();
    let all_ids: BTreeSet<_> = known_ids.iter().cloned().chain(["newer-1".to_owned()]).collect();

    let listed = ledger.list(&workspace_id(), None, 10, None).await.unwrap();
    let ids = |ids: Vec<CallId>| ids.into_iter().map(|id| id.to_string()).collect::<BTreeSet<_>>();
    let status =
        |id: &str| listed.iter().find(|row| row.call_id.as_str() == id).map(|row| row.status.as_str());
    assert_eq!(ids(listed.iter().map(|row| row.call_id.clone()).collect()), all_ids);
    assert_eq!((status("newer-1"), status("call-1")), (Some("undoing"), Some("waiting_for_connection")));
    let (outcomes, _) = ledger.outcomes(&workspace_id(), None, None).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.status == "undoing").count(), 2);
    let (waiting, _) = ledger.waiting(&workspace_id(), 10, None).await.unwrap();
    assert_eq!(ids(waiting), all_ids);
    let (failed, _) =
        ledger.with_error(&workspace_id(), &ErrorCode::parse("X").unwrap(), 10, None).await.unwrap();
    assert_eq!(ids(failed), all_ids);
    let mut due = Vec::new();
    for shard in 0..ledger.shards() {
        due.extend(ledger.due(shard, 1000, 10, None).await.unwrap().0);
    }
    assert_eq!(ids(due.into_iter().map(|key| key.call_id).collect()), all_ids);
}

#[tokio::test]
async fn the_indexes_do_not_contain_the_content_of_calls() {
    let client = emulator::aws().dynamodb();
    let table = create_table(&client, "SyncLogsTable").await;
    LedgerTable::new(client.clone(), &table).swap(None, &row("call-1", "w1")).await.unwrap();
    for (index, condition, value) in [
        ("by_time", "workspace_id = :key", text("acme")),
        ("by_status", "workspace_status = :key", text("acme#queued")),
    ] {
        let query = client.query().table_name(&table).index_name(index);
        let query = query.key_condition_expression(condition).expression_attribute_values(":key", value);
        let items = query.send().await.unwrap().items.unwrap();
        assert_eq!(items.len(), 1, "{index}");
        assert!(items[0].contains_key("phone_number") && items[0].contains_key("status"), "{index}");
        assert!(!items[0].contains_key("call") && !items[0].contains_key("decision"), "{index}");
    }
}

#[tokio::test]
async fn the_newest_success_has_the_orgs_api_usage() {
    let ledger = ledger().await;
    let mut row = row("call-1", "w1");
    row.status = SyncStatus::Success;
    row.api_usage = Some(ApiUsage { used: 18, limit: 15_000 });
    ledger.swap(None, &row).await.unwrap();
    let newest = ledger.newest(&workspace_id(), SyncStatus::Success).await.unwrap().unwrap();
    assert_eq!(newest.api_usage, row.api_usage);
}

#[tokio::test]
async fn a_call_with_the_longest_transcript_fits_into_an_item() {
    let ledger = ledger().await;
    let mut call = Call::new(CallId::parse("call-1").unwrap());
    call.transcript = Some(calls::call::Fact { value: "\u{1f642}".repeat(32_000), reported_at: 1 });
    let mut row = Row::accepted(workspace_id(), call, 1);
    row.write_id = Some(WriteId("w1".into()));
    ledger.swap(None, &row).await.unwrap();
    assert_eq!(ledger.load(&workspace_id(), &row.call_id).await.unwrap(), Some(row.into()));
}

#[tokio::test]
async fn nothing_is_missed_when_dynamodb_ends_a_page_at_a_megabyte() {
    let ledger = ledger().await;
    for n in 0..7 {
        let mut row = row(&format!("call-{n}"), "w1");
        row.created_at = 1000 + n;
        row.finish(
            SyncStatus::Error,
            Some(Reason { code: "X".to_owned(), message: "x".repeat(300_000) }),
            None,
            90,
            1000,
        );
        ledger.swap(None, &row).await.unwrap();
    }
    for status in [None, Some(SyncStatus::Error)] {
        for limit in [5, 7, 50] {
            let rows = ledger.list(&workspace_id(), status, limit, None).await.unwrap();
            assert_eq!(rows.len(), 7.min(limit as usize));
            assert!(rows.is_sorted_by_key(|row| -row.created_at));
        }
    }
    let code = ErrorCode::parse("X").unwrap();
    let (mut outcomes, mut pages, mut after) = (0, 0, None);
    loop {
        let (page, next) = ledger.outcomes(&workspace_id(), Some(1001), after).await.unwrap();
        (outcomes, pages, after) = (outcomes + page.len(), pages + 1, next);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((outcomes, pages > 1), (6, true));
    let (first, next) = ledger.count_with_error(&workspace_id(), &code, None).await.unwrap();
    let (second, next) = ledger.count_with_error(&workspace_id(), &code, next).await.unwrap();
    assert!(first > 0 && second > 0 && (first + second == 7) == next.is_none());
    let (first, next) = ledger.with_error(&workspace_id(), &code, 100, None).await.unwrap();
    let (second, _) = ledger.with_error(&workspace_id(), &code, 100, next).await.unwrap();
    assert!(!first.is_empty() && !second.is_empty());
}
