//! When the keys are read, and who waits for them. Stored data is tested against an emulator (`tests/aws`).

use std::{net::SocketAddr, sync::atomic::AtomicUsize, time::Duration};

use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::{keys::Keys, testing::keys};

/// Keys that count their reads, and that never arrive, or arrive or fail immediately.
struct CountedKeys(AtomicUsize, Option<Result<(), StoreError>>);

impl CountedKeys {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl KeySource for &CountedKeys {
    async fn keys(&self) -> Result<Arc<Keys>, StoreError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let Some(outcome) = self.1.clone() else { return std::future::pending().await };
        outcome.map(|()| Arc::new(keys::with_ids(&["1"])))
    }

    async fn reread(&self) -> Result<Arc<Keys>, StoreError> {
        self.keys().await
    }
}

/// Starts a server that responds to each request with this row; returns its address.
async fn server(row: Value) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().fallback(async move || Json(json!({ "Item": row })));
    tokio::spawn(async { axum::serve(listener, routes).await });
    address
}

fn table(address: SocketAddr, keys: &CountedKeys) -> WorkspaceTable<&CountedKeys> {
    let endpoint = format!("http://{address}");
    let env = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    WorkspaceTable::new(Aws::from_env(&env).unwrap().dynamodb(), "settings", keys)
}

async fn load(address: SocketAddr, keys: &CountedKeys) -> Result<Workspace, StoreError> {
    load_from(&table(address, keys)).await
}

async fn load_from(table: &WorkspaceTable<&CountedKeys>) -> Result<Workspace, StoreError> {
    let id = WorkspaceId::parse("acme").unwrap();
    tokio::time::timeout(Duration::from_mins(1), table.load(&id)).await.expect("nobody waits for the keys")
}

async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// The table does not respond: only what happens in parallel happens at all.
#[tokio::test(start_paused = true)]
async fn the_keys_are_read_in_parallel_with_the_first_row_of_a_process() {
    let keys = CountedKeys(AtomicUsize::default(), Some(Ok(())));
    load(nobody().await, &keys).await.unwrap_err();
    assert_eq!(keys.times(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_read_does_not_wait_for_the_keys() {
    let keys = CountedKeys(AtomicUsize::default(), None);
    let error = load(nobody().await, &keys).await.unwrap_err();
    assert_eq!(error.cause, "connection failed");
}

#[tokio::test]
async fn a_workspace_that_is_not_connected_does_not_wait_for_the_keys() {
    let address = server(json!({ "workspace_id": { "S": "acme" } })).await;
    let workspace = load(address, &CountedKeys(AtomicUsize::default(), None)).await.unwrap();
    assert_eq!(workspace.state, ConnectionState::Disconnected);
}

#[tokio::test]
async fn rows_that_are_not_connected_start_to_read_the_keys_only_once() {
    let keys = CountedKeys(AtomicUsize::default(), None);
    let table = table(server(json!({ "workspace_id": { "S": "acme" } })).await, &keys);
    for _ in 0..3 {
        load_from(&table).await.unwrap();
    }
    assert_eq!(keys.times(), 1);
}

#[tokio::test]
async fn a_connected_row_waits_once_for_keys_that_fail() {
    let row = json!({
        "workspace_id": { "S": "acme" },
        "connection_state": { "S": "connected" },
        "connection_version": { "N": "1" },
    });
    let failed = StoreError { operation: "reading the keys", cause: "timeout".to_owned() };
    let keys = CountedKeys(AtomicUsize::default(), Some(Err(failed.clone())));
    assert_eq!(load(server(row).await, &keys).await.unwrap_err(), failed);
    assert_eq!(keys.times(), 1);
}
