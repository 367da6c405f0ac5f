//! The ledger: swaps by the id of the last write, and its indexes.

use std::collections::BTreeSet;

use calls::{
    ids::{ErrorCode, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
};
use crm::{
    Record, RecordType,
    ledger::{Row, WriteId},
    matching::{Candidate, Decision, Rule},
    phone::Exactness,
};
use platform::{
    dynamo::LedgerTable,
    stores::{CountedRows, ListedRow, ListedRows, NewestRow, NewestRows, Outcome},
    testing::{MemoryLedger, listed_decision},
};
use worker::ports::{DueRows, FailedRows, Ledger, Swap, WaitingRows};

use crate::tables;

use super::{contract, row, salesforce_id, workspace_id};

fn memory() -> MemoryLedger {
    MemoryLedger::default()
}

async fn table() -> LedgerTable {
    tables::ledger().await
}

contract! {
    a_row_round_trips,
    only_one_of_two_creates_a_row_and_the_other_sees_it,
    a_swap_needs_the_expected_last_write,
    a_swap_of_a_deleted_row_is_a_conflict_without_a_row,
    a_retry_of_our_own_write_succeeds,
    one_of_many_concurrent_writers_wins,
    a_row_without_a_write_id_is_not_written,
    waiting_rows_are_paged_oldest_first,
    due_rows_are_read_from_all_shards_and_only_when_due,
    due_rows_are_paged,
    the_newest_row_of_a_status_is_the_one_created_last,
    a_listed_row_has_what_the_indexes_contain,
    lists_are_paged_newest_first_even_within_a_second,
    a_position_from_another_workspaces_list_shows_only_own_rows,
    outcomes_are_those_of_one_workspace_since_a_time,
    rows_with_an_error_code_are_paged_and_counted,
}

fn write_id(id: &str) -> WriteId {
    WriteId(id.into())
}

async fn create(ledger: &impl Ledger, row: &Row) {
    assert_eq!(ledger.swap(None, row).await.unwrap(), Swap::Done);
}

async fn a_row_round_trips(ledger: impl Ledger) {
    let row = row("call-1", "w1");
    assert_eq!(ledger.load(&row.workspace_id, &row.call_id).await.unwrap(), None);
    create(&ledger, &row).await;
    assert_eq!(ledger.load(&row.workspace_id, &row.call_id).await.unwrap(), Some(row.clone().into()));
    let other = WorkspaceId::parse("globex").unwrap();
    assert_eq!(ledger.load(&other, &row.call_id).await.unwrap(), None);
}

async fn only_one_of_two_creates_a_row_and_the_other_sees_it(ledger: impl Ledger) {
    let (first, second) = (row("call-1", "w1"), row("call-1", "w2"));
    create(&ledger, &first).await;
    assert_eq!(ledger.swap(None, &second).await.unwrap(), Swap::Conflict(Some(first.into())));
}

async fn a_swap_needs_the_expected_last_write(ledger: impl Ledger) {
    let (first, mut second, third) = (row("call-1", "w1"), row("call-1", "w2"), row("call-1", "w3"));
    second.attempts = 1;
    create(&ledger, &first).await;
    assert_eq!(ledger.swap(Some(&write_id("w1")), &second).await.unwrap(), Swap::Done);
    let conflict = ledger.swap(Some(&write_id("w1")), &third).await.unwrap();
    assert_eq!(conflict, Swap::Conflict(Some(second.into())));
}

async fn a_swap_of_a_deleted_row_is_a_conflict_without_a_row(ledger: impl Ledger) {
    let swap = ledger.swap(Some(&write_id("w1")), &row("call-1", "w2")).await.unwrap();
    assert_eq!(swap, Swap::Conflict(None));
}

async fn a_retry_of_our_own_write_succeeds(ledger: impl Ledger) {
    let (first, second) = (row("call-1", "w1"), row("call-1", "w2"));
    create(&ledger, &first).await;
    create(&ledger, &first).await;
    for _ in 0..2 {
        assert_eq!(ledger.swap(Some(&write_id("w1")), &second).await.unwrap(), Swap::Done);
    }
}

async fn one_of_many_concurrent_writers_wins(ledger: impl Ledger + Clone + 'static) {
    let writers: Vec<_> = (0..16)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.swap(None, &row("call-1", &format!("w{n}"))).await.unwrap() })
        })
        .collect();
    let mut done = 0;
    for writer in writers {
        done += usize::from(writer.await.unwrap() == Swap::Done);
    }
    assert_eq!(done, 1);
}

