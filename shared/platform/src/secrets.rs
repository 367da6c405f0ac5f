//! The two secrets of Secrets Manager, each read once and then kept for a while.
//!
//! AWS's own caching crate is not used: it brings `aws-config` with a second TLS stack, and a cold start several
//! times as long.

use std::{future::Future, sync::Arc, time::Duration};

use aws_sdk_secretsmanager::Client;
use calls::ports::{ClientSecretSource, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    aws::{Aws, LazyClient, store_error},
    config::{ConfigError, Env, KeysSecretArn, SalesforceClientSecretArn},
    keys::Keys,
};

/// After a failed read, or one that was asked for early, the next one waits at least as long: a sender of bad
/// tokens must not make us read at the pace of his requests.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Reads a secret's text.
pub trait SecretReader: Send + Sync {
    /// The current version of the secret.
    fn read(&self, arn: &str) -> impl Future<Output = Result<SecretString, StoreError>> + Send;
}

/// AWS Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager(LazyClient<Client>);

impl SecretsManager {
    /// With this client.
    pub fn new(client: LazyClient<Client>) -> Self {
        Self(client)
    }
}

impl SecretReader for SecretsManager {
    async fn read(&self, arn: &str) -> Result<SecretString, StoreError> {
        const OPERATION: &str = "Secrets Manager GetSecretValue";
        let answer = self.0.get_secret_value().secret_id(arn).send().await;
        let secret = answer.map_err(|error| store_error(OPERATION, &error))?.secret_string;
        let nothing = || StoreError { operation: OPERATION, cause: "the secret has no text".to_owned() };
        secret.map(SecretString::from).ok_or_else(nothing)
    }
}

/// What a secret's text is read into.
pub trait FromSecret: Sized + Send + Sync {
    /// How long it may be used before it is read again.
    const KEPT_FOR: Duration;
    /// Reads it. The error says what is wrong, never the content.
    fn from_secret(text: SecretString) -> Result<Self, String>;
}

impl FromSecret for Keys {
    /// Longer than a client secret: a value that names a key which is not known makes us read earlier. A rotated key is
    /// used everywhere after this time.
    const KEPT_FOR: Duration = Duration::from_mins(15);

    fn from_secret(text: SecretString) -> Result<Self, String> {
        Self::parse(&text).map_err(|error| error.to_string())
    }
}

/// The consumer secret of the Salesforce app.
#[derive(Debug, Clone)]
pub struct ClientSecret(pub SecretString);

impl FromSecret for ClientSecret {
    /// Short: nothing else tells that the owner changed it.
    const KEPT_FOR: Duration = Duration::from_mins(5);

    fn from_secret(text: SecretString) -> Result<Self, String> {
        let trimmed = text.expose_secret().trim();
        if trimmed.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(Self(trimmed.into())) }
    }
}

/// A secret that is read when it is first asked for, by one reader at a time, and then kept. When a later read fails,
/// what is known stays good. Cheap to clone; clones share what was read.
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
    known: Mutex<Option<Known<T>>>,
}

#[derive(Debug)]
struct Known<T> {
    value: Arc<T>,
    /// When it is time to read again.
    until: Instant,
    /// When it was last tried, and how that failed, if it did.
    tried_at: Instant,
    failed: Option<StoreError>,
}

/// The generated keys.
pub type KeysSecret = CachedSecret<Keys>;

impl KeysSecret {
    /// The secret that `KEYS_SECRET_ARN` names. Nothing is read yet.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let KeysSecretArn(arn) = KeysSecretArn::from_env(env)?;
        Ok(Self::new(SecretsManager::new(aws.secrets_manager()), arn))
    }
}

impl CachedSecret<ClientSecret> {
    /// The secret that `SALESFORCE_CLIENT_SECRET_ARN` names. Nothing is read yet.
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
    /// This secret, read by this reader. Nothing is read yet.
    pub fn new(reader: R, arn: impl Into<String>) -> Self {
        Self(Arc::new(Inner { reader, arn: arn.into(), known: Mutex::new(None) }))
    }

    /// The secret.
    pub async fn get(&self) -> Result<Arc<T>, StoreError> {
        Ok(self.read_unless(|known| Instant::now() < known.until).await?.0)
    }

    /// The secret, read again unless that was just tried, for somebody who misses something in it. An error where it
    /// could not be read: whether it has what is missed is then not known.
    pub async fn get_again(&self) -> Result<Arc<T>, StoreError> {
        let (value, failed) = self.read_unless(|known| known.tried_at.elapsed() < READ_AGAIN_AFTER).await?;
        failed.map_or(Ok(value), Err)
    }

