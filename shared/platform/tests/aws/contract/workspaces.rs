//! Workspaces: connect, disconnect, refresh by one worker at a time, and webhook secrets.

use calls::call::Direction;
use crm::{
    RecordType,
    workspace::{ConnectionState, MultipleMatches, NoMatch, Settings, WebhookSecretVersions},
};
use platform::{
    dynamo::SettingsTable,
    stores::{
        ConnectionStatus, Connections, Replaced, SettingsStore, SettingsView, StatusView, WebhookSecrets,
    },
    testing::MemoryWorkspaces,
};
use secrecy::ExposeSecret as _;
use worker::ports::{ConnectionStore, Tokens, Workspaces};

use crate::tables;

use super::{contract, new_connection, salesforce_id, workspace_id};

fn memory() -> (MemoryWorkspaces, MemoryWorkspaces) {
    let store = MemoryWorkspaces::default();
    (store.clone(), store)
}

async fn table() -> (tables::Workspaces, SettingsTable) {
    tables::workspaces().await
}

contract! {
    an_unknown_workspace_is_disconnected_with_default_settings,
    a_connection_round_trips,
    the_status_describes_the_connection,
    connecting_again_returns_the_old_grant_and_increments_the_version,
    the_first_users_time_zone_is_kept,
    the_first_orgs_country_is_kept,
    settings_round_trip,
    settings_that_may_not_be_replaced_are_kept_and_returned,
    only_one_of_several_concurrent_replacements_wins,
    changes_of_the_connection_do_not_block_settings,
    a_connect_fills_in_only_settings_that_nobody_changed,
    a_user_without_a_name_removes_the_stored_name,
    disconnecting_deletes_the_connection_and_returns_its_grant,
    disconnecting_twice_or_without_a_connection_changes_nothing,
    only_one_worker_may_refresh_at_a_time,
    an_expired_lease_may_be_taken_by_another_worker,
    a_worker_whose_response_was_lost_still_has_its_lease,
    no_lease_is_given_for_outdated_tokens,
    refreshed_tokens_replace_the_old_ones_and_end_the_lease,
    a_response_without_a_refresh_token_keeps_the_old_one,
    refreshed_tokens_stored_twice_by_their_worker_are_stored_once,
    refreshed_tokens_from_a_worker_without_the_lease_are_not_stored,
    refreshed_tokens_are_not_stored_after_a_disconnect,
    a_released_lease_may_be_taken_at_once_and_only_its_owner_may_release_it,
    a_dead_grant_requires_a_reconnect_and_keeps_no_token,
    a_dead_grant_with_outdated_tokens_changes_nothing,
    a_reconnect_replaces_a_dead_grant,
    the_first_webhook_secret_is_version_one_and_is_kept,
    a_rotation_keeps_the_previous_version_unless_it_is_revoked,
    a_rotation_before_the_first_issue_gives_version_one,
    webhook_secrets_survive_a_disconnect,
    concurrent_rotations_each_increment_the_version,
}

fn tokens(n: &str) -> Tokens {
    Tokens {
        access_token: format!("access-{n}").into(),
        refresh_token: Some(format!("refresh-{n}").into()),
        instance_url: "https://acme-2.my.salesforce.com".into(),
        issued_at: 2000,
    }
}

/// The stored tokens and their version.
async fn stored_tokens(store: &impl ConnectionStore) -> (u64, String, String) {
    let connection = store.load(&workspace_id()).await.unwrap().connection.unwrap();
    let text = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
    (connection.version, text(&connection.access_token), text(&connection.refresh_token))
}

fn tokens_of(version: u64, n: &str, refresh: &str) -> (u64, String, String) {
    (version, format!("access-{n}"), format!("refresh-{refresh}"))
}

async fn connect(store: &impl Connections, n: &str) {
    store.connect(&workspace_id(), &new_connection(n), 1000).await.unwrap();
}

async fn lease(store: &impl ConnectionStore, version: u64, owner: &str, now: i64) -> bool {
    store.acquire_refresh_lease(&workspace_id(), version, owner, now, now + 45).await.unwrap()
}

