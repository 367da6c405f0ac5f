//! A ledger row as an item (docs/contract.md#the-ledger).

use aws_sdk_dynamodb::types::AttributeValue;
use calls::{
    ids::{CallId, SalesforceId, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
};
use crm::{
    ApiUsage, Record,
    lease::Lease,
    ledger::{Failing, Foreign, Row, RowKey, Stored, TriedWith},
};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;

use crate::stores::{ListedRow, Outcome, StoredDecision};

use super::item::{ColumnError, Item, ItemBuilder, optional, required};

/// The number of shards of the index of due rows: each can take the writes of one index partition (1000 a second).
pub const SHARDS: u8 = 8;

/// The partition key of the index by status.
pub(super) fn workspace_status(workspace_id: &WorkspaceId, status: SyncStatus) -> String {
    format!("{workspace_id}#{}", status.as_str())
}

/// The shard of a call: fixed, and evenly distributed.
fn due_shard(call_id: &CallId) -> u8 {
    digest(&SHA256, call_id.as_str().as_bytes()).as_ref()[0] % SHARDS
}

pub(super) fn key(workspace_id: &WorkspaceId, call_id: &CallId) -> Item {
    ItemBuilder::default().set("workspace_id", workspace_id).set("call_id", call_id).build()
}

pub(super) fn to_item(row: &Row) -> Item {
    ItemBuilder::from(key(&row.workspace_id, &row.call_id))
        .set_some("write_id", row.write_id.as_ref())
        .set("status", row.status)
        .set("workspace_status", workspace_status(&row.workspace_id, row.status))
        .set_some("error_code", row.reason.as_ref().map(|reason| &reason.code))
        .set_some("error_message", row.reason.as_ref().map(|reason| &reason.message))
        .set("call", &row.call)
        .set("revision", row.revision)
        .set("logged_revision", row.logged_revision)
        .set("attempts", row.attempts)
        .set_some("failing_since", row.failing.map(|failing| failing.since))
        .set_some("failing_times", row.failing.map(|failing| failing.times))
        .set_some("phone_number", row.phone_number.as_ref())
        .set_some("salesforce_record_type", row.record.as_ref().map(|record| record.record_type))
        .set_some("salesforce_record_id", row.record.as_ref().map(|record| &record.id))
        .set_some("salesforce_task_id", row.task_id.as_ref())
        .set_some("salesforce_event_id", row.event_id.as_ref())
        .set("appointment_created", row.event_id.is_some())
        .set_some("decision", row.decision.as_ref())
        .set_some("journal", Some(&row.journal).filter(|journal| !journal.is_empty()))
        .set_some("tried_org_id", row.tried_with.as_ref().map(|tried| &tried.org_id))
        .set_some("tried_user_id", row.tried_with.as_ref().map(|tried| &tried.user_id))
        .set_some("lease_owner", row.lease.as_ref().map(|lease| &lease.owner))
        .set_some("lease_until", row.lease.as_ref().map(|lease| lease.until))
        .set_some("unsettled_until", row.unsettled_until)
        .set_some("api_usage_used", row.api_usage.map(|usage| usage.used))
        .set_some("api_usage_limit", row.api_usage.map(|usage| usage.limit))
        .set("created_at", row.created_at)
        .set("updated_at", row.updated_at)
        .set_some("due_at", row.due_at)
        // The index by due time only contains rows with both of its keys.
        .set_some("due_shard", row.due_at.map(|_| due_shard(&row.call_id)))
        .set_some("expires_at", row.expires_at)
        .build()
}

/// Reads an item: a row, or one that only a newer version can read.
pub(super) fn stored(item: &Item) -> Stored {
    match from_item(item) {
        Ok(row) if row.call_id.source().is_none() => {
            Stored::Foreign(Foreign { cause: ColumnError::Unreadable("call_id").to_string() })
        }
        Ok(row) => row.into(),
        Err(error) => Stored::Foreign(Foreign { cause: error.to_string() }),
    }
}

fn from_item(item: &Item) -> Result<Row, ColumnError> {
    Ok(Row {
        workspace_id: required(item, "workspace_id")?,
        call_id: required(item, "call_id")?,
        write_id: optional(item, "write_id")?,
        status: required(item, "status")?,
        reason: both(item, "error_code", "error_message")?.map(|(code, message)| Reason { code, message }),
        call: required(item, "call")?,
        revision: required(item, "revision")?,
        logged_revision: required(item, "logged_revision")?,
        attempts: required(item, "attempts")?,
        failing: both(item, "failing_since", "failing_times")?.map(|(since, times)| Failing { since, times }),
        phone_number: optional(item, "phone_number")?,
        record: both(item, "salesforce_record_type", "salesforce_record_id")?
            .map(|(record_type, id)| Record { record_type, id }),
        task_id: optional(item, "salesforce_task_id")?,
        event_id: optional(item, "salesforce_event_id")?,
        decision: optional(item, "decision")?,
        journal: optional(item, "journal")?.unwrap_or_default(),
        tried_with: both::<SalesforceId, _>(item, "tried_org_id", "tried_user_id")?
            .map(|(org_id, user_id)| TriedWith { org_id, user_id }),
        lease: both(item, "lease_owner", "lease_until")?.map(|(owner, until)| Lease { owner, until }),
        unsettled_until: optional(item, "unsettled_until")?,
        api_usage: api_usage(item)?,
        created_at: required(item, "created_at")?,
        updated_at: required(item, "updated_at")?,
        due_at: optional(item, "due_at")?,
        expires_at: optional(item, "expires_at")?,
    })
}

pub(super) fn api_usage(item: &Item) -> Result<Option<ApiUsage>, ColumnError> {
    let both = both(item, "api_usage_used", "api_usage_limit")?;
    Ok(both.map(|(used, limit)| ApiUsage { used, limit }))
}

pub(super) fn row_key(item: &Item) -> Result<RowKey, ColumnError> {
    Ok(RowKey { workspace_id: required(item, "workspace_id")?, call_id: required(item, "call_id")? })
}

/// A row from the index by time or by status: what cannot be read is shown as it is stored, or left out.
pub(super) fn listed(item: &Item) -> Result<ListedRow, ColumnError> {
    Ok(ListedRow {
        call_id: required(item, "call_id")?,
        status: read(item, "status").unwrap_or_default(),
        salesforce_record_id: read(item, "salesforce_record_id"),
        salesforce_record_type: read(item, "salesforce_record_type"),
        salesforce_task_id: read(item, "salesforce_task_id"),
        salesforce_event_id: read(item, "salesforce_event_id"),
        decision: read::<StoredDecision>(item, "decision").map(Into::into),
        appointment_created: read(item, "appointment_created").unwrap_or_default(),
        error_code: read(item, "error_code"),
        error_message: read(item, "error_message"),
        phone_number: read(item, "phone_number"),
        attempts: read(item, "attempts").unwrap_or_default(),
        created_at: required(item, "created_at")?,
        updated_at: read(item, "updated_at").unwrap_or_default(),
        due_at: read(item, "due_at"),
    })
}

fn read<T: DeserializeOwned>(item: &Item, column: &'static str) -> Option<T> {
    optional(item, column).ok().flatten()
}

/// The outcome of a row: its status as it is stored.
pub(super) fn outcome(item: &Item) -> Outcome {
    Outcome { status: read(item, "status").unwrap_or_default(), error_code: read(item, "error_code") }
}

/// Reads two columns that are either both present or both absent.
fn both<A: DeserializeOwned, B: DeserializeOwned>(
    item: &Item,
    first: &'static str,
    second: &'static str,
) -> Result<Option<(A, B)>, ColumnError> {
    match (optional(item, first)?, optional(item, second)?) {
        (Some(a), Some(b)) => Ok(Some((a, b))),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ColumnError::Missing(first)),
        (Some(_), None) => Err(ColumnError::Missing(second)),
    }
}

