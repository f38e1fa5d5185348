//! Who writes, speaks and paints: on this machine, by a program of it, or bought over the wire.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::reader::Reader;

/// Who makes the parts.
#[derive(Clone, Debug)]
pub(crate) struct ProviderConfig {
    /// Writes the transcript.
    pub(crate) writer: WriterConfig,
    /// Speaks it.
    pub(crate) speaker: SpeakerConfig,
    /// Paints the picture.
    pub(crate) painter: PainterConfig,
}

/// Who writes.
#[derive(Clone, Debug)]
pub(crate) enum WriterConfig {
    Offline,
    OpenAi {
        account: AccountConfig,
        /// US dollars for a million tokens of prompt and of answer; 0 where not known.
        prices: (f64, f64),
    },
}

/// Who speaks.
#[derive(Clone, Debug)]
pub(crate) enum SpeakerConfig {
    Offline,
    OpenAi {
        account: AccountConfig,
        /// The voice of jobs that name none.
        voice: String,
        /// US dollars for a million characters; 0 where not known.
        price: f64,
    },
    Command {
        /// The program and its arguments.
        words: Vec<String>,
        /// What it gets of the environment.
        environment: Vec<(String, String)>,
    },
}

/// Who paints.
#[derive(Clone, Debug)]
pub(crate) enum PainterConfig {
    Offline,
    OpenAi {
        account: AccountConfig,
        /// Such as `1920x1088`.
        size: String,
        /// US dollars for a picture; 0 where not known.
        price: f64,
    },
}

/// Where and as whom something is bought.
#[derive(Clone, Debug)]
pub(crate) struct AccountConfig {
    pub(crate) base_url: String,
    pub(crate) key: Option<SecretString>,
    pub(crate) model: String,
}

/// What a program that speaks may know of our environment: never a secret.
const HARMLESS: [&str; 5] = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR"];
/// The one server that answers nobody without a key.
const OPENAI: &str = "https://api.openai.com/";
const MAX_DOLLARS: f64 = 1e6;

/// What `<capability>_PROVIDER` may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider {
    Offline,
    OpenAi,
    Command,
}

/// The names of one capability's settings.
struct Names {
    provider: &'static str,
    base_url: &'static str,
    key: [&'static str; 2],
    model: &'static str,
}

const LLM: Names = Names {
    provider: "llm_provider",
    base_url: "llm_base_url",
    key: ["llm_api_key", "llm_api_key_file"],
    model: "llm_model",
};
const TTS: Names = Names {
    provider: "tts_provider",
    base_url: "tts_base_url",
    key: ["tts_api_key", "tts_api_key_file"],
    model: "tts_model",
};
const IMAGE: Names = Names {
    provider: "image_provider",
    base_url: "image_base_url",
    key: ["image_api_key", "image_api_key_file"],
    model: "image_model",
};

/// What each capability falls back to.
struct Shared {
    base_url: String,
    key: Option<SecretString>,
}

pub(super) fn read(
    reader: &mut Reader,
    variables: &BTreeMap<String, String>,
) -> Option<ProviderConfig> {
    let base_url = base_url(reader, "openai_base_url");
    let key = key(reader, ["openai_api_key", "openai_api_key_file"]);
    // A broken address is a fault already; the others still want to be found.
    let shared = Shared { base_url: base_url.flatten().unwrap_or_default(), key };
    let writer = writer(reader, &shared);
    let speaker = speaker(reader, &shared, variables);
    let painter = painter(reader, &shared);
    Some(ProviderConfig { writer: writer?, speaker: speaker?, painter: painter? })
}

fn writer(reader: &mut Reader, shared: &Shared) -> Option<WriterConfig> {
    let (provider, account) = capability(reader, &LLM, shared);
    let prices = [dollars(reader, "llm_price_input"), dollars(reader, "llm_price_output")];
    match provider? {
        Provider::Offline => Some(WriterConfig::Offline),
        _ => Some(WriterConfig::OpenAi { account: account?, prices: (prices[0]?, prices[1]?) }),
    }
}

fn speaker(
    reader: &mut Reader,
    shared: &Shared,
    variables: &BTreeMap<String, String>,
) -> Option<SpeakerConfig> {
    let (provider, account) = capability(reader, &TTS, shared);
    let voice = reader.text("tts_voice");
    let price = dollars(reader, "tts_price");
    let words = reader.read("tts_command", |text| {
        shlex::split(text).ok_or_else(|| "has a quote that is never closed".to_owned())
    });
    match provider? {
        Provider::Offline => Some(SpeakerConfig::Offline),
        Provider::OpenAi => {
            let voice = voice.unwrap_or_default();
            Some(SpeakerConfig::OpenAi { account: account?, voice, price: price? })
        }
        Provider::Command if words.as_ref()?.is_empty() => {
            reader.missing("tts_command", "TTS_PROVIDER=command runs it for each passage");
            None
        }
        Provider::Command => {
            let known = variables.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str()));
            let environment = known.map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(SpeakerConfig::Command { words: words?, environment })
        }
    }
}

