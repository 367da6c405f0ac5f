//! The two secrets in Secrets Manager, each read once and then cached for a while.
//!
//! AWS's own caching crate is not used: it pulls in `aws-config` with a second TLS stack, and makes cold starts
//! several times as long.

use std::{future::Future, sync::Arc, time::Duration};

use aws_sdk_secretsmanager::Client;
use calls::timings::{KEYS_KEPT_FOR, SECRET_READ_AGAIN_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Mutex, time::Instant};
use worker::ports::{ClientSecretSource, StoreError};

use crate::{
    aws::{Aws, LazyClient, store_error},
    config::{ConfigError, Env, KeysSecretArn, SalesforceClientSecretArn},
    keys::Keys,
};

/// Reads a secret's text.
pub trait SecretReader: Send + Sync {
    /// Reads the secret's current version.
    fn read(&self, arn: &str) -> impl Future<Output = Result<SecretString, StoreError>> + Send;
}

/// AWS Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager(LazyClient<Client>);

impl SecretsManager {
    /// Uses this client.
    pub fn new(client: LazyClient<Client>) -> Self {
        Self(client)
    }
}

impl SecretReader for SecretsManager {
    async fn read(&self, arn: &str) -> Result<SecretString, StoreError> {
        const OPERATION: &str = "Secrets Manager GetSecretValue";
        let response = self.0.get_secret_value().secret_id(arn).send().await;
        let secret = response.map_err(|error| store_error(OPERATION, &error))?.secret_string;
        let nothing = || StoreError { operation: OPERATION, cause: "the secret has no text".to_owned() };
        secret.map(SecretString::from).ok_or_else(nothing)
    }
}

/// A type that is parsed from a secret's text.
pub trait FromSecret: Sized + Send + Sync {
    /// How long it is used before it is read again.
    const KEPT_FOR: Duration;
    /// Parses it. The error says what is wrong, never the content.
    fn from_secret(text: SecretString) -> Result<Self, String>;
}

impl FromSecret for Keys {
    /// Longer than for the client secret, because an unknown key id triggers an earlier read. After this time, a
    /// rotated key is in use everywhere.
    const KEPT_FOR: Duration = KEYS_KEPT_FOR;

    fn from_secret(text: SecretString) -> Result<Self, String> {
        Self::parse(&text).map_err(|error| error.to_string())
    }
}

/// The consumer secret of the Salesforce app.
#[derive(Debug, Clone)]
pub struct ClientSecret(pub SecretString);

impl FromSecret for ClientSecret {
    /// Short, because nothing else shows that the owner changed it.
    const KEPT_FOR: Duration = Duration::from_mins(5);

    fn from_secret(text: SecretString) -> Result<Self, String> {
        let trimmed = text.expose_secret().trim();
        if trimmed.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(Self(trimmed.into())) }
    }
}

/// A secret that is read on first use, by one reader at a time, and then cached. If a later read fails, the cached
/// value stays in use. Clones are cheap and share the cache.
#[derive(Debug)]
pub struct CachedSecret<T, R = SecretsManager>(Arc<Inner<T, R>>);

impl<T, R> Clone for CachedSecret<T, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Inner<T, R> {
    reader: R,
    arn: String,
    cached: Mutex<Option<Cached<T>>>,
}

#[derive(Debug)]
struct Cached<T> {
    value: Arc<T>,
    /// When to read again.
    until: Instant,
    /// When the last read was tried, and its error, if it failed.
    tried_at: Instant,
    failed: Option<StoreError>,
}

/// The generated keys.
pub type KeysSecret = CachedSecret<Keys>;

impl KeysSecret {
    /// The secret in `KEYS_SECRET_ARN`. It is not read yet.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let KeysSecretArn(arn) = KeysSecretArn::from_env(env)?;
        Ok(Self::new(SecretsManager::new(aws.secrets_manager()), arn))
    }
}

impl CachedSecret<ClientSecret> {
    /// The secret in `SALESFORCE_CLIENT_SECRET_ARN`. It is not read yet.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let SalesforceClientSecretArn(arn) = SalesforceClientSecretArn::from_env(env)?;
        Ok(Self::new(SecretsManager::new(aws.secrets_manager()), arn))
    }
}

impl<R: SecretReader> ClientSecretSource for CachedSecret<ClientSecret, R> {
    async fn client_secret(&self) -> Result<SecretString, StoreError> {
        Ok(self.get().await?.0.clone())
    }
}

impl<T: FromSecret, R: SecretReader> CachedSecret<T, R> {
    /// Uses this secret and reader. The secret is not read yet.
    pub fn new(reader: R, arn: impl Into<String>) -> Self {
        Self(Arc::new(Inner { reader, arn: arn.into(), cached: Mutex::new(None) }))
    }

    /// The secret.
    pub async fn get(&self) -> Result<Arc<T>, StoreError> {
        Ok(self.read_unless(|cached| Instant::now() < cached.until).await?.0)
    }

    /// The secret, read again unless that was just tried, for callers that miss something in it. An error if it could
    /// not be read, because then it is unknown whether it has what is missing.
    pub async fn get_again(&self) -> Result<Arc<T>, StoreError> {
        let (value, failed) =
            self.read_unless(|cached| cached.tried_at.elapsed() < SECRET_READ_AGAIN_AFTER).await?;
        failed.map_or(Ok(value), Err)
    }

