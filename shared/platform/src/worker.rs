//! The worker that logs calls, with AWS's adapters: shared by the functions `sync` and `test-sync`.

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

/// The adapters of AWS, around a Salesforce.
#[derive(Debug)]
pub struct AwsPorts<S>(PhantomData<S>);

impl<S: Crm + TokenEndpoint> Ports for AwsPorts<S> {
    type Ledger = LedgerTable;
    type Workspaces = WorkspaceTable<KeysSecret>;
    type Salesforce = S;
    type Clock = SystemClock;
    type Random = SystemRandom;
}

/// A worker from the environment.
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
        // At most an hour: SettleTime checks it.
        settle_seconds: i64::try_from(settle.as_secs()).unwrap_or(i64::MAX),
    })
}
