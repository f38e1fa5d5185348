//! A paid provider to test against: speaks OpenAI's shapes over real sockets, takes as long as a
//! seeded model says, fails as a script or a seed says, and journals every call that costs money.
//!
//! Words, speech and pictures are real: a transcript of the right length, a voice that says the
//! text, a picture that decodes. Starts inside a test by [`Simulator::start`], or by hand as
//! `provider-simulator`.

mod admin;
mod bill;
mod chat;
mod delivery;
mod faults;
mod holds;
mod image;
mod keys;
mod latency;
mod moderation;
mod realtime;
mod speech;
mod words;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

pub use bill::{Prices, Purchase, Purchases};
pub use delivery::Sent;
pub use faults::{Endpoint, Fault, Faults};
pub use keys::{Key, Keys};
pub use latency::Latency;
pub use moderation::{SELF_HARM, VIOLENCE};
pub use speech::{PACE, Voice};

/// How the provider behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 for any.
    pub address: SocketAddr,
    /// Where its journal lies; appended to.
    pub journal: PathBuf,
    /// Decides latencies and random faults: equal seeds, equal runs.
    pub seed: u64,
    /// How long things take.
    pub latency: Latency,
    /// The share of calls that fail at random, 0 to 1.
    pub fault_rate: f64,
    /// How they fail then.
    pub faults: Vec<Fault>,
    /// Sentences of a paragraph: fewer make more passages of the same transcript.
    pub paragraph: usize,
    /// Who speaks.
    pub voice: Voice,
    /// What things cost.
    pub prices: Prices,
    /// Whose keys it knows; anybody's when empty.
    pub keys: Keys,
    /// Who hears of each answer when its last byte has left.
    pub told: Option<UnboundedSender<Sent>>,
}

impl Options {
    /// At once, without faults, on any port; a voice that is only a tone.
    #[must_use]
    pub fn quick(folder: &Path) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            journal: folder.join("purchases"),
            seed: 1,
            latency: Latency::NONE,
            fault_rate: 0.0,
            faults: Fault::passing(),
            paragraph: 4,
            voice: Voice::Tone,
            prices: Prices::default(),
            keys: Keys::default(),
            told: None,
        }
    }
}

/// A running provider; gone when dropped.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinSet<()>,
}

/// What all its handlers share.
struct Shared {
    options: Options,
    purchases: Purchases,
    faults: Mutex<Faults>,
    keys: Mutex<Keys>,
    holds: holds::Holds,
    visits: Mutex<bill::Visits>,
    speech: speech::Studio,
    image: image::Gallery,
}

impl Simulator {
    /// Starts to listen.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(options.address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            purchases: Purchases::open(&options.journal)?,
            faults: Mutex::new(Faults::new(
                options.seed,
                options.fault_rate,
                options.faults.clone(),
            )),
            keys: Mutex::new(options.keys.clone()),
            holds: holds::Holds::default(),
            visits: Mutex::default(),
            speech: speech::Studio::new(options.voice),
            image: image::Gallery::default(),
            options,
        });
        let mut server = JoinSet::new();
        let app = router(Arc::clone(&shared));
        server.spawn(async move {
            // Ends only with its owner.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, shared, server })
    }

    /// The address in front of `/chat/completions`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What the next calls of `endpoint` do, one each; without a script they succeed.
    pub fn script(&self, endpoint: Endpoint, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.shared.faults().script(endpoint, faults);
    }

    /// From now on calls of `endpoint` stay open before their answer, a chat's in the middle of it.
    pub fn hold(&self, endpoint: Endpoint) {
        self.shared.holds.hold(endpoint);
    }

    /// Lets them go on.
    pub fn release(&self, endpoint: Endpoint) {
        self.shared.holds.release(endpoint);
    }

    /// How many calls of `endpoint` stay open now.
    #[must_use]
    pub fn held(&self, endpoint: Endpoint) -> usize {
        self.shared.holds.waiting(endpoint)
    }

    /// Revokes or mends a key.
    pub fn set_revoked(&self, key: &str, is_revoked: bool) {
        self.shared.keys().set_revoked(key, is_revoked);
    }

    /// Every purchase so far.
    #[must_use]
    pub fn purchases(&self) -> Vec<Purchase> {
        self.shared.purchases.all()
    }

    /// Returns when more than `count` purchases stand in the journal, and how many do.
    pub async fn purchased(&self, count: usize) -> usize {
        let mut written = self.shared.purchases.written();
        let more = written.wait_for(|written| *written > count).await;
        more.map_or(count, |written| *written)
    }

    /// Calls of `endpoint` that have begun, and those of them that are under way.
    #[must_use]
    pub fn calls(&self, endpoint: Endpoint) -> (usize, usize) {
        self.shared.visits().get(&endpoint).map_or((0, 0), |visit| (visit.begun, visit.open))
    }

    /// Most calls of `endpoint` that were open at once.
    #[must_use]
    pub fn most_at_once(&self, endpoint: Endpoint) -> usize {
        self.shared.visits().get(&endpoint).map_or(0, |visit| visit.most)
    }

    /// The body of the last call of `endpoint`; null before the first.
    #[must_use]
    pub fn last_asked(&self, endpoint: Endpoint) -> serde_json::Value {
        self.shared.visits().get(&endpoint).map(|visit| visit.asked.clone()).unwrap_or_default()
    }

    /// The bodies of all calls of `endpoint`.
    #[must_use]
    pub fn asked(&self, endpoint: Endpoint) -> Vec<serde_json::Value> {
        self.shared.visits().get(&endpoint).map(|visit| visit.all.clone()).unwrap_or_default()
    }

    /// Runs until something ends it.
    pub async fn wait(mut self) {
        self.server.join_next().await;
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn visits(&self) -> MutexGuard<'_, bill::Visits> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/audio/speech", post(speech::speak))
        .route("/v1/realtime", get(realtime::open))
        .route("/v1/images/generations", post(image::draw))
        .route("/v1/moderations", post(moderation::judge))
        .route("/v1/models", get(admin::models))
        .route("/simulator/faults", post(admin::script))
        .route("/simulator/keys", post(admin::set_key))
        .route("/simulator/purchases", get(admin::purchases))
        .with_state(shared)
}
