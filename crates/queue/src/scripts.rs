//! A queue's keys go in; each Lua verb as one typed call comes out.

mod arguments;
pub(crate) mod lease_calls;
mod operator_calls;
pub(crate) mod probe_calls;
mod verb;
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
    fixed: Vec<String>,
    /// By [`Verb::index`].
    scripts: Vec<Script>,
}

impl Scripts {
    /// The scripts of the queue whose keys these are.
    pub fn new(keys: Keys, clock: Clock) -> Self {
        let fixed = keys.fixed();
        let preamble = with_clock(lua::PREAMBLE, clock);
        let script = |verb: Verb| Script::new(&format!("{preamble}{}", verb.whole()));
        let scripts = Verb::all().map(script).collect();
        Self { inner: Arc::new(Inner { keys, fixed, scripts }) }
    }

    /// The queue's keys.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The digest by which Redis knows the script of `verb`.
    pub fn digest(&self, verb: Verb) -> &str {
        self.script(verb).get_hash()
    }

    /// A call of `verb` with the arguments that all verbs share.
    pub fn call(&self, verb: Verb) -> ScriptInvocation<'_> {
        let mut call = self.script(verb).prepare_invoke();
        call.key(&self.inner.fixed).arg(self.inner.keys.prefix());
        call
    }

    fn script(&self, verb: Verb) -> &Script {
        &self.inner.scripts[verb.index()]
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