async fn an_unknown_workspace_is_disconnected_with_default_settings(
    (store, view): (impl ConnectionStore, impl SettingsView + StatusView),
) {
    let workspace = store.load(&workspace_id()).await.unwrap();
    assert_eq!(workspace.state, ConnectionState::Disconnected);
    assert_eq!((workspace.connection_version, workspace.connection.is_none()), (0, true));
    assert_eq!(workspace.webhook_secret, WebhookSecretVersions::default());
    assert_eq!(view.settings(&workspace_id()).await.unwrap(), Settings::default());
    assert_eq!(view.status(&workspace_id()).await.unwrap(), ConnectionStatus::unknown());
}

async fn a_connection_round_trips<V>((store, _): (impl ConnectionStore + Connections, V)) {
    assert!(store.connect(&workspace_id(), &new_connection("1"), 1000).await.unwrap().is_none());
    let workspace = store.load(&workspace_id()).await.unwrap();
    assert_eq!(workspace.state, ConnectionState::Connected);
    let connection = workspace.connection.unwrap();
    assert_eq!((connection.version, workspace.connection_version), (1, 1));
    assert_eq!(connection.instance_url, "https://acme.my.salesforce.com");
    assert_eq!(connection.login_url, "https://login.salesforce.com");
    assert_eq!(connection.org_id, salesforce_id("00D000000000001EAA"));
    assert_eq!(connection.user_id, salesforce_id("005000000000001AAA"));
    assert_eq!(stored_tokens(&store).await, tokens_of(1, "1", "1"));
}

async fn the_status_describes_the_connection((store, view): (impl Connections, impl StatusView)) {
    connect(&store, "1").await;
    let status = view.status(&workspace_id()).await.unwrap();
    assert_eq!(
        status,
        ConnectionStatus {
            state: ConnectionState::Connected,
            reason: None,
            instance_url: Some("https://acme.my.salesforce.com".into()),
            org_id: Some("00D000000000001EAA".into()),
            user_name: Some("Sam Sample".into()),
            connected_at: Some(1000),
        }
    );
}

async fn connecting_again_returns_the_old_grant_and_increments_the_version<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    let old = store.connect(&workspace_id(), &new_connection("2"), 2000).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(old.login_url, "https://login.salesforce.com");
    assert_eq!(stored_tokens(&store).await, tokens_of(2, "2", "2"));
}

async fn the_first_users_time_zone_is_kept((store, view): (impl Connections, impl SettingsView)) {
    connect(&store, "1").await;
    let mut second = new_connection("2");
    second.time_zone = Some("Europe/Berlin".parse().unwrap());
    store.connect(&workspace_id(), &second, 2000).await.unwrap();
    let settings = view.settings(&workspace_id()).await.unwrap();
    assert_eq!(settings.time_zone.name(), "America/New_York");
}

async fn the_first_orgs_country_is_kept((store, view): (impl Connections, impl SettingsView)) {
    connect(&store, "1").await;
    let mut second = new_connection("2");
    second.country = Some("DE".into());
    store.connect(&workspace_id(), &second, 2000).await.unwrap();
    assert_eq!(view.settings(&workspace_id()).await.unwrap().default_country, "CA");
}

/// Settings that all differ from their defaults.
fn other_settings() -> Settings {
    Settings {
        time_zone: "Australia/Lord_Howe".parse().unwrap(),
        default_country: "AU".into(),
        login_url: Some("https://acme.my.salesforce.com".into()),
        match_order: vec![RecordType::Contact, RecordType::Lead],
        multiple_matches: MultipleMatches::Skip,
        no_match: NoMatch::CreateLead,
        use_given_number: true,
        appointment_duration_minutes: 30,
        include_transcript: true,
        call_types: vec![Direction::Inbound],
        retention_days: 365,
    }
}

async fn replace(store: &impl SettingsStore, now: &Settings, new: &Settings) -> Replaced {
    store.replace(&workspace_id(), new, |found| found == now).await.unwrap()
}

async fn settings_round_trip((workspaces, store): (impl Workspaces, impl SettingsStore)) {
    let (first, second) = (Settings::default(), other_settings());
    // There and back, so that the login URL is set and removed.
    for (now, new) in [(&first, &second), (&second, &first), (&first, &first)] {
        assert_eq!(replace(&store, now, new).await, Replaced::Done);
        assert_eq!(store.settings(&workspace_id()).await.unwrap(), *new);
        assert_eq!(workspaces.load(&workspace_id()).await.unwrap().settings, *new);
    }
}

