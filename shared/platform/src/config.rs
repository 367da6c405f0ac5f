//! Configuration: each value is a type, read once from the environment by the functions that need it.

use std::{collections::HashMap, hash::BuildHasher, ops::RangeInclusive, time::Duration};

use calls::limits::SETTLE_SECONDS;
use crm::places::share;

/// A missing or invalid variable. The message names it and says what it should be, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not set, or empty.
    #[error("{variable} is not set; it must be {expected}")]
    Missing {
        /// The variable's name.
        variable: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Not what it should be.
    #[error("{variable} is not {expected}")]
    Invalid {
        /// The variable's name.
        variable: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// Where configuration comes from: the process environment, or in tests a map.
pub trait Env {
    /// A variable's value; an empty one counts as unset.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl<S: BuildHasher> Env for HashMap<String, String, S> {
    fn get(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

impl<const N: usize> Env for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<String> {
        let value = self.iter().find(|(key, _)| *key == name)?.1;
        (!value.is_empty()).then(|| value.to_owned())
    }
}

pub(crate) fn required(
    env: &impl Env,
    variable: &'static str,
    expected: &'static str,
) -> Result<String, ConfigError> {
    env.get(variable).ok_or(ConfigError::Missing { variable, expected })
}

/// Declares the type of a required variable.
macro_rules! variable {
    ($(#[$doc:meta])* $name:ident, $variable:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub String);

        impl $name {
            /// Reads the variable.
            pub fn from_env(env: &impl Env) -> Result<Self, ConfigError> {
                required(env, $variable, $expected).map(Self)
            }
        }
    };
}

variable!(
    /// The table of the workspaces.
    WorkspaceSettingsTable,
    "WORKSPACE_SETTINGS_TABLE",
    "the name of the table of workspaces and their settings"
);
variable!(
    /// The ledger's table.
    SyncLogsTable,
    "SYNC_LOGS_TABLE",
    "the name of the ledger's table"
);
variable!(
    /// The table of connect flows in progress.
    OAuthStatesTable,
    "OAUTH_STATES_TABLE",
    "the name of the table of connect flows"
);
variable!(
    /// The calls queue.
    CallQueueUrl,
    "CALL_QUEUE_URL",
    "the URL of the calls queue"
);
variable!(
    /// The secret with the generated keys.
    KeysSecretArn,
    "KEYS_SECRET_ARN",
    "the ARN of the secret with the generated keys"
);
variable!(
    /// The secret with the consumer secret of the Salesforce app.
    SalesforceClientSecretArn,
    "SALESFORCE_CLIENT_SECRET_ARN",
    "the ARN of the secret with the Salesforce app's consumer secret"
);
variable!(
    /// The consumer key of the Salesforce app.
    SalesforceClientId,
    "SALESFORCE_CLIENT_ID",
    "the consumer key of the Salesforce app"
);
variable!(
    /// Where users log in to Salesforce, unless their workspace has its own. Allowed hosts are checked where
    /// credentials are sent.
    SalesforceLoginUrl,
    "SALESFORCE_LOGIN_URL",
    "the URL of a Salesforce login host, https://login.salesforce.com"
);
variable!(
    /// The dashboard's origin.
    DashboardUrl,
    "DASHBOARD_URL",
    "the dashboard's origin, https://app.example.com"
);

/// How long a write that Salesforce has received may take to commit (docs/contract.md#the-settle-bound).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettleTime(pub Duration);

impl SettleTime {
    /// Reads `SALESFORCE_SETTLE_SECONDS`.
    pub fn from_env(env: &impl Env) -> Result<Self, ConfigError> {
        let (variable, expected) = ("SALESFORCE_SETTLE_SECONDS", "a number of seconds, 1 to 3600");
        let text = required(env, variable, expected)?;
        let seconds = text.parse().ok().filter(|seconds| SETTLE_SECONDS.contains(seconds));
        seconds
            .map(|seconds| Self(Duration::from_secs(seconds)))
            .ok_or(ConfigError::Invalid { variable, expected })
    }
}

/// How many of sync's places one workspace may take (docs/contract.md#places).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceShare(pub usize);

impl WorkspaceShare {
    /// Reads `SYNC_MAXIMUM_CONCURRENCY` and `WORKSPACE_SHARE_PERCENT`. All places, if neither is set: only sync has a
    /// limit.
    pub fn from_env(env: &impl Env) -> Result<Self, ConfigError> {
        let (places, percent) = ("SYNC_MAXIMUM_CONCURRENCY", "WORKSPACE_SHARE_PERCENT");
        if env.get(places).is_none() && env.get(percent).is_none() {
            return Ok(Self(usize::MAX));
        }
        let number = |variable, expected, range: RangeInclusive<usize>| {
            let number =
                required(env, variable, expected)?.parse().ok().filter(|number| range.contains(number));
            number.ok_or(ConfigError::Invalid { variable, expected })
        };
        let places = number(places, "a number of places, 2 to 1000", 2..=1000)?;
        let percent = number(percent, "a percentage, 1 to 100", 1..=100)?;
        Ok(Self(share(places, percent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named_with_what_it_should_be() {
        let error = SyncLogsTable::from_env(&[("SYNC_LOGS_TABLE", "")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "SYNC_LOGS_TABLE is not set; it must be the name of the ledger's table"
        );
        assert_eq!(SyncLogsTable::from_env(&[("SYNC_LOGS_TABLE", "logs")]), Ok(SyncLogsTable("logs".into())));
    }

    #[test]
    fn a_settle_time_out_of_range_is_refused_without_its_value() {
        for bad in ["0", "3601", "-1", "ten"] {
            let error = SettleTime::from_env(&[("SALESFORCE_SETTLE_SECONDS", bad)]).unwrap_err();
            assert_eq!(
                error.to_string(),
                "SALESFORCE_SETTLE_SECONDS is not a number of seconds, 1 to 3600",
                "{bad}"
            );
        }
        let read = SettleTime::from_env(&[("SALESFORCE_SETTLE_SECONDS", "600")]);
        assert_eq!(read, Ok(SettleTime(Duration::from_mins(10))));
    }

    #[test]
    fn a_workspaces_share_is_a_part_of_the_places() {
        let env = |places, percent| {
            let env = [("SYNC_MAXIMUM_CONCURRENCY", places), ("WORKSPACE_SHARE_PERCENT", percent)];
            WorkspaceShare::from_env(&env)
        };
        assert_eq!(env("10", "50"), Ok(WorkspaceShare(5)));
        assert_eq!(env("2", "1"), Ok(WorkspaceShare(1)));
        for (places, percent, variable) in [
            ("1", "50", "SYNC_MAXIMUM_CONCURRENCY"),
            ("10", "101", "WORKSPACE_SHARE_PERCENT"),
            ("10", "", "WORKSPACE_SHARE_PERCENT"),
        ] {
            assert!(env(places, percent).unwrap_err().to_string().starts_with(variable));
        }
        assert_eq!(
            WorkspaceShare::from_env(&HashMap::<String, String>::new()),
            Ok(WorkspaceShare(usize::MAX))
        );
    }

    #[test]
    fn a_map_and_the_process_are_environments_too() {
        let map = HashMap::from([("DASHBOARD_URL".to_owned(), "https://app.example.com".to_owned())]);
        assert!(DashboardUrl::from_env(&map).is_ok());
        assert_eq!(ProcessEnv.get("A_VARIABLE_THAT_NOBODY_SETS"), None);
    }
}
