//! Claiming a row: one conditional write that merges a report into it and takes the right to work on it
//! (docs/contract.md#claim).

use calls::{
    codes::reasons,
    ids::{CallId, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
    timings::ROW_LEASE,
};
use crm::{
    lease::Lease,
    ledger::{Foreign, Row, RowKey, Stored, TriedWith, WriteId},
    workspace::Workspace,
};

use crate::ports::{Ledger, Random, StoreError, Swap};

/// [`ROW_LEASE`], in seconds.
pub(crate) const LEASE_SECONDS: i64 = ROW_LEASE.num_seconds();
/// How often a swap that somebody else won is tried anew. Each loss is another's progress.
const SWAP_TRIES: u32 = 20;

/// A row that this worker has for itself.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    /// The row as it was written.
    pub(crate) row: Row,
    /// The random id of this claim.
    pub(crate) owner: String,
    /// `unsettled_until` of the attempts before this one: look first, and write only after it.
    pub(crate) unsettled_until: Option<i64>,
}

/// What came of a claim.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The row is ours.
    Ours(Box<Claimed>),
    /// Another worker has it; what was new is merged, and that worker will see it.
    Elsewhere,
    /// Nothing is to be done.
    Nothing,
}

/// What a step of [`change`] wants.
enum Step<T> {
    /// Write this row.
    Write(Box<Row>, T),
    /// Leave it as it is.
    Keep(T),
}

/// Claims the row of a report's call, creating it if need be, and merges the report. `reported`: the row as the report
/// alone would make it.
pub(crate) async fn claim_report<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    workspace: &Workspace,
    reported: Row,
    now: i64,
    settle_seconds: i64,
) -> Result<Claim, StoreError> {
    let owner = random.id();
    let claimed = |row: Row| claim(row, workspace, &owner, now, settle_seconds);
    change(ledger, random, None, cannot_merge, |current| {
        let Some(current) = current else { return claimed(reported.clone()) };
        let mut row = current.clone();
        let news = row.take_report(&reported.call, reported.created_at);
        if is_held(&row, now) {
            return if news { write(row, now, Claim::Elsewhere) } else { Step::Keep(Claim::Elsewhere) };
        }
        if news || row.status == SyncStatus::Queued { claimed(row) } else { Step::Keep(Claim::Nothing) }
    })
    .await
}

/// Claims a row that exists. `force`: also one whose status is final (a person asked).
pub(crate) async fn claim_row<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    workspace: &Workspace,
    call_id: &CallId,
    force: bool,
    now: i64,
    settle_seconds: i64,
) -> Result<Claim, StoreError> {
    let Some(row) = ledger.load(&workspace.id, call_id).await? else { return Ok(Claim::Nothing) };
    let owner = random.id();
    let foreign = |foreign: &Foreign| {
        // Nothing is lost: the row says itself when it is due.
        tracing::warn!(workspace.id = %workspace.id, call.id = %call_id, error = %foreign, "a call is left alone");
        Ok(Claim::Nothing)
    };
    change(ledger, random, Some(row), foreign, |current| match current {
        None => Step::Keep(Claim::Nothing),
        Some(row) if is_held(row, now) => Step::Keep(Claim::Elsewhere),
        Some(row) if row.is_settled() && !force || row.is_refused() => Step::Keep(Claim::Nothing),
        Some(row) => claim(row.clone(), workspace, &owner, now, settle_seconds),
    })
    .await
}

/// Merges a report without claiming: for a webhook whose queue is down (docs/contract.md#the-way-of-a-call). The sweep
/// wakes the row.
pub(crate) async fn accept_report<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    reported: Row,
    now: i64,
) -> Result<(), StoreError> {
    change(ledger, random, None, cannot_merge, |current| {
        let Some(current) = current else { return write(reported.clone(), now, ()) };
        let mut row = current.clone();
        if !row.take_report(&reported.call, reported.created_at) {
            return Step::Keep(());
        }
        if !is_held(&row, now) {
            row.queue(now);
        }
        write(row, now, ())
    })
    .await
}

