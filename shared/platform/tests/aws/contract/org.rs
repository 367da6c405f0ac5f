//! What workers learn about an org, and idle connections.

use calls::ids::WorkspaceId;
use crm::{
    Omitted,
    breaker::Breaker,
    places,
    workspace::{FailedRefresh, Learned, Lessons},
};
use platform::{stores::Connections, testing::MemoryWorkspaces};
use worker::ports::{BreakerOf, Breakers, ConnectionStore, IdleConnections, OrgMemory, Places, Tokens};

use crate::tables;

use super::{contract, new_connection, salesforce_id, workspace_id};

fn memory() -> MemoryWorkspaces {
    MemoryWorkspaces::default()
}

async fn table() -> tables::Workspaces {
    tables::workspaces().await.0
}

contract! {
    what_was_learned_round_trips,
    the_longer_of_two_pauses_counts,
    concurrent_lessons_of_different_kinds_are_kept,
    what_is_learned_about_another_org_is_not_kept,
    connect_and_disconnect_delete_what_was_learned,
    a_refresh_keeps_what_was_learned,
    a_gone_address_is_remembered_until_something_responds,
    a_failed_refresh_is_remembered_until_one_succeeds,
    a_breaker_is_swapped_only_as_it_was_read,
    an_orgs_breaker_ends_with_the_connection,
    login_hosts_have_breakers_of_their_own,
    places_are_swapped_only_as_they_were_read,
    connections_are_idle_by_the_age_of_their_tokens,
    idle_connections_are_paged_oldest_first,
    only_one_worker_keeps_a_connection_alive,
    a_disconnected_workspace_is_not_kept_alive,
}

const ORG: &str = "00D000000000001EAA";

async fn connect(store: &impl Connections, id: &WorkspaceId, issued_at: i64) {
    let connection = platform::stores::NewConnection { issued_at, ..new_connection("1") };
    store.connect(id, &connection, issued_at).await.unwrap();
}

fn lessons() -> Lessons {
    Lessons {
        unwritable: vec!["Task.Type".to_owned(), "Event.ShowAs".to_owned()],
        omitted: Omitted {
            unreadable: ["Contact.HomePhone".to_owned()].into(),
            unfilterable: ["Lead.Phone".to_owned()].into(),
        },
        closed_status: Some("Erledigt".to_owned()),
    }
}

fn all_learned() -> Learned {
    Learned::default().with(&lessons(), 1000)
}

async fn learn(store: &impl OrgMemory, org: &str) {
    store.pause(&workspace_id(), &salesforce_id(org), 5000).await.unwrap();
    store.remember(&workspace_id(), &salesforce_id(org), &all_learned(), &lessons()).await.unwrap();
}

async fn learned(store: &impl OrgMemory) -> (Option<i64>, Learned) {
    let workspace = store.load(&workspace_id()).await.unwrap();
    (workspace.paused_until, workspace.learned)
}

async fn what_was_learned_round_trips(store: impl OrgMemory + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    assert_eq!(learned(&store).await, (None, Learned::default()));
    learn(&store, ORG).await;
    assert_eq!(learned(&store).await, (Some(5000), all_learned()));
}

async fn concurrent_lessons_of_different_kinds_are_kept(store: impl OrgMemory + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    let all = lessons();
    let parts = [
        Lessons { unwritable: all.unwritable.clone(), ..Lessons::default() },
        Lessons { omitted: all.omitted.clone(), ..Lessons::default() },
        Lessons { closed_status: all.closed_status.clone(), ..Lessons::default() },
    ];
    for part in parts {
        // Each worker knows only its own lesson.
        let learned = Learned::default().with(&part, 1000);
        store.remember(&workspace_id(), &salesforce_id(ORG), &learned, &part).await.unwrap();
    }
    assert_eq!(learned(&store).await, (None, all_learned()));
}

async fn the_longer_of_two_pauses_counts(store: impl OrgMemory + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    for (until, paused) in [(5000, 5000), (4000, 5000), (6000, 6000)] {
        store.pause(&workspace_id(), &salesforce_id(ORG), until).await.unwrap();
        assert_eq!(learned(&store).await.0, Some(paused));
    }
}

async fn what_is_learned_about_another_org_is_not_kept(store: impl OrgMemory + Connections) {
    learn(&store, ORG).await;
    assert_eq!(learned(&store).await, (None, Learned::default()));
    connect(&store, &workspace_id(), 1000).await;
    learn(&store, "00D000000000002EAA").await;
    assert_eq!(learned(&store).await, (None, Learned::default()));
}

async fn connect_and_disconnect_delete_what_was_learned(store: impl OrgMemory + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    learn(&store, ORG).await;
    connect(&store, &workspace_id(), 1000).await;
    assert_eq!(learned(&store).await, (None, Learned::default()));
    learn(&store, ORG).await;
    store.disconnect(&workspace_id()).await.unwrap();
    assert_eq!(learned(&store).await, (None, Learned::default()));
}

