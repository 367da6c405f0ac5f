//! Shared by the integration tests: clients for a URL of this machine, and drafts to write.

#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(unreachable_pub, missing_docs, reason = "helpers of tests")]

pub mod world;

use std::time::Duration;

use calls::ids::SalesforceId;
use crm::{
    activity::{EventDraft, TaskDraft},
    workspace::Connection,
};
use salesforce::{Client, Config, Timeouts, hosts::Hosts};
use secrecy::SecretString;

pub const CLIENT_ID: &str = "sample-client-id";
pub const CLIENT_SECRET: &str = "sample-client-secret";

/// A client for a deployment whose login URL is `url`.
pub fn client(url: &str) -> Client {
    client_with(url, CLIENT_ID, CLIENT_SECRET, Timeouts::default())
}

pub fn client_with(url: &str, id: &str, secret: &str, timeouts: Timeouts) -> Client {
    let hosts = Hosts::of_deployment(url).unwrap();
    let config =
        Config { client_id: id.to_owned(), client_secret: SecretString::from(secret), hosts, timeouts };
    Client::new(config).unwrap()
}

/// A client with short timeouts.
pub fn impatient(url: &str) -> Client {
    let timeouts = Timeouts { connect: Duration::from_millis(150), request: Duration::from_millis(300) };
    client_with(url, CLIENT_ID, CLIENT_SECRET, timeouts)
}

/// A connection to an org at `url`.
pub fn connection(url: &str) -> Connection {
    Connection {
        version: 1,
        instance_url: url.to_owned(),
        login_url: url.to_owned(),
        org_id: SalesforceId::parse("00D000000000001").unwrap(),
        user_id: SalesforceId::parse("005000000000001").unwrap(),
        access_token: "00D000000000001!sample-access".into(),
        refresh_token: "sample-refresh".into(),
    }
}

pub fn task(who_id: &SalesforceId, call_id: &str) -> TaskDraft {
    TaskDraft {
        who_id: who_id.clone(),
        subject: "Inbound Call".to_owned(),
        r#type: Some("Call".to_owned()),
        task_subtype: Some("Call".to_owned()),
        call_type: Some("Inbound".to_owned()),
        status: "Completed".to_owned(),
        priority: Some("Normal".to_owned()),
        activity_date: Some("2026-01-15".to_owned()),
        call_duration_in_seconds: Some(63),
        call_disposition: Some("customer-ended-call".to_owned()),
        call_object: Some(call_id.to_owned()),
        description: format!("Wants a quote.\n\nCall {call_id}"),
    }
}

pub fn event(who_id: &SalesforceId, call_id: &str) -> EventDraft {
    EventDraft {
        who_id: who_id.clone(),
        subject: "Appointment - Scheduled via Voice AI".to_owned(),
        start_date_time: "2026-01-20T19:00:00Z".to_owned(),
        end_date_time: "2026-01-20T20:00:00Z".to_owned(),
        is_all_day_event: false,
        r#type: Some("Meeting".to_owned()),
        show_as: Some("Busy".to_owned()),
        location: None,
        is_reminder_set: Some(true),
        reminder_date_time: Some("2026-01-20T18:00:00Z".to_owned()),
        description: format!("Appointment scheduled during call.\n\nCall {call_id}"),
    }
}