/// Records a report that came under a webhook secret which counts no more. Never changes a row that exists.
pub(crate) async fn refuse_report<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    workspace: &Workspace,
    reported: Row,
    now: i64,
) -> Result<(), StoreError> {
    change(
        ledger,
        random,
        None,
        |_| Ok(()),
        |current| {
            if current.is_some() {
                return Step::Keep(());
            }
            let mut row = reported.clone();
            let reason = Reason::of(reasons::WEBHOOK_SECRET_REVOKED);
            row.finish(SyncStatus::Skipped, Some(reason), None, workspace.settings.retention_days, now);
            write(row, now, ())
        },
    )
    .await
}

/// Writes `row`, the claimed row with its outcome, if this worker still has it. If a report was merged meanwhile,
/// the outcome's Salesforce ids go into the newer row, which is queued again. `false`: the row is another worker's
/// now, and that one looks before it writes.
pub(crate) async fn record<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    claimed: &Claimed,
    outcome: Row,
    now: i64,
) -> Result<Recorded, StoreError> {
    change(
        ledger,
        random,
        Some(claimed.row.clone().into()),
        |_| Ok(Recorded::Lost),
        |current| {
            let ours =
                current.filter(|row| row.lease.as_ref().is_some_and(|lease| lease.owner == claimed.owner));
            let Some(current) = ours else { return Step::Keep(Recorded::Lost) };
            let mut row = outcome.clone();
            row.lease = None;
            if current.revision == claimed.row.revision {
                return write(row, now, Recorded::Done);
            }
            row.call = current.call.clone();
            row.revision = current.revision;
            row.queue(now);
            write(row, now, Recorded::NewsMeanwhile)
        },
    )
    .await
}

/// What came of putting a row into line again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuedAgain {
    /// It is in line, or a worker has it just now.
    Queued,
    /// There is no such row, or it is not one of those that were asked for.
    Unknown,
    /// It came under a webhook secret that counts no more: nobody can tell who reported it, so it is never logged.
    Refused,
    /// A newer version wrote it: it is left alone.
    Foreign,
}

/// Puts a row that exists into line again, if it is `wanted`. What stands in Salesforce for it is brought up to date.
pub(crate) async fn queue_again<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    workspace_id: &WorkspaceId,
    call_id: &CallId,
    wanted: impl Fn(&Row) -> bool,
    now: i64,
) -> Result<QueuedAgain, StoreError> {
    let Some(row) = ledger.load(workspace_id, call_id).await? else { return Ok(QueuedAgain::Unknown) };
    change(
        ledger,
        random,
        Some(row),
        |_| Ok(QueuedAgain::Foreign),
        |current| {
            let Some(current) = current.filter(|row| wanted(row)) else {
                return Step::Keep(QueuedAgain::Unknown);
            };
            if current.is_refused() {
                return Step::Keep(QueuedAgain::Refused);
            }
            if is_held(current, now) {
                return Step::Keep(QueuedAgain::Queued);
            }
            let mut row = current.clone();
            row.logged_revision = 0;
            row.queue(now);
            write(row, now, QueuedAgain::Queued)
        },
    )
    .await
}

/// What came of postponing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Postponed {
    /// Its message is to be sent.
    Done,
    /// It is not due any more.
    NotDue,
    /// A newer version wrote it: it is left alone.
    Foreign,
}

/// Moves a due row's `due_at` to `until`, before its message is sent.
pub(crate) async fn postpone<L: Ledger, R: Random>(
    ledger: &L,
    random: &R,
    key: &RowKey,
    now: i64,
    until: i64,
) -> Result<Postponed, StoreError> {
    let row = ledger.load(&key.workspace_id, &key.call_id).await?;
    change(
        ledger,
        random,
        row,
        |_| Ok(Postponed::Foreign),
        |current| {
            let due =
                current.filter(|row| row.due_at.is_some_and(|due_at| due_at <= now) && !is_held(row, now));
            let Some(row) = due else { return Step::Keep(Postponed::NotDue) };
            let mut row = row.clone();
            row.due_at = Some(until);
            write(row, now, Postponed::Done)
        },
    )
    .await
}

