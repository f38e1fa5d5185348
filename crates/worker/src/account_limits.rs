//! What operators have set of providers' accounts goes in, and what providers tell; whether a call may begin
//! under the limits that the fleet shares comes out.
//!
//! Redis keeps them (`queue::AccountLimits`). When it does not answer, calls begin all the same: the provider
//! knows its limits itself.

pub(crate) mod account;
mod permit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Admission, Call, RateLimiter};
use queue::{AccountLimits, AdmitRequest};
use telemetry::Metrics;
use tokio::time::sleep;

use account::Account;
pub(crate) use account::Accounts;
use permit::FleetPermit;
use tokio::task::JoinSet;

/// Between two words to a Redis that did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// The limits of a fleet, as one of its workers asks for places under them.
pub(crate) struct FleetLimiter {
    fleet: Fleet,
    accounts: Arc<Accounts>,
    metrics: Arc<Metrics>,
    /// Tells the fleet what becomes of calls, while nobody waits for that.
    _teller: JoinSet<()>,
}

/// The way to what the fleet keeps. Cheap to clone.
#[derive(Clone)]
struct Fleet {
    limits: AccountLimits,
    /// Whether the last call was not answered: a trouble is told once.
    is_silent: Arc<AtomicBool>,
}

impl FleetLimiter {
    pub(crate) fn new(
        limits: AccountLimits,
        accounts: Arc<Accounts>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let fleet = Fleet { limits, is_silent: Arc::default() };
        let mut teller = JoinSet::new();
        teller.spawn(fleet.clone().tell(Arc::clone(&accounts)));
        Self { fleet, accounts, metrics, _teller: teller }
    }

    fn count(&self, call: &Call<'_>, result: &'static str, wait: Option<Duration>) {
        self.metrics.account_asked((call.stage.as_str(), call.provider), result, wait);
    }
}

#[async_trait]
impl RateLimiter for FleetLimiter {
    async fn admit(&self, call: &Call<'_>, patience: Duration, hold: Duration) -> Admission {
        let Some(account) = self.accounts.of(call.stage) else { return Admission::Free };
        let tokens = call.bought.map_or(0, |bought| bought.tokens);
        // Dropped from now on, it gives back what Redis may have kept.
        let permit = FleetPermit::new(Arc::clone(&self.accounts), Arc::clone(account), tokens);
        let request = AdmitRequest {
            account: &account.name,
            allowance: account.allowance,
            call: permit.name(),
            tokens,
            patience,
            hold,
        };
        match self.fleet.hear(self.fleet.limits.admit(&request).await) {
            Some(queue::Admission::Granted(after)) => {
                self.count(call, "granted", Some(after));
                Admission::Granted { after, permit: Box::new(permit) }
            }
            Some(queue::Admission::Refused { by, again }) => {
                permit.forget();
                self.count(call, by.as_str(), None);
                let why = format!("{}: {}", call.provider, account.words(by));
                Admission::Refused { again, why }
            }
            None => {
                permit.forget();
                self.count(call, "unknown", None);
                Admission::Free
            }
        }
    }
}

impl Fleet {
    /// Tells the fleet what this process comes to know of its accounts, as it does.
    async fn tell(self, accounts: Arc<Accounts>) {
        loop {
            accounts.changed.notified().await;
            for account in accounts.all() {
                self.tell_of(account).await;
            }
        }
    }

    /// What is not heard is told again.
    async fn tell_of(&self, account: &Account) {
        while let Some(told) = account.take() {
            if self.hear(self.limits.settle(&account.settlement(&told)).await).is_none() {
                account.give_back(told);
                sleep(PAUSE).await;
            }
        }
    }

    /// The answer, if there is one.
    fn hear<T>(&self, answer: Result<T, queue::QueueError>) -> Option<T> {
        let was_silent = self.is_silent.swap(answer.is_err(), Ordering::Relaxed);
        match &answer {
            Err(error) if !was_silent => {
                let why = error.to_string();
                tracing::warn!(
                    why,
                    "nobody knows the limits of accounts, calls go on without them"
                );
            }
            Ok(_) if was_silent => tracing::info!("the limits of accounts are known again"),
            _ => {}
        }
        answer.ok()
    }
}

#[cfg(test)]
mod tests {
    use stillcast_enqueue::StageName;

    use super::*;
    use crate::config::{
        AccountConfig, PainterConfig, ProviderConfig, SpeakerConfig, WriterConfig,
    };

    #[tokio::test]
    async fn where_nobody_answers_every_call_begins() {
        let base_url = "https://api.example.org/v1".to_owned();
        let allowance = queue::Allowance { requests: 1, ..queue::Allowance::default() };
        let account = AccountConfig { base_url, key: None, model: "m".to_owned(), allowance };
        let painter = PainterConfig::OpenAi {
            account,
            size: String::new(),
            link_hosts: Vec::new(),
            price: 0.0,
        };
        let (writer, speaker) = (WriterConfig::Offline, SpeakerConfig::Offline);
        let config = ProviderConfig { moderator: None, writer, speaker, painter };
        // Port 9 is nobody's on a machine of ours.
        let endpoint = queue::Endpoint::new("redis://127.0.0.1:9/0", "q").unwrap();
        let accounts = Arc::new(Accounts::of_config(&config));
        let metrics = Arc::new(Metrics::new("9.9.9", "q", 1));
        let limits = AccountLimits::new(&endpoint);
        let limiter = FleetLimiter::new(limits, accounts, Arc::clone(&metrics));
        let call = |stage| Call {
            stage,
            provider: "openai",
            model: None,
            operation: "draw",
            bought: Some(pipeline::Bought::default()),
        };
        let second = Duration::from_secs(1);
        for _ in 0..2 {
            let admission = limiter.admit(&call(StageName::Image), second, second).await;
            assert!(matches!(admission, Admission::Free));
        }
        let words = limiter.admit(&call(StageName::Transcript), second, second).await;
        assert!(matches!(words, Admission::Free), "it is made here");
        let page = metrics.encode();
        assert!(
            page.contains("stage=\"image\",provider=\"openai\",result=\"unknown\"} 2"),
            "{page}"
        );
        assert!(!page.contains("stage=\"transcript\""), "{page}");
    }
}