    /// What is known, and how the last read failed, if it did.
    async fn read_unless(
        &self,
        good: impl FnOnce(&Known<T>) -> bool,
    ) -> Result<(Arc<T>, Option<StoreError>), StoreError> {
        // Held while reading: whoever else asks meanwhile waits for this read instead of starting another.
        let mut known = self.0.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| good(known)) {
            return Ok((Arc::clone(&known.value), known.failed.clone()));
        }
        let now = Instant::now();
        match (self.read().await, known.as_mut()) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                let until = now + T::KEPT_FOR;
                *known = Some(Known { value: Arc::clone(&value), until, tried_at: now, failed: None });
                Ok((value, None))
            }
            (Err(error), Some(known)) => {
                tracing::warn!(error = %error, "a secret could not be read again; the one known is used on");
                known.until = known.until.max(now + READ_AGAIN_AFTER);
                known.tried_at = now;
                known.failed = Some(error.clone());
                Ok((Arc::clone(&known.value), Some(error)))
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
    /// The keys once more, because something names a key that [`KeySource::keys`] did not have.
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

    /// Answers each read with the next text; an error where there is none.
    #[derive(Debug, Default)]
    struct Reader {
        reads: AtomicUsize,
        answers: Vec<Option<&'static str>>,
    }

    impl SecretReader for Reader {
        async fn read(&self, _: &str) -> Result<SecretString, StoreError> {
            let read = self.reads.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            let answer = self.answers.get(read).copied().flatten().map(SecretString::from);
            answer.ok_or_else(|| StoreError { operation: "read", cause: "no answer".to_owned() })
        }
    }

    fn secret(answers: &[Option<&'static str>]) -> CachedSecret<ClientSecret, Reader> {
        CachedSecret::new(Reader { reads: AtomicUsize::new(0), answers: answers.to_vec() }, "arn")
    }

    fn reads(secret: &CachedSecret<ClientSecret, Reader>) -> usize {
        secret.0.reader.reads.load(Ordering::SeqCst)
    }

    async fn text(secret: &CachedSecret<ClientSecret, Reader>) -> String {
        secret.get().await.unwrap().0.expose_secret().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_read_once_until_its_time_is_over() {
        let secret = secret(&[Some("one"), Some("two")]);
        assert_eq!(text(&secret).await, "one");
        tokio::time::advance(ClientSecret::KEPT_FOR / 2).await;
        assert_eq!(text(&secret).await, "one");
        assert_eq!(reads(&secret), 1);
        tokio::time::advance(ClientSecret::KEPT_FOR).await;
        assert_eq!(text(&secret).await, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn many_askers_make_one_read() {
        let secret = secret(&[Some("one")]);
        let (a, b, c) = tokio::join!(text(&secret), text(&secret), text(&secret));
        assert_eq!([a, b, c], ["one", "one", "one"]);
        assert_eq!(reads(&secret), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_read_that_fails_leaves_the_known_value_good_and_is_not_repeated_at_once() {
        let secret = secret(&[Some("one"), None, Some("three")]);
        text(&secret).await;
        tokio::time::advance(ClientSecret::KEPT_FOR).await;
        assert_eq!(text(&secret).await, "one");
        assert_eq!(text(&secret).await, "one");
        assert_eq!(reads(&secret), 2);
        tokio::time::advance(READ_AGAIN_AFTER).await;
        assert_eq!(text(&secret).await, "three");
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_read_that_fails_is_an_error_and_the_next_asker_tries_again() {
        let secret = secret(&[None, Some("two")]);
        assert_eq!(secret.get().await.unwrap_err().cause, "no answer");
        assert_eq!(text(&secret).await, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_read_is_made_at_most_every_thirty_seconds() {
        let secret = secret(&[Some("one"), Some("two"), Some("three")]);
        text(&secret).await;
        secret.get_again().await.unwrap();
        assert_eq!(reads(&secret), 1);
        tokio::time::advance(READ_AGAIN_AFTER).await;
        secret.get_again().await.unwrap();
        secret.get_again().await.unwrap();
        assert_eq!(reads(&secret), 2);
        assert_eq!(text(&secret).await, "two");
    }

    /// Whoever asks early misses something: what is known has it not, and what could not be read may have it.
    #[tokio::test(start_paused = true)]
    async fn an_early_read_that_fails_is_an_error_until_one_succeeds_and_what_is_known_stays_good() {
        let secret = secret(&[Some("one"), None, Some("three")]);
        text(&secret).await;
        tokio::time::advance(READ_AGAIN_AFTER).await;
        for _ in 0..2 {
            assert_eq!(secret.get_again().await.unwrap_err().cause, "no answer");
            assert_eq!(text(&secret).await, "one");
        }
        assert_eq!(reads(&secret), 2);
        tokio::time::advance(READ_AGAIN_AFTER).await;
        assert_eq!(secret.get_again().await.unwrap().0.expose_secret(), "three");
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_secret_is_an_error() {
        assert_eq!(secret(&[Some(" \n")]).get().await.unwrap_err().cause, "the secret is empty");
    }
}
