//! The functions in the simulated world: the real use cases, with the few lines that the handlers add.

use crate::{
    ports::{Simulated, connections::Stored},
    run::TIMEOUT,
    samples::{org_id, workspace_id},
    world::{Message, SETTLE, VALID_SECRET, World},
};
use calls::{
    call::Call,
    ids::{ErrorCode, SalesforceId, WorkspaceId},
};
use chrono::{DateTime, TimeDelta, Utc};
use crm::workspace::{Connection, Workspace};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use worker::{
    Turn, Worker,
    connection::end_grant,
    jobs::{Job, Report, Resume, Retry, RetryCall},
    message::{Queued as _, is_fresh},
    places::Taken,
    ports::{Clock, Queue, StoreError, Workspaces},
};

/// API Gateway's timeout.
const API_TIMEOUT: TimeDelta = TimeDelta::seconds(29);
/// How many places one workspace may take.
const SHARE: usize = 1;
const LOGIN: &str = "https://login.salesforce.com";

fn worker(world: &World) -> Worker<Simulated> {
    Worker {
        ledger: world.clone(),
        workspaces: world.clone(),
        salesforce: world.clone(),
        clock: world.clone(),
        random: world.clone(),
        settle_seconds: SETTLE,
        places: Taken::none(SHARE),
    }
}

/// Processes a batch like the function `sync`: each workspace is read once, and the messages are processed
/// concurrently. Returns the ids of the completed messages.
pub async fn sync(world: World, batch: Vec<Message>) -> Vec<u64> {
    let deadline = Clock::now(&world) + TimeDelta::milliseconds(TIMEOUT);
    let batch: Vec<_> =
        batch.into_iter().filter_map(|message| Some((Job::decode(&message.body).ok()?, message))).collect();
    let ids: BTreeSet<_> = batch.iter().map(|(job, _)| job.workspace_id().clone()).collect();
    let mut workspaces = BTreeMap::new();
    for id in ids {
        if let Ok(workspace) = Workspaces::load(&world, &id).await {
            workspaces.insert(id, workspace);
        }
    }
    let worker = worker(&world);
    let done = batch.iter().map(|(job, message)| {
        let (world, worker, workspace) = (&world, &worker, workspaces.get(job.workspace_id()));
        async move {
            let done = work(world, worker, workspace?, job, message.received, deadline).await;
            done.is_ok().then_some(message.id)
        }
    });
    join_all(done).await.into_iter().flatten().collect()
}

async fn work(
    world: &World,
    worker: &Worker<Simulated>,
    workspace: &Workspace,
    job: &Job,
    received: u32,
    deadline: DateTime<Utc>,
) -> Result<(), StoreError> {
    let now = Clock::now(world).timestamp();
    let turn =
        |made_at: i64| Turn { deadline, gives_way: true, look_first: !is_fresh(made_at, received, now) };
    match job {
        Job::Report(report) => report.run(worker, workspace, turn(report.received_at)).await.map(drop),
        Job::Wake(wake) => wake.run(worker, workspace, turn(now)).await.map(drop),
        Job::Resume(resume) => resume.run(world, world).await.map(drop),
        Job::Retry(retry) => {
            let until = Clock::now(world) + TimeDelta::seconds(10);
            retry.run(world, world, world, world, until).await.map(drop)
        }
    }
}

pub async fn webhook(
    world: World,
    workspace_id: WorkspaceId,
    call: Call,
    revoked: bool,
) -> Result<(), StoreError> {
    let secret_version = if revoked { VALID_SECRET - 1 } else { VALID_SECRET };
    let now = Clock::now(&world).timestamp();
    let report = Report {
        workspace_id: workspace_id.clone(),
        secret_version,
        received_at: now,
        call: Box::new(call.clone()),
    };
    if world.send(&report.message()).await.is_err() {
        let workspace = Workspaces::load(&world, &workspace_id).await?;
        report.keep(&world, &world, &workspace, now).await?;
    }
    if !revoked {
        world.state().accepted.push((workspace_id, call));
    }
    Ok(())
}

