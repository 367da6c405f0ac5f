//! Approvals, the codes and tokens that they yield, and when each of these expires.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{ids::Id, settings::Settings};

/// The session of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// The index of the org in the world's list.
    pub(crate) org: usize,
    pub(crate) user: Id,
    pub(crate) scopes: Vec<String>,
}

impl Session {
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope || granted == "full")
    }
}

/// An approval whose code has not been exchanged yet.
#[derive(Debug, Clone)]
pub(crate) struct Approval {
    pub(crate) org: usize,
    pub(crate) user: Id,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
}

#[derive(Debug)]
struct Grant {
    org: usize,
    org_id: Id,
    user: Id,
    scopes: Vec<String>,
    refresh: Option<String>,
    /// Refresh tokens that were rotated out.
    rotated_out: Vec<String>,
    last_used: DateTime<Utc>,
    /// Access tokens, with the time of their last use.
    access: BTreeMap<String, DateTime<Utc>>,
    ended: bool,
}

/// Newly issued tokens.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) org: usize,
    pub(crate) user: Id,
    pub(crate) scopes: Vec<String>,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// Why a refresh token is refused. The response is the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshRefused {
    /// Unknown, revoked or expired.
    Ended,
    /// It was rotated out.
    Reused,
}

/// All approvals of the app.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: BTreeMap<String, (Approval, DateTime<Utc>)>,
    grants: Vec<Grant>,
}

impl Grants {
    /// Issues a code for an approval. Like Salesforce's, it ends with `=`, so the client must decode it exactly once.
    pub(crate) fn approve(&mut self, approval: Approval, now: DateTime<Utc>) -> String {
        let code = format!("aPrx{}{}==", random(), random());
        self.codes.insert(code.clone(), (approval, now));
        code
    }

    /// Uses up a code. `None` if it is unknown, used or too old.
    pub(crate) fn take_code(
        &mut self,
        code: &str,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Option<Approval> {
        let (approval, issued) = self.codes.remove(code)?;
        (now - issued < TimeDelta::seconds(settings.code_seconds)).then_some(approval)
    }

    /// Issues the tokens of an approval. If the user has too many, ends the oldest.
    pub(crate) fn open(
        &mut self,
        approval: &Approval,
        org_id: &Id,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Issued {
        let active = self.grants.iter_mut().filter(|grant| !grant.ended && grant.user == approval.user);
        let mut active: Vec<&mut Grant> = active.collect();
        let excess = (active.len() + 1).saturating_sub(settings.max_approvals);
        for grant in active.iter_mut().take(excess) {
            grant.end();
        }
        let refreshes =
            approval.scopes.iter().any(|scope| scope == "refresh_token" || scope == "offline_access");
        let mut grant = Grant {
            org: approval.org,
            org_id: org_id.clone(),
            user: approval.user.clone(),
            scopes: approval.scopes.clone(),
            refresh: refreshes.then(refresh_token),
            rotated_out: vec![],
            last_used: now,
            access: BTreeMap::new(),
            ended: false,
        };
        let refresh = grant.refresh.clone();
        let issued = grant.issue(refresh, now);
        self.grants.push(grant);
        issued
    }

    /// Exchanges a refresh token for new tokens.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Result<Issued, RefreshRefused> {
        if let Some(grant) =
            self.grants.iter_mut().find(|grant| grant.rotated_out.iter().any(|old| old == token))
        {
            if settings.reuse_cascade {
                grant.end();
            }
            return Err(RefreshRefused::Reused);
        }
        let idle = TimeDelta::seconds(settings.refresh_idle_seconds);
        let active = self.grants.iter_mut().filter(|grant| !grant.ended && now - grant.last_used < idle);
        let mut active = active.filter(|grant| grant.refresh.as_deref() == Some(token));
        let grant = active.next().ok_or(RefreshRefused::Ended)?;
        grant.last_used = now;
        if !settings.rotation {
            return Ok(grant.issue(None, now));
        }
        let next = refresh_token();
        grant.rotated_out.extend(grant.refresh.replace(next.clone()));
        Ok(grant.issue(Some(next), now))
    }

    /// The session of an access token. Extends it.
    pub(crate) fn use_session(
        &mut self,
        token: &str,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Option<Session> {
        let session = self.session(token, now, settings)?;
        let last_used = self.grants.iter_mut().find_map(|grant| grant.access.get_mut(token))?;
        *last_used = now;
        Some(session)
    }

    /// The session of an access token, without extending it.
    pub(crate) fn session(&self, token: &str, now: DateTime<Utc>, settings: &Settings) -> Option<Session> {
        let grant = self.grants.iter().find(|grant| !grant.ended && grant.access.contains_key(token))?;
        let expires_at = *grant.access.get(token)? + TimeDelta::seconds(settings.session_seconds);
        (now < expires_at).then(|| Session {
            org: grant.org,
            user: grant.user.clone(),
            scopes: grant.scopes.clone(),
        })
    }

    /// Revokes an access token, or a refresh token with all its access tokens. `false` if the token is not valid.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        for grant in self.grants.iter_mut().filter(|grant| !grant.ended) {
            if grant.refresh.as_deref() == Some(token) {
                grant.end();
                return true;
            }
            if grant.access.remove(token).is_some() {
                return true;
            }
        }
        false
    }

    /// Ends all approvals, as a user or an admin can.
    pub(crate) fn revoke_all(&mut self) {
        self.grants.iter_mut().for_each(Grant::end);
        self.codes.clear();
    }

    /// Ends all access tokens. Refresh tokens remain valid.
    pub(crate) fn expire_sessions(&mut self) {
        self.grants.iter_mut().for_each(|grant| grant.access.clear());
    }

