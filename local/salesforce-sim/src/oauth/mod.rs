//! OAuth 2.0: the web-server flow with PKCE, refresh with rotation, revocation, identity
//! (docs/salesforce-api.md#authorize).

pub(crate) mod authorize;
pub(crate) mod grants;
pub(crate) mod identity;
pub(crate) mod token;