async fn settings_that_may_not_be_replaced_are_kept_and_returned<S>((_, store): (S, impl SettingsStore)) {
    let now = Settings { retention_days: 31, ..Settings::default() };
    assert_eq!(replace(&store, &Settings::default(), &now).await, Replaced::Done);
    let refused = replace(&store, &Settings::default(), &other_settings()).await;
    assert_eq!(refused, Replaced::Refused(Box::new(now.clone())));
    assert_eq!(store.settings(&workspace_id()).await.unwrap(), now);
}

async fn only_one_of_several_concurrent_replacements_wins<S>(
    (_, store): (S, impl SettingsStore + Clone + 'static),
) {
    let writers: Vec<_> = (31..35)
        .map(|retention_days| {
            let (store, new) = (store.clone(), Settings { retention_days, ..Settings::default() });
            tokio::spawn(async move { (replace(&store, &Settings::default(), &new).await, new) })
        })
        .collect();
    let mut won = Vec::new();
    for writer in writers {
        if let (Replaced::Done, new) = writer.await.unwrap() {
            won.push(new);
        }
    }
    assert_eq!(won, [store.settings(&workspace_id()).await.unwrap()]);
}

async fn changes_of_the_connection_do_not_block_settings(
    (store, settings): (impl ConnectionStore + Connections, impl SettingsStore + WebhookSecrets),
) {
    connect(&store, "1").await;
    let before = settings.settings(&workspace_id()).await.unwrap();
    assert!(lease(&store, 1, "worker", 1000).await);
    assert!(store.store_refreshed(&workspace_id(), 1, "worker", &tokens("2")).await.unwrap());
    settings.rotate(&workspace_id(), false).await.unwrap();
    connect(&store, "3").await;
    assert_eq!(replace(&settings, &before, &other_settings()).await, Replaced::Done);
    assert_eq!(stored_tokens(&store).await, tokens_of(3, "3", "3"));
}

async fn a_connect_fills_in_only_settings_that_nobody_changed(
    (store, settings): (impl Connections, impl SettingsStore),
) {
    // The country is sent unchanged, because a PUT sends all settings: nobody has chosen it.
    let new =
        Settings { time_zone: "Asia/Tokyo".parse().unwrap(), retention_days: 31, ..Settings::default() };
    assert_eq!(replace(&settings, &Settings::default(), &new).await, Replaced::Done);
    connect(&store, "1").await;
    let filled = Settings { default_country: "CA".into(), ..new.clone() };
    assert_eq!(settings.settings(&workspace_id()).await.unwrap(), filled);
    let refused = replace(&settings, &new, &other_settings()).await;
    assert_eq!(refused, Replaced::Refused(Box::new(filled)));
}

async fn a_user_without_a_name_removes_the_stored_name((store, view): (impl Connections, impl StatusView)) {
    connect(&store, "1").await;
    let mut second = new_connection("2");
    second.user_name = None;
    store.connect(&workspace_id(), &second, 2000).await.unwrap();
    let status = view.status(&workspace_id()).await.unwrap();
    assert_eq!((status.user_name, status.connected_at), (None, Some(2000)));
}

async fn disconnecting_deletes_the_connection_and_returns_its_grant(
    (store, view): (impl ConnectionStore + Connections, impl StatusView),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker", 1000).await);
    let old = store.disconnect(&workspace_id()).await.unwrap().unwrap();
    assert_eq!(old.refresh_token.expose_secret(), "refresh-1");
    let workspace = store.load(&workspace_id()).await.unwrap();
    assert_eq!(workspace.state, ConnectionState::Disconnected);
    assert_eq!(workspace.connection_version, 2);
    assert!(workspace.connection.is_none() && workspace.refresh_lease.is_none());
    assert_eq!(view.status(&workspace_id()).await.unwrap(), ConnectionStatus::unknown());
}

async fn disconnecting_twice_or_without_a_connection_changes_nothing<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    assert!(store.disconnect(&workspace_id()).await.unwrap().is_none());
    assert_eq!(store.load(&workspace_id()).await.unwrap().connection_version, 0);
    connect(&store, "1").await;
    store.disconnect(&workspace_id()).await.unwrap();
    assert!(store.disconnect(&workspace_id()).await.unwrap().is_none());
    assert_eq!(store.load(&workspace_id()).await.unwrap().connection_version, 2);
}