/// After a connect without a response: reads the row to see whether the connect took effect. If it did not, returns
/// `error`.
async fn read_back(
    world: &World,
    id: &WorkspaceId,
    token: &str,
    replaced: Option<SecretString>,
    error: StoreError,
) -> Result<Stored, StoreError> {
    let text = |token: &SecretString| token.expose_secret().to_owned();
    let stored =
        Workspaces::load(world, id).await?.connection.map(|connection| text(&connection.refresh_token));
    if stored.as_deref() == Some(token) {
        Ok(Stored::Done { replaced: replaced.as_ref().map(text) })
    } else {
        Err(error)
    }
}

/// What `sync-logs` hands to `sync` when a person retries all calls with one error code.
pub async fn retry_all(world: World, id: WorkspaceId) -> Result<(), StoreError> {
    let error_code = {
        let state = world.state();
        let mut rows = state.rows.values().filter(|row| row.workspace_id == id);
        rows.find_map(|row| ErrorCode::parse(row.reason.clone()?.code).ok())
    };
    let Some(error_code) = error_code else { return Ok(()) };
    world.send(&Retry::all(id, error_code).message()).await
}

/// What `sync-logs` does when a person retries all calls.
pub async fn retry(world: World, id: WorkspaceId) -> Result<(), StoreError> {
    let calls: Vec<_> = {
        let state = world.state();
        state
            .rows
            .keys()
            .filter(|(workspace_id, _)| *workspace_id == id)
            .map(|(_, call)| call.clone())
            .collect()
    };
    for call_id in calls {
        let now = Clock::now(&world).timestamp();
        let retry = RetryCall { workspace_id: &id, call_id: &call_id };
        retry.run(&world, &world, &world, now).await?;
    }
    Ok(())
}

/// What the function `disconnect` does.
pub async fn disconnect(world: World, id: WorkspaceId) -> Result<(), StoreError> {
    let deadline = Clock::now(&world) + API_TIMEOUT;
    let workspace = Workspaces::load(&world, &id).await?;
    let known_token = workspace.connection.map(|connection| connection.refresh_token);
    let forgotten = world.forget(&id, workspace.connection_version).await;
    let token = if forgotten.is_ok() { forgotten?.map(Into::into) } else { known_token };
    if let Some(token) = token {
        end_grant(&world, &world, &id, LOGIN, &token, deadline).await;
    }
    Ok(())
}

/// What the function `oauth-callback` does after a user has allowed access.
pub async fn connect(world: World, workspace: usize, org: usize) -> Result<(), StoreError> {
    let deadline = Clock::now(&world) + API_TIMEOUT;
    let id = workspace_id(workspace);
    let org_id = org_id(workspace, org);
    let version = Workspaces::load(&world, &id).await?.connection_version;
    let (session, token) = {
        let mut state = world.state();
        let now = state.now;
        state.salesforce.grant(&org_id, None, now)
    };
    let connection = Connection {
        version,
        instance_url: "https://sample.my.salesforce.com".to_owned(),
        login_url: LOGIN.to_owned(),
        org_id,
        user_id: SalesforceId::parse("005000000000001").unwrap(),
        access_token: session.into(),
        refresh_token: token.clone().into(),
    };
    let replaced = Workspaces::load(&world, &id).await?.connection.map(|before| before.refresh_token);
    let stored = match world.connect(&id, version, connection).await {
        Err(error) => read_back(&world, &id, &token, replaced, error).await,
        stored => stored,
    };
    let unused = match stored {
        Ok(Stored::Done { replaced }) => {
            // Best effort: the sweep wakes rows that are not woken now.
            let _ = world.send(&Resume::all(id.clone()).message()).await;
            replaced
        }
        // The product retries with the new version; here the next user connects again.
        Ok(Stored::Conflict) => Some(token),
        Err(error) => {
            // The replaced grant may be forgotten by now, or still be in use, so it is not revoked.
            let process = world.state().running;
            world.state().excuse(process);
            end_grant(&world, &world, &id, LOGIN, &token.into(), deadline).await;
            return Err(error);
        }
    };
    if let Some(token) = unused {
        end_grant(&world, &world, &id, LOGIN, &token.into(), deadline).await;
    }
    Ok(())
}
