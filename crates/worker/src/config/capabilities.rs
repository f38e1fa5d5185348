//! `LLM_…`, `TTS_…` and `IMAGE_…` go in, and `OPENAI_…` for what they have in common; who writes, speaks
//! and paints comes out: on this machine, by a program of it, or bought over the wire.

mod account;

use std::ops::RangeInclusive;
use std::time::Duration;

use settings::{Environment, Reader};
use stillcast_enqueue::capability::Capability;

pub(crate) use account::AccountConfig;
use account::{Provider, Shared, account, moderation, provider};

/// What a program that speaks may know of our environment: never a secret.
const HARMLESS: [&str; 5] = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR"];
const MAX_DOLLARS: f64 = 1e6;
/// Fewer tokens hold no sentence, and no model writes more at once.
const MAX_TOKENS: RangeInclusive<usize> = 64..=1_000_000;
const STALL_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// What `TTS_FORMAT` may be.
const FORMATS: [&str; 7] = ["auto", "pcm", "wav", "mp3", "flac", "opus", "aac"];

/// Who makes the parts.
#[derive(Clone, Debug)]
pub(crate) struct ProviderConfig {
    /// Judges texts; `None` for nobody.
    pub(crate) moderator: Option<AccountConfig>,
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
    OpenAi { account: AccountConfig, words: WordsConfig },
}

/// How words are bought.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "openai"), expect(dead_code, reason = "this build buys nothing"))]
pub(crate) struct WordsConfig {
    /// US dollars for a million tokens of prompt and of answer; 0 where not known.
    pub(crate) prices: (f64, f64),
    /// Most tokens of an answer.
    pub(crate) max_tokens: u32,
    /// Longest silence within an answer.
    pub(crate) stall_timeout: Duration,
}

/// Who speaks.
#[derive(Clone, Debug)]
pub(crate) enum SpeakerConfig {
    Offline,
    OpenAi {
        account: AccountConfig,
        /// The voice of jobs that name none.
        voice: String,
        /// What sound is asked for: one of [`FORMATS`].
        format: String,
        /// US dollars for a million characters; 0 where not known.
        price: f64,
        /// Whether the model only talks, over sockets.
        over_sockets: bool,
    },
    Command {
        /// The program and its arguments.
        words: Vec<String>,
        /// Whether it stays for many passages.
        resident: bool,
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
        /// Hosts to which links to pictures may lead.
        link_hosts: Vec<String>,
        /// US dollars for a picture; 0 where not known.
        price: f64,
    },
}

/// Reads the section; `environment` is what a program that speaks gets its own from.
pub(super) fn read(reader: &mut Reader, environment: &Environment) -> Option<ProviderConfig> {
    let shared = Shared::read(reader);
    let moderator = moderation(reader, &shared);
    let writer = writer(reader, &shared);
    let speaker = speaker(reader, &shared, environment);
    let painter = painter(reader, &shared);
    Some(ProviderConfig { moderator, writer: writer?, speaker: speaker?, painter: painter? })
}

fn writer(reader: &mut Reader, shared: &Shared) -> Option<WriterConfig> {
    let provider = provider(reader, Capability::Llm);
    let account = account(reader, Capability::Llm, provider, shared);
    let words = words(reader);
    match provider? {
        Provider::Offline => Some(WriterConfig::Offline),
        Provider::OpenAi => Some(WriterConfig::OpenAi { account: account?, words: words? }),
        Provider::Command | Provider::Realtime => None, // Nobody can choose it.
    }
}

fn words(reader: &mut Reader) -> Option<WordsConfig> {
    let prices = [dollars(reader, "llm_price_input"), dollars(reader, "llm_price_output")];
    let max_tokens = reader.count("llm_max_tokens", MAX_TOKENS);
    let stall_timeout = reader.duration("llm_stall_timeout", STALL_TIMEOUT);
    Some(WordsConfig {
        prices: (prices[0]?, prices[1]?),
        max_tokens: u32::try_from(max_tokens?).ok()?,
        stall_timeout: stall_timeout?,
    })
}

