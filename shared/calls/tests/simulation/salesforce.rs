//! The simulated orgs: records, activities, and grants with rotation and reuse cascade.

use std::collections::BTreeMap;

use calls::{
    crm::{FaultClass, FoundRecord},
    ids::{CallId, SalesforceId},
};

/// A Task or an Event, and for which call.
#[derive(Debug, Clone)]
pub struct Activity {
    pub id: SalesforceId,
    pub org_id: SalesforceId,
    pub who_id: SalesforceId,
    pub call_id: CallId,
    /// Whether it says so in `CallObject`.
    pub call_object: bool,
    /// When it was written, milliseconds.
    pub at: i64,
}

/// A refresh token.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Tokens that came from one another by rotation.
    pub family: u64,
    pub org_id: SalesforceId,
    pub alive: bool,
    /// It was exchanged for a newer one; using it again ends the family.
    pub rotated: bool,
    /// Somebody is asking for a new session with it.
    pub in_use: bool,
    /// When it was issued, milliseconds. A token that is not used for 30 days dies.
    pub issued_at: i64,
}

/// How long an unused refresh token lives, milliseconds.
const IDLE: i64 = 30 * 86_400_000;

#[derive(Default)]
pub struct Salesforce {
    pub records: BTreeMap<SalesforceId, Vec<(FoundRecord, i64)>>,
    pub tasks: Vec<Activity>,
    pub events: Vec<Activity>,
    /// Sessions, and the family of the grant that they come from.
    pub sessions: BTreeMap<String, (SalesforceId, u64)>,
    pub grants: BTreeMap<String, Grant>,
    /// Outages and limits: no request is answered before this time, milliseconds.
    pub down_until: i64,
    pub limited: BTreeMap<SalesforceId, FaultClass>,
    /// A refresh gives no new refresh token.
    pub keeps_tokens: bool,
    /// The users may not write `CallObject`.
    pub hides_call_object: bool,
    pub made: u64,
    /// Leads that were made: in which org, for which number.
    pub leads: Vec<(SalesforceId, SalesforceId, String)>,
    /// Answered requests for a new session.
    pub refreshes: u64,
    /// Requests with a session, and when, milliseconds.
    pub requests: Vec<(SalesforceId, i64)>,
}

impl Salesforce {
    pub fn id(&mut self, prefix: &str) -> SalesforceId {
        self.made += 1;
        SalesforceId::parse(format!("{prefix}{:012}", self.made)).unwrap()
    }

    /// A user allows access: a session and a refresh token.
    pub fn grant(&mut self, org_id: &SalesforceId, family: Option<u64>, now: i64) -> (String, String) {
        self.made += 1;
        let n = self.made;
        let (session, token) = (format!("session-{n}"), format!("refresh-{n}"));
        let family = family.unwrap_or(n);
        self.sessions.insert(session.clone(), (org_id.clone(), family));
        let grant = Grant {
            family,
            org_id: org_id.clone(),
            alive: true,
            rotated: false,
            in_use: false,
            issued_at: now,
        };
        self.grants.insert(token.clone(), grant);
        (session, token)
    }

    /// Ends a grant, at its owner's wish. A token that is no longer good ends nothing.
    pub fn revoke(&mut self, token: &str) {
        if self.grants.get(token).is_some_and(|grant| grant.alive) {
            self.end_family(token);
        }
    }

    /// Ends everything that came from one grant.
    fn end_family(&mut self, token: &str) {
        let Some(family) = self.grants.get(token).map(|grant| grant.family) else { return };
        for grant in self.grants.values_mut().filter(|grant| grant.family == family) {
            grant.alive = false;
        }
        self.sessions.retain(|_, (_, other)| *other != family);
    }

    /// Answers a refresh: with a new session and token, or not at all.
    pub fn refresh(&mut self, token: &str, now: i64) -> Option<(String, Option<String>)> {
        self.refreshes += 1;
        let grant = self.grants.get_mut(token)?;
        if !grant.alive {
            if grant.rotated {
                self.end_family(token);
            }
            return None;
        }
        if now - grant.issued_at > IDLE {
            grant.alive = false;
            return None;
        }
        let (org_id, family) = (grant.org_id.clone(), grant.family);
        if self.keeps_tokens {
            grant.issued_at = now;
            self.made += 1;
            let session = format!("session-{}", self.made);
            self.sessions.insert(session.clone(), (org_id, family));
            return Some((session, None));
        }
        grant.alive = false;
        grant.rotated = true;
        let (session, token) = self.grant(&org_id, Some(family), now);
        Some((session, Some(token)))
    }
}