async fn refresh(store: &impl ConnectionStore, issued_at: i64) {
    let id = workspace_id();
    let version = store.load(&id).await.unwrap().connection_version;
    assert!(store.acquire_refresh_lease(&id, version, "a worker", 1000, 1045).await.unwrap());
    let tokens = Tokens {
        access_token: "access-2".into(),
        refresh_token: None,
        instance_url: "https://acme.my.salesforce.com".into(),
        issued_at,
    };
    assert!(store.store_refreshed(&id, version, "a worker", &tokens).await.unwrap());
}

async fn a_refresh_keeps_what_was_learned(store: impl OrgMemory + ConnectionStore + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    learn(&store, ORG).await;
    refresh(&store, 2000).await;
    assert_eq!(learned(&store).await, (Some(5000), all_learned()));
}

async fn a_gone_address_is_remembered_until_something_responds(
    store: impl OrgMemory + ConnectionStore + Connections,
) {
    let id = workspace_id();
    connect(&store, &id, 1000).await;
    let version = store.load(&id).await.unwrap().connection_version;
    for since in [Some(7000), Some(7000), None, Some(8000)] {
        assert!(store.acquire_refresh_lease(&id, version, "a worker", 1000, 1045).await.unwrap());
        store.release_refresh_lease(&id, version, "a worker", since, None).await.unwrap();
        let workspace = store.load(&id).await.unwrap();
        assert_eq!((workspace.address_gone_since, workspace.refresh_lease), (since, None));
    }
    refresh(&store, 2000).await;
    assert_eq!(store.load(&id).await.unwrap().address_gone_since, None);
    let version = store.load(&id).await.unwrap().connection_version;
    assert!(store.acquire_refresh_lease(&id, version, "a worker", 1000, 1045).await.unwrap());
    store.release_refresh_lease(&id, version, "a worker", Some(9000), None).await.unwrap();
    connect(&store, &id, 3000).await;
    assert_eq!(store.load(&id).await.unwrap().address_gone_since, None);
}

async fn a_failed_refresh_is_remembered_until_one_succeeds(
    store: impl OrgMemory + ConnectionStore + Connections,
) {
    let id = workspace_id();
    connect(&store, &id, 1000).await;
    for (owner, failed, remembered) in [
        ("worker-1", None, None),
        ("worker-2", Some("timeout"), Some("worker-2")),
        // It had too little time to ask.
        ("worker-3", None, Some("worker-2")),
        ("worker-4", Some("timeout"), Some("worker-4")),
    ] {
        assert!(store.acquire_refresh_lease(&id, 1, owner, 1000, 1045).await.unwrap());
        store.release_refresh_lease(&id, 1, owner, None, failed).await.unwrap();
        let failed = store.load(&id).await.unwrap().failed_refresh;
        let remembered =
            remembered.map(|owner| FailedRefresh { owner: owner.to_owned(), code: "timeout".to_owned() });
        assert_eq!(failed, remembered, "{owner}");
    }
    refresh(&store, 2000).await;
    assert_eq!(store.load(&id).await.unwrap().failed_refresh, None);
}

fn breaker(until: Option<i64>) -> Breaker {
    Breaker { unanswered_at: 1000, until, times: u32::from(until.is_some()) }
}

async fn swaps(store: &impl Breakers, of: BreakerOf<'_>) {
    let (one, two) = (breaker(None), breaker(Some(1030)));
    for (before, after, swapped, stored) in [
        (Some(&one), Some(&two), false, None),
        (None, Some(&one), true, Some(one)),
        (None, Some(&two), false, Some(one)),
        (Some(&two), None, false, Some(one)),
        (Some(&one), Some(&two), true, Some(two)),
        // As if the response to the last swap had been lost: it may have been another worker's.
        (Some(&one), Some(&two), false, Some(two)),
        (Some(&two), None, true, None),
    ] {
        assert_eq!(store.swap_breaker(of, before, after).await.unwrap(), swapped, "{before:?} {after:?}");
        assert_eq!(store.load_breaker(of).await.unwrap(), stored);
    }
}

async fn a_breaker_is_swapped_only_as_it_was_read(store: impl Breakers + OrgMemory + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    let org_id = salesforce_id(ORG);
    let org = BreakerOf::Org(&workspace_id(), &org_id);
    swaps(&store, org).await;
    assert!(store.swap_breaker(org, None, Some(&breaker(None))).await.unwrap());
    assert_eq!(store.load(&workspace_id()).await.unwrap().breaker, Some(breaker(None)));
}