/// What came of recording an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It stands in the ledger.
    Done,
    /// It stands there, and the row is queued again for what came meanwhile.
    NewsMeanwhile,
    /// Another worker has the row.
    Lost,
}

fn is_held(row: &Row, now: i64) -> bool {
    row.lease.as_ref().is_some_and(|lease| lease.until > now)
}

fn claim(mut row: Row, workspace: &Workspace, owner: &str, now: i64, settle_seconds: i64) -> Step<Claim> {
    let until = now + LEASE_SECONDS;
    let unsettled_until = row.unsettled_until;
    row.lease = Some(Lease { owner: owner.to_owned(), until });
    row.attempts += 1;
    // A dead worker's row comes back, and whoever gets it then must assume that the dead one wrote.
    row.due_at = Some(until);
    row.expires_at = None;
    if let Some(connection) = &workspace.connection {
        row.unsettled_until = Some(until + settle_seconds);
        row.tried_with.get_or_insert_with(|| TriedWith {
            org_id: connection.org_id.clone(),
            user_id: connection.user_id.clone(),
        });
    }
    row.updated_at = now;
    let claimed = Claimed { row: row.clone(), owner: owner.to_owned(), unsettled_until };
    Step::Write(Box::new(row), Claim::Ours(Box::new(claimed)))
}

fn write<T>(mut row: Row, now: i64, result: T) -> Step<T> {
    row.updated_at = now;
    Step::Write(Box::new(row), result)
}

/// A report of a call whose row cannot take it: it stays in the queue until the newer version is back.
fn cannot_merge<T>(foreign: &Foreign) -> Result<T, StoreError> {
    Err(StoreError { operation: "merging the report", cause: foreign.to_string() })
}

/// Reads, changes and swaps a row until nobody comes between. `current` is what the row is taken to be at first;
/// wrong guesses cost one more write. `foreign` says what comes of a row of a newer version, which is never written.
async fn change<L: Ledger, R: Random, T: WithWriteId>(
    ledger: &L,
    random: &R,
    mut current: Option<Stored>,
    foreign: impl Fn(&Foreign) -> Result<T, StoreError>,
    step: impl Fn(Option<&Row>) -> Step<T>,
) -> Result<T, StoreError> {
    for _ in 0..SWAP_TRIES {
        let row = match &current {
            None => None,
            Some(Stored::Row(row)) => Some(&**row),
            Some(Stored::Foreign(row)) => return foreign(row),
        };
        let (mut new, result) = match step(row) {
            Step::Keep(result) => return Ok(result),
            Step::Write(row, result) => (row, result),
        };
        let write_id = WriteId(random.id());
        new.write_id = Some(write_id.clone());
        let expected = row.and_then(|row| row.write_id.as_ref());
        match ledger.swap(expected, &new).await? {
            Swap::Done => return Ok(result.with_write_id(write_id)),
            Swap::Conflict(found) => current = found,
        }
    }
    Err(StoreError { operation: "ledger swap", cause: "other writers won every time".to_owned() })
}

/// A result that wants to know the id of the write which it stands for.
trait WithWriteId: Sized {
    fn with_write_id(self, _id: WriteId) -> Self {
        self
    }
}

impl WithWriteId for () {}
impl WithWriteId for Postponed {}
impl WithWriteId for Recorded {}
impl WithWriteId for QueuedAgain {}
impl WithWriteId for Claim {
    fn with_write_id(mut self, id: WriteId) -> Self {
        if let Self::Ours(claimed) = &mut self {
            claimed.row.write_id = Some(id);
        }
        self
    }
}
