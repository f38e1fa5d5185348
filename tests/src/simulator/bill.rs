//! Calls go in as they begin; a line for each that cost money, or was refused, comes out.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::admin::{bearer, instead, refusal};
use super::faults::{Endpoint, Fault};

/// What things cost, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A million tokens of a prompt.
    pub input: f64,
    /// A million tokens of an answer.
    pub output: f64,
    /// A million characters of speech.
    pub characters: f64,
    /// A picture.
    pub picture: f64,
}

impl Default for Prices {
    /// Of the models that the worker asks for by default, late in 2026.
    fn default() -> Self {
        Self { input: 0.10, output: 0.50, characters: 18.0, picture: 0.013 }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    /// When it ended, in ms since the epoch.
    pub at: i64,
    /// What was bought.
    pub endpoint: Endpoint,
    /// Digest of the bearer's key: the journal holds no secret.
    pub key: String,
    /// Digest of the body: equal digests are the same thing bought twice.
    pub input: String,
    /// `done`, `refused`, the fault's word, or `left` when the client went away.
    pub outcome: String,
    /// Whether it was made to fail: what came of it cannot be used.
    #[serde(default)]
    pub spoilt: bool,
    /// The answer's status.
    pub status: u16,
    /// What it cost.
    pub usd: f64,
    /// Tokens of prompt and answer, where they are counted.
    #[serde(default)]
    pub tokens: (usize, usize),
    /// Pieces of words that were sent.
    #[serde(default)]
    pub chunks: usize,
}

/// The journal.
#[derive(Clone, Debug)]
pub struct Purchases {
    path: PathBuf,
    file: Arc<File>,
    /// How many lines this process has written.
    written: watch::Sender<usize>,
}

impl Purchases {
    /// Opens the journal at `path` for appending.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { path: path.to_owned(), file: Arc::new(file), written: watch::Sender::new(0) })
    }

    /// Every line so far.
    #[must_use]
    pub fn all(&self) -> Vec<Purchase> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub(super) fn written(&self) -> watch::Receiver<usize> {
        self.written.subscribe()
    }

    /// One `write` a line, so that a kill never tears one.
    fn write(&self, purchase: &Purchase) {
        let mut line = serde_json::to_vec(purchase).expect("a purchase is plain data");
        line.push(b'\n');
        (&*self.file).write_all(&line).expect("the journal's disk has room");
        self.written.send_modify(|written| *written += 1);
    }
}

/// An open bill: written when it is dropped, however the call ended.
pub(super) struct Bill {
    pub(super) shared: Arc<super::Shared>,
    /// The bearer's key itself, for its budget.
    pub(super) bearer: String,
    pub(super) purchase: Purchase,
}

impl Bill {
    /// What the line will say, unless something else is set until then.
    pub(super) fn set(&mut self, outcome: &str, status: u16, usd: f64) {
        self.purchase =
            Purchase { outcome: outcome.to_owned(), status, usd, ..self.purchase.clone() };
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        if let Some(visit) = self.shared.visits().get_mut(&self.purchase.endpoint) {
            visit.open = visit.open.saturating_sub(1);
        }
        self.purchase.at = chrono::Utc::now().timestamp_millis();
        self.shared.keys().spend(&self.bearer, self.purchase.usd);
        self.shared.purchases.write(&self.purchase);
    }
}

impl super::Shared {
    /// Opens the bill of a call, and decides how it goes; or refuses it.
    pub(super) fn open(
        self: &Arc<Self>,
        endpoint: Endpoint,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Call, Box<Response>> {
        let bearer = bearer(headers);
        let quoted = format!("{} under {bearer}", String::from_utf8_lossy(body));
        let purchase = Purchase {
            at: 0,
            endpoint,
            key: digest(bearer.as_bytes()),
            input: digest(body),
            outcome: "left".to_owned(),
            spoilt: false,
            status: 0,
            usd: 0.0,
            tokens: (0, 0),
            chunks: 0,
        };
        self.visits().entry(endpoint).or_default().came(body);
        let mut bill = Bill { shared: Arc::clone(self), bearer, purchase };
        let refusal = self.keys().refusal(&bill.bearer);
        let fault = refusal.or_else(|| self.faults().next(endpoint));
        bill.purchase.spoilt = fault.is_some();
        if let Some(fault) = &fault
            && let Some(response) = instead(fault, &mut bill, &quoted)
        {
            return Err(Box::new(response));
        }
        let seed = u64::from_str_radix(&bill.purchase.input, 16).unwrap_or_default();
        let rng = Rng::with_seed(self.options.seed ^ seed);
        if let Ok(asked) = serde_json::from_slice(body) {
            Ok(Call { asked, fault, bill, rng })
        } else {
            bill.set("refused", 400, 0.0);
            Err(Box::new(refusal_of(400, "invalid_json", &quoted)))
        }
    }
}

/// The calls of each endpoint.
pub(super) type Visits = BTreeMap<Endpoint, Visit>;

/// What is known of an endpoint's calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    pub(super) begun: usize,
    pub(super) open: usize,
    /// Most calls that were open at once.
    pub(super) most: usize,
    /// The last call's body.
    pub(super) asked: Value,
    /// All of them.
    pub(super) all: Vec<Value>,
}

impl Visit {
    pub(super) fn came(&mut self, body: &[u8]) {
        self.begun += 1;
        self.open += 1;
        self.most = self.most.max(self.open);
        self.asked = serde_json::from_slice(body).unwrap_or_default();
        self.all.push(self.asked.clone());
    }
}

/// A call that will be answered.
pub(super) struct Call {
    pub(super) asked: Value,
    pub(super) fault: Option<Fault>,
    pub(super) bill: Bill,
    /// Equal requests have equal chances.
    pub(super) rng: Rng,
}

fn refusal_of(status: u16, code: &str, quoted: &str) -> Response {
    refusal(&Fault::status(status, code), quoted)
}

/// The first 16 digits of a digest.
fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}
