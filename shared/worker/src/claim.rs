//! Claiming a row: one conditional write that merges a report into it and takes its lease (docs/contract.md#claim).

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
/// Attempts at a compare-and-swap. Each one lost is progress by another writer.
const SWAP_ATTEMPTS: u32 = 20;

/// A row that this worker has claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    /// The row as it was written.
    pub(crate) row: Row,
    /// The random id of this claim.
    pub(crate) owner: String,
    /// `unsettled_until` from earlier attempts: look first, and write only after it.
    pub(crate) unsettled_until: Option<i64>,
}

/// The result of a claim.
#[derive(Debug)]
pub(crate) enum Claim {
    /// We hold the row.
    Ours(Box<Claimed>),
    /// Another worker holds it. Any news has been merged, and that worker will see it.
    Elsewhere,
    /// There is nothing to do.
    Nothing,
}

/// What [`change`] should do next.
enum Edit<T> {
    /// Write this row.
    Write(Box<Row>, T),
    /// Leave it as it is.
    Keep(T),
}

/// Claims the row of a report's call, creating it if necessary, and merges the report. `reported`: the row that the
/// report alone would create.
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
            return if news { write(row, now, Claim::Elsewhere) } else { Edit::Keep(Claim::Elsewhere) };
        }
        if news || row.status == SyncStatus::Queued { claimed(row) } else { Edit::Keep(Claim::Nothing) }
    })
    .await
}

/// Claims an existing row. `force`: even if its status is final, because a person asked.
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
        // Nothing is lost: the row has its own `due_at`.
        tracing::warn!(workspace.id = %workspace.id, call.id = %call_id, error = %foreign, "a call is left alone");
        Ok(Claim::Nothing)
    };
    change(ledger, random, Some(row), foreign, |current| match current {
        None => Edit::Keep(Claim::Nothing),
        Some(row) if is_held(row, now) => Edit::Keep(Claim::Elsewhere),
        Some(row) if row.is_settled() && !force || row.is_refused() => Edit::Keep(Claim::Nothing),
        Some(row) => claim(row.clone(), workspace, &owner, now, settle_seconds),
    })
    .await
}

/// Merges a report without claiming: for a webhook whose queue is down (docs/contract.md#how-a-call-is-logged). The
/// sweep wakes the row.
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
            return Edit::Keep(());
        }
        if !is_held(&row, now) {
            row.queue(now);
        }
        write(row, now, ())
    })
    .await
}

/// Records a report that came with a revoked webhook secret. Never changes an existing row.
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
                return Edit::Keep(());
            }
            let mut row = reported.clone();
            let reason = Reason::of(reasons::WEBHOOK_SECRET_REVOKED);
            row.finish(SyncStatus::Skipped, Some(reason), None, workspace.settings.retention_days, now);
            write(row, now, ())
        },
    )
    .await
}

/// Writes `outcome`, the claimed row with its outcome, if this worker still holds it. If a report was merged in the
/// meantime, the outcome is combined with the newer call, and the row is queued again. [`Recorded::Lost`]: another
/// worker holds the row now, and that one looks before it writes.
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
            let Some(current) = ours else { return Edit::Keep(Recorded::Lost) };
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

/// The result of queuing a row again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuedAgain {
    /// It is queued, or a worker holds it right now.
    Queued,
    /// There is no such row, or it is not one of the wanted ones.
    Unknown,
    /// It came with a revoked webhook secret. It is unknown who reported it, so it is never logged.
    Refused,
    /// A newer version wrote it, so it is not touched.
    Foreign,
}

/// Queues an existing row again, if it is `wanted`. Its activities in Salesforce will be brought up to date.
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
                return Edit::Keep(QueuedAgain::Unknown);
            };
            if current.is_refused() {
                return Edit::Keep(QueuedAgain::Refused);
            }
            if is_held(current, now) {
                return Edit::Keep(QueuedAgain::Queued);
            }
            let mut row = current.clone();
            row.logged_revision = 0;
            row.queue(now);
            write(row, now, QueuedAgain::Queued)
        },
    )
    .await
}

/// The result of postponing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Postponed {
    /// Its message can be sent.
    Done,
    /// It is no longer due.
    NotDue,
    /// A newer version wrote it, so it is not touched.
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
            let Some(row) = due else { return Edit::Keep(Postponed::NotDue) };
            let mut row = row.clone();
            row.due_at = Some(until);
            write(row, now, Postponed::Done)
        },
    )
    .await
}

/// The result of recording an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is in the ledger.
    Done,
    /// It is in the ledger, and the row is queued again because of a report that arrived in the meantime.
    NewsMeanwhile,
    /// Another worker holds the row.
    Lost,
}

fn is_held(row: &Row, now: i64) -> bool {
    row.lease.as_ref().is_some_and(|lease| lease.until > now)
}

fn claim(mut row: Row, workspace: &Workspace, owner: &str, now: i64, settle_seconds: i64) -> Edit<Claim> {
    let until = now + LEASE_SECONDS;
    let unsettled_until = row.unsettled_until;
    row.lease = Some(Lease { owner: owner.to_owned(), until });
    row.attempts += 1;
    // If this worker dies, the row is due again, and the next worker must assume that this one wrote to Salesforce.
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
    Edit::Write(Box::new(row), Claim::Ours(Box::new(claimed)))
}

fn write<T>(mut row: Row, now: i64, result: T) -> Edit<T> {
    row.updated_at = now;
    Edit::Write(Box::new(row), result)
}

/// For a report whose row a newer version wrote: it stays in the queue until that version is back.
fn cannot_merge<T>(foreign: &Foreign) -> Result<T, StoreError> {
    Err(StoreError { operation: "merging the report", cause: foreign.to_string() })
}

/// Changes a row by compare-and-swap, retrying on conflicts. `current` is the first guess at the stored row; a wrong
/// one costs one more write. `foreign` is the result for a row that a newer version wrote; such a row is never written.
async fn change<L: Ledger, R: Random, T: WithWriteId>(
    ledger: &L,
    random: &R,
    mut current: Option<Stored>,
    foreign: impl Fn(&Foreign) -> Result<T, StoreError>,
    step: impl Fn(Option<&Row>) -> Edit<T>,
) -> Result<T, StoreError> {
    for _ in 0..SWAP_ATTEMPTS {
        let row = match &current {
            None => None,
            Some(Stored::Row(row)) => Some(&**row),
            Some(Stored::Foreign(row)) => return foreign(row),
        };
        let (mut new, result) = match step(row) {
            Edit::Keep(result) => return Ok(result),
            Edit::Write(row, result) => (row, result),
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

/// A result that may need the id of its write.
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
