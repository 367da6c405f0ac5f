//! The identity service (docs/salesforce-api.md#identity).

use serde_json::{Value, json};

use super::grants::Session;
use crate::world::World;

/// The identity at `/id/<org>/<user>`. `None` if the session belongs to another user.
pub(crate) fn identity(world: &World, session: &Session, org_id: &str, user_id: &str) -> Option<Value> {
    let org = world.orgs.get(session.org).filter(|org| org.id.as_str() == org_id)?;
    let user = org.users.iter().find(|user| user.id == session.user)?;
    if user.id.as_str() != user_id {
        return None;
    }
    let time_zone = world.settings.identity_timezone.as_ref().unwrap_or(&user.timezone);
    let base = world.settings.instance_url.as_ref().unwrap_or(&world.url);
    Some(json!({
        "id": format!("{}/id/{}/{}", world.url, org.id, user.id),
        "asserted_user": true,
        "user_id": user.id.as_str(),
        "organization_id": org.id.as_str(),
        "username": user.username,
        "nick_name": user.name,
        "display_name": user.name,
        "email": user.username,
        "email_verified": true,
        "active": true,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "timezone": time_zone,
        "utcOffset": standard_offset(time_zone),
        "urls": {
            "rest": format!("{base}/services/data/v{{version}}/"),
            "query": format!("{base}/services/data/v{{version}}/query/"),
            "search": format!("{base}/services/data/v{{version}}/search/"),
            "sobjects": format!("{base}/services/data/v{{version}}/sobjects/"),
        },
        "is_app_installed": true,
        "last_modified_date": "2026-01-05T09:00:00Z",
    }))
}

/// The offset of a time zone in January, in milliseconds: Salesforce's `utcOffset` ignores daylight saving time.
fn standard_offset(zone: &str) -> i64 {
    use chrono::{Offset as _, TimeZone as _};
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    let january = zone.with_ymd_and_hms(2026, 1, 15, 12, 0, 0).earliest();
    january.map_or(0, |at| i64::from(at.offset().fix().local_minus_utc()) * 1000)
}
