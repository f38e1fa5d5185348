//! The settings of each part of the worker, read and checked one by one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::{Policies, StagePolicy};
use secrecy::SecretString;
use stillcast_enqueue::{Identifier, StageName, address};
use telemetry::Logging;

use super::reader::Reader;
use super::{Config, EncodingConfig, QueueConfig, caching, capabilities, redact, storage};

/// Most jobs or calls at once that a process is meant for.
const MAX_SLOTS: usize = 1024;
const MAX_TRIES: usize = 100;
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// Reads every section, so that all faults are found; `None` when there is one.
pub(super) fn read(reader: &mut Reader, variables: &BTreeMap<String, String>) -> Option<Config> {
    let home = variables.get("HOME").map(Path::new);
    let queue = queue(reader);
    let policies = policies(reader, queue.as_ref().map_or(1, |queue| queue.slots));
    let caching = caching::read(reader, queue.as_ref());
    let providers = capabilities::read(reader, variables);
    let encoding = encoding(reader);
    let database = storage::database(reader);
    let storage = storage::storage(reader, home);
    let address = reader.read("worker_addr", worker_addr);
    let logging = logging(reader);
    Some(Config {
        queue: queue?,
        policies: policies?,
        caching: caching?,
        providers: providers?,
        encoding: encoding?,
        database,
        storage: storage?,
        address: address?,
        logging: logging?,
        notes: Vec::new(),
        shown: BTreeMap::new(),
    })
}

fn queue(reader: &mut Reader) -> Option<QueueConfig> {
    let ca_file = ca_file(reader);
    let redis_url = redis_url(reader, ca_file.as_deref());
    let name = reader.read("queue_name", |text| {
        let checked = Identifier::parse("queue_name", text);
        checked.map(|name| name.to_string()).map_err(|_| "is letters, digits, `.`, `_`, `-`".into())
    });
    let slots = reader.count("max_parallel_tasks", 1..=MAX_SLOTS);
    let lease_ttl = reader.duration("lease_ttl", SECOND..=Duration::from_hours(1));
    let drain_timeout = reader.duration("drain_timeout", Duration::ZERO..=DAY);
    let probe_interval = reader.duration("probe_interval", SECOND..=DAY);
    Some(QueueConfig {
        redis_url: redis_url?,
        ca_file,
        name: name?,
        slots: slots?,
        lease_ttl: lease_ttl?,
        drain_timeout: drain_timeout?,
        probe_interval: probe_interval?,
    })
}

fn redis_url(reader: &mut Reader, ca_file: Option<&Path>) -> Option<SecretString> {
    // The secret was already read from it.
    reader.text("redis_url_file");
    let Some(url) = reader.read("redis_url", redis_address)? else {
        let message = "it names the queue's Redis, such as redis://host:6379/0";
        reader.missing("redis_url", message);
        return None;
    };
    reader.show("redis_url", redact::address(&url));
    Some(trusting(&url, ca_file).into())
}

/// Certificates to trust instead of the system's. Where the setting is at fault, the reader keeps
/// that.
fn ca_file(reader: &mut Reader) -> Option<PathBuf> {
    reader.read("redis_ca_file", |path| {
        let path = (!path.is_empty()).then(|| PathBuf::from(path));
        // Any host will do: what is tried is the file.
        let tried = address::connection_info(&trusting("rediss://localhost", path.as_deref()));
        tried.map(|_| path).map_err(|error| error.to_string())
    })?
}

/// The address, with whom to trust there.
pub(super) fn trusting(url: &str, ca_file: Option<&Path>) -> String {
    ca_file.map_or_else(|| url.to_owned(), |file| address::with_ca_file(url, file))
}

/// The address of a Redis; `None` when it is not set.
pub(super) fn redis_address(url: &str) -> Result<Option<String>, String> {
    match url.split_once("://") {
        None if url.is_empty() => Ok(None),
        Some(("redis" | "rediss" | "unix" | "redis+unix", _)) => Ok(Some(url.to_owned())),
        _ => Err("is an address such as redis://host:6379/0 or unix:///run/redis.sock".to_owned()),
    }
}

