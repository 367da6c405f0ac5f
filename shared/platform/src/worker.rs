//! The worker that logs calls, with the AWS adapters: used by the functions `sync` and `test-sync`.

use std::marker::PhantomData;

use calls::{
    ports::{Crm, TokenEndpoint},
    sync::{Ports, Worker},
};

use crate::{
    aws::Aws,
    clock::SystemClock,
    config::{ConfigError, Env, SettleTime},
    dynamo::{LedgerTable, WorkspaceTable},
    random::SystemRandom,
    secrets::KeysSecret,
};

/// The AWS adapters, with a Salesforce client.
#[derive(Debug)]
pub struct AwsPorts<S>(PhantomData<S>);

impl<S: Crm + TokenEndpoint> Ports for AwsPorts<S> {
    type Ledger = LedgerTable;
    type Workspaces = WorkspaceTable<KeysSecret>;
    type Salesforce = S;
    type Clock = SystemClock;
    type Random = SystemRandom;
}

/// Creates a worker from the environment.
pub fn worker<S: Crm + TokenEndpoint>(
    env: &impl Env,
    aws: &Aws,
    keys: KeysSecret,
    salesforce: S,
) -> Result<Worker<AwsPorts<S>>, ConfigError> {
    let SettleTime(settle) = SettleTime::from_env(env)?;
    Ok(Worker {
        ledger: LedgerTable::from_env(env, aws)?,
        workspaces: WorkspaceTable::from_env(env, aws, keys)?,
        salesforce,
        clock: SystemClock,
        random: SystemRandom,
        // SettleTime guarantees at most an hour.
        settle_seconds: i64::try_from(settle.as_secs()).unwrap_or(i64::MAX),
    })
}
