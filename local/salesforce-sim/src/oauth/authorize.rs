//! The authorize endpoint: validating a request, who can allow it, and where the browser goes next
//! (docs/salesforce-api.md#authorize).

use url::Url;

use super::{grants::Approval, token::Form};
use crate::{ids::Id, world::World};

/// A valid request, which a user can allow or deny.
#[derive(Debug)]
pub(crate) struct AuthorizeRequest {
    redirect_uri: Url,
    /// Verbatim: the token request must repeat it exactly.
    redirect_text: String,
    state: Option<String>,
    challenge: Option<String>,
    pub(crate) scopes: Vec<String>,
}

/// How an invalid request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// With a page of Salesforce. The browser does not return to the app.
    Page { error: &'static str, description: &'static str },
    /// By returning the browser to the app with an error.
    Redirect(Url),
}

impl AuthorizeRequest {
    /// Validates the parameters.
    pub(crate) fn parse(world: &World, query: &Form) -> Result<Self, Refusal> {
        let text = |name: &str| query.get(name).map(String::as_str).filter(|text| !text.is_empty());
        if text("client_id") != Some(&world.config.client_id) {
            return Err(page("invalid_client_id", "client identifier invalid"));
        }
        let Some(redirect_text) = text("redirect_uri") else {
            return Err(page("redirect_uri_missing", "redirect_uri not provided"));
        };
        let known = world.config.redirect_uris.iter().any(|uri| uri == redirect_text);
        let redirect_uri = Url::parse(redirect_text).ok().filter(|_| known);
        let mismatch = page("redirect_uri_mismatch", "redirect_uri must match configuration");
        let redirect_uri = redirect_uri.ok_or(mismatch)?;
        let mut request = Self {
            redirect_uri,
            redirect_text: redirect_text.to_owned(),
            state: text("state").map(ToOwned::to_owned),
            challenge: text("code_challenge").map(ToOwned::to_owned),
            scopes: vec![],
        };
        if text("response_type") != Some("code") {
            return Err(request.refused("unsupported_response_type", "response type not supported"));
        }
        request.check_challenge(text("code_challenge_method"), world.settings.require_pkce)?;
        request.scopes = match text("scope") {
            Some(scopes) => scopes.split_whitespace().map(ToOwned::to_owned).collect(),
            None => world.config.scopes.clone(),
        };
        if request.scopes.iter().all(|scope| world.config.scopes.contains(scope)) {
            Ok(request)
        } else {
            Err(request.refused("invalid_scope", "the requested scope is invalid"))
        }
    }

    fn check_challenge(&self, method: Option<&str>, required: bool) -> Result<(), Refusal> {
        let Some(challenge) = &self.challenge else {
            let refused = || self.refused("invalid_request", "missing required code challenge");
            return if required { Err(refused()) } else { Ok(()) };
        };
        // S256 is Salesforce's only method, and therefore the default.
        if method.is_some_and(|method| method != "S256") {
            return Err(self.refused("invalid_request", "invalid code challenge method"));
        }
        let is_hash = challenge.len() == 43
            && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if is_hash { Ok(()) } else { Err(self.refused("invalid_request", "invalid code challenge")) }
    }

    /// Where the browser goes after Allow, with a code for `user`. `None` if there is no such user.
    pub(crate) fn allow(self, world: &mut World, user: Option<&str>) -> Option<Url> {
        let (org, user) = find_user(world, user)?;
        let approval = Approval {
            org,
            user,
            scopes: self.scopes.clone(),
            redirect_uri: self.redirect_text.clone(),
            challenge: self.challenge.clone(),
        };
        let now = world.clock.now();
        let code = world.grants.approve(approval, now);
        Some(self.callback(&[("code", &code)]))
    }

    /// Where the browser goes after Deny.
    pub(crate) fn deny(&self) -> Url {
        self.callback(&[("error", "access_denied"), ("error_description", "end-user denied authorization")])
    }

    fn refused(&self, error: &'static str, description: &'static str) -> Refusal {
        Refusal::Redirect(self.callback(&[("error", error), ("error_description", description)]))
    }

    fn callback(&self, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.redirect_uri.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        if let Some(state) = &self.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        url
    }
}

fn page(error: &'static str, description: &'static str) -> Refusal {
    Refusal::Page { error, description }
}

/// The user with this id and the index of the org. Without an id, the first user of the first org.
pub(crate) fn find_user(world: &World, id: Option<&str>) -> Option<(usize, Id)> {
    let id = id.filter(|id| !id.is_empty());
    let mut users = world
        .orgs
        .iter()
        .enumerate()
        .flat_map(|(index, org)| org.users.iter().map(move |user| (index, user.id.clone())));
    users.find(|(_, user)| id.is_none_or(|id| id == user.as_str()))
}