fn speaker(
    reader: &mut Reader,
    shared: &Shared,
    environment: &Environment,
) -> Option<SpeakerConfig> {
    let provider = provider(reader, Capability::Tts);
    let account = account(reader, Capability::Tts, provider, shared);
    let voice = reader.text("tts_voice");
    let format = reader.read("tts_format", format);
    let price = dollars(reader, "tts_price");
    let words = reader.read("tts_command", |text| {
        shlex::split(text).ok_or_else(|| "has a quote that is never closed".to_owned())
    });
    let resident = reader.flag("tts_command_resident");
    match provider? {
        Provider::Offline => Some(SpeakerConfig::Offline),
        Provider::OpenAi | Provider::Realtime => {
            let voice = voice.unwrap_or_default();
            let (format, price) = (format?, price?);
            let over_sockets = provider == Some(Provider::Realtime);
            Some(SpeakerConfig::OpenAi { account: account?, voice, format, price, over_sockets })
        }
        Provider::Command if words.as_ref()?.is_empty() => {
            reader.missing("tts_command", "TTS_PROVIDER=command has it speak each passage");
            None
        }
        Provider::Command => Some(SpeakerConfig::Command {
            words: words?,
            resident: resident?,
            environment: harmless(environment),
        }),
    }
}

fn harmless(environment: &Environment) -> Vec<(String, String)> {
    let value = |name: &str| Some((name.to_owned(), environment.get(name)?.to_str()?.to_owned()));
    HARMLESS.into_iter().filter_map(value).collect()
}

fn painter(reader: &mut Reader, shared: &Shared) -> Option<PainterConfig> {
    let provider = provider(reader, Capability::Image);
    let account = account(reader, Capability::Image, provider, shared);
    let size = reader.read("image_size", size);
    let link_hosts = reader.read("image_link_hosts", link_hosts);
    let price = dollars(reader, "image_price");
    match provider? {
        Provider::Offline => Some(PainterConfig::Offline),
        Provider::OpenAi => {
            let (size, link_hosts, price) = (size?, link_hosts?, price?);
            Some(PainterConfig::OpenAi { account: account?, size, link_hosts, price })
        }
        Provider::Command | Provider::Realtime => None, // Nobody can choose it.
    }
}

fn size(text: &str) -> Result<String, String> {
    let sides = text.split_once('x').map(|(width, height)| [width, height].map(str::parse));
    match sides {
        Some([Ok(512_u32..=4096), Ok(512_u32..=4096)]) => Ok(text.to_owned()),
        _ => Err("is width x height from 512 to 4096, such as 1920x1088".to_owned()),
    }
}

fn format(text: &str) -> Result<String, String> {
    let known = FORMATS.contains(&text).then(|| text.to_owned());
    known.ok_or_else(|| format!("is one of {}", FORMATS.join(", ")))
}

/// Names of hosts between commas, such as `img.example.org, *.example.net, cdn.example.com:8443`.
fn link_hosts(text: &str) -> Result<Vec<String>, String> {
    let hosts = text.split([',', ' ']).filter(|host| !host.is_empty());
    let hosts: Vec<String> = hosts.map(str::to_ascii_lowercase).collect();
    let is_host = |host: &String| {
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        let name = name.strip_prefix("*.").unwrap_or(name);
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        !name.is_empty() && name.chars().all(is_letter) && port.parse::<u16>().is_ok()
    };
    if hosts.iter().all(is_host) {
        Ok(hosts)
    } else {
        Err("is names of hosts between commas, such as img.example.org, *.example.net".to_owned())
    }
}

fn dollars(reader: &mut Reader, name: &str) -> Option<f64> {
    reader.read(name, |text| {
        let amount = text.parse().ok().filter(|amount| (0.0..=MAX_DOLLARS).contains(amount));
        amount.ok_or_else(|| "is an amount of US dollars, such as 0.5; 0 for not known".to_owned())
    })
}