/// The cursor after a page: the last row's key columns that the caller does not already know. Ids contain no slash.
pub(super) fn cursor(last: &Item, columns: &[&'static str]) -> Option<String> {
    let texts: Option<Vec<&str>> = columns
        .iter()
        .map(|column| match last.get(*column)? {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.map(|texts| texts.join("/"))
}

/// The key columns in a cursor; `N` is a number.
pub(super) fn start_at(cursor: &str, columns: &[(&'static str, char)]) -> Result<Item, ColumnError> {
    let texts: Vec<&str> = cursor.split('/').collect();
    if texts.len() != columns.len() {
        return Err(ColumnError::Unreadable("cursor"));
    }
    let keys = columns.iter().zip(texts).map(|((column, kind), text)| {
        let value = if *kind == 'N' { AttributeValue::N } else { AttributeValue::S };
        ((*column).to_owned(), value(text.to_owned()))
    });
    Ok(keys.collect())
}

pub(super) fn due_shard_key(shard: u8) -> Item {
    ItemBuilder::default().set("due_shard", shard).build()
}

#[cfg(test)]
mod tests {
    use calls::call::{Call, CallKind, Fact};
    use crm::{
        RecordType, WrittenObject,
        matching::{Candidate, Decision, Rule, TurnedDown},
        phone::Exactness,
    };

    use super::*;

    fn accepted() -> Row {
        let call = Call::new(CallId::parse("call-1").unwrap());
        Row::accepted(WorkspaceId::parse("acme").unwrap(), call, 1_800_000_000)
    }

    fn sf(id: &str) -> SalesforceId {
        SalesforceId::parse(id).unwrap()
    }

    /// A row with a value in every field.
    fn full() -> Row {
        let fact = |text: &str| Some(Fact { value: text.to_owned(), reported_at: 1_800_000_000_123 });
        let mut row = accepted();
        row.write_id = Some(crm::ledger::WriteId("write-1".into()));
        row.status = SyncStatus::Retrying;
        row.reason =
            Some(Reason { code: "UNABLE_TO_LOCK_ROW".to_owned(), message: "Tried again soon.".to_owned() });
        row.call.kind = Some(Fact { value: CallKind::Outbound, reported_at: 1 });
        row.call.customer_number = fact("+12345550123");
        row.call.started_at = Some(Fact {
            value: chrono::DateTime::from_timestamp_millis(1_800_000_000_456).unwrap(),
            reported_at: 1,
        });
        row.call.duration_seconds = Some(Fact { value: 61, reported_at: 1 });
        row.call.transcript = fact("AI: Hello\nUser: \u{1f642} \"quoted\"");
        row.revision = 3;
        row.logged_revision = 2;
        row.attempts = 4;
        row.failing = Some(Failing { since: 1_800_000_001, times: 2 });
        row.phone_number = Some("+12345550123".into());
        row.record = Record::of(&sf("003000000000001AAA"));
        row.task_id = Some(sf("00T000000000001EAA"));
        row.event_id = Some(sf("00U000000000001EAA"));
        row.decision = Some(Decision {
            rule: Rule::MostRecent,
            chosen: row.record.clone(),
            candidates: vec![Candidate {
                id: sf("003000000000001AAA"),
                record_type: RecordType::Contact,
                name: None,
                field: "MobilePhone".into(),
                exactness: Exactness::National,
            }],
            turned_down: vec![TurnedDown {
                id: sf("00Q000000000001EAA"),
                record_type: RecordType::Lead,
                name: Some("Ada Sample".into()),
                why: "ENTITY_IS_DELETED".into(),
            }],
        });
        let sent = |json: serde_json::Value| json.as_object().cloned().unwrap();
        row.journal.created(
            WrittenObject::Task,
            &sent(serde_json::json!({ "Subject": "Outbound Call", "Description": "Hello\n\nCall call-1" })),
        );
        row.journal.unanswered(WrittenObject::Event, &sent(serde_json::json!({ "IsReminderSet": true })));
        row.tried_with =
            Some(TriedWith { org_id: sf("00D000000000001EAA"), user_id: sf("005000000000001AAA") });
        row.lease = Some(Lease { owner: "worker".into(), until: 1_800_000_090 });
        row.unsettled_until = Some(1_800_000_600);
        row.api_usage = Some(ApiUsage { used: 18, limit: 15_000 });
        row.updated_at = 1_800_000_010;
        row.due_at = Some(1_800_000_090);
        row.expires_at = Some(1_900_000_000);
        row
    }

    #[test]
    fn every_field_round_trips() {
        for row in [accepted(), full()] {
            assert_eq!(from_item(&to_item(&row)), Ok(row));
        }
    }

    /// Rows that a version without a journal wrote, and what such a version reads of ours.
    #[test]
    fn a_row_without_a_journal_is_read_and_an_empty_one_is_not_written() {
        let mut item = to_item(&full());
        item.remove("journal");
        let row = from_item(&item).unwrap();
        assert!(row.journal.is_empty());
        assert!(!to_item(&row).contains_key("journal"));
    }

    #[test]
    fn columns_have_the_contracts_names_and_types() {
        let item = to_item(&full());
        let texts = [
            ("workspace_id", "acme"),
            ("call_id", "call-1"),
            ("status", "retrying"),
            ("workspace_status", "acme#retrying"),
            ("salesforce_record_id", "003000000000001AAA"),
            ("salesforce_record_type", "Contact"),
            ("salesforce_task_id", "00T000000000001EAA"),
            ("salesforce_event_id", "00U000000000001EAA"),
            ("error_code", "UNABLE_TO_LOCK_ROW"),
            ("error_message", "Tried again soon."),
            ("phone_number", "+12345550123"),
            ("write_id", "write-1"),
        ];
        for (column, text) in texts {
            assert_eq!(item[column], AttributeValue::S(text.to_owned()), "{column}");
        }
        for (column, number) in
            [("attempts", "4"), ("revision", "3"), ("created_at", "1800000000"), ("due_at", "1800000090")]
        {
            assert_eq!(item[column], AttributeValue::N(number.to_owned()), "{column}");
        }
        assert_eq!(item["appointment_created"], AttributeValue::Bool(true));
        assert!(item["call"].is_m() && item["decision"].is_m());
    }

    #[test]
    fn a_row_that_is_not_due_has_neither_key_of_the_due_index() {
        let mut row = accepted();
        row.finish(SyncStatus::Success, None, None, 90, 1_800_000_000);
        let item = to_item(&row);
        assert!(!item.contains_key("due_at") && !item.contains_key("due_shard"));
        assert!(item.contains_key("expires_at"));
        let due = to_item(&accepted());
        assert!(due["due_shard"].is_n() && due["due_at"].is_n() && !due.contains_key("expires_at"));
    }

    #[test]
    fn calls_spread_over_all_shards_and_each_has_a_fixed_one() {
        let mut counts = [0; SHARDS as usize];
        for n in 0..800 {
            let call_id = CallId::parse(format!("call-{n}")).unwrap();
            assert_eq!(due_shard(&call_id), due_shard(&call_id));
            counts[usize::from(due_shard(&call_id))] += 1;
        }
        assert!(counts.iter().all(|count| (50..150).contains(count)), "{counts:?}");
    }

    #[test]
    fn an_unreadable_row_names_the_column() {
        let without = |column: &str| {
            let mut item = to_item(&full());
            item.remove(column);
            from_item(&item).unwrap_err().to_string()
        };
        for column in
            ["call", "status", "revision", "created_at", "lease_until", "tried_user_id", "error_message"]
        {
            assert_eq!(without(column), format!("column {column} is missing"));
        }
        let mut item = to_item(&full());
        item.insert("status".into(), AttributeValue::S("dancing".into()));
        assert_eq!(from_item(&item).unwrap_err().to_string(), "column status cannot be read");
    }

    /// A row as a newer version may write it: with this one value that no version knows yet.
    fn newer(column: &str, words: &[&str], unheard_of: &str) -> Item {
        let mut item = to_item(&full());
        let mut value = item.get_mut(column).unwrap();
        for word in words {
            value = match value {
                AttributeValue::M(map) => map.get_mut(*word).unwrap(),
                AttributeValue::L(list) => list.first_mut().unwrap(),
                other => panic!("{other:?}"),
            };
        }
        *value = AttributeValue::S(unheard_of.to_owned());
        item
    }

    #[test]
    fn a_row_of_a_newer_version_is_foreign_and_says_why() {
        for (column, words, unheard_of) in [
            ("status", &[][..], "undoing"),
            ("decision", &["rule"], "told_by_a_person"),
            ("decision", &["chosen", "recordType"], "Account"),
            ("decision", &["candidates", "0", "exactness"], "spoken"),
            ("decision", &["turnedDown", "0", "recordType"], "Account"),
            ("salesforce_record_type", &[], "Account"),
            ("call", &["kind", "v"], "video"),
            ("call_id", &[], "other~call-1"),
        ] {
            let cause = format!("column {column} cannot be read");
            assert_eq!(stored(&newer(column, words, unheard_of)), Stored::Foreign(Foreign { cause }));
        }
        assert_eq!(stored(&to_item(&full())), full().into());
    }

    #[test]
    fn a_row_of_a_newer_version_is_listed_as_it_is() {
        let shown = |item: &Item| serde_json::to_value(listed(item).unwrap()).unwrap();
        let known = shown(&to_item(&full()));
        for (column, words, unheard_of, pointer) in [
            ("status", &[][..], "undoing", "/status"),
            ("decision", &["rule"], "told_by_a_person", "/decision/rule"),
            ("decision", &["chosen", "recordType"], "Account", "/decision/chosen/recordType"),
            ("decision", &["candidates", "0", "exactness"], "spoken", "/decision/candidates/0/exactness"),
            ("decision", &["turnedDown", "0", "recordType"], "Account", "/decision/turnedDown/0/recordType"),
            ("salesforce_record_type", &[], "Account", "/salesforceRecordType"),
            ("call_id", &[], "other~call-1", "/callId"),
        ] {
            let mut expected = known.clone();
            *expected.pointer_mut(pointer).unwrap() = unheard_of.into();
            assert_eq!(shown(&newer(column, words, unheard_of)), expected, "{column}");
        }
        let mut counted = to_item(&full());
        counted.insert("status".into(), AttributeValue::S("undoing".into()));
        let counted = outcome(&counted);
        assert_eq!(serde_json::to_value(counted.status).unwrap(), "undoing");
    }

    #[test]
    fn a_cursor_leads_back_to_the_keys() {
        let item = to_item(&full());
        let columns = [("due_at", 'N'), ("workspace_id", 'S'), ("call_id", 'S')];
        let text = cursor(&item, &columns.map(|(column, _)| column)).unwrap();
        assert_eq!(text, "1800000090/acme/call-1");
        let start = start_at(&text, &columns).unwrap();
        assert!(start.iter().all(|(column, value)| item[column] == *value));
        assert!(start_at("1/2", &columns).is_err());
    }
}
