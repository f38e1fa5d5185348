//! One account: what operators have set of it, and what this process has still to tell the fleet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use queue::{AccountLimit, Allowance, Settlement, Told};
use serde_json::json;
use stillcast_enqueue::StageName;
use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::digest::digest_of;
use tokio::sync::Notify;

use crate::config::{AccountConfig, PainterConfig, ProviderConfig, SpeakerConfig, WriterConfig};

/// Ends of calls that one word to Redis holds, at most.
const A_WORD: usize = 100;
/// Ends of calls that are kept while Redis does not answer; those beyond them end by their time.
const MOST_KEPT: usize = 10_000;
/// An account of which more than this share is left gives nobody a reason to wait.
const PLENTY: u64 = 20;

/// The accounts on which this process buys, by the stage that does.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    by_stage: BTreeMap<StageName, Arc<Account>>,
    /// Something has become known of one of them.
    pub(super) changed: Notify,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Account {
    /// Its name in keys: what is bought, where, and of which model. Several keys of one server are one
    /// account, as they are when a key is changed for its successor.
    pub(super) name: String,
    pub(super) allowance: Allowance,
    stage: StageName,
    untold: Mutex<Untold>,
}

/// What a provider has told of an account's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// How long it has asked to be left alone.
    pub(crate) asked: Option<Duration>,
    pub(crate) requests: Told,
    pub(crate) tokens: Told,
}

/// Hears what the provider has told that a stage buys from.
pub(crate) type Hearing = Arc<dyn Fn(StageName, &News) + Send + Sync>;

/// What the fleet does not know yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Untold {
    news: News,
    over: Vec<String>,
    unused: (u64, u64),
}

impl Accounts {
    /// Those of the capabilities that are bought.
    pub(crate) fn of_config(config: &ProviderConfig) -> Self {
        let ProviderConfig { moderator: _, writer, speaker, painter } = config;
        let writer = match writer {
            WriterConfig::OpenAi { account, .. } => Some((Capability::Llm, account)),
            WriterConfig::Offline => None,
        };
        let speaker = match speaker {
            SpeakerConfig::OpenAi { account, .. } => Some((Capability::Tts, account)),
            SpeakerConfig::Offline | SpeakerConfig::Command { .. } => None,
        };
        let painter = match painter {
            PainterConfig::OpenAi { account, .. } => Some((Capability::Image, account)),
            PainterConfig::Offline => None,
        };
        let accounts = [writer, speaker, painter].into_iter().flatten();
        let accounts = accounts.map(|(one, account)| (one.stage(), Account::new(one, account)));
        Self { by_stage: accounts.collect(), changed: Notify::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_stage.is_empty()
    }

    pub(super) fn of(&self, stage: StageName) -> Option<&Arc<Account>> {
        self.by_stage.get(&stage)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.by_stage.values()
    }

    /// The ear for what providers tell.
    pub(crate) fn hearing(self: Arc<Self>) -> Hearing {
        Arc::new(move |stage, news| self.hear(stage, news))
    }

    /// The provider that `stage` buys from has told this.
    fn hear(&self, stage: StageName, news: &News) {
        if let Some(account) = self.of(stage) {
            account.untold().news.add(news);
            self.changed.notify_one();
        }
    }
}

impl Account {
    fn new(capability: Capability, config: &AccountConfig) -> Arc<Self> {
        let AccountConfig { base_url, key: _, model, allowance } = config;
        let digest = digest_of(&json!([base_url.trim_end_matches('/'), model]), "");
        let name = format!("{}-{}", capability.as_str(), digest.get(..16).unwrap_or(&digest));
        let (allowance, stage) = (*allowance, capability.stage());
        Arc::new(Self { name, allowance, stage, untold: Mutex::default() })
    }

    /// What does not let a call begin, in words for people.
    pub(super) fn words(&self, limit: AccountLimit) -> String {
        let Allowance { requests, tokens, in_flight } = self.allowance;
        let setting = setting(self.stage, limit);
        match (limit, requests, tokens) {
            (AccountLimit::Requests, 1.., _) => format!("{requests} requests a minute ({setting})"),
            (AccountLimit::Tokens, _, 1..) => format!("{tokens} tokens a minute ({setting})"),
            (AccountLimit::InFlight, ..) => format!("{in_flight} calls in flight ({setting})"),
            (AccountLimit::Told, ..) => "it has asked to be left alone".to_owned(),
            (AccountLimit::Requests, 0, _) => "it has few requests left".to_owned(),
            (AccountLimit::Tokens, _, 0) => "it has few tokens left".to_owned(),
        }
    }

    /// A call is over, or its place was `unused`: requests and tokens.
    pub(super) fn ended(&self, call: String, unused: (u64, u64)) {
        let mut untold = self.untold();
        if self.allowance.in_flight > 0 && untold.over.len() < MOST_KEPT {
            untold.over.push(call);
        }
        untold.unused.0 += unused.0;
        untold.unused.1 += unused.1;
    }