fn painter(reader: &mut Reader, shared: &Shared) -> Option<PainterConfig> {
    let (provider, account) = capability(reader, &IMAGE, shared);
    let size = reader.read("image_size", |text| {
        let sides = text.split_once('x').map(|(width, height)| [width, height].map(str::parse));
        match sides {
            Some([Ok(512_u32..=4096), Ok(512_u32..=4096)]) => Ok(text.to_owned()),
            _ => Err("is width x height from 512 to 4096, such as 1920x1088".to_owned()),
        }
    });
    let price = dollars(reader, "image_price");
    match provider? {
        Provider::Offline => Some(PainterConfig::Offline),
        _ => Some(PainterConfig::OpenAi { account: account?, size: size?, price: price? }),
    }
}

/// Who does it, and the account when it is bought.
fn capability(
    reader: &mut Reader,
    names: &Names,
    shared: &Shared,
) -> (Option<Provider>, Option<AccountConfig>) {
    let provider = provider(reader, names.provider);
    let base_url = base_url(reader, names.base_url);
    let key = key(reader, names.key).or_else(|| shared.key.clone());
    let model = reader.text(names.model);
    if provider != Some(Provider::OpenAi) {
        return (provider, None);
    }
    let Some(base_url) = base_url else { return (provider, None) };
    let base_url = base_url.unwrap_or_else(|| shared.base_url.clone());
    if key.is_none() && base_url.starts_with(OPENAI) {
        let message = "set it, or OPENAI_API_KEY, to the account's key";
        reader.missing(names.key[0], message);
    }
    (provider, Some(AccountConfig { base_url, key, model: model.unwrap_or_default() }))
}

/// A worker never falls back to offline by itself: it must be told.
fn provider(reader: &mut Reader, name: &'static str) -> Option<Provider> {
    let may_be_command = name == TTS.provider;
    let choices = if may_be_command { "openai, command or offline" } else { "openai or offline" };
    let provider = reader.read(name, |text| match text {
        "" => Ok(None),
        "offline" => Ok(Some(Provider::Offline)),
        "openai" => Ok(Some(Provider::OpenAi)),
        "command" if may_be_command => Ok(Some(Provider::Command)),
        _ => Err(format!("is {choices}")),
    })?;
    if provider.is_none() {
        reader.missing(name, &format!("set it to {choices}"));
    }
    provider
}

/// An address, when one is set. A password has no place in it: keys have their own settings.
#[expect(clippy::option_option, reason = "unset is no fault, and a fault is no address")]
fn base_url(reader: &mut Reader, name: &'static str) -> Option<Option<String>> {
    let read = reader.read(name, |text| match text.split_once("://") {
        None if text.is_empty() => Ok(None),
        Some(("http" | "https", rest))
            if !rest.is_empty() && !rest.contains(['@', '?', '#', ' ']) =>
        {
            Ok(Some(text.trim_end_matches('/').to_owned()))
        }
        _ => Err("is an address without a password, such as https://api.openai.com/v1".to_owned()),
    });
    if read.is_none() {
        reader.show(name, super::redact::HIDDEN.to_owned());
    }
    read
}

fn key(reader: &mut Reader, [name, file]: [&'static str; 2]) -> Option<SecretString> {
    // The secret was already read from it.
    reader.text(file);
    let is_header = |key: &str| key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = reader.read(name, |text| match text {
        "" => Ok(None),
        _ if is_header(text) => Ok(Some(text.to_owned())),
        _ => Err("is letters, digits and marks without blanks".to_owned()),
    });
    let key = key.flatten()?;
    reader.show(name, super::redact::HIDDEN.to_owned());
    Some(key.into())
}

fn dollars(reader: &mut Reader, name: &'static str) -> Option<f64> {
    reader.read(name, |text| {
        let amount = text.parse().ok().filter(|amount| (0.0..=MAX_DOLLARS).contains(amount));
        amount.ok_or_else(|| "is an amount of US dollars, such as 0.5; 0 for not known".to_owned())
    })
}
