//! A capability goes in; who does it comes out, and where and as whom it is bought.

use queue::Allowance;
use secrecy::SecretString;
use settings::Reader;
use stillcast_enqueue::capability::Capability;

/// The one server that answers nobody without a key.
const OPENAI: &str = "https://api.openai.com/";

/// Most that an account is believed to allow in a minute.
const MAX_A_MINUTE: usize = 1_000_000_000;

/// Where and as whom something is bought.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "openai"), expect(dead_code, reason = "this build buys nothing"))]
pub(crate) struct AccountConfig {
    pub(crate) base_url: String,
    pub(crate) key: Option<SecretString>,
    pub(crate) model: String,
    /// What the account allows the whole fleet.
    pub(crate) allowance: Allowance,
}

/// What `<CAPABILITY>_PROVIDER` may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    OpenAi,
    /// The same over sockets, for models that only talk.
    Realtime,
    Command,
    Offline,
}

impl Provider {
    /// Those who can do it.
    fn of(capability: Capability) -> &'static [Self] {
        match capability {
            Capability::Llm | Capability::Image => &[Self::OpenAi, Self::Offline],
            Capability::Tts => &[Self::OpenAi, Self::Realtime, Self::Command, Self::Offline],
            // Its address chooses.
            Capability::Moderation => &[Self::OpenAi],
        }
    }

    /// Whether it is paid, and so needs an account.
    fn sells(self) -> bool {
        match self {
            Self::OpenAi | Self::Realtime => true,
            Self::Command | Self::Offline => false,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Realtime => "realtime",
            Self::Command => "command",
            Self::Offline => "offline",
        }
    }
}

/// What capabilities without an account of their own fall back to.
pub(super) struct Shared {
    /// `None` when it is at fault.
    base_url: Option<String>,
    key: Option<SecretString>,
}

impl Shared {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let base_url = reader.optional("openai_base_url", base_url);
        Self { base_url, key: key(reader, "openai_api_key") }
    }
}

/// Who does it. A worker never falls back to offline by itself: it must be told.
pub(super) fn provider(reader: &mut Reader, capability: Capability) -> Option<Provider> {
    let choices = Provider::of(capability);
    let words: Vec<&str> = choices.iter().map(|choice| choice.as_str()).collect();
    let (last, others) = words.split_last().expect("a capability that nobody has is none");
    let words = format!("{} or {last}", others.join(", "));
    reader.required(&setting(capability, "provider"), &format!("set it to {words}"), |text| {
        let named = choices.iter().find(|choice| choice.as_str() == text);
        named.copied().ok_or_else(|| format!("is {words}"))
    })
}

/// The account, when `provider` sells.
pub(super) fn account(
    reader: &mut Reader,
    capability: Capability,
    provider: Option<Provider>,
    shared: &Shared,
) -> Option<AccountConfig> {
    let its_url = setting(capability, "base_url");
    let base_url = reader.optional(&its_url, base_url);
    let its_key = setting(capability, "api_key");
    let key = key(reader, &its_key).or_else(|| shared.key.clone());
    let model = reader.text(&setting(capability, "model")).unwrap_or_default();
    let allowance = allowance(reader, capability);
    if !provider?.sells() {
        return None;
    }
    // An address of its own that is at fault is no reason to buy elsewhere.
    let base_url = if reader.is_set(&its_url) { base_url } else { shared.base_url.clone() }?;
    if key.is_none() && base_url.starts_with(OPENAI) {
        reader.missing(&its_key, "set it, or OPENAI_API_KEY, to the account's key");
    }
    Some(AccountConfig { base_url, key, model, allowance: allowance? })
}

/// What the account allows; pictures are not counted in tokens here, and judgements not at all.
fn allowance(reader: &mut Reader, capability: Capability) -> Option<Allowance> {
    let mut limit = |what| {
        let number = reader.count(&setting(capability, what), 0..=MAX_A_MINUTE);
        number.and_then(|number| u32::try_from(number).ok())
    };
    let (rpm, tpm, in_flight) = match capability {
        Capability::Llm | Capability::Tts => (limit("rpm"), limit("tpm"), limit("in_flight")),
        Capability::Image => (limit("rpm"), Some(0), limit("in_flight")),
        Capability::Moderation => return Some(Allowance::default()),
    };
    Some(Allowance { requests: rpm?, tokens: tpm?, in_flight: in_flight? })
}

/// The account of who judges texts: only an address of its own chooses it. `None` where there is none.
pub(super) fn moderation(reader: &mut Reader, shared: &Shared) -> Option<AccountConfig> {
    let its_url = setting(Capability::Moderation, "base_url");
    let provider = reader.is_set(&its_url).then_some(Provider::OpenAi);
    account(reader, Capability::Moderation, provider, shared)
}

fn setting(capability: Capability, what: &str) -> String {
    format!("{}_{what}", capability.as_str())
}

/// A password has no place in an address: keys have their own settings.
fn base_url(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("http" | "https", rest))
            if !rest.is_empty() && !rest.contains(['@', '?', '#', ' ']) =>
        {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("is an address without a password, such as https://api.openai.com/v1".to_owned()),
    }
}

/// A key travels in a header.
fn key(reader: &mut Reader, name: &str) -> Option<SecretString> {
    let key = reader.optional(name, |text| {
        let is_header = text.bytes().all(|byte| byte.is_ascii_graphic());
        is_header
            .then(|| text.to_owned())
            .ok_or_else(|| "is letters, digits and marks without blanks".to_owned())
    });
    key.map(SecretString::from)
}