fn policies(reader: &mut Reader, tasks: usize) -> Option<Policies> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let defaults = pipeline::standard(tasks, cores);
    let content = duration(reader, "content_generation_timeout");
    let video = duration(reader, "video_encoding_timeout");
    let row = |reader: &mut Reader, stage, names| row(reader, *defaults.row(stage), names);
    let rows = STAGES.map(|(stage, names)| (stage, row(reader, stage, names)));
    let mut policies = Policies::new(content?, video?, |stage| *defaults.row(stage));
    for (stage, row) in rows {
        *policies.row_mut(stage) = row?;
    }
    Some(policies)
}

/// The settings of each row: time-out, tries, slots.
const STAGES: [(StageName, [&str; 3]); 6] = [
    (StageName::Collection, ["collection_timeout", "collection_tries", "collection_slots"]),
    (StageName::Transcript, ["transcript_timeout", "transcript_tries", "transcript_slots"]),
    (StageName::Tts, ["tts_timeout", "tts_tries", "tts_slots"]),
    (StageName::Image, ["image_timeout", "image_tries", "image_slots"]),
    (StageName::Encode, ["audio_compression_timeout", "encode_tries", "encode_slots"]),
    (StageName::Upload, ["upload_timeout", "upload_tries", "upload_slots"]),
];

fn row(
    reader: &mut Reader,
    default: StagePolicy,
    [timeout, tries, slots]: [&'static str; 3],
) -> Option<StagePolicy> {
    let timeout = duration(reader, timeout);
    let tries = reader.count(tries, 1..=MAX_TRIES);
    let slots = reader.count_or_auto(slots, 1..=MAX_SLOTS, default.slots);
    let tries = u32::try_from(tries?).ok()?;
    Some(StagePolicy { timeout: timeout?, tries, slots: slots?, ..default })
}

fn duration(reader: &mut Reader, name: &'static str) -> Option<Duration> {
    reader.duration(name, SECOND..=DAY)
}

fn encoding(reader: &mut Reader) -> Option<EncodingConfig> {
    let ffmpeg = reader.read("ffmpeg_path", |text| match text {
        "" => Err("is a path, or a name in PATH".to_owned()),
        _ => Ok(PathBuf::from(text)),
    });
    let audio_bitrate = reader.read("audio_bitrate", bitrate);
    let speed = reader.flag("optimize_for_speed");
    let hardware = reader.flag("enable_hardware_acceleration");
    Some(EncodingConfig {
        ffmpeg: ffmpeg?,
        audio_bitrate: audio_bitrate?,
        speed: speed?,
        hardware: hardware?,
    })
}

fn bitrate(text: &str) -> Result<String, String> {
    let kilobits = text.strip_suffix('k').and_then(|number| number.parse::<u32>().ok());
    match kilobits {
        Some(32..=320) => Ok(text.to_owned()),
        _ => Err("is a rate from 32k to 320k".to_owned()),
    }
}

fn worker_addr(text: &str) -> Result<Option<SocketAddr>, String> {
    match text {
        "off" => Ok(None),
        _ => text
            .parse()
            .map(Some)
            .map_err(|_| "is an address such as 127.0.0.1:8091, or off".into()),
    }
}

fn logging(reader: &mut Reader) -> Option<Logging> {
    let format = reader.read("log_format", |text| text.parse().map_err(|error| said(&error)));
    let filter = reader.read("rust_log", |text| {
        Logging::new(telemetry::LogFormat::Auto, text)
            .map(|_| text.to_owned())
            .map_err(|error| said(&error))
    });
    Logging::new(format?, &filter?).ok()
}

fn said(error: &telemetry::TelemetryError) -> String {
    error.to_string()
}
