//! Writes whose response is lost: the SDK retries them, and each must succeed and take effect once.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crm::workspace::{ConnectionState, Settings, WebhookSecretVersions};
use platform::{
    aws::LazyClient,
    dynamo::{LedgerTable, OAuthStateTable, SettingsTable, WorkspaceTable},
    hashed::Hashed,
    stores::{
        Connections as _, OAuthStates as _, Replaced, SettingsStore as _, SettingsView as _, TakeError,
        WebhookSecrets as _,
    },
    testing::keys,
};
use secrecy::ExposeSecret as _;
use worker::ports::{ConnectionStore as _, Ledger as _, Swap, Tokens, Workspaces as _};

use crate::{
    contract::{new_connection, new_state, row, workspace_id},
    emulator,
    template::create_table,
};

/// A proxy in front of the emulator that can drop responses to writes, by closing the connection.
#[derive(Clone, Default)]
struct DroppingProxy {
    remaining: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl DroppingProxy {
    fn start() -> (Self, LazyClient<aws_sdk_dynamodb::Client>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = emulator::aws_at(listener.local_addr().unwrap().port()).dynamodb();
        let (proxy, upstream) = (Self::default(), emulator::port());
        let shared = proxy.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let proxy = shared.clone();
                std::thread::spawn(move || proxy.forward(connection, upstream));
            }
        });
        (proxy, client)
    }

    /// Drops the response to the next write.
    fn drop_next(&self) {
        self.drop_responses(1);
    }

    /// Drops the responses to this many writes.
    fn drop_responses(&self, count: usize) {
        self.remaining.store(count, Ordering::SeqCst);
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    fn forward(&self, mut client: TcpStream, upstream: u16) -> Option<()> {
        let mut emulator = TcpStream::connect(("127.0.0.1", upstream)).ok()?;
        let mut requests = BufReader::new(client.try_clone().ok()?);
        let mut responses = BufReader::new(emulator.try_clone().ok()?);
        loop {
            let request = message(&mut requests)?;
            emulator.write_all(&request).ok()?;
            let response = message(&mut responses)?;
            let remaining = self.remaining.load(Ordering::SeqCst);
            if is_write(&request) && remaining > 0 {
                self.remaining.store(remaining - 1, Ordering::SeqCst);
                self.dropped.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            client.write_all(&response).ok()?;
        }
    }
}

/// One HTTP message, head and body; `None` at the end of the connection.
fn message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut length = 0;
    loop {
        let from = message.len();
        if stream.read_until(b'\n', &mut message).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&message[from..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let head = message.len();
    message.resize(head + length, 0);
    stream.read_exact(&mut message[head..]).ok()?;
    Some(message)
}

fn is_write(request: &[u8]) -> bool {
    let head = String::from_utf8_lossy(request);
    ["PutItem", "UpdateItem", "DeleteItem"]
        .iter()
        .any(|operation| head.contains(&format!("20120810.{operation}")))
}

async fn workspaces() -> (DroppingProxy, WorkspaceTable<keys::Fixed>, SettingsTable) {
    let (proxy, client) = DroppingProxy::start();
    let table = create_table(&client, "WorkspaceSettingsTable").await;
    let workspaces = WorkspaceTable::new(client.clone(), &table, keys::Fixed::default());
    (proxy, workspaces, SettingsTable::new(client, table))
}

#[tokio::test]
async fn a_swap_succeeds_although_its_response_was_lost() {
    let (proxy, client) = DroppingProxy::start();
    let ledger = LedgerTable::new(client.clone(), create_table(&client, "SyncLogsTable").await);
    let (first, second) = (row("call-1", "w1"), row("call-1", "w2"));
    proxy.drop_next();
    assert_eq!(ledger.swap(None, &first).await.unwrap(), Swap::Done);
    proxy.drop_next();
    assert_eq!(ledger.swap(first.write_id.as_ref(), &second).await.unwrap(), Swap::Done);
    assert_eq!(proxy.dropped(), 2);
}

#[tokio::test]
async fn a_connect_whose_response_was_lost_counts_once_and_returns_the_right_old_grant() {
    let (proxy, workspaces, _) = workspaces().await;
    workspaces.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    proxy.drop_next();
    let old = workspaces.connect(&workspace_id(), &new_connection("2"), 2).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(workspaces.load(&workspace_id()).await.unwrap().connection_version, 2);
    assert_eq!(proxy.dropped(), 1);
}

/// The SDK gives up; reading the row shows whether the write took effect.
#[tokio::test]
async fn a_connect_and_a_disconnect_without_any_response_are_read_back() {
    let (proxy, workspaces, _) = workspaces().await;
    workspaces.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    proxy.drop_responses(3);
    let old = workspaces.connect(&workspace_id(), &new_connection("2"), 2).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(proxy.dropped(), 3);
    proxy.drop_responses(3);
    let old = workspaces.disconnect(&workspace_id()).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-2");
    assert_eq!(proxy.dropped(), 6);
}

#[tokio::test]
async fn a_disconnect_whose_response_was_lost_still_returns_the_grant() {
    let (proxy, workspaces, _) = workspaces().await;
    workspaces.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    proxy.drop_next();
    let old = workspaces.disconnect(&workspace_id()).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(proxy.dropped(), 1);
}

#[tokio::test]
async fn a_refresh_survives_the_loss_of_each_of_its_responses() {
    let (proxy, workspaces, _) = workspaces().await;
    let id = workspace_id();
    workspaces.connect(&id, &new_connection("1"), 1).await.unwrap();
    proxy.drop_next();
    assert!(workspaces.acquire_refresh_lease(&id, 1, "worker", 1000, 1045).await.unwrap());
    let tokens = Tokens {
        access_token: "access-2".into(),
        refresh_token: Some("refresh-2".into()),
        instance_url: "https://acme.my.salesforce.com".into(),
        issued_at: 1000,
    };
    proxy.drop_next();
    assert!(workspaces.store_refreshed(&id, 1, "worker", &tokens).await.unwrap());
    let connection = workspaces.load(&id).await.unwrap().connection.unwrap();
    assert_eq!((connection.version, connection.refresh_token.expose_secret()), (2, "refresh-2"));
    proxy.drop_next();
    assert!(workspaces.require_reconnect(&id, 2, "expired").await.unwrap());
    assert_eq!(workspaces.load(&id).await.unwrap().state, ConnectionState::ReconnectRequired);
    assert_eq!(proxy.dropped(), 3);
}

#[tokio::test]
async fn a_rotation_whose_response_was_lost_increments_the_version_once() {
    let (proxy, _, settings) = workspaces().await;
    settings.ensure(&workspace_id()).await.unwrap();
    proxy.drop_next();
    let versions = settings.rotate(&workspace_id(), false).await.unwrap();
    assert_eq!(versions, WebhookSecretVersions { current: 2, oldest_valid: 1 });
    assert_eq!(proxy.dropped(), 1);
}

#[tokio::test]
async fn settings_are_replaced_although_the_response_was_lost() {
    let (proxy, _, settings) = workspaces().await;
    let new = Settings { retention_days: 31, ..Settings::default() };
    proxy.drop_next();
    let unchanged = |now: &Settings| *now == Settings::default();
    assert_eq!(settings.replace(&workspace_id(), &new, unchanged).await.unwrap(), Replaced::Done);
    assert_eq!(settings.settings(&workspace_id()).await.unwrap(), new);
    assert_eq!(proxy.dropped(), 1);
}

#[tokio::test]
async fn a_flow_is_lost_rather_than_usable_twice_if_the_response_to_its_take_is_lost() {
    let (proxy, client) = DroppingProxy::start();
    let table = create_table(&client, "OAuthStatesTable").await;
    let states = OAuthStateTable::new(client, table, keys::Fixed::default());
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    proxy.drop_next();
    let taken = states.take(&Hashed::of("state"), &Hashed::of("cookie"), 1).await;
    assert_eq!(taken.unwrap_err(), TakeError::Unknown);
    assert_eq!(proxy.dropped(), 1);
}
