//! Who a token speaks for: identity, userinfo, introspection (docs/salesforce-api.md#identity).

use serde_json::{Value, json};

use super::{
    grants::Session,
    token::{Form, OAuthError, check_client},
};
use crate::{objects::store::User, world::World};

struct Who<'a> {
    user: &'a User,
    org: &'a str,
    zone: &'a str,
    sub: String,
}

fn who<'a>(world: &'a World, session: &Session) -> Option<Who<'a>> {
    let org = world.orgs.get(session.org)?;
    let user = org.users.iter().find(|user| user.id == session.user)?;
    let zone = world.settings.identity_timezone.as_ref().unwrap_or(&user.timezone);
    Some(Who { user, org: org.id.as_str(), zone, sub: format!("{}/id/{}/{}", world.url, org.id, user.id) })
}

fn urls(world: &World) -> Value {
    let base = world.settings.instance_url.as_ref().unwrap_or(&world.url);
    json!({
        "rest": format!("{base}/services/data/v{{version}}/"),
        "query": format!("{base}/services/data/v{{version}}/query/"),
        "search": format!("{base}/services/data/v{{version}}/search/"),
        "sobjects": format!("{base}/services/data/v{{version}}/sobjects/"),
    })
}

/// The identity of `/id/<org>/<user>`; `None`: the session is another user's.
pub(crate) fn identity(world: &World, session: &Session, org: &str, user: &str) -> Option<Value> {
    let who = who(world, session).filter(|who| who.org == org && who.user.id.as_str() == user)?;
    Some(json!({
        "id": who.sub,
        "asserted_user": true,
        "user_id": who.user.id.as_str(),
        "organization_id": who.org,
        "username": who.user.username,
        "nick_name": who.user.name,
        "display_name": who.user.name,
        "email": who.user.username,
        "email_verified": true,
        "active": true,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "timezone": who.zone,
        "utcOffset": standard_offset(who.zone),
        "urls": urls(world),
        "is_app_installed": true,
        "last_modified_date": "2026-01-05T09:00:00Z",
    }))
}

/// The claims of `/services/oauth2/userinfo`.
pub(crate) fn userinfo(world: &World, session: &Session) -> Option<Value> {
    let who = who(world, session)?;
    Some(json!({
        "sub": who.sub,
        "user_id": who.user.id.as_str(),
        "organization_id": who.org,
        "preferred_username": who.user.username,
        "name": who.user.name,
        "email": who.user.username,
        "email_verified": true,
        "zoneinfo": who.zone,
        "urls": urls(world),
        "active": true,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": standard_offset(who.zone),
        "updated_at": "2026-01-05T09:00:00Z",
    }))
}

/// The zone's offset in January, in milliseconds: Salesforce's does not know of summer time.
fn standard_offset(zone: &str) -> i64 {
    use chrono::{Offset as _, TimeZone as _};
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    let january = zone.with_ymd_and_hms(2026, 1, 15, 12, 0, 0).earliest();
    january.map_or(0, |at| i64::from(at.offset().fix().local_minus_utc()) * 1000)
}

/// What `/services/oauth2/introspect` tells of a token.
pub(crate) fn introspect(
    world: &World,
    form: &Form,
    basic: Option<(String, String)>,
) -> Result<Value, OAuthError> {
    check_client(world, form, basic)?;
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let session = world.grants.session(token, world.clock.now(), &world.settings);
    let known = session.and_then(|session| who(world, &session).map(|who| (session, who)));
    Ok(known.map_or(json!({"active": false}), |(session, who)| {
        json!({
            "active": true,
            "scope": session.scopes.join(" "),
            "client_id": world.config.client_id,
            "username": who.user.username,
            "sub": who.sub,
            "token_type": "access_token",
            "exp": session.ends.timestamp(),
            "iat": session.issued.timestamp(),
            "nbf": session.issued.timestamp(),
        })
    }))
}
