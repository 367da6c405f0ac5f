//! A workspace as an item of the settings table (docs/contract.md#workspaces).

use crm::workspace::{
    ConnectionState, Learned, Lessons, MultipleMatches, RefusedFields, Settings, WebhookSecretVersions,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{sealing::Field, stores::ConnectionStatus};

use super::{
    item::{ColumnError, Item, optional, required},
    rows::Change,
};

/// The sealed tokens.
pub(super) const TOKENS: [&str; 2] = [Field::AccessToken.column(), Field::RefreshToken.column()];

pub(super) const STATE: &str = "connection_state";
pub(super) const STATE_REASON: &str = "connection_state_reason";

/// The columns of the connection status.
pub(super) const STATUS: [&str; 6] = [
    STATE,
    STATE_REASON,
    "salesforce_instance_url",
    "salesforce_org_id",
    "salesforce_user_name",
    "connected_at",
];

/// The columns of the settings.
pub(super) const SETTINGS: [&str; 11] = [
    "time_zone",
    "default_country",
    "login_url",
    "match_order",
    "multiple_matches",
    "no_match",
    "use_given_number",
    "appointment_duration_minutes",
    "include_transcript",
    "call_types",
    "retention_days",
];

/// The id of the settings' last write.
pub(super) const SETTINGS_WRITE_ID: &str = "settings_write_id";

/// The columns of the webhook secret's versions.
pub(super) const WEBHOOK_SECRET: [&str; 2] = ["webhook_secret_version", "webhook_secret_oldest_valid"];

pub(super) fn settings(item: &Item) -> Settings {
    let default = Settings::default();
    Settings {
        time_zone: setting(item, "time_zone", default.time_zone),
        default_country: setting(item, "default_country", default.default_country),
        login_url: setting(item, "login_url", default.login_url),
        match_order: match members(item, "match_order", default.match_order.clone()) {
            none if none.is_empty() => default.match_order,
            some => some,
        },
        multiple_matches: setting_or(
            item,
            "multiple_matches",
            default.multiple_matches,
            MultipleMatches::Skip,
        ),
        no_match: setting(item, "no_match", default.no_match),
        use_given_number: setting(item, "use_given_number", default.use_given_number),
        appointment_duration_minutes: setting(
            item,
            "appointment_duration_minutes",
            default.appointment_duration_minutes,
        ),
        include_transcript: setting(item, "include_transcript", default.include_transcript),
        call_types: members(item, "call_types", default.call_types),
        retention_days: setting(item, "retention_days", default.retention_days),
    }
}

/// The change from the settings `now` to `new`: only what differs.
pub(super) fn changed_settings(now: &Settings, new: &Settings) -> Change {
    fn set<T: PartialEq + Serialize>(change: Change, column: &'static str, now: &T, new: &T) -> Change {
        if now == new { change } else { change.set(column, new) }
    }
    let change = Change::default();
    let change = set(change, "time_zone", &now.time_zone, &new.time_zone);
    let change = set(change, "default_country", &now.default_country, &new.default_country);
    let change = match &new.login_url {
        None => change.remove(&["login_url"]),
        own => set(change, "login_url", &now.login_url, own),
    };
    let change = set(change, "match_order", &now.match_order, &new.match_order);
    let change = set(change, "multiple_matches", &now.multiple_matches, &new.multiple_matches);
    let change = set(change, "no_match", &now.no_match, &new.no_match);
    let change = set(change, "use_given_number", &now.use_given_number, &new.use_given_number);
    let change = set(
        change,
        "appointment_duration_minutes",
        &now.appointment_duration_minutes,
        &new.appointment_duration_minutes,
    );
    let change = set(change, "include_transcript", &now.include_transcript, &new.include_transcript);
    let change = set(change, "call_types", &now.call_types, &new.call_types);
    set(change, "retention_days", &now.retention_days, &new.retention_days)
}

/// Reads a setting; one that this version cannot read must not block the workspace's calls: it takes its default.
fn setting<T: DeserializeOwned + Clone>(item: &Item, column: &'static str, default: T) -> T {
    setting_or(item, column, default.clone(), default)
}

/// Reads a setting whose default would log calls that the workspace may not want logged: if it cannot be read,
/// `unreadable` applies instead.
fn setting_or<T: DeserializeOwned>(item: &Item, column: &'static str, default: T, unreadable: T) -> T {
    match optional(item, column) {
        Ok(value) => value.unwrap_or(default),
        Err(error) => {
            tracing::warn!(error = %error, "a setting cannot be read; another value is used");
            unreadable
        }
    }
}

/// Reads a setting with several values: only those that this version knows.
fn members<T: DeserializeOwned + Clone>(item: &Item, column: &'static str, default: Vec<T>) -> Vec<T> {
    let words: Vec<serde_json::Value> = match optional(item, column) {
        Ok(Some(words)) => words,
        _ => return setting(item, column, default),
    };
    words.into_iter().filter_map(|word| serde_json::from_value(word).ok()).collect()
}

/// The state of the connection, and the reason for it. In a state that only a newer version knows, it is unknown
/// whether the tokens are valid: calls wait until that version is back or somebody connects.
pub(super) fn state(item: &Item) -> Result<(ConnectionState, Option<String>), ColumnError> {
    if let Ok(state) = optional(item, STATE) {
        return Ok((state.unwrap_or(ConnectionState::Disconnected), optional(item, STATE_REASON)?));
    }
    let unknown: String = required(item, STATE)?;
    let reason = format!("its state is `{unknown}`, which only a newer version of Ringlog knows");
    Ok((ConnectionState::ReconnectRequired, Some(reason)))
}

pub(super) fn connection_version(item: &Item) -> Result<u64, ColumnError> {
    Ok(optional(item, "connection_version")?.unwrap_or_default())
}

/// Like settings, what cannot be read is dropped, and learned again.
pub(super) fn learned(item: &Item) -> Learned {
    let fields = |column| setting(item, column, RefusedFields::default());
    Learned {
        unwritable: fields("refused_fields"),
        unreadable: fields("unreadable_fields"),
        unfilterable: fields("unfilterable_fields"),
        closed_status: setting(item, "closed_task_status", None),
    }
}

/// The change that stores the kinds with new lessons.
pub(super) fn set_learned(learned: &Learned, lessons: &Lessons) -> Change {
    let fields = |fields, is_news: bool| Some(fields).filter(|_| is_news);
    let Lessons { unwritable, omitted, closed_status } = lessons;
    Change::default()
        .set_some("refused_fields", fields(&learned.unwritable, !unwritable.is_empty()))
        .set_some("unreadable_fields", fields(&learned.unreadable, !omitted.unreadable.is_empty()))
        .set_some("unfilterable_fields", fields(&learned.unfilterable, !omitted.unfilterable.is_empty()))
        .set_some("closed_task_status", learned.closed_status.as_ref().filter(|_| closed_status.is_some()))
}

pub(super) fn webhook_secret(item: &Item) -> Result<WebhookSecretVersions, ColumnError> {
    Ok(WebhookSecretVersions {
        current: optional(item, "webhook_secret_version")?.unwrap_or_default(),
        oldest_valid: optional(item, "webhook_secret_oldest_valid")?.unwrap_or_default(),
    })
}

pub(super) fn status(item: &Item) -> Result<ConnectionStatus, ColumnError> {
    let (state, reason) = state(item)?;
    Ok(ConnectionStatus {
        state,
        reason,
        instance_url: optional(item, "salesforce_instance_url")?,
        org_id: optional(item, "salesforce_org_id")?,
        user_name: optional(item, "salesforce_user_name")?,
        connected_at: optional(item, "connected_at")?,
    })
}

#[cfg(test)]
mod tests {
    use calls::call::Direction;
    use crm::{RecordType, workspace::NoMatch};

    use super::*;
    use crate::dynamo::item::ItemBuilder;

    #[test]
    fn every_setting_is_read_from_its_column() {
        let item = ItemBuilder::default()
            .set("time_zone", "America/New_York")
            .set("default_country", "GB")
            .set("login_url", "https://test.salesforce.com")
            .set("match_order", ["Contact", "Lead"])
            .set("multiple_matches", "first_created")
            .set("no_match", "create_lead")
            .set("use_given_number", true)
            .set("appointment_duration_minutes", 30)
            .set("include_transcript", true)
            .set("call_types", ["inbound"])
            .set("retention_days", 365)
            .build();
        assert_eq!(item.len(), SETTINGS.len());
        assert!(SETTINGS.iter().all(|column| item.contains_key(*column)));
        assert_eq!(
            settings(&item),
            Settings {
                time_zone: "America/New_York".parse().unwrap(),
                default_country: "GB".into(),
                login_url: Some("https://test.salesforce.com".into()),
                match_order: vec![RecordType::Contact, RecordType::Lead],
                multiple_matches: MultipleMatches::FirstCreated,
                no_match: NoMatch::CreateLead,
                use_given_number: true,
                appointment_duration_minutes: 30,
                include_transcript: true,
                call_types: vec![Direction::Inbound],
                retention_days: 365,
            }
        );
    }

    #[test]
    fn settings_that_are_missing_or_unreadable_take_their_defaults() {
        assert_eq!(settings(&Item::new()), Settings::default());
        let item = ItemBuilder::default().set("time_zone", "Mars/Olympus").set("retention_days", 31).build();
        assert_eq!(settings(&item), Settings { retention_days: 31, ..Settings::default() });
    }

    /// Unknown settings block no call, and log none in a way that the workspace may not want.
    #[test]
    fn of_the_settings_of_a_newer_version_those_count_that_are_understood() {
        let item = |column, words: &[&str]| ItemBuilder::default().set(column, words).build();
        let order = |words: &[&str]| settings(&item("match_order", words)).match_order;
        assert_eq!(order(&["Account", "Contact"]), [RecordType::Contact]);
        assert_eq!(order(&["Account"]), Settings::default().match_order);
        let types = |words: &[&str]| settings(&item("call_types", words)).call_types;
        assert_eq!(types(&["chat", "inbound"]), [Direction::Inbound]);
        assert_eq!(types(&["chat"]), []);
        let one = |column, word| settings(&ItemBuilder::default().set(column, word).build());
        assert_eq!(one("multiple_matches", "ask").multiple_matches, MultipleMatches::Skip);
        assert_eq!(one("no_match", "create_account").no_match, NoMatch::Skip);
    }

    /// Its calls wait, as in every workspace without a valid connection, so they are not lost.
    #[test]
    fn a_connection_in_a_state_of_a_newer_version_is_none() {
        let item = ItemBuilder::default().set("connection_state", "limited").build();
        let status = status(&item).unwrap();
        assert_eq!(status.state, ConnectionState::ReconnectRequired);
        let reason = status.reason.unwrap();
        assert!(reason.contains("`limited`") && reason.contains("newer version"), "{reason}");
    }

    #[test]
    fn a_workspace_without_a_row_is_disconnected() {
        assert_eq!(status(&Item::new()), Ok(ConnectionStatus::unknown()));
        assert_eq!(connection_version(&Item::new()), Ok(0));
        assert_eq!(webhook_secret(&Item::new()), Ok(WebhookSecretVersions::default()));
    }
}
