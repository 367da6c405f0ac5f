//! Sets up what a function works with, from its environment: each adapter in one place. A function links only what it
//! asks for.

use std::sync::OnceLock;

use lambda_runtime::Error;
use platform::{
    aws::Aws,
    clock::SystemClock,
    config::{
        ConfigError, DashboardUrl, Env, ProcessEnv, SalesforceClientId, SalesforceLoginUrl, SettleTime,
        WorkspaceShare,
    },
    dynamo::{LedgerTable, OAuthStateTable, SettingsTable, WorkspaceTable},
    http::{CallerRules, PublicAddress},
    queue::SqsQueue,
    random::SystemRandom,
    secrets::{CachedSecret, ClientSecret, KeysSecret},
    telemetry,
    webhook_token::TokenSigner,
};
use salesforce::{Client, Config, Timeouts, hosts::Hosts};
use worker::{Ports, Worker, places::Taken};

/// The Salesforce client of all functions.
pub type Salesforce = Client<CachedSecret<ClientSecret>>;

/// The AWS adapters and the Salesforce client, as a worker's ports.
#[derive(Debug)]
pub struct AwsPorts;

impl Ports for AwsPorts {
    type Ledger = LedgerTable;
    type Workspaces = WorkspaceTable<KeysSecret>;
    type Salesforce = Salesforce;
    type Clock = SystemClock;
    type Random = SystemRandom;
}

/// A function's environment. Each method fails if a variable that it needs is missing or invalid.
#[derive(Debug)]
pub struct Wiring<E = ProcessEnv> {
    env: E,
    aws: Aws,
    // Shared, so that a process reads them once.
    keys: OnceLock<KeysSecret>,
}

impl Wiring {
    /// Sets up logging and metrics, and reads how to reach AWS. `crate_name` is `env!("CARGO_CRATE_NAME")` of the
    /// function's `main.rs`.
    pub fn new(crate_name: &'static str) -> Result<Self, ConfigError> {
        telemetry::init(crate_name);
        Self::from_env(ProcessEnv)
    }
}

impl<E: Env> Wiring<E> {
    /// Reads how to reach AWS.
    pub fn from_env(env: E) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(&env)?;
        Ok(Self { env, aws, keys: OnceLock::new() })
    }

    /// The rules for who may call the function's routes.
    pub fn callers(&self) -> Result<CallerRules, ConfigError> {
        CallerRules::from_env(&self.env)
    }

    /// The API's public address.
    pub fn address(&self) -> PublicAddress {
        PublicAddress::from_env(&self.env)
    }

    /// The dashboard's origin.
    pub fn dashboard_url(&self) -> Result<String, ConfigError> {
        Ok(DashboardUrl::from_env(&self.env)?.0)
    }

    /// The calls queue.
    pub fn queue(&self) -> Result<SqsQueue, ConfigError> {
        SqsQueue::from_env(&self.env, &self.aws)
    }

    /// The ledger.
    pub fn ledger(&self) -> Result<LedgerTable, ConfigError> {
        LedgerTable::from_env(&self.env, &self.aws)
    }

    /// The workspaces' settings, without their tokens.
    pub fn settings(&self) -> Result<SettingsTable, ConfigError> {
        SettingsTable::from_env(&self.env, &self.aws)
    }

    /// The workspaces, with their tokens.
    pub fn workspaces(&self) -> Result<WorkspaceTable<KeysSecret>, ConfigError> {
        WorkspaceTable::from_env(&self.env, &self.aws, self.keys()?)
    }

    /// The connect flows in progress.
    pub fn oauth_states(&self) -> Result<OAuthStateTable<KeysSecret>, ConfigError> {
        OAuthStateTable::from_env(&self.env, &self.aws, self.keys()?)
    }

    /// What makes and checks webhook tokens.
    pub fn webhook_tokens(&self) -> Result<TokenSigner<KeysSecret>, ConfigError> {
        Ok(TokenSigner::new(self.keys()?))
    }

    /// The consumer key of the Salesforce app.
    pub fn salesforce_client_id(&self) -> Result<String, ConfigError> {
        Ok(SalesforceClientId::from_env(&self.env)?.0)
    }

    /// The hosts that Salesforce credentials may go to. Also fails if the login URL is not Salesforce's.
    pub fn salesforce_hosts(&self) -> Result<Hosts, Error> {
        Ok(Hosts::of_deployment(&SalesforceLoginUrl::from_env(&self.env)?.0)?)
    }

    /// Salesforce. Also fails if the login URL is not Salesforce's.
    pub fn salesforce(&self) -> Result<Salesforce, Error> {
        Ok(Client::new(Config {
            client_id: self.salesforce_client_id()?,
            client_secret: CachedSecret::<ClientSecret>::from_env(&self.env, &self.aws)?,
            hosts: self.salesforce_hosts()?,
            timeouts: Timeouts::default(),
        })?)
    }

    /// A worker, which logs calls.
    pub fn worker(&self) -> Result<Worker<AwsPorts>, Error> {
        let SettleTime(settle) = SettleTime::from_env(&self.env)?;
        Ok(Worker {
            ledger: self.ledger()?,
            workspaces: self.workspaces()?,
            salesforce: self.salesforce()?,
            clock: SystemClock,
            random: SystemRandom,
            // SettleTime guarantees at most an hour.
            settle_seconds: i64::try_from(settle.as_secs()).unwrap_or(i64::MAX),
            places: Taken::none(WorkspaceShare::from_env(&self.env)?.0),
        })
    }

    fn keys(&self) -> Result<KeysSecret, ConfigError> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys.clone());
        }
        let keys = KeysSecret::from_env(&self.env, &self.aws)?;
        Ok(self.keys.get_or_init(|| keys).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: [(&str, &str); 11] = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("WORKSPACE_SETTINGS_TABLE", "settings"),
        ("SYNC_LOGS_TABLE", "logs"),
        ("CALL_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/calls"),
        ("KEYS_SECRET_ARN", "keys"),
        ("SALESFORCE_CLIENT_ID", "client-id"),
        ("SALESFORCE_CLIENT_SECRET_ARN", "client-secret"),
        ("SALESFORCE_LOGIN_URL", "https://login.salesforce.com"),
        ("SALESFORCE_SETTLE_SECONDS", "600"),
    ];

    fn start(env: &[(&'static str, &'static str); 11]) -> Result<(), Error> {
        let wiring = Wiring::from_env(*env)?;
        wiring.worker()?;
        wiring.queue()?;
        Ok(())
    }

    #[test]
    fn sync_starts_without_a_request_and_names_the_variable_that_it_lacks() {
        start(&ENV).unwrap();
        for missing in 0..ENV.len() {
            let mut env = ENV;
            env[missing].1 = "";
            let error = start(&env).unwrap_err().to_string();
            assert!(error.starts_with(ENV[missing].0), "{error}");
        }
    }

    #[test]
    fn a_login_url_that_is_not_salesforces_is_refused_at_the_start() {
        let mut env = ENV;
        env[9].1 = "https://login.example.com";
        assert!(Wiring::from_env(env).unwrap().salesforce_hosts().is_err());
    }
}
