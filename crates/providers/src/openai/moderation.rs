//! A text goes in, what is wrong with it comes out: `POST /moderations`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use pipeline::{Answer, Moderator, ProviderError, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::PROVIDER;
use super::vendor::OPENAI;
use crate::http::{Account, ApiClient, HttpClient};

/// A longer answer is none of this API.
const MAX_BYTES: usize = 1 << 20;
/// What begins the names of all that has to do with self-harm.
const SELF_HARM: &str = "self-harm";
/// The other names: what a server calls otherwise is told as `other`.
const REASONS: [&str; 5] = ["harassment", "hate", "illicit", "sexual", "violence"];

/// The moderator behind a server.
#[derive(Clone, Debug)]
pub struct OpenAiModerator {
    client: ApiClient,
}

#[derive(Deserialize)]
struct Judged {
    results: Vec<Judgement>,
}

#[derive(Deserialize)]
struct Judgement {
    flagged: bool,
    #[serde(default)]
    categories: BTreeMap<String, bool>,
}

impl OpenAiModerator {
    /// A moderator on `account`.
    pub fn new(http: HttpClient, account: Account) -> Self {
        Self { client: ApiClient::new(http, &OPENAI, account) }
    }
}

#[async_trait]
impl Moderator for OpenAiModerator {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { client } = self;
        client.revision()
    }

    async fn judge(&self, text: &str) -> Result<Answer<Verdict>, ProviderError> {
        let body = json!({ "model": self.client.model(), "input": text });
        let reply = self.client.post("/moderations", &body).await?;
        let Judged { results } = reply.json(MAX_BYTES).await?;
        if results.is_empty() {
            return Err(self.client.unreadable("holds no result"));
        }
        Ok(Answer::free(verdict(&results)))
    }
}

fn verdict(results: &[Judgement]) -> Verdict {
    let flagged = || results.iter().filter(|judged| judged.flagged);
    let found = || flagged().flat_map(|judged| &judged.categories).filter(|(_, is_it)| **is_it);
    if flagged().next().is_none() {
        return Verdict::Fine;
    }
    if found().any(|(name, _)| name.starts_with(SELF_HARM)) {
        return Verdict::SelfHarm;
    }
    let is_found = |reason: &&str| found().any(|(name, _)| name.starts_with(*reason));
    let reasons: Vec<&str> = REASONS.into_iter().filter(is_found).collect();
    Verdict::Flagged(if reasons.is_empty() { vec!["other"] } else { reasons })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_flagged_is_told_by_known_names_and_self_harm_before_all_else() {
        let of = |json: &str| verdict(&serde_json::from_str::<Judged>(json).unwrap().results);
        let fine = r#"{"results":[{"flagged":false,"categories":{"violence":true}}]}"#;
        assert_eq!(of(fine), Verdict::Fine);
        let harm = r#"{"results":[{"flagged":true,"categories":{"violence":true,"self-harm/intent":true}}]}"#;
        assert_eq!(of(harm), Verdict::SelfHarm);
        let two = r#"{"results":[{"flagged":true,"categories":{"hate/threatening":true,"sexual":false,
            "violence/graphic":true}}]}"#;
        assert_eq!(of(two), Verdict::Flagged(vec!["hate", "violence"]));
        let own = r#"{"results":[{"flagged":true,"categories":{"a word of theirs":true}}]}"#;
        assert_eq!(of(own), Verdict::Flagged(vec!["other"]));
        assert_eq!(of(r#"{"results":[{"flagged":true}]}"#), Verdict::Flagged(vec!["other"]));
    }
}
