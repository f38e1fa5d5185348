//! Settings go in, typed values or the sentences of all faults come out.

mod faults;
mod fuzz;
mod secrets;
mod sections;
mod traces;

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use stillcast_enqueue::StageName;
use stillcast_enqueue::capability::Capability;
use tempfile::TempDir;

use super::*;

/// What no print may hold.
const CANARY: &str = "canary";

/// Every required setting.
fn required() -> Sources {
    let pairs = [
        ("REDIS_URL", "redis://localhost"),
        ("STORAGE_URL", "file:///srv/stillcast"),
        ("STILLCAST_HOME", "/var/lib/stillcast"),
    ];
    let sources = Sources { file: None, environment: pairs.into_iter().collect() };
    let offline = Capability::ALL.map(|capability| format!("{capability}_PROVIDER"));
    offline.iter().fold(sources, |sources, name| sources.set(name, "offline"))
}

/// More settings, or fewer.
trait Told {
    fn set(self, name: &str, value: &str) -> Self;
    fn unset(self, name: &str) -> Self;
    fn file(self, folder: &TempDir, text: &str) -> Self;
}

impl Told for Sources {
    fn set(self, name: &str, value: &str) -> Self {
        let others = self.unset(name);
        let pair = (OsStr::new(name), OsStr::new(value));
        Self { environment: others.environment.iter().chain([pair]).collect(), ..others }
    }

    fn unset(self, name: &str) -> Self {
        Self { environment: self.environment.without(|other| other == name), ..self }
    }

    fn file(self, folder: &TempDir, text: &str) -> Self {
        let path = folder.path().join("worker.toml");
        std::fs::write(&path, text).unwrap();
        Self { file: Some(path), ..self }
    }
}

/// Loads, and must fail; each fault on a line.
fn faults(sources: &Sources) -> Vec<String> {
    Config::load(sources).unwrap_err().iter().map(ToString::to_string).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_default_file_is_the_policy_table() {
    let config = Config::load(&required()).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(config.policies, pipeline::standard(4, cores));
    assert_eq!(config.queue.slots, 4);
    assert_eq!(config.queue.lease_ttl, Duration::from_secs(30));
    assert_eq!(config.queue.drain_timeout, Duration::from_secs(25));
    assert_eq!(config.queue.name, stillcast_enqueue::ProducerOptions::default().queue_name);
    assert_eq!(config.address, Some("127.0.0.1:8091".parse().unwrap()));
    assert!(config.settled.notes().is_empty());
}

#[test]
fn environment_goes_over_file_and_file_over_default() {
    let folder = folder();
    let text = "max_parallel_tasks = 7\nupload_tries = 9\naudio_bitrate = \"128k\"\nlease_ttl = 12";
    let sources = required().file(&folder, text).set("UPLOAD_TRIES", "2").set("AUDIO_BITRATE", "");
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.queue.slots, 7);
    assert_eq!(
        config.policies.row(StageName::Transcript).slots,
        7,
        "auto follows max_parallel_tasks"
    );
    assert_eq!(config.policies.row(StageName::Upload).tries, 2);
    assert_eq!(config.encoding.audio_bitrate, "128k", "an empty variable is not set");
    assert_eq!(config.queue.lease_ttl, Duration::from_secs(12));
    assert_eq!(config.policies.row(StageName::Image).tries, 4);
}

#[test]
fn what_is_printed_can_be_read_again() {
    let sources = required().set("MAX_PARALLEL_TASKS", "3").set("TTS_TIMEOUT", "2m");
    let config = Config::load(&sources).unwrap();
    let folder = folder();
    let again = Config::load(&Sources::default().file(&folder, &config.settled.to_toml())).unwrap();
    assert_eq!(again.policies, config.policies);
    assert_eq!(again.settled.to_json(), config.settled.to_json());
    assert_eq!(config.settled.to_json()["max_parallel_tasks"], 3);
    assert_eq!(
        config.settled.to_json()["transcript_slots"],
        3,
        "auto is shown as what it stands for"
    );
    assert_eq!(config.settled.to_json()["optimize_for_speed"], true);
    assert_eq!(config.settled.to_json()["redis_url"], "redis://localhost");
}

#[test]
fn a_build_refuses_what_it_leaves_out_and_says_which_has_it() {
    let all = ["c2pa", "openai", "otlp", "postgres", "s3", "tls"];
    let settings = [
        ("LLM_PROVIDER", "openai", "openai"),
        ("TTS_PROVIDER", "openai", "openai"),
        ("IMAGE_PROVIDER", "openai", "openai"),
        ("DATABASE_URL", "postgres://localhost/app", "postgres"),
        ("STORAGE_URL", "s3://meditations", "s3"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", "otlp"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318/take", "otlp"),
        ("REDIS_URL", "rediss://localhost", "tls"),
        ("CACHE_REDIS_URL", "rediss://localhost", "tls"),
    ];
    for (name, value, part) in settings {
        let sources = required().set(name, value).set("OPENAI_API_KEY", "any");
        let faults = Config::load_without(&[part], &sources).unwrap_err();
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let sentence = format!("{name}: needs the part `{part}`, which this build leaves out; ");
        assert!(said.len() == 1 && said[0].starts_with(&sentence), "{said:?}");
        assert!(said[0].contains("cargo build --release"), "{said:?}");
        let others: Vec<&str> = all.into_iter().filter(|other| *other != part).collect();
        assert!(Config::load_without(&others, &sources).is_ok(), "{name} needs {part} alone");
    }
    assert!(Config::load_without(&all, &required()).is_ok(), "offline, a folder and a Redis");
}
