//! Approvals and what they give: codes, refresh tokens, access tokens; and when each of them ends.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{ids::Id, settings::Settings};

/// Who an access token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// The place of the org in the world's list.
    pub(crate) org: usize,
    pub(crate) user: Id,
    pub(crate) scopes: Vec<String>,
    /// When the token ends if it is not used.
    pub(crate) ends: DateTime<Utc>,
    pub(crate) issued: DateTime<Utc>,
}

impl Session {
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope || granted == "full")
    }
}

/// An approval that waits for its code to be exchanged.
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
    /// Refresh tokens that were rotated away.
    spent: Vec<String>,
    used: DateTime<Utc>,
    access: BTreeMap<String, Access>,
    ended: bool,
}

#[derive(Debug)]
struct Access {
    issued: DateTime<Utc>,
    used: DateTime<Utc>,
}

/// Tokens that were just issued.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) org: usize,
    pub(crate) user: Id,
    pub(crate) scopes: Vec<String>,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// Why a refresh token is refused; the caller is told the same of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshRefused {
    /// Unknown, revoked or expired.
    Ended,
    /// It was rotated away.
    Reused,
}

/// All approvals of the app.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: BTreeMap<String, (Approval, DateTime<Utc>)>,
    grants: Vec<Grant>,
}

impl Grants {
    /// A code for an approval. It ends with `=`, as Salesforce's do: it must be decoded exactly once.
    pub(crate) fn approve(&mut self, approval: Approval, now: DateTime<Utc>) -> String {
        let code = format!("aPrx{}{}==", random(), random());
        self.codes.insert(code.clone(), (approval, now));
        code
    }