    /// The number of active approvals by user.
    pub(crate) fn active_by_user(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for grant in self.grants.iter().filter(|grant| !grant.ended) {
            *counts.entry(grant.user.to_string()).or_default() += 1;
        }
        counts
    }
}

impl Grant {
    fn issue(&mut self, refresh: Option<String>, now: DateTime<Utc>) -> Issued {
        // Like Salesforce's, with a `!`, so that a shell or a URL must escape it.
        let access = format!("{}!AQ{}.{}", self.org_id.short(), random(), random());
        self.access.insert(access.clone(), now);
        Issued { org: self.org, user: self.user.clone(), scopes: self.scopes.clone(), access, refresh }
    }

    fn end(&mut self) {
        self.ended = true;
        self.access.clear();
    }
}

fn refresh_token() -> String {
    format!("5Aep861{}{}", random(), random())
}

fn random() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Setup {
        grants: Grants,
        settings: Settings,
        now: DateTime<Utc>,
    }

    impl Setup {
        fn new() -> Self {
            Self { grants: Grants::default(), settings: Settings::default(), now: Utc::now() }
        }

        fn approval() -> Approval {
            Approval {
                org: 0,
                user: Id::numbered("005", 1, 1),
                scopes: vec!["api".into(), "refresh_token".into()],
                redirect_uri: "https://example.com".into(),
                challenge: None,
            }
        }

        fn open(&mut self) -> (String, String) {
            let org = Id::numbered("00D", 1, 1);
            let issued = self.grants.open(&Self::approval(), &org, self.now, &self.settings);
            (issued.access, issued.refresh.unwrap())
        }

        fn refresh(&mut self, token: &str) -> Result<Issued, RefreshRefused> {
            self.grants.refresh(token, self.now, &self.settings)
        }

        fn is_valid(&mut self, access: &str) -> bool {
            self.grants.use_session(access, self.now, &self.settings).is_some()
        }
    }

    #[test]
    fn a_code_is_valid_once_and_for_fifteen_minutes() {
        let mut setup = Setup::new();
        let code = setup.grants.approve(Setup::approval(), setup.now);
        assert!(setup.grants.take_code(&code, setup.now, &setup.settings).is_some());
        assert!(setup.grants.take_code(&code, setup.now, &setup.settings).is_none());
        let code = setup.grants.approve(Setup::approval(), setup.now);
        assert!(setup.grants.take_code(&code, setup.now + TimeDelta::minutes(15), &setup.settings).is_none());
    }

    #[test]
    fn a_refresh_returns_a_new_token_and_ends_the_old_one() {
        let mut setup = Setup::new();
        setup.settings.reuse_cascade = false;
        let (_, first) = setup.open();
        let second = setup.refresh(&first).unwrap().refresh.unwrap();
        assert_eq!(setup.refresh(&first).unwrap_err(), RefreshRefused::Reused);
        assert!(setup.refresh(&second).is_ok());
    }

    #[test]
    fn reusing_an_old_token_ends_the_grant() {
        let mut setup = Setup::new();
        let (access, first) = setup.open();
        let second = setup.refresh(&first).unwrap();
        assert_eq!(setup.refresh(&first).unwrap_err(), RefreshRefused::Reused);
        assert!(!setup.is_valid(&access));
        assert!(!setup.is_valid(&second.access));
        assert_eq!(setup.refresh(&second.refresh.unwrap()).unwrap_err(), RefreshRefused::Ended);
    }

    #[test]
    fn without_rotation_a_refresh_token_stays_valid() {
        let mut setup = Setup::new();
        setup.settings.rotation = false;
        let (_, token) = setup.open();
        assert!(setup.refresh(&token).unwrap().refresh.is_none());
        assert!(setup.refresh(&token).is_ok());
    }

    #[test]
    fn an_access_token_expires_after_two_hours_without_use() {
        let mut setup = Setup::new();
        let (access, _) = setup.open();
        setup.now += TimeDelta::minutes(119);
        assert!(setup.is_valid(&access));
        setup.now += TimeDelta::minutes(119);
        assert!(setup.is_valid(&access));
        setup.now += TimeDelta::minutes(120);
        assert!(!setup.is_valid(&access));
    }

    #[test]
    fn a_refresh_token_expires_after_thirty_days_without_use() {
        let mut setup = Setup::new();
        let (_, first) = setup.open();
        setup.now += TimeDelta::days(29);
        let second = setup.refresh(&first).unwrap().refresh.unwrap();
        setup.now += TimeDelta::days(30);
        assert_eq!(setup.refresh(&second).unwrap_err(), RefreshRefused::Ended);
    }

    #[test]
    fn the_sixth_approval_ends_the_oldest() {
        let mut setup = Setup::new();
        let (first_access, first) = setup.open();
        let (_, second) = setup.open();
        for _ in 0..3 {
            setup.open();
        }
        assert!(setup.is_valid(&first_access));
        setup.open();
        assert!(!setup.is_valid(&first_access));
        assert!(setup.refresh(&first).is_err());
        assert!(setup.refresh(&second).is_ok());
        assert_eq!(setup.grants.active_by_user().values().copied().collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn revoking_a_refresh_token_ends_its_access_tokens_too() {
        let mut setup = Setup::new();
        let (access, refresh) = setup.open();
        assert!(setup.grants.revoke(&refresh));
        assert!(!setup.is_valid(&access));
        assert!(!setup.grants.revoke(&refresh));
    }

    #[test]
    fn revoking_an_access_token_does_not_end_the_refresh_token() {
        let mut setup = Setup::new();
        let (access, refresh) = setup.open();
        assert!(setup.grants.revoke(&access));
        assert!(!setup.is_valid(&access));
        assert!(setup.refresh(&refresh).is_ok());
    }
}
