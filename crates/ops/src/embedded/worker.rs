//! The one worker of an embedded stack: which program, under which environment.

use std::ffi::OsString;
use std::path::PathBuf;

use child::{Running, Spec, Stream};

use crate::config::{Config, Environment};
use crate::embedded::home::Claimed;
use crate::render::Screen;

const PROGRAM: &str = "stillcast-worker";
const HINT: &str = "build it beside stillcast with: cargo build --package worker";
/// What the stack decides itself, whatever its owner's environment says; `<name>_FILE` included.
const OURS: [&str; 7] = [
    "REDIS_URL",
    "CACHE_REDIS_URL",
    "QUEUE_NAME",
    "STORAGE_URL",
    "PUBLIC_BASE_URL",
    "STILLCAST_HOME",
    "WORKER_ADDR",
];
/// What a provider can be asked for, and the stage that asks.
const CAPABILITIES: [(&str, &str); 3] = [("LLM", "transcript"), ("TTS", "tts"), ("IMAGE", "image")];

/// How to start the worker, as often as needed.
pub(crate) struct WorkerPlan {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    queue_name: String,
    offline: Vec<(&'static str, &'static str)>,
    ignores_key: bool,
    ignores_redis_url: bool,
}

impl WorkerPlan {
    /// Finds the program and decides which capabilities are offline: those whose provider nobody
    /// has chosen. No provider of this version takes a key.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let environment = &config.environment;
        let is_ours = |name: &str| {
            let stem = name.strip_suffix("_FILE").unwrap_or(name);
            OURS.contains(&stem)
        };
        Ok(Self {
            program: program()?,
            environment: environment.without(is_ours).cloned().collect(),
            queue_name: config.queue_name.clone(),
            offline: CAPABILITIES
                .into_iter()
                .filter(|(word, _)| !is_chosen(environment, word))
                .collect(),
            ignores_key: has_key(environment),
            ignores_redis_url: config.redis_url.is_some(),
        })
    }

    /// Says what the person may not expect.
    pub(crate) fn explain(&self, screen: &Screen) {
        if self.ignores_redis_url {
            screen.note("REDIS_URL is ignored: this command always uses a private Redis");
        }
        if !self.offline.is_empty() {
            let stages: Vec<&str> = self.offline.iter().map(|(_, stage)| *stage).collect();
            let why = if self.ignores_key {
                "this version does not use the key that is set"
            } else {
                "no key is set"
            };
            screen.note(&format!("{why}: offline providers for {}", stages.join(", ")));
        }
    }

    /// Starts it on the stack in `home`.
    pub(crate) fn start(&self, home: &Claimed) -> anyhow::Result<Running> {
        let log = || Claimed::open_log(&home.worker_log()).map(Stream::File);
        let mut spec = Spec::new(&self.program).env_clear();
        for (name, value) in &self.environment {
            spec = spec.env(name, value);
        }
        for (capability, _) in &self.offline {
            spec = spec.env(format!("{capability}_PROVIDER"), "offline");
        }
        let spec = spec
            .env("REDIS_URL", home.redis_url())
            .env("QUEUE_NAME", &self.queue_name)
            .env("STORAGE_URL", home.storage_url())
            .env("STILLCAST_HOME", home.path())
            .env("WORKER_ADDR", "off")
            .stdin(Stream::File(home.share_lock()?))
            .stdout(log()?)
            .stderr(log()?)
            .hint(HINT);
        Ok(spec.spawn()?)
    }
}

fn is_chosen(environment: &Environment, capability: &str) -> bool {
    environment.has(&format!("{capability}_PROVIDER"))
}

fn has_key(environment: &Environment) -> bool {
    let owners = CAPABILITIES.into_iter().map(|(capability, _)| capability).chain(["OPENAI"]);
    let keys =
        owners.flat_map(|owner| ["API_KEY", "API_KEY_FILE"].map(|key| format!("{owner}_{key}")));
    keys.into_iter().any(|key| environment.has(&key))
}

/// Beside this program, else by its name in PATH.
fn program() -> std::io::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name(PROGRAM);
    Ok(if beside.is_file() { beside } else { PathBuf::from(PROGRAM) })
}
