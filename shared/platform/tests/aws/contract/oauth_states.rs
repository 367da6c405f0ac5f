//! Connect flows: each is taken once, by the browser that started it, before it expires.

use platform::{
    hashed::Hashed,
    stores::{OAuthStates, TakeError},
    testing::MemoryOAuthStates,
};
use secrecy::ExposeSecret as _;

use super::{contract, new_state, workspace_id};
use crate::tables;

fn memory() -> MemoryOAuthStates {
    MemoryOAuthStates::default()
}

async fn table() -> tables::OAuthStates {
    tables::oauth_states().await
}

contract! {
    a_flow_is_taken_complete_and_only_once,
    an_unknown_state_is_refused,
    another_browser_neither_takes_nor_invalidates_the_flow,
    an_expired_flow_is_refused,
    only_one_of_many_concurrent_callbacks_takes_the_flow,
}

async fn take(states: &impl OAuthStates, state: &str, cookie: &str, now: i64) -> Result<(), TakeError> {
    states.take(&Hashed::of(state), &Hashed::of(cookie), now).await.map(drop)
}

async fn a_flow_is_taken_complete_and_only_once(states: impl OAuthStates) {
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    let flow = states.take(&Hashed::of("state"), &Hashed::of("cookie"), 99).await.unwrap();
    assert_eq!(flow.workspace_id, workspace_id());
    assert_eq!(flow.code_verifier.expose_secret(), "verifier");
    assert_eq!(flow.redirect_uri, "https://api.example.com/api/salesforce/oauth/callback");
    assert_eq!(flow.login_url, "https://login.salesforce.com");
    assert_eq!(take(&states, "state", "cookie", 99).await, Err(TakeError::Unknown));
}

async fn an_unknown_state_is_refused(states: impl OAuthStates) {
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    assert_eq!(take(&states, "forged", "cookie", 1).await, Err(TakeError::Unknown));
}

async fn another_browser_neither_takes_nor_invalidates_the_flow(states: impl OAuthStates) {
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    assert_eq!(take(&states, "state", "another", 1).await, Err(TakeError::WrongBrowser));
    assert_eq!(take(&states, "state", "cookie", 1).await, Ok(()));
}

async fn an_expired_flow_is_refused(states: impl OAuthStates) {
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    assert_eq!(take(&states, "state", "cookie", 100).await, Err(TakeError::Expired));
    assert_eq!(take(&states, "state", "another", 100).await, Err(TakeError::WrongBrowser));
}

async fn only_one_of_many_concurrent_callbacks_takes_the_flow(states: impl OAuthStates + Clone + 'static) {
    states.put(&new_state("state", "cookie", 100)).await.unwrap();
    let callbacks: Vec<_> = (0..8)
        .map(|_| {
            let states = states.clone();
            tokio::spawn(async move { take(&states, "state", "cookie", 1).await })
        })
        .collect();
    let mut taken = 0;
    for callback in callbacks {
        taken += usize::from(callback.await.unwrap().is_ok());
    }
    assert_eq!(taken, 1);
}