async fn only_one_worker_may_refresh_at_a_time<V>((store, _): (impl ConnectionStore + Connections, V)) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker-1", 1000).await);
    assert!(!lease(&store, 1, "worker-2", 1000).await);
    let workspace = store.load(&workspace_id()).await.unwrap();
    let lease = workspace.refresh_lease.unwrap();
    assert_eq!((lease.owner.as_str(), lease.until), ("worker-1", 1045));
}

async fn an_expired_lease_may_be_taken_by_another_worker<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker-1", 1000).await);
    assert!(!lease(&store, 1, "worker-2", 1044).await);
    assert!(lease(&store, 1, "worker-2", 1045).await);
}

async fn a_worker_whose_response_was_lost_still_has_its_lease<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker-1", 1000).await);
    assert!(lease(&store, 1, "worker-1", 1000).await);
}

async fn no_lease_is_given_for_outdated_tokens<V>((store, _): (impl ConnectionStore + Connections, V)) {
    assert!(!lease(&store, 0, "worker", 1000).await);
    connect(&store, "1").await;
    connect(&store, "2").await;
    assert!(!lease(&store, 1, "worker", 1000).await);
    store.disconnect(&workspace_id()).await.unwrap();
    assert!(!lease(&store, 2, "worker", 1000).await);
    assert!(!lease(&store, 3, "worker", 1000).await);
}

async fn refreshed_tokens_replace_the_old_ones_and_end_the_lease<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker", 1000).await);
    assert!(store.store_refreshed(&workspace_id(), 1, "worker", &tokens("2")).await.unwrap());
    assert_eq!(stored_tokens(&store).await, tokens_of(2, "2", "2"));
    let workspace = store.load(&workspace_id()).await.unwrap();
    assert!(workspace.refresh_lease.is_none());
    assert_eq!(workspace.connection_version, 2);
    assert_eq!(workspace.connection.unwrap().instance_url, "https://acme-2.my.salesforce.com");
}

async fn a_response_without_a_refresh_token_keeps_the_old_one<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker", 1000).await);
    let response = Tokens { refresh_token: None, ..tokens("2") };
    assert!(store.store_refreshed(&workspace_id(), 1, "worker", &response).await.unwrap());
    assert_eq!(stored_tokens(&store).await, tokens_of(2, "2", "1"));
}

async fn refreshed_tokens_stored_twice_by_their_worker_are_stored_once<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker", 1000).await);
    for _ in 0..2 {
        assert!(store.store_refreshed(&workspace_id(), 1, "worker", &tokens("2")).await.unwrap());
    }
    assert_eq!(stored_tokens(&store).await, tokens_of(2, "2", "2"));
}

async fn refreshed_tokens_from_a_worker_without_the_lease_are_not_stored<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(!store.store_refreshed(&workspace_id(), 1, "worker-1", &tokens("2")).await.unwrap());
    assert!(lease(&store, 1, "worker-1", 1000).await);
    assert!(lease(&store, 1, "worker-2", 2000).await);
    assert!(!store.store_refreshed(&workspace_id(), 1, "worker-1", &tokens("2")).await.unwrap());
    assert_eq!(stored_tokens(&store).await, tokens_of(1, "1", "1"));
}

async fn refreshed_tokens_are_not_stored_after_a_disconnect<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker", 1000).await);
    store.disconnect(&workspace_id()).await.unwrap();
    assert!(!store.store_refreshed(&workspace_id(), 1, "worker", &tokens("2")).await.unwrap());
    assert!(store.load(&workspace_id()).await.unwrap().connection.is_none());
}

async fn a_released_lease_may_be_taken_at_once_and_only_its_owner_may_release_it<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker-1", 1000).await);
    store.release_refresh_lease(&workspace_id(), 1, "worker-2", None, None).await.unwrap();
    assert!(!lease(&store, 1, "worker-2", 1000).await);
    store.release_refresh_lease(&workspace_id(), 1, "worker-1", None, None).await.unwrap();
    assert!(lease(&store, 1, "worker-2", 1000).await);
}

