//! The breakers of orgs and login hosts (docs/contract.md#the-breaker), which all workers share.

use crm::breaker::{Access, Breaker};

use crate::ports::{BreakerOf, Breakers, StoreError};

/// How often a worker tries to store that a request got no answer. Each try lost is the news of another worker.
const TRIES: u32 = 4;

/// What a worker that asks has to tell afterwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    /// What was known before.
    known: Option<Breaker>,
    /// Whether this is the one request that may be sent meanwhile.
    is_test: bool,
}

/// What a worker has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Every request got an answer, if only a refusal.
    Answers,
    /// A request got no answer in time.
    NoAnswer,
    /// It did not ask.
    Nothing,
}

/// Whether to ask at `now`; the inner `Err`: not until then, Unix seconds.
pub(crate) async fn ask<B: Breakers>(
    store: &B,
    of: BreakerOf<'_>,
    known: Option<Breaker>,
    now: i64,
) -> Result<Result<Asking, i64>, StoreError> {
    let breaker = match (Breaker::access(known, now), known) {
        (Access::LeftAlone(until), _) => return Ok(Err(until)),
        (Access::Test, Some(breaker)) => breaker,
        (Access::Free | Access::Test, _) => return Ok(Ok(Asking { known, is_test: false })),
    };
    let testing = breaker.testing(now);
    if store.swap_breaker(of, known.as_ref(), Some(&testing)).await? {
        return Ok(Ok(Asking { known: Some(testing), is_test: true }));
    }
    // Another worker tests it, or has just got an answer.
    match store.load_breaker(of).await?.map(|breaker| Breaker::access(Some(breaker), now)) {
        Some(Access::LeftAlone(until)) => Ok(Err(until)),
        _ => Ok(Err(now + 1)),
    }
}

/// Tells the other workers. Best effort: they will find out themselves. Returns until when it is left alone because of
/// this, Unix seconds.
pub(crate) async fn tell<B: Breakers>(
    store: &B,
    of: BreakerOf<'_>,
    asking: Asking,
    heard: Heard,
    now: i64,
) -> Option<i64> {
    let known = asking.known.as_ref();
    let told = match heard {
        Heard::NoAnswer => no_answer(store, of, asking, now).await,
        Heard::Answers | Heard::Nothing if !asking.is_test => Ok(None),
        Heard::Answers => store.swap_breaker(of, known, None).await.map(|_| None),
        Heard::Nothing => {
            let again = known.map(|breaker| Breaker { until: Some(now), ..*breaker });
            store.swap_breaker(of, known, again.as_ref()).await.map(|_| None)
        }
    };
    told.unwrap_or_else(|error| {
        tracing::warn!(of = %of, error = %error, "a breaker could not be shared with the other workers");
        None
    })
}

async fn no_answer<B: Breakers>(
    store: &B,
    of: BreakerOf<'_>,
    asking: Asking,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let mut known = asking.known;
    for _ in 0..TRIES {
        // A test that took so long that another worker tests by now is no test any more.
        let is_test = asking.is_test && known == asking.known;
        let news = Breaker::unanswered(known, is_test, now);
        if known == Some(news) {
            return Ok(news.until);
        }
        if store.swap_breaker(of, known.as_ref(), Some(&news)).await? {
            if let Some(until) = news.until {
                tracing::warn!(of = %of, until, "Salesforce does not answer in time; it is left alone");
            }
            return Ok(news.until);
        }
        known = store.load_breaker(of).await?;
    }
    Ok(None)
}
