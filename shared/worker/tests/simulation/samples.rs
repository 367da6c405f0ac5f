//! Sample workspaces, orgs, people and calls, by index.

use calls::{
    appointment::AppointmentRequest,
    call::{Call, CallKind, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
};
use chrono::DateTime;
use crm::{FoundRecord, RecordType};

use crate::world::START;

pub fn workspace_id(workspace: usize) -> WorkspaceId {
    WorkspaceId::parse(format!("workspace-{workspace}")).unwrap()
}

pub fn index_of(id: &WorkspaceId) -> usize {
    id.as_str().rsplit('-').next().unwrap().parse().unwrap()
}

pub fn org_id(workspace: usize, org: usize) -> SalesforceId {
    SalesforceId::parse(format!("00D0000000000{workspace}{org}")).unwrap()
}

/// The workspace of an org.
pub fn workspace_of(org_id: &SalesforceId) -> usize {
    org_id.as_str().chars().nth(13).and_then(|digit| digit.to_digit(10)).unwrap() as usize
}

/// The phone number of a call, which no other call has: a hundred fictional numbers (555-01xx) per area code.
pub fn number(workspace: usize, call: usize) -> String {
    format!("+1{}55501{:02}", 201 + 3 * workspace + call / 100, call % 100)
}

pub fn record(workspace: usize, call: usize) -> FoundRecord {
    let at = DateTime::from_timestamp(START - 86_400, 0).unwrap();
    FoundRecord {
        id: who_id(workspace, call),
        record_type: RecordType::Lead,
        name: None,
        phones: vec![("Phone".to_owned(), number(workspace, call))],
        country: None,
        created_at: at,
        modified_at: at,
    }
}

/// The record that a call belongs to.
pub fn who_id(workspace: usize, call: usize) -> SalesforceId {
    SalesforceId::parse(format!("00Q00000000{workspace}{call:03}")).unwrap()
}

/// Another record with a call's number.
pub fn twin(workspace: usize, call: usize) -> FoundRecord {
    FoundRecord { id: twin_id(workspace, call), ..record(workspace, call) }
}

pub fn twin_id(workspace: usize, call: usize) -> SalesforceId {
    SalesforceId::parse(format!("00Q00000001{workspace}{call:03}")).unwrap()
}

/// A Contact with the unknown caller's name and another number, which the duplicate rule reports.
pub fn namesake(workspace: usize) -> FoundRecord {
    FoundRecord {
        id: SalesforceId::parse(format!("00300000002{workspace}000")).unwrap(),
        record_type: RecordType::Contact,
        phones: vec![("Phone".to_owned(), number(workspace, 99))],
        ..record(workspace, 0)
    }
}

/// The Contact that a Lead becomes.
pub fn contact_of(lead: &FoundRecord) -> FoundRecord {
    let id = format!("003{}", &lead.id.as_str()[3..15]);
    FoundRecord { id: SalesforceId::parse(id).unwrap(), record_type: RecordType::Contact, ..lead.clone() }
}

/// The workspace and the index of a call, from its id.
pub fn call_of(call_id: &CallId) -> (usize, usize) {
    let mut parts = call_id.as_str().split('-').skip(1).map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The `report`-th report of a call from the `caller`-th caller. Each has its own summary; all but the second have an
/// appointment, and the third moves it.
pub fn reported(workspace: usize, call: usize, report: usize, caller: usize) -> Call {
    let reported_at = START * 1000 + i64::try_from(report).unwrap();
    let mut facts = Call::new(CallId::parse(format!("call-{workspace}-{call}")).unwrap());
    facts.kind = Some(Fact { value: CallKind::Inbound, reported_at });
    facts.customer_number = Some(Fact { value: number(workspace, caller), reported_at });
    facts.summary = Some(Fact { value: format!("Report {report}."), reported_at });
    if report != 2 {
        let value = AppointmentRequest {
            date: Some("2027-06-01".to_owned()),
            time: Some(if report == 3 { "3:00 PM" } else { "2:00 PM" }.to_owned()),
            ..AppointmentRequest::default()
        };
        facts.appointment = Some(Fact { value, reported_at });
    }
    facts
}