async fn an_orgs_breaker_ends_with_the_connection(store: impl Breakers + OrgMemory + Connections) {
    let (id, org_id, other) = (workspace_id(), salesforce_id(ORG), salesforce_id("00D000000000002EAA"));
    let org = BreakerOf::Org(&id, &org_id);
    assert!(!store.swap_breaker(org, None, Some(&breaker(None))).await.unwrap());
    connect(&store, &id, 1000).await;
    assert!(!store.swap_breaker(BreakerOf::Org(&id, &other), None, Some(&breaker(None))).await.unwrap());
    assert!(store.swap_breaker(org, None, Some(&breaker(None))).await.unwrap());
    assert_eq!(store.load_breaker(BreakerOf::Org(&id, &other)).await.unwrap(), None);
    store.disconnect(&id).await.unwrap();
    assert_eq!(store.load_breaker(org).await.unwrap(), None);
    connect(&store, &id, 1000).await;
    assert_eq!(store.load_breaker(org).await.unwrap(), None);
}

async fn places_are_swapped_only_as_they_were_read(store: impl Places + OrgMemory) {
    let id = workspace_id();
    let none = places::Places::default();
    let one = none.take("one", 1060, 2, 1000).unwrap();
    let two = one.take("two", 1060, 2, 1000).unwrap();
    for (before, after, swapped, stored) in [
        (&one, &two, false, &none),
        (&none, &one, true, &one),
        (&none, &two, false, &one),
        (&one, &two, true, &two),
        (&two, &none, true, &none),
    ] {
        assert_eq!(store.swap_places(&id, before, after).await.unwrap(), swapped, "{before:?} {after:?}");
        assert_eq!(store.load_places(&id).await.unwrap(), *stored);
        assert_eq!(store.load(&id).await.unwrap().places, *stored);
    }
}

async fn login_hosts_have_breakers_of_their_own(store: impl Breakers + OrgMemory) {
    let host = BreakerOf::LoginHost("https://login.salesforce.com");
    swaps(&store, host).await;
    assert!(store.swap_breaker(host, None, Some(&breaker(None))).await.unwrap());
    let sandbox = BreakerOf::LoginHost("https://test.salesforce.com");
    assert_eq!(store.load_breaker(sandbox).await.unwrap(), None);
}

async fn idle(store: &impl IdleConnections, issued_before: i64, now: i64) -> Vec<String> {
    let (ids, next) = store.idle(issued_before, now, 10, None).await.unwrap();
    assert_eq!(next, None);
    ids.iter().map(ToString::to_string).collect()
}

async fn connections_are_idle_by_the_age_of_their_tokens(
    store: impl IdleConnections + ConnectionStore + Connections,
) {
    connect(&store, &workspace_id(), 1000).await;
    assert!(idle(&store, 999, 5000).await.is_empty());
    assert_eq!(idle(&store, 1000, 5000).await, ["acme"]);
    refresh(&store, 3000).await;
    assert!(idle(&store, 2999, 5000).await.is_empty());
    assert_eq!(idle(&store, 3000, 5000).await, ["acme"]);
}

async fn idle_connections_are_paged_oldest_first(store: impl IdleConnections + Connections) {
    let ids: Vec<_> = (0..5).map(|n| format!("workspace-{n}")).collect();
    for (n, id) in ids.iter().enumerate() {
        let issued_at = 1000 - i64::try_from(n).unwrap();
        connect(&store, &WorkspaceId::parse(id).unwrap(), issued_at).await;
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = store.idle(1000, 5000, 2, after).await.unwrap();
        assert!(page.len() <= 2);
        found.extend(page.iter().map(ToString::to_string));
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    assert_eq!(found, ids.into_iter().rev().collect::<Vec<_>>());
}

async fn only_one_worker_keeps_a_connection_alive(store: impl IdleConnections + Connections) {
    connect(&store, &workspace_id(), 1000).await;
    assert!(store.claim_keep_alive(&workspace_id(), 5000, 8600).await.unwrap());
    assert!(!store.claim_keep_alive(&workspace_id(), 8599, 9000).await.unwrap());
    assert!(idle(&store, 1000, 8599).await.is_empty());
    assert_eq!(idle(&store, 1000, 8600).await, ["acme"]);
    assert!(store.claim_keep_alive(&workspace_id(), 8600, 9000).await.unwrap());
}

async fn a_disconnected_workspace_is_not_kept_alive(
    store: impl IdleConnections + ConnectionStore + Connections,
) {
    connect(&store, &workspace_id(), 1000).await;
    assert!(store.require_reconnect(&workspace_id(), 1, "revoked").await.unwrap());
    assert!(idle(&store, 1000, 5000).await.is_empty());
    assert!(!store.claim_keep_alive(&workspace_id(), 5000, 8600).await.unwrap());
    connect(&store, &workspace_id(), 1000).await;
    store.disconnect(&workspace_id()).await.unwrap();
    assert!(idle(&store, 1000, 5000).await.is_empty());
    assert!(!store.claim_keep_alive(&workspace_id(), 5000, 8600).await.unwrap());
}