async fn a_row_without_a_write_id_is_not_written(ledger: impl Ledger) {
    let mut row = row("call-1", "w1");
    row.write_id = None;
    assert!(ledger.swap(None, &row).await.is_err());
}

async fn waiting_rows_are_paged_oldest_first(ledger: impl Ledger + WaitingRows) {
    for n in 0..5 {
        let mut row = row(&format!("call-{n}"), "w1");
        row.status = SyncStatus::WaitingForConnection;
        row.created_at = 2000 - n;
        create(&ledger, &row).await;
    }
    create(&ledger, &row("call-queued", "w1")).await;
    let mut other = row("call-other", "w1");
    other.status = SyncStatus::WaitingForConnection;
    other.workspace_id = WorkspaceId::parse("globex").unwrap();
    create(&ledger, &other).await;

    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let (page, next) = ledger.waiting(&workspace_id(), 2, after).await.unwrap();
        assert!(page.len() <= 2);
        found.extend(page.into_iter().map(|call_id| call_id.to_string()));
        pages += 1;
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    assert_eq!(found, ["call-4", "call-3", "call-2", "call-1", "call-0"]);
    assert!(pages >= 3);
}

async fn all_due(ledger: &impl DueRows, now: i64, limit: u32) -> Vec<String> {
    let mut found = Vec::new();
    for shard in 0..ledger.shards() {
        let mut after = None;
        loop {
            let (page, next) = ledger.due(shard, now, limit, after).await.unwrap();
            assert!(page.len() <= limit as usize);
            found.extend(page.into_iter().map(|key| format!("{}/{}", key.workspace_id, key.call_id)));
            match next {
                Some(_) => after = next,
                None => break,
            }
        }
    }
    found
}

async fn due_rows_are_read_from_all_shards_and_only_when_due(ledger: impl Ledger + DueRows) {
    for n in 0..20 {
        let mut row = row(&format!("call-{n}"), "w1");
        row.due_at = Some(1000 + n);
        create(&ledger, &row).await;
    }
    let mut last = row("call-final", "w1");
    last.finish(SyncStatus::Success, None, None, 90, 1000);
    create(&ledger, &last).await;

    let due: BTreeSet<_> = all_due(&ledger, 1009, 100).await.into_iter().collect();
    assert_eq!(due, (0..10).map(|n| format!("acme/call-{n}")).collect());

    let mut postponed = row("call-0", "w2");
    postponed.due_at = Some(5000);
    ledger.swap(Some(&write_id("w1")), &postponed).await.unwrap();
    let mut ended = row("call-1", "w2");
    ended.finish(SyncStatus::Success, None, None, 90, 1000);
    ledger.swap(Some(&write_id("w1")), &ended).await.unwrap();
    let due: BTreeSet<_> = all_due(&ledger, 1009, 100).await.into_iter().collect();
    assert_eq!(due, (2..10).map(|n| format!("acme/call-{n}")).collect());
}

async fn due_rows_are_paged(ledger: impl Ledger + DueRows) {
    for n in 0..30 {
        create(&ledger, &row(&format!("call-{n}"), "w1")).await;
    }
    let found = all_due(&ledger, 1000, 1).await;
    assert_eq!(found.len(), 30);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>().len(), 30);
}

async fn the_newest_row_of_a_status_is_the_one_created_last(ledger: impl Ledger + NewestRows) {
    let newest = ledger.newest(&workspace_id(), SyncStatus::Success).await.unwrap();
    assert_eq!(newest, None);
    for (n, updated_at) in [(0, 7000), (1, 6000)] {
        let mut row = row(&format!("call-{n}"), "w1");
        row.status = SyncStatus::Success;
        row.created_at = 1000 + n;
        row.updated_at = updated_at;
        create(&ledger, &row).await;
    }
    let newest = ledger.newest(&workspace_id(), SyncStatus::Success).await.unwrap();
    assert_eq!(newest, Some(NewestRow { updated_at: 6000, api_usage: None }));
    assert_eq!(ledger.newest(&workspace_id(), SyncStatus::Error).await.unwrap(), None);
}

