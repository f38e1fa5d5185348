//! What is owed to those who want to be told of a job's end: notify, notified, resend.

use std::collections::BTreeMap;

use super::{Answer, Model, words};
use crate::dump::{Content, Dump};

/// For how long a sender holds what it takes.
pub(crate) const SENDER_LEASE: i64 = 60_000;
/// Attempts of one delivery, few enough for a short history.
pub(crate) const TRIES: i64 = 3;
/// What is told, in order.
const FACTS: [&str; 9] = [
    "webhook",
    "tenant",
    "state",
    "format",
    "finished_ms",
    "metadata",
    "artifact",
    "error",
    "cost",
];

/// What is, or was, owed for one job's end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Webhook {
    facts: BTreeMap<String, String>,
    /// How often a job of this identifier has ended.
    event: i64,
    tries: i64,
    pub(crate) token: Option<String>,
    once: bool,
    state: String,
    due: Option<i64>,
    /// Attempts that were reported, over all events.
    sent: i64,
}

impl Webhook {
    fn endpoint(&self) -> String {
        format!("{} {}", self.facts["tenant"], self.facts["webhook"])
    }
}

impl Model {
    /// A job has ended.
    pub(crate) fn owe_webhook(&mut self, id: &str) {
        if self.jobs[id].webhook.is_none() {
            return;
        }
        let mut all = self.render_job(&self.jobs[id]);
        let facts = FACTS.iter().filter_map(|name| Some(((*name).to_owned(), all.remove(*name)?)));
        let facts = facts.collect();
        self.job(id).delivery = Some("due".to_owned());
        let now = self.now;
        let owed = self.webhooks.entry(id.to_owned()).or_default();
        *owed = Webhook {
            facts,
            event: owed.event + 1,
            state: "due".to_owned(),
            due: Some(now),
            sent: owed.sent,
            ..Webhook::default()
        };
    }

    fn show_delivery(&mut self, id: &str, word: &str) {
        word.clone_into(&mut self.webhooks.get_mut(id).expect("a delivery").state);
        if let Some(shown) = self.jobs.get_mut(id).and_then(|job| job.delivery.as_mut()) {
            word.clone_into(shown);
        }
    }

    fn settle_webhook(&mut self, id: &str, word: &str) {
        if self.jobs.get(id).is_none_or(|job| job.delivery.is_none()) {
            self.webhooks.remove(id);
            return;
        }
        let owed = self.webhooks.get_mut(id).expect("a delivery");
        (owed.due, owed.token, owed.once) = (None, None, false);
        self.show_delivery(id, word);
    }

    /// Its job's record goes.
    pub(crate) fn forget_webhook(&mut self, id: &str, outlived: bool) {
        if !outlived || self.webhooks.get(id).is_some_and(|owed| owed.due.is_none()) {
            self.webhooks.remove(id);
        }
    }

    /// The verb `notify`, as `ask` shows its answer.
    pub(crate) fn notify(&mut self, nonce: &str, most: usize) -> Answer {
        let now = self.now;
        let mut due: Vec<(i64, String)> =
            self.webhooks.iter().filter_map(|(id, owed)| Some((owed.due?, id.clone()))).collect();
        due.retain(|(at, _)| *at <= now);
        due.sort();
        let mut rows = Vec::new();
        for (_, id) in due.into_iter().take(most) {
            let owed = &self.webhooks[&id];
            if self.webhooks_off.contains_key(&owed.endpoint()) {
                self.settle_webhook(&id, "off");
            } else if owed.tries >= TRIES && !owed.once {
                self.settle_webhook(&id, "exhausted");
            } else {
                let owed = self.webhooks.get_mut(&id).expect("just found");
                owed.tries += 1;
                let token = format!("{}:{nonce}", owed.tries);
                owed.due = Some(now + SENDER_LEASE);
                rows.extend([id, token.clone(), owed.tries.to_string()]);
                owed.token = Some(token);
                rows.extend(FACTS.map(|name| owed.facts.get(name).cloned().unwrap_or_default()));
            }
        }
        let next = self.webhooks.values().filter_map(|owed| owed.due).min();
        let next = next.map_or(-1, |next| (next - now).max(0));
        std::iter::once(next.to_string()).chain(rows).collect()
    }

    /// The verb `notified`.
    pub(crate) fn notified(&mut self, id: &str, token: &str, outcome: &str, delay: i64) -> Answer {
        let now = self.now;
        let holds = |owed: &&mut Webhook| owed.token.as_deref() == Some(token);
        let Some(owed) = self.webhooks.get_mut(id).filter(holds) else {
            return words(&["stale", ""]);
        };
        let state = match outcome {
            "held" => {
                owed.tries -= 1;
                "no-secret"
            }
            "failed" if owed.once => "exhausted",
            "failed" => "due",
            settled => settled,
        };
        owed.sent += i64::from(outcome != "held");
        let endpoint = owed.endpoint();
        if ["due", "no-secret"].contains(&state) {
            (owed.token, owed.due) = (None, Some(now + delay));
            self.show_delivery(id, state);
        } else {
            if state == "off" {
                self.webhooks_off.entry(endpoint).or_insert(now);
            }
            self.settle_webhook(id, state);
        }
        words(&["ok", state])
    }

    /// The verb `resend`.
    pub(crate) fn resend(&mut self, id: &str) -> Answer {
        let now = self.now;
        let Some(job) = self.jobs.get(id) else { return words(&["unknown"]) };
        if job.webhook.is_none() {
            return words(&["none"]);
        }
        if job.delivery.is_none() {
            return words(&["not-ended", job.state.as_str()]);
        }
        let endpoint = format!("{} {}", job.tenant, job.webhook.as_deref().unwrap_or_default());
        self.webhooks_off.remove(&endpoint);
        self.audited("resend-webhook", "due", id);
        let owed = self.webhooks.get_mut(id).expect("a delivery");
        if let Some(due) = owed.due {
            let under_way = owed.token.is_some();
            owed.due = Some(if under_way { due } else { due.min(now) });
        } else {
            (owed.once, owed.due) = (true, Some(now));
            self.show_delivery(id, "due");
        }
        words(&["due"])
    }

    pub(crate) fn render_webhooks(&self, dump: &mut Dump) {
        let mut ranks = BTreeMap::new();
        for (id, owed) in &self.webhooks {
            ranks.extend(owed.due.map(|due| (id.clone(), due)));
            let mut fields = owed.facts.clone();
            let mut put = |name: &str, value: String| fields.insert(name.to_owned(), value);
            put("event", owed.event.to_string());
            put("tries", owed.tries.to_string());
            put("delivery", owed.state.clone());
            owed.token.iter().for_each(|token| drop(put("token", token.clone())));
            owed.once.then(|| put("once", "1".to_owned()));
            (owed.sent > 0).then(|| put("sent", owed.sent.to_string()));
            for at in (owed.sent - 15).max(1)..=owed.sent {
                put(&format!("attempt{at}"), "{}".to_owned());
            }
            for at in (owed.sent - 2).max(1)..=owed.sent {
                put(&format!("answer{at}"), "no".to_owned());
            }
            dump.insert(format!("webhook:{id}"), Content::Map(fields).immortal());
        }
        if !ranks.is_empty() {
            dump.insert("webhooks".to_owned(), Content::Ranks(ranks).immortal());
        }
        if !self.webhooks_off.is_empty() {
            let off = self.webhooks_off.iter().map(|(name, at)| (name.clone(), at.to_string()));
            dump.insert("webhooks_off".to_owned(), Content::Map(off.collect()).immortal());
        }
    }
}
