//! A queue's keys go in; each Lua verb as one typed call comes out.

mod arguments;
pub(crate) mod budget_calls;
pub(crate) mod lease_calls;
pub(crate) mod limit_calls;
mod operator_calls;
pub(crate) mod probe_calls;
pub(crate) mod verb;
pub(crate) mod webhook_calls;
pub(crate) mod worker_calls;

use std::sync::Arc;

use redis::{Script, ScriptInvocation};
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::lua;

pub use self::verb::Verb;

/// Where the scripts read the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Redis' own clock: the only one of the fleet.
    Server,
    /// A key `<prefix>clock` in ms, so that a test moves time by hand.
    Key,
}

/// The scripts of one queue. Cheap to clone.
#[derive(Clone)]
pub struct Scripts {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Keys,
    /// By [`Verb::index`].
    verbs: Vec<Known>,
}

/// A verb as Redis knows it.
struct Known {
    script: Script,
    keys: Vec<String>,
}

impl Scripts {
    /// The scripts of the queue whose keys these are.
    pub fn new(keys: Keys, clock: Clock) -> Self {
        let preamble = with_clock(lua::PREAMBLE, clock);
        let known = |verb: Verb| {
            let script = verb.assembled(&preamble);
            let named = script.keys.iter().map(|word| keys.named(word)).collect();
            Known { script: Script::new(&script.source), keys: named }
        };
        let verbs = Verb::all().map(known).collect();
        Self { inner: Arc::new(Inner { keys, verbs }) }
    }

    /// The queue's keys.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The digest by which Redis knows the script of `verb`.
    pub fn digest(&self, verb: Verb) -> &str {
        self.known(verb).script.get_hash()
    }

    /// A call of `verb` with the arguments that all verbs share.
    pub fn call(&self, verb: Verb) -> ScriptInvocation<'_> {
        let Known { script, keys } = self.known(verb);
        let mut call = script.prepare_invoke();
        call.key(keys).arg(self.inner.keys.prefix());
        call
    }

    fn known(&self, verb: Verb) -> &Known {
        &self.inner.verbs[verb.index()]
    }
}

/// Tests read the time from a key instead; the line is marked in the preamble.
fn with_clock(preamble: &str, clock: Clock) -> String {
    match clock {
        Clock::Server => preamble.to_owned(),
        Clock::Key => preamble
            .lines()
            .map(|line| {
                if line.ends_with("--@clock") {
                    "local clock_ms = tonumber(redis.call('GET', prefix .. 'clock'))\n\
                     local clock = { math.floor(clock_ms / 1000), clock_ms % 1000 * 1000 }\n"
                        .to_owned()
                } else {
                    format!("{line}\n")
                }
            })
            .collect(),
    }
}
