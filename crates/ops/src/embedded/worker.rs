//! The configuration goes in; the one worker of an embedded stack comes out: which program runs, and
//! under which environment.

use std::path::PathBuf;

use child::{Running, Spec, Stream};
use stillcast_enqueue::capability::Capability;

use crate::config::{Config, Environment};
use crate::embedded::home::Home;
use crate::embedded::lock::LockedHome;
use crate::embedded::logs;
use crate::render::Screen;

const PROGRAM: &str = "stillcast-worker";
const HINT: &str = "build it beside stillcast with: cargo build --package worker";
/// Variables that the stack sets itself, whatever its owner's environment says; `<name>_FILE` included.
const RESERVED: [&str; 9] = [
    "REDIS_URL",
    "CACHE_REDIS_URL",
    "REDIS_CA_FILE",
    "QUEUE_NAME",
    "STORAGE_URL",
    "PUBLIC_BASE_URL",
    "STILLCAST_HOME",
    "WORKER_ADDR",
    "OUTBOX",
];
/// What the person may believe is used.
const REDIS_URL: [&str; 2] = ["REDIS_URL", "REDIS_URL_FILE"];
const OFFLINE: &str = "offline";

/// A provider that the stack has chosen.
struct Chosen {
    capability: Capability,
    provider: &'static str,
}

/// How to start the worker, as often as needed.
pub(crate) struct WorkerPlan {
    program: PathBuf,
    environment: Environment,
    queue_name: String,
    /// Capabilities for which the environment names no provider, and what is chosen instead.
    chosen: Vec<Chosen>,
    ignores_redis_url: bool,
}

impl WorkerPlan {
    /// Finds the program, and chooses providers where the environment names none: `openai` where there
    /// is a key for it, else `offline`.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let environment = &config.environment;
        let is_reserved = |name: &str| {
            let stem = name.strip_suffix("_FILE").unwrap_or(name);
            RESERVED.contains(&stem)
        };
        Ok(Self {
            program: program()?,
            environment: environment.without(is_reserved),
            queue_name: config.queue_name.clone(),
            chosen: choose(environment),
            ignores_redis_url: REDIS_URL.into_iter().any(|name| environment.has(name)),
        })
    }

    /// Tells the person what differs from the environment, and what was chosen.
    pub(crate) fn explain(&self, screen: &Screen) {
        if self.ignores_redis_url {
            screen.note("REDIS_URL is ignored: this command always uses a private Redis");
        }
        let offline = self.chosen.iter().filter(|chosen| chosen.provider == OFFLINE);
        let stages: Vec<&str> = offline.map(|chosen| chosen.capability.stage().as_str()).collect();
        if !stages.is_empty() {
            screen.note(&format!("no key is set: offline providers for {}", stages.join(", ")));
        }
    }

    /// Starts it on the stack in `home`.
    pub(super) async fn start(&self, home: &LockedHome) -> anyhow::Result<Running> {
        let log = || logs::open(&home.worker_log()).map(Stream::File);
        let spec =
            self.spec(home).stdin(Stream::File(home.share_lock()?)).stdout(log()?).stderr(log()?);
        Ok(spec.spawn().await?)
    }

    /// How it is started on the stack in `home`, its streams apart.
    pub(crate) fn spec(&self, home: &Home) -> Spec {
        let spec = with_environment(Spec::new(&self.program), &self.environment);
        let choose = |spec: Spec, Chosen { capability, provider }: &Chosen| {
            spec.env(format!("{capability}_PROVIDER"), provider)
        };
        let spec = self.chosen.iter().fold(spec, choose);
        spec.env("REDIS_URL", home.redis_url())
            .env("QUEUE_NAME", &self.queue_name)
            .env("STORAGE_URL", home.storage_url())
            .env("STILLCAST_HOME", home.path())
            .env("WORKER_ADDR", "off")
            // The application's jobs are for its own queue.
            .env("OUTBOX", "false")
            .hint(HINT)
    }
}

/// How a worker of this machine is started beside its others: as it would start by itself, or as a running
/// `stillcast dev` has started it. It answers nowhere.
pub(crate) fn worker_here(config: &Config) -> anyhow::Result<Spec> {
    let home = Home::at(&config.home);
    if config.redis_url.is_none() && home.is_running() {
        return Ok(WorkerPlan::new(config)?.spec(&home));
    }
    let spec = with_environment(Spec::new(program()?), &config.environment);
    Ok(spec.env("WORKER_ADDR", "off").hint(HINT))
}

fn with_environment(spec: Spec, environment: &Environment) -> Spec {
    environment.iter().fold(spec.env_clear(), |spec, (name, value)| spec.env(name, value))
}

/// Whether words are written or spoken by the makers that need no provider.
pub(crate) fn is_offline(environment: &Environment) -> bool {
    [Capability::Llm, Capability::Tts].into_iter().any(|capability| {
        let named = environment.get(&format!("{capability}_PROVIDER"));
        named.map_or_else(|| !has_key(environment, capability), |named| named == OFFLINE)
    })
}

/// A provider for each capability that has none.
fn choose(environment: &Environment) -> Vec<Chosen> {
    let is_open = |capability: &Capability| !environment.has(&format!("{capability}_PROVIDER"));
    let choose = |capability| {
        let provider = if has_key(environment, capability) { "openai" } else { OFFLINE };
        Chosen { capability, provider }
    };
    Capability::ALL.into_iter().filter(is_open).map(choose).collect()
}

fn has_key(environment: &Environment, capability: Capability) -> bool {
    let mut keys = ["OPENAI".to_owned(), capability.to_string()]
        .into_iter()
        .flat_map(|owner| ["API_KEY", "API_KEY_FILE"].map(|key| format!("{owner}_{key}")));
    keys.any(|key| environment.has(&key))
}

/// Beside this program, else by its name in PATH.
fn program() -> std::io::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name(PROGRAM);
    Ok(if beside.is_file() { beside } else { PathBuf::from(PROGRAM) })
}
