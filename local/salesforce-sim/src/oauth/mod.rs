//! OAuth 2.0: the web-server flow with PKCE, refresh with rotation, revocation, identity (salesforce.md §1).

pub(crate) mod authorize;
pub(crate) mod grants;
pub(crate) mod identity;
pub(crate) mod token;