    /// What one word to the fleet says; it is not kept here any more. `None` for nothing worth a word.
    pub(super) fn take(&self) -> Option<Untold> {
        let mut untold = self.untold();
        let keep_back = untold.over.len().saturating_sub(A_WORD);
        let over = untold.over.split_off(keep_back);
        let (news, unused) = (std::mem::take(&mut untold.news), std::mem::take(&mut untold.unused));
        let told = Untold { news, over, unused };
        (told != Untold::default()).then_some(told)
    }

    /// It was not heard. News are as old as they are, and are not told again.
    pub(super) fn give_back(&self, told: Untold) {
        let mut untold = self.untold();
        untold.over.extend(told.over);
        untold.unused.0 += told.unused.0;
        untold.unused.1 += told.unused.1;
    }

    pub(super) fn settlement<'told>(&'told self, told: &'told Untold) -> Settlement<'told> {
        let Untold { news: News { asked, requests, tokens }, over, unused } = told;
        Settlement {
            account: &self.name,
            allowance: self.allowance,
            asked: *asked,
            requests: *requests,
            tokens: *tokens,
            unused: *unused,
            over,
        }
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    /// Later news go over earlier ones, but for the longest wait. What tells of plenty is none.
    fn add(&mut self, later: &Self) {
        self.asked = self.asked.max(later.asked);
        for (kept, told) in [(&mut self.requests, later.requests), (&mut self.tokens, later.tokens)]
        {
            let Told { limit, left: Some(left), .. } = told else { continue };
            let is_plenty = limit.is_none_or(|limit| left.saturating_mul(PLENTY) > limit);
            *kept = if is_plenty && left > 0 { Told::default() } else { told };
        }
    }
}

/// A limit of the account that `stage` buys on, as operators know it.
fn setting(stage: StageName, limit: AccountLimit) -> String {
    let capability = Capability::of(stage).map(|one| one.to_string()).unwrap_or_default();
    match limit {
        AccountLimit::Requests => format!("{capability}_RPM"),
        AccountLimit::Tokens => format!("{capability}_TPM"),
        AccountLimit::InFlight => format!("{capability}_IN_FLIGHT"),
        AccountLimit::Told => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(allowance: Allowance) -> Arc<Account> {
        let base_url = "https://api.example.org/v1/".to_owned();
        let config = AccountConfig { base_url, key: None, model: "m".to_owned(), allowance };
        Account::new(Capability::Tts, &config)
    }

    fn told(limit: u64, left: u64) -> Told {
        Told { limit: Some(limit), left: Some(left), full_after: None }
    }

    #[test]
    fn an_account_is_known_by_its_server_and_model_and_holds_no_key() {
        let one = account(Allowance::default());
        let key = Some("sk-canary".to_owned().into());
        let base_url = "https://api.example.org/v1".to_owned();
        let allowance = Allowance { requests: 9, ..Allowance::default() };
        let config = AccountConfig { base_url, key, model: "m".to_owned(), allowance };
        assert_eq!(Account::new(Capability::Tts, &config).name, one.name);
        let other = AccountConfig { model: "n".to_owned(), ..config.clone() };
        assert_ne!(Account::new(Capability::Tts, &other).name, one.name);
        assert_ne!(Account::new(Capability::Llm, &config).name, one.name);
        assert!(one.name.starts_with("tts-") && one.name.len() == 20, "{}", one.name);
    }

    #[test]
    fn what_holds_a_call_back_is_said_with_its_setting() {
        let set = account(Allowance { requests: 60, tokens: 0, in_flight: 8 });
        assert_eq!(set.words(AccountLimit::Requests), "60 requests a minute (TTS_RPM)");
        assert_eq!(set.words(AccountLimit::InFlight), "8 calls in flight (TTS_IN_FLIGHT)");
        assert_eq!(set.words(AccountLimit::Tokens), "it has few tokens left");
    }

    #[test]
    fn plenty_is_no_news_and_what_is_not_heard_is_told_again() {
        let one = account(Allowance { in_flight: 2, ..Allowance::default() });
        one.untold().news.add(&News { requests: told(100, 6), ..News::default() });
        assert_eq!(one.take(), None);
        one.untold().news.add(&News { requests: told(100, 5), ..News::default() });
        for at in 0..150 {
            one.ended(at.to_string(), (1, 7));
        }
        let word = one.take().unwrap();
        assert_eq!((word.news.requests, word.unused), (told(100, 5), (150, 1_050)));
        assert_eq!(word.over.len(), A_WORD);
        one.give_back(word);
        let word = one.take().unwrap();
        assert_eq!((word.news.requests, word.unused), (Told::default(), (150, 1_050)));
        assert_eq!((word.over.len(), one.take().unwrap().over.len()), (100, 50));
        assert_eq!(one.take(), None);
    }
}