    /// The cached value, and the error of the last read, if it failed.
    async fn read_unless(
        &self,
        good: impl FnOnce(&Cached<T>) -> bool,
    ) -> Result<(Arc<T>, Option<StoreError>), StoreError> {
        // Locked while reading: concurrent callers wait for this read instead of starting another.
        let mut cached = self.0.cached.lock().await;
        if let Some(cached) = cached.as_ref().filter(|cached| good(cached)) {
            return Ok((Arc::clone(&cached.value), cached.failed.clone()));
        }
        let now = Instant::now();
        match (self.read().await, cached.as_mut()) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                let until = now + T::KEPT_FOR;
                *cached = Some(Cached { value: Arc::clone(&value), until, tried_at: now, failed: None });
                Ok((value, None))
            }
            (Err(error), Some(cached)) => {
                tracing::warn!(error = %error, "a secret could not be read again; the cached one stays in use");
                cached.until = cached.until.max(now + SECRET_READ_AGAIN_AFTER);
                cached.tried_at = now;
                cached.failed = Some(error.clone());
                Ok((Arc::clone(&cached.value), Some(error)))
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn read(&self) -> Result<T, StoreError> {
        let text = self.0.reader.read(&self.0.arn).await?;
        T::from_secret(text).map_err(|cause| StoreError { operation: "reading a secret", cause })
    }
}

/// Where keys come from.
pub trait KeySource: Send + Sync {
    /// The keys.
    fn keys(&self) -> impl Future<Output = Result<Arc<Keys>, StoreError>> + Send;
    /// Reads the keys again, because something names a key that [`KeySource::keys`] did not have.
    fn reread(&self) -> impl Future<Output = Result<Arc<Keys>, StoreError>> + Send;
}

impl<R: SecretReader> KeySource for CachedSecret<Keys, R> {
    async fn keys(&self) -> Result<Arc<Keys>, StoreError> {
        self.get().await
    }

    async fn reread(&self) -> Result<Arc<Keys>, StoreError> {
        self.get_again().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Returns the next text for each read; an error if there is none.
    #[derive(Debug, Default)]
    struct Reader {
        reads: AtomicUsize,
        responses: Vec<Option<&'static str>>,
    }

    impl SecretReader for Reader {
        async fn read(&self, _: &str) -> Result<SecretString, StoreError> {
            let read = self.reads.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            let response = self.responses.get(read).copied().flatten().map(SecretString::from);
            response.ok_or_else(|| StoreError { operation: "read", cause: "no response".to_owned() })
        }
    }

    fn secret(responses: &[Option<&'static str>]) -> CachedSecret<ClientSecret, Reader> {
        CachedSecret::new(Reader { reads: AtomicUsize::new(0), responses: responses.to_vec() }, "arn")
    }

    fn reads(secret: &CachedSecret<ClientSecret, Reader>) -> usize {
        secret.0.reader.reads.load(Ordering::SeqCst)
    }

    async fn text(secret: &CachedSecret<ClientSecret, Reader>) -> String {
        secret.get().await.unwrap().0.expose_secret().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_read_once_until_it_expires() {
        let secret = secret(&[Some("one"), Some("two")]);
        assert_eq!(text(&secret).await, "one");
        tokio::time::advance(ClientSecret::KEPT_FOR / 2).await;
        assert_eq!(text(&secret).await, "one");
        assert_eq!(reads(&secret), 1);
        tokio::time::advance(ClientSecret::KEPT_FOR).await;
        assert_eq!(text(&secret).await, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_one_read() {
        let secret = secret(&[Some("one")]);
        let (a, b, c) = tokio::join!(text(&secret), text(&secret), text(&secret));
        assert_eq!([a, b, c], ["one", "one", "one"]);
        assert_eq!(reads(&secret), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_read_that_fails_keeps_the_cached_value_and_is_not_repeated_at_once() {
        let secret = secret(&[Some("one"), None, Some("three")]);
        text(&secret).await;
        tokio::time::advance(ClientSecret::KEPT_FOR).await;
        assert_eq!(text(&secret).await, "one");
        assert_eq!(text(&secret).await, "one");
        assert_eq!(reads(&secret), 2);
        tokio::time::advance(SECRET_READ_AGAIN_AFTER).await;
        assert_eq!(text(&secret).await, "three");
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_read_that_fails_is_an_error_and_the_next_caller_tries_again() {
        let secret = secret(&[None, Some("two")]);
        assert_eq!(secret.get().await.unwrap_err().cause, "no response");
        assert_eq!(text(&secret).await, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_forced_read_happens_at_most_every_thirty_seconds() {
        let secret = secret(&[Some("one"), Some("two"), Some("three")]);
        text(&secret).await;
        secret.get_again().await.unwrap();
        assert_eq!(reads(&secret), 1);
        tokio::time::advance(SECRET_READ_AGAIN_AFTER).await;
        secret.get_again().await.unwrap();
        secret.get_again().await.unwrap();
        assert_eq!(reads(&secret), 2);
        assert_eq!(text(&secret).await, "two");
    }

    /// Callers that force a read miss something that the cached value does not have, and that the value that could
    /// not be read may have.
    #[tokio::test(start_paused = true)]
    async fn a_forced_read_that_fails_is_an_error_until_one_succeeds_and_the_cached_value_stays_valid() {
        let secret = secret(&[Some("one"), None, Some("three")]);
        text(&secret).await;
        tokio::time::advance(SECRET_READ_AGAIN_AFTER).await;
        for _ in 0..2 {
            assert_eq!(secret.get_again().await.unwrap_err().cause, "no response");
            assert_eq!(text(&secret).await, "one");
        }
        assert_eq!(reads(&secret), 2);
        tokio::time::advance(SECRET_READ_AGAIN_AFTER).await;
        assert_eq!(secret.get_again().await.unwrap().0.expose_secret(), "three");
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_secret_is_an_error() {
        assert_eq!(secret(&[Some(" \n")]).get().await.unwrap_err().cause, "the secret is empty");
    }
}