async fn a_dead_grant_requires_a_reconnect_and_keeps_no_token(
    (store, view): (impl ConnectionStore + Connections, impl StatusView),
) {
    connect(&store, "1").await;
    assert!(lease(&store, 1, "worker", 1000).await);
    // Twice: the first response may be lost.
    for _ in 0..2 {
        assert!(store.require_reconnect(&workspace_id(), 1, "expired access/refresh token").await.unwrap());
    }
    let workspace = store.load(&workspace_id()).await.unwrap();
    assert_eq!(workspace.state, ConnectionState::ReconnectRequired);
    assert_eq!(workspace.state_reason.as_deref(), Some("expired access/refresh token"));
    assert!(workspace.connection.is_none() && workspace.refresh_lease.is_none());
    let status = view.status(&workspace_id()).await.unwrap();
    assert_eq!(status.state, ConnectionState::ReconnectRequired);
    assert_eq!(status.instance_url.as_deref(), Some("https://acme.my.salesforce.com"));
    // Nothing is left to revoke.
    assert!(store.disconnect(&workspace_id()).await.unwrap().is_none());
    let status = view.status(&workspace_id()).await.unwrap();
    assert_eq!(status, ConnectionStatus::unknown());
}

async fn a_dead_grant_with_outdated_tokens_changes_nothing<V>(
    (store, _): (impl ConnectionStore + Connections, V),
) {
    connect(&store, "1").await;
    connect(&store, "2").await;
    assert!(!store.require_reconnect(&workspace_id(), 1, "expired").await.unwrap());
    assert_eq!(stored_tokens(&store).await, tokens_of(2, "2", "2"));
}

async fn a_reconnect_replaces_a_dead_grant<V>((store, _): (impl ConnectionStore + Connections, V)) {
    connect(&store, "1").await;
    assert!(store.require_reconnect(&workspace_id(), 1, "expired").await.unwrap());
    assert!(store.connect(&workspace_id(), &new_connection("2"), 2000).await.unwrap().is_none());
    let workspace = store.load(&workspace_id()).await.unwrap();
    assert_eq!((workspace.state, workspace.state_reason), (ConnectionState::Connected, None));
    assert_eq!(stored_tokens(&store).await, tokens_of(2, "2", "2"));
}

fn versions(current: u64, oldest_valid: u64) -> WebhookSecretVersions {
    WebhookSecretVersions { current, oldest_valid }
}

async fn the_first_webhook_secret_is_version_one_and_is_kept(
    (store, secrets): (impl ConnectionStore, impl WebhookSecrets),
) {
    for _ in 0..2 {
        assert_eq!(secrets.ensure(&workspace_id()).await.unwrap(), versions(1, 1));
    }
    assert_eq!(store.load(&workspace_id()).await.unwrap().webhook_secret, versions(1, 1));
}

async fn a_rotation_keeps_the_previous_version_unless_it_is_revoked<S>(
    (_, secrets): (S, impl WebhookSecrets),
) {
    secrets.ensure(&workspace_id()).await.unwrap();
    assert_eq!(secrets.rotate(&workspace_id(), false).await.unwrap(), versions(2, 1));
    assert_eq!(secrets.rotate(&workspace_id(), false).await.unwrap(), versions(3, 2));
    assert_eq!(secrets.rotate(&workspace_id(), true).await.unwrap(), versions(4, 4));
    assert_eq!(secrets.rotate(&workspace_id(), false).await.unwrap(), versions(5, 4));
    assert_eq!(secrets.ensure(&workspace_id()).await.unwrap(), versions(5, 4));
}

async fn a_rotation_before_the_first_issue_gives_version_one<S>((_, secrets): (S, impl WebhookSecrets)) {
    assert_eq!(secrets.rotate(&workspace_id(), false).await.unwrap(), versions(1, 1));
}

async fn webhook_secrets_survive_a_disconnect((store, secrets): (impl Connections, impl WebhookSecrets)) {
    secrets.rotate(&workspace_id(), false).await.unwrap();
    secrets.rotate(&workspace_id(), false).await.unwrap();
    connect(&store, "1").await;
    store.disconnect(&workspace_id()).await.unwrap();
    assert_eq!(secrets.ensure(&workspace_id()).await.unwrap(), versions(2, 1));
}

async fn concurrent_rotations_each_increment_the_version<S>(
    (_, secrets): (S, impl WebhookSecrets + Clone + 'static),
) {
    let rotations: Vec<_> = (0..3)
        .map(|_| {
            let secrets = secrets.clone();
            tokio::spawn(async move { secrets.rotate(&workspace_id(), false).await.unwrap().current })
        })
        .collect();
    let mut seen = Vec::new();
    for rotation in rotations {
        seen.push(rotation.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3]);
}
