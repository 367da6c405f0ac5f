//! Writes whose answer is lost: the SDK tries them again by itself, and each must count as done, once.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use calls::{
    ports::{ConnectionStore as _, Ledger as _, Swap, Tokens, Workspaces as _},
    workspace::{ConnectionState, Settings, WebhookSecretVersions},
};
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

use crate::{
    contract::{new_connection, new_state, row, workspace_id},
    emulator,
    template::create_table,
};

/// Stands before the emulator and, once it is told to, swallows answers to writes: the connection just ends.
#[derive(Clone, Default)]
struct Thief {
    armed: Arc<AtomicUsize>,
    stolen: Arc<AtomicUsize>,
}

impl Thief {
    fn start() -> (Self, LazyClient<aws_sdk_dynamodb::Client>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = emulator::aws_at(listener.local_addr().unwrap().port()).dynamodb();
        let (thief, upstream) = (Self::default(), emulator::port());
        let at_work = thief.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let thief = at_work.clone();
                std::thread::spawn(move || thief.pass_on(connection, upstream));
            }
        });
        (thief, client)
    }

    /// From now on, the answer to the next write is lost.
    fn steal_next(&self) {
        self.steal(1);
    }

    /// From now on, the answers to so many writes are lost.
    fn steal(&self, answers: usize) {
        self.armed.store(answers, Ordering::SeqCst);
    }

    fn has_stolen(&self) -> usize {
        self.stolen.load(Ordering::SeqCst)
    }

    fn pass_on(&self, mut client: TcpStream, upstream: u16) -> Option<()> {
        let mut emulator = TcpStream::connect(("127.0.0.1", upstream)).ok()?;
        let mut requests = BufReader::new(client.try_clone().ok()?);
        let mut answers = BufReader::new(emulator.try_clone().ok()?);
        loop {
            let request = message(&mut requests)?;
            emulator.write_all(&request).ok()?;
            let answer = message(&mut answers)?;
            let armed = self.armed.load(Ordering::SeqCst);
            if is_write(&request) && armed > 0 {
                self.armed.store(armed - 1, Ordering::SeqCst);
                self.stolen.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            client.write_all(&answer).ok()?;
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

async fn workspaces() -> (Thief, WorkspaceTable<keys::Fixed>, SettingsTable) {
    let (thief, client) = Thief::start();
    let table = create_table(&client, "WorkspaceSettingsTable").await;
    let workspaces = WorkspaceTable::new(client.clone(), &table, keys::Fixed::default());
    (thief, workspaces, SettingsTable::new(client, table))
}

#[tokio::test]
async fn a_swap_is_done_though_its_answer_was_lost() {
    let (thief, client) = Thief::start();
    let ledger = LedgerTable::new(client.clone(), create_table(&client, "SyncLogsTable").await);
    let (first, second) = (row("call-1", "w1"), row("call-1", "w2"));
    thief.steal_next();
    assert_eq!(ledger.swap(None, &first).await.unwrap(), Swap::Done);
    thief.steal_next();
    assert_eq!(ledger.swap(first.write_id.as_ref(), &second).await.unwrap(), Swap::Done);
    assert_eq!(thief.has_stolen(), 2);
}

#[tokio::test]
async fn a_connect_whose_answer_was_lost_counts_once_and_gives_back_the_right_old_grant() {
    let (thief, workspaces, _) = workspaces().await;
    workspaces.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    thief.steal_next();
    let old = workspaces.connect(&workspace_id(), &new_connection("2"), 2).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(workspaces.load(&workspace_id()).await.unwrap().connection_version, 2);
    assert_eq!(thief.has_stolen(), 1);
}

/// The SDK gives up; the row tells what happened.
#[tokio::test]
async fn a_connect_and_a_disconnect_that_are_never_answered_are_read_back() {
    let (thief, workspaces, _) = workspaces().await;
    workspaces.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    thief.steal(3);
    let old = workspaces.connect(&workspace_id(), &new_connection("2"), 2).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(thief.has_stolen(), 3);
    thief.steal(3);
    let old = workspaces.disconnect(&workspace_id()).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-2");
    assert_eq!(thief.has_stolen(), 6);
}

#[tokio::test]
async fn a_disconnect_whose_answer_was_lost_still_gives_back_the_grant() {
    let (thief, workspaces, _) = workspaces().await;
    workspaces.connect(&workspace_id(), &new_connection("1"), 1).await.unwrap();
    thief.steal_next();
    let old = workspaces.disconnect(&workspace_id()).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(thief.has_stolen(), 1);
}

#[tokio::test]
async fn a_refresh_survives_the_loss_of_each_of_its_answers() {
    let (thief, workspaces, _) = workspaces().await;
    let id = workspace_id();
    workspaces.connect(&id, &new_connection("1"), 1).await.unwrap();
    thief.steal_next();
    assert!(workspaces.acquire_refresh_lease(&id, 1, "worker", 1000, 1045).await.unwrap());
    let tokens = Tokens {
        access_token: "access-2".into(),
        refresh_token: Some("refresh-2".into()),
        instance_url: "https://acme.my.salesforce.com".into(),
        issued_at: 1000,
    };
    thief.steal_next();
    assert!(workspaces.store_refreshed(&id, 1, "worker", &tokens).await.unwrap());
    let connection = workspaces.load(&id).await.unwrap().connection.unwrap();
    assert_eq!((connection.version, connection.refresh_token.expose_secret()), (2, "refresh-2"));
    thief.steal_next();
    assert!(workspaces.require_reconnect(&id, 2, "expired").await.unwrap());
    assert_eq!(workspaces.load(&id).await.unwrap().state, ConnectionState::ReconnectRequired);
    assert_eq!(thief.has_stolen(), 3);
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_raises_the_version_once() {
    let (thief, _, settings) = workspaces().await;
    settings.ensure(&workspace_id()).await.unwrap();
    thief.steal_next();
    let versions = settings.rotate(&workspace_id(), false).await.unwrap();
    assert_eq!(versions, WebhookSecretVersions { current: 2, oldest_valid: 1 });
    assert_eq!(thief.has_stolen(), 1);
}

#[tokio::test]
async fn settings_whose_answer_was_lost_are_replaced() {
    let (thief, _, settings) = workspaces().await;
    let new = Settings { retention_days: 31, ..Settings::default() };
    thief.steal_next();
    let unchanged = |now: &Settings| *now == Settings::default();
    assert_eq!(settings.replace(&workspace_id(), &new, unchanged).await.unwrap(), Replaced::Done);
    assert_eq!(settings.settings(&workspace_id()).await.unwrap(), new);
    assert_eq!(thief.has_stolen(), 1);
}

#[tokio::test]
async fn a_flow_whose_taking_was_lost_is_gone_rather_than_good_twice() {
    let (thief, client) = Thief::start();
    let table = create_table(&client, "OAuthStatesTable").await;
    let states = OAuthStateTable::new(client, table, keys::Fixed::default());
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    thief.steal_next();
    let taken = states.take(&Hashed::of("state"), &Hashed::of("cookie"), 1).await;
    assert_eq!(taken.unwrap_err(), TakeError::Unknown);
    assert_eq!(thief.has_stolen(), 1);
}