fn another_workspace() -> WorkspaceId {
    WorkspaceId::parse("globex").unwrap()
}

fn failed(call_id: &str, code: &str) -> Row {
    let mut row = row(call_id, "w1");
    row.finish(
        SyncStatus::Error,
        Some(Reason { code: code.to_owned(), message: "Mend it.".to_owned() }),
        None,
        90,
        1000,
    );
    row
}

/// A decision for a Contact, the only candidate.
fn decision() -> Decision {
    let id = salesforce_id("003000000000001AAA");
    Decision {
        rule: Rule::OnlyCandidate,
        chosen: Record::of(&id),
        candidates: vec![Candidate {
            id,
            record_type: RecordType::Contact,
            name: Some("Ada Sample".into()),
            field: "MobilePhone".into(),
            exactness: Exactness::National,
        }],
        turned_down: Vec::new(),
    }
}

async fn a_listed_row_has_what_the_indexes_contain(ledger: impl Ledger + ListedRows) {
    let mut full = failed("call-1", "X");
    full.record = Record::of(&salesforce_id("003000000000001AAA"));
    full.task_id = Some(salesforce_id("00T000000000001EAA"));
    full.event_id = Some(salesforce_id("00U000000000001EAA"));
    full.decision = Some(decision());
    (full.attempts, full.updated_at, full.due_at) = (4, 1010, Some(1090));
    create(&ledger, &full).await;
    let listed = ListedRow {
        call_id: full.call_id.clone(),
        status: "error".into(),
        salesforce_record_id: Some(salesforce_id("003000000000001AAA")),
        salesforce_record_type: Some("Contact".into()),
        salesforce_task_id: full.task_id.clone(),
        salesforce_event_id: full.event_id.clone(),
        decision: full.decision.as_ref().map(listed_decision),
        appointment_created: true,
        error_code: Some("X".into()),
        error_message: Some("Mend it.".into()),
        phone_number: full.phone_number.clone(),
        attempts: 4,
        created_at: 1000,
        updated_at: 1010,
        due_at: Some(1090),
    };
    for status in [None, Some(SyncStatus::Error)] {
        let found = ledger.list(&workspace_id(), status, 10, None).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&listed));
    }
    let mut bare = row("call-2", "w1");
    (bare.phone_number, bare.due_at) = (None, None);
    create(&ledger, &bare).await;
    let listed = ledger.list(&workspace_id(), Some(SyncStatus::Queued), 10, None).await.unwrap().remove(0);
    assert_eq!((listed.error_code, listed.phone_number, listed.due_at), (None, None, None));
    assert!(!listed.appointment_created);
}

/// All pages of a list.
async fn listed(ledger: &impl ListedRows, status: Option<SyncStatus>, limit: u32) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.list(&workspace_id(), status, limit, after.as_ref()).await.unwrap();
        let Some(last) = page.last() else { return pages };
        after = Some(last.position());
        pages.push(page.into_iter().map(|row| row.call_id.to_string()).collect());
    }
}

async fn lists_are_paged_newest_first_even_within_a_second(ledger: impl Ledger + ListedRows) {
    for n in 0..7 {
        let mut row = row(&format!("call-{n}"), "w1");
        row.created_at = 1000 + n / 3;
        row.status = if n % 2 == 0 { SyncStatus::Success } else { SyncStatus::Skipped };
        create(&ledger, &row).await;
    }
    let mut other = row("call-other", "w1");
    other.workspace_id = another_workspace();
    create(&ledger, &other).await;
    assert_eq!(
        listed(&ledger, None, 2).await,
        [vec!["call-6", "call-5"], vec!["call-4", "call-3"], vec!["call-2", "call-1"], vec!["call-0"]]
    );
    assert_eq!(
        listed(&ledger, Some(SyncStatus::Success), 3).await,
        [vec!["call-6", "call-4", "call-2"], vec!["call-0"]]
    );
    assert_eq!(listed(&ledger, Some(SyncStatus::Error), 3).await, Vec::<Vec<String>>::new());
}