    /// Takes a code: whatever comes of it, it is used. `None`: unknown, used or older than allowed.
    pub(crate) fn take_code(
        &mut self,
        code: &str,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Option<Approval> {
        let (approval, issued) = self.codes.remove(code)?;
        (now - issued < TimeDelta::seconds(settings.code_seconds)).then_some(approval)
    }

    /// The tokens of an approval. Where the user has too many approvals, the oldest ends.
    pub(crate) fn open(
        &mut self,
        approval: &Approval,
        org_id: &Id,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Issued {
        let standing = self.grants.iter_mut().filter(|grant| !grant.ended && grant.user == approval.user);
        let mut standing: Vec<&mut Grant> = standing.collect();
        let too_many = (standing.len() + 1).saturating_sub(settings.max_approvals);
        for grant in standing.iter_mut().take(too_many) {
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
            spent: vec![],
            used: now,
            access: BTreeMap::new(),
            ended: false,
        };
        let refresh = grant.refresh.clone();
        let issued = grant.issue(refresh, now);
        self.grants.push(grant);
        issued
    }

    /// New tokens for a refresh token.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Result<Issued, RefreshRefused> {
        if let Some(grant) =
            self.grants.iter_mut().find(|grant| grant.spent.iter().any(|spent| spent == token))
        {
            if settings.reuse_cascade {
                grant.end();
            }
            return Err(RefreshRefused::Reused);
        }
        let idle = TimeDelta::seconds(settings.refresh_idle_seconds);
        let standing = self.grants.iter_mut().filter(|grant| !grant.ended && now - grant.used < idle);
        let mut standing = standing.filter(|grant| grant.refresh.as_deref() == Some(token));
        let grant = standing.next().ok_or(RefreshRefused::Ended)?;
        grant.used = now;
        if !settings.rotation {
            return Ok(grant.issue(None, now));
        }
        let next = refresh_token();
        grant.spent.extend(grant.refresh.replace(next.clone()));
        Ok(grant.issue(Some(next), now))
    }

    /// The session of an access token; using it makes it last longer.
    pub(crate) fn use_session(
        &mut self,
        token: &str,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Option<Session> {
        let session = self.session(token, now, settings)?;
        let access = self.grants.iter_mut().find_map(|grant| grant.access.get_mut(token))?;
        access.used = now;
        Some(session)
    }

    /// The session of an access token, without using it.
    pub(crate) fn session(&self, token: &str, now: DateTime<Utc>, settings: &Settings) -> Option<Session> {
        let grant = self.grants.iter().find(|grant| !grant.ended && grant.access.contains_key(token))?;
        let access = grant.access.get(token)?;
        let ends = access.used + TimeDelta::seconds(settings.session_seconds);
        (now < ends).then(|| Session {
            org: grant.org,
            user: grant.user.clone(),
            scopes: grant.scopes.clone(),
            ends,
            issued: access.issued,
        })
    }

    /// Revokes a token: a refresh token with all that came of it, an access token alone. `false`: it stands no more.
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

    /// Ends all access tokens; refresh tokens stay good.
    pub(crate) fn expire_sessions(&mut self) {
        self.grants.iter_mut().for_each(|grant| grant.access.clear());
    }

    /// How many approvals stand, by user.
    pub(crate) fn live_by_user(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for grant in self.grants.iter().filter(|grant| !grant.ended) {
            *counts.entry(grant.user.to_string()).or_default() += 1;
        }
        counts
    }
}

impl Grant {
    fn issue(&mut self, refresh: Option<String>, now: DateTime<Utc>) -> Issued {
        // The `!` is Salesforce's: such a token must not get into a shell or a URL as it is.
        let access = format!("{}!AQ{}.{}", self.org_id.short(), random(), random());
        self.access.insert(access.clone(), Access { issued: now, used: now });
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

        fn works(&mut self, access: &str) -> bool {
            self.grants.use_session(access, self.now, &self.settings).is_some()
        }
    }

    #[test]
    fn a_code_is_good_once_and_for_fifteen_minutes() {
        let mut it = Setup::new();
        let code = it.grants.approve(Setup::approval(), it.now);
        assert!(it.grants.take_code(&code, it.now, &it.settings).is_some());
        assert!(it.grants.take_code(&code, it.now, &it.settings).is_none());
        let code = it.grants.approve(Setup::approval(), it.now);
        assert!(it.grants.take_code(&code, it.now + TimeDelta::minutes(15), &it.settings).is_none());
    }

    #[test]
    fn a_refresh_gives_a_new_token_and_ends_the_old_one() {
        let mut it = Setup::new();
        it.settings.reuse_cascade = false;
        let (_, first) = it.open();
        let second = it.refresh(&first).unwrap().refresh.unwrap();
        assert_eq!(it.refresh(&first).unwrap_err(), RefreshRefused::Reused);
        assert!(it.refresh(&second).is_ok());
    }

    #[test]
    fn reuse_of_an_old_token_ends_the_grant() {
        let mut it = Setup::new();
        let (access, first) = it.open();
        let second = it.refresh(&first).unwrap();
        assert_eq!(it.refresh(&first).unwrap_err(), RefreshRefused::Reused);
        assert!(!it.works(&access));
        assert!(!it.works(&second.access));
        assert_eq!(it.refresh(&second.refresh.unwrap()).unwrap_err(), RefreshRefused::Ended);
    }

    #[test]
    fn without_rotation_a_refresh_token_stays() {
        let mut it = Setup::new();
        it.settings.rotation = false;
        let (_, token) = it.open();
        assert!(it.refresh(&token).unwrap().refresh.is_none());
        assert!(it.refresh(&token).is_ok());
    }

    #[test]
    fn an_access_token_ends_after_two_hours_without_use() {
        let mut it = Setup::new();
        let (access, _) = it.open();
        it.now += TimeDelta::minutes(119);
        assert!(it.works(&access));
        it.now += TimeDelta::minutes(119);
        assert!(it.works(&access));
        it.now += TimeDelta::minutes(120);
        assert!(!it.works(&access));
    }

    #[test]
    fn a_refresh_token_ends_after_thirty_days_without_use() {
        let mut it = Setup::new();
        let (_, first) = it.open();
        it.now += TimeDelta::days(29);
        let second = it.refresh(&first).unwrap().refresh.unwrap();
        it.now += TimeDelta::days(30);
        assert_eq!(it.refresh(&second).unwrap_err(), RefreshRefused::Ended);
    }

    #[test]
    fn the_sixth_approval_ends_the_oldest() {
        let mut it = Setup::new();
        let (first_access, first) = it.open();
        let (_, second) = it.open();
        for _ in 0..3 {
            it.open();
        }
        assert!(it.works(&first_access));
        it.open();
        assert!(!it.works(&first_access));
        assert!(it.refresh(&first).is_err());
        assert!(it.refresh(&second).is_ok());
        assert_eq!(it.grants.live_by_user().values().copied().collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn revoking_a_refresh_token_ends_its_access_tokens_too() {
        let mut it = Setup::new();
        let (access, refresh) = it.open();
        assert!(it.grants.revoke(&refresh));
        assert!(!it.works(&access));
        assert!(!it.grants.revoke(&refresh));
    }

    #[test]
    fn revoking_an_access_token_leaves_the_refresh_token() {
        let mut it = Setup::new();
        let (access, refresh) = it.open();
        assert!(it.grants.revoke(&access));
        assert!(!it.works(&access));
        assert!(it.refresh(&refresh).is_ok());
    }
}
