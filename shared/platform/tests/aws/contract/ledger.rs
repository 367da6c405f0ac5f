//! The ledger: swaps by the id of the last write, and its indexes.

use std::collections::BTreeSet;

use calls::{
    ids::WorkspaceId,
    ledger::{Row, SyncStatus, WriteId},
    ports::{DueRows, Ledger, Swap, WaitingRows},
};
use platform::{
    dynamo::LedgerTable,
    stores::{NewestRow, NewestRows},
    testing::MemoryLedger,
};

use super::{contract, row, workspace_id};
use crate::tables;

fn memory() -> MemoryLedger {
    MemoryLedger::default()
}

async fn table() -> LedgerTable {
    tables::ledger().await
}

contract! {
    a_row_is_read_as_it_was_written,
    only_one_of_two_creates_a_row_and_the_other_sees_it,
    a_swap_follows_the_write_that_it_expects,
    a_swap_of_a_row_that_is_gone_conflicts_with_nothing,
    a_write_of_ours_that_is_tried_again_is_done,
    of_many_writers_at_once_one_wins,
    a_row_without_a_write_id_is_not_written,
    waiting_rows_come_oldest_first_and_page_by_page,
    due_rows_come_from_all_shards_and_only_when_due,
    due_rows_come_page_by_page,
    the_newest_row_of_a_status_is_the_one_created_last,
}

fn write_id(id: &str) -> WriteId {
    WriteId(id.into())
}

async fn create(ledger: &impl Ledger, row: &Row) {
    assert_eq!(ledger.swap(None, row).await.unwrap(), Swap::Done);
}

async fn a_row_is_read_as_it_was_written(ledger: impl Ledger) {
    let row = row("call-1", "w1");
    assert_eq!(ledger.load(&row.workspace_id, &row.call_id).await.unwrap(), None);
    create(&ledger, &row).await;
    assert_eq!(ledger.load(&row.workspace_id, &row.call_id).await.unwrap().as_ref(), Some(&row));
    let other = WorkspaceId::parse("globex").unwrap();
    assert_eq!(ledger.load(&other, &row.call_id).await.unwrap(), None);
}

async fn only_one_of_two_creates_a_row_and_the_other_sees_it(ledger: impl Ledger) {
    let (first, second) = (row("call-1", "w1"), row("call-1", "w2"));
    create(&ledger, &first).await;
    assert_eq!(ledger.swap(None, &second).await.unwrap(), Swap::Conflict(Some(Box::new(first))));
}

async fn a_swap_follows_the_write_that_it_expects(ledger: impl Ledger) {
    let (first, mut second, third) = (row("call-1", "w1"), row("call-1", "w2"), row("call-1", "w3"));
    second.attempts = 1;
    create(&ledger, &first).await;
    assert_eq!(ledger.swap(Some(&write_id("w1")), &second).await.unwrap(), Swap::Done);
    let conflict = ledger.swap(Some(&write_id("w1")), &third).await.unwrap();
    assert_eq!(conflict, Swap::Conflict(Some(Box::new(second))));
}

async fn a_swap_of_a_row_that_is_gone_conflicts_with_nothing(ledger: impl Ledger) {
    let swap = ledger.swap(Some(&write_id("w1")), &row("call-1", "w2")).await.unwrap();
    assert_eq!(swap, Swap::Conflict(None));
}

async fn a_write_of_ours_that_is_tried_again_is_done(ledger: impl Ledger) {
    let (first, second) = (row("call-1", "w1"), row("call-1", "w2"));
    create(&ledger, &first).await;
    create(&ledger, &first).await;
    for _ in 0..2 {
        assert_eq!(ledger.swap(Some(&write_id("w1")), &second).await.unwrap(), Swap::Done);
    }
}

async fn of_many_writers_at_once_one_wins(ledger: impl Ledger + Clone + 'static) {
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

async fn waiting_rows_come_oldest_first_and_page_by_page(ledger: impl Ledger + WaitingRows) {
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

async fn due_rows_come_from_all_shards_and_only_when_due(ledger: impl Ledger + DueRows) {
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

    let mut moved_on = row("call-0", "w2");
    moved_on.due_at = Some(5000);
    ledger.swap(Some(&write_id("w1")), &moved_on).await.unwrap();
    let mut ended = row("call-1", "w2");
    ended.finish(SyncStatus::Success, None, None, 90, 1000);
    ledger.swap(Some(&write_id("w1")), &ended).await.unwrap();
    let due: BTreeSet<_> = all_due(&ledger, 1009, 100).await.into_iter().collect();
    assert_eq!(due, (2..10).map(|n| format!("acme/call-{n}")).collect());
}

async fn due_rows_come_page_by_page(ledger: impl Ledger + DueRows) {
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