async fn a_position_from_another_workspaces_list_shows_only_own_rows(ledger: impl Ledger + ListedRows) {
    for n in 0..4 {
        for workspace_id in [workspace_id(), another_workspace()] {
            let mut row = row(&format!("{workspace_id}-{n}"), "w1");
            row.workspace_id = workspace_id;
            row.created_at = 1000 + n;
            create(&ledger, &row).await;
        }
    }
    let other = ledger.list(&another_workspace(), None, 2, None).await.unwrap();
    let position = other.last().unwrap().position();
    for status in [None, Some(SyncStatus::Queued)] {
        let own = ledger.list(&workspace_id(), status, 10, Some(&position)).await.unwrap();
        let own: Vec<_> = own.iter().map(|row| row.call_id.as_str()).collect();
        assert_eq!(own, ["acme-2", "acme-1", "acme-0"]);
    }
}

async fn outcomes_are_those_of_one_workspace_since_a_time(ledger: impl Ledger + CountedRows) {
    for n in 0..6 {
        let mut row =
            if n % 2 == 0 { failed(&format!("call-{n}"), "X") } else { row(&format!("call-{n}"), "w1") };
        row.created_at = 1000 + n;
        create(&ledger, &row).await;
    }
    let mut other = row("call-other", "w1");
    other.workspace_id = another_workspace();
    create(&ledger, &other).await;
    for (since, errors, queued) in [(None, 3, 3), (Some(0), 3, 3), (Some(1003), 1, 2), (Some(1006), 0, 0)] {
        let (outcomes, next) = ledger.outcomes(&workspace_id(), since, None).await.unwrap();
        assert_eq!((outcomes.len(), next), (errors + queued, None), "{since:?}");
        let failed = Outcome { status: "error".into(), error_code: Some("X".into()) };
        let waiting = Outcome { status: "queued".into(), error_code: None };
        let count = |wanted: &Outcome| outcomes.iter().filter(|outcome| *outcome == wanted).count();
        assert_eq!((count(&failed), count(&waiting)), (errors, queued), "{since:?}");
    }
}

async fn rows_with_an_error_code_are_paged_and_counted(ledger: impl Ledger + FailedRows + CountedRows) {
    for n in 0..20 {
        let mut row = failed(&format!("call-{n:02}"), if n % 3 == 0 { "X" } else { "Y" });
        row.created_at = 1000 + n / 4;
        create(&ledger, &row).await;
    }
    let mut other = failed("call-other", "X");
    other.workspace_id = another_workspace();
    create(&ledger, &other).await;
    create(&ledger, &row("call-queued", "w1")).await;
    let code = ErrorCode::parse("X").unwrap();
    let (mut found, mut after, mut counted) = (Vec::new(), None, Vec::new());
    loop {
        let (page, next) = ledger.with_error(&workspace_id(), &code, 4, after).await.unwrap();
        assert!(page.len() <= 4);
        found.extend(page.into_iter().map(|call_id| call_id.to_string()));
        let Some(next) = next else { break };
        let (count, rest) =
            ledger.count_with_error(&workspace_id(), &code, Some(next.clone())).await.unwrap();
        counted.push((found.len() as u64 + count, rest));
        after = Some(next);
    }
    assert_eq!(found, ["call-00", "call-03", "call-06", "call-09", "call-12", "call-15", "call-18"]);
    assert!(counted.len() >= 4 && counted.iter().all(|counted| *counted == (7, None)), "{counted:?}");
    assert_eq!(ledger.count_with_error(&workspace_id(), &code, None).await.unwrap(), (7, None));
    let unused = ErrorCode::parse("Z").unwrap();
    assert_eq!(ledger.count_with_error(&workspace_id(), &unused, None).await.unwrap(), (0, None));
}
