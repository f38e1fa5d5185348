//! Settings go in, typed values or the sentences of all faults come out.

use std::path::Path;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use stillcast_enqueue::{Format, StageName};

/// What no print may hold.
const CANARY: &str = "canary";

/// Every required setting.
fn required() -> Sources {
    let pairs = [
        ("REDIS_URL", "redis://localhost"),
        ("STORAGE_URL", "file:///srv/stillcast"),
        ("STILLCAST_HOME", "/var/lib/stillcast"),
        ("LLM_PROVIDER", "offline"),
        ("TTS_PROVIDER", "offline"),
        ("IMAGE_PROVIDER", "offline"),
    ];
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Sources { file: None, variables: pairs.into_iter().map(pair).collect() }
}

impl Sources {
    fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn file(self, folder: &TempDir, text: &str) -> Self {
        let path = folder.path().join("worker.toml");
        std::fs::write(&path, text).unwrap();
        Self { file: Some(path), ..self }
    }
}

/// Loads, and must fail; each fault on a line.
fn faults(sources: &Sources) -> Vec<String> {
    let Faults(faults) = Config::load(sources).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
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
    assert!(config.notes.is_empty());
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
fn both_encode_time_outs_reach_the_table() {
    let sources =
        required().set("AUDIO_COMPRESSION_TIMEOUT", "41").set("VIDEO_ENCODING_TIMEOUT", "1.5m");
    let policies = Config::load(&sources).unwrap().policies;
    let timeout = |format| policies.timeout(StageName::Encode, format);
    assert_eq!(timeout(Format::Audio), Duration::from_secs(41));
    assert_eq!(timeout(Format::Video), Duration::from_secs(90));
}

#[test]
fn each_fault_has_its_sentence() {
    for (name, value, sentence) in [
        ("MAX_PARALLEL_TASKS", "0", "is a whole number from 1 to 1024"),
        ("TTS_SLOTS", "many", "is a whole number from 1 to 1024, or auto"),
        ("UPLOAD_TRIES", "-1", "is a whole number from 1 to 100"),
        ("LEASE_TTL", "soon", "is a time from 1s to 3600s, such as \"90s\", \"20m\" or 90"),
        ("OPTIMIZE_FOR_SPEED", "yes", "is true or false"),
        ("AUDIO_BITRATE", "96", "is a rate from 32k to 320k"),
        ("QUEUE_NAME", "a b", "is letters, digits, `.`, `_`, `-`"),
        ("LLM_PROVIDER", "command", "is openai or offline"),
        ("TTS_PROVIDER", "piper", "is openai, command or offline"),
        ("TTS_PROVIDER", "", "is not set; set it to openai, command or offline"),
        ("TTS_COMMAND", "piper 'x", "has a quote that is never closed"),
        ("IMAGE_SIZE", "1920", "is width x height from 512 to 4096, such as 1920x1088"),
        ("IMAGE_PRICE", "-1", "is an amount of US dollars, such as 0.5; 0 for not known"),
        ("LLM_API_KEY", "two words", "is letters, digits and marks without blanks"),
        (
            "TTS_BASE_URL",
            "https://me:pass@host/v1",
            "is an address without a password, such as https://api.openai.com/v1",
        ),
        (
            "STORAGE_URL",
            "/srv",
            "is file:// and an absolute path without `%`, or s3://bucket/prefix",
        ),
        (
            "DATABASE_URL",
            "mysql://host",
            "is an address such as postgres://user:password@host/database",
        ),
        (
            "MESSAGES_QUERY",
            "select a, b from c where d = $1",
            "must bind $1, the tenant, and $2, the conversation",
        ),
        (
            "SOURCES_QUERY",
            "select $1, $2",
            "is read with MESSAGES_QUERY only; set both, or none for the sample schema",
        ),
        ("S3_ENDPOINT", "localhost:9000", "is an address such as http://127.0.0.1:9000"),
        ("PUBLIC_BASE_URL", "media", "is an address such as https://media.example.org"),
        ("WORKER_ADDR", "8091", "is an address such as 127.0.0.1:8091, or off"),
        ("LOG_FORMAT", "yaml", "a log format is `auto`, `json` or `pretty`"),
        (
            "REDIS_CA_FILE",
            "/nowhere.pem",
            "the certificates to trust - InvalidClientConfig: /nowhere.pem cannot be read: No such file or directory (os error 2)",
        ),
        (
            "ENCODE_TIMEOUT",
            "9",
            "is two settings: AUDIO_COMPRESSION_TIMEOUT and VIDEO_ENCODING_TIMEOUT",
        ),
        ("REDIS_URI", "x", "is no setting; did you mean REDIS_URL?"),
        ("FFMPEG_PTH", "x", "is no setting; did you mean FFMPEG_PATH?"),
    ] {
        assert_eq!(faults(&required().set(name, value)), [format!("{name}: {sentence}")]);
    }
}

#[test]
fn a_file_has_the_same_faults_under_its_own_names() {
    for (text, fault) in [
        ("lease_tl = 3", "lease_tl: is no setting; did you mean lease_ttl?"),
        ("dream = 3", "dream: is no setting of the worker"),
        ("max_attempts = 3", "max_attempts: is not in this version; remove it"),
        ("tts_tries = [1]", "tts_tries: is a text, a number, true or false"),
        ("tts_tries = 0", "tts_tries: is a whole number from 1 to 100"),
        (
            "encode_timeout = 3",
            "encode_timeout: is two settings: audio_compression_timeout and video_encoding_timeout",
        ),
    ] {
        let folder = folder();
        assert_eq!(faults(&required().file(&folder, text)), [fault], "{text}");
    }
}

#[test]
fn all_faults_come_at_once() {
    let folder = folder();
    let none = Sources::default().file(&folder, "dream = 1\nimage_tries = 0");
    let said = faults(&none.set("ENCODE_TIMEOUT", "1").set("REDIS_URI", "1"));
    let named: Vec<&str> = said.iter().filter_map(|line| line.split(':').next()).collect();
    let wanted = [
        "dream",
        "ENCODE_TIMEOUT",
        "REDIS_URI",
        "REDIS_URL",
        "image_tries",
        "LLM_PROVIDER",
        "TTS_PROVIDER",
        "IMAGE_PROVIDER",
        "STORAGE_URL",
        "STILLCAST_HOME",
    ];
    assert_eq!(named, wanted, "{said:#?}");
}

#[test]
fn what_a_later_version_reads_is_noted_and_strangers_are_not() {
    let sources = required().set("MAX_ATTEMPTS", "x").set("EDITOR", "x").set("REDIS_PORT", "1");
    let notes = Config::load(&sources).unwrap().notes;
    assert_eq!(notes, ["MAX_ATTEMPTS is set, and does nothing in this version"]);
}

#[test]
fn jobs_share_over_the_queue_s_redis_unless_another_is_named() {
    let caching = Config::load(&required()).unwrap().caching;
    assert_eq!((caching.shares, caching.ttl), (true, Duration::from_hours(1)));
    assert_eq!(caching.redis_url.expose_secret(), "redis://localhost");
    let own = required()
        .set("CACHE_REDIS_URL", "redis://:canary@cache")
        .set("CACHE_TTL", "5m")
        .set("USE_CACHING", "false");
    let config = Config::load(&own).unwrap();
    assert_eq!((config.caching.shares, config.caching.ttl), (false, Duration::from_mins(5)));
    assert_eq!(config.caching.redis_url.expose_secret(), "redis://:canary@cache");
    let printed = format!("{} {} {config:?}", config.to_toml(), config.to_json());
    assert!(!printed.contains(CANARY), "{printed}");
    let wrong = faults(&required().set("CACHE_REDIS_URL", "http://x").set("CACHE_TTL", "0"));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

#[test]
fn a_secret_may_lie_in_a_file() {
    let folder = folder();
    let secret = folder.path().join("redis");
    std::fs::write(&secret, "redis://:canary@host\n").unwrap();
    let mut sources = required().set("REDIS_URL_FILE", &secret.display().to_string());
    let both = faults(&sources);
    assert_eq!(both, ["REDIS_URL_FILE: and REDIS_URL are both set; keep one"]);
    sources.variables.remove("REDIS_URL");
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.queue.redis_url.expose_secret(), "redis://:canary@host");
    let missing = faults(&sources.set("REDIS_URL_FILE", "/nowhere"));
    assert!(missing[0].starts_with("REDIS_URL_FILE: cannot be read"), "{missing:?}");
}

#[test]
fn half_a_key_is_a_fault() {
    for (known, other) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ] {
        let said = faults(&required().set(known, CANARY));
        let sentence = format!("{other}: is not set; and {known} is; set both or none");
        assert_eq!(said, [sentence]);
    }
}

#[test]
fn no_secret_is_ever_printed() {
    let url = "redis://canary:canary@host:6379/0";
    let sources = required()
        .set("REDIS_URL", url)
        .set("DATABASE_URL", "postgres://canary:canary@host/content")
        .set("AWS_ACCESS_KEY_ID", "the-name-of-a-key")
        .set("AWS_SECRET_ACCESS_KEY", CANARY)
        .set("AWS_SESSION_TOKEN", CANARY);
    let config = Config::load(&sources).unwrap();
    let printed = [config.to_toml(), config.to_json().to_string(), format!("{config:?}")];
    for page in printed {
        assert!(!page.contains(CANARY), "{page}");
    }
    assert!(config.to_toml().contains("redis_url = \"redis://***@host:6379/0\"\n"));
    assert!(config.to_toml().contains("database_url = \"postgres://***@host/content\"\n"));
    let token = config.storage.bucket.key.unwrap().session_token.unwrap();
    assert_eq!(token.expose_secret(), CANARY);
    let folder = folder();
    for sources in [
        required().set("REDIS_URL", "http://canary"),
        required().file(&folder, "redis_url = \"redis://:canary@host"),
        required().set("REDIS_URI", "redis://:canary@host"),
    ] {
        let said = format!("{} {:?}", faults(&sources).join(" "), Config::load(&sources));
        assert!(!said.contains(CANARY), "{said}");
    }
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let folder = folder();
    let sources = required().file(&folder, "lease_ttl = 3\n\nqueue_name = \"x\ntts_tries = 1");
    let said = faults(&sources);
    assert!(said[0].ends_with("worker.toml: is no TOML at line 3"), "{said:?}");
    let nowhere = Sources { file: Some(Path::new("/nowhere.toml").to_owned()), ..required() };
    assert!(faults(&nowhere)[0].starts_with("/nowhere.toml: cannot be read"));
}

#[test]
fn what_is_printed_can_be_read_again() {
    let sources = required().set("MAX_PARALLEL_TASKS", "3").set("TTS_TIMEOUT", "2m");
    let config = Config::load(&sources).unwrap();
    let folder = folder();
    let again = Config::load(&Sources::default().file(&folder, &config.to_toml())).unwrap();
    assert_eq!(again.policies, config.policies);
    assert_eq!(again.to_json(), config.to_json());
    assert_eq!(config.to_json()["max_parallel_tasks"], 3);
    assert_eq!(config.to_json()["transcript_slots"], 3, "auto is shown as what it stands for");
    assert_eq!(config.to_json()["optimize_for_speed"], true);
    assert_eq!(config.to_json()["redis_url"], "redis://localhost");
}

#[test]
fn the_home_is_the_users_unless_it_is_set() {
    let mut sources = required().set("HOME", "/srv/me");
    sources.variables.remove("STILLCAST_HOME");
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.storage.scratch, Path::new("/srv/me/.local/share/stillcast/scratch"));
    assert_eq!(config.to_json()["stillcast_home"], "/srv/me/.local/share/stillcast");
}

#[test]
fn what_is_bought_has_an_address_a_key_and_a_model() {
    let keyless = required().set("LLM_PROVIDER", "openai").set("IMAGE_PROVIDER", "openai");
    let message = "is not set; set it, or OPENAI_API_KEY, to the account's key";
    let wanted = ["LLM", "IMAGE"].map(|word| format!("{word}_API_KEY: {message}"));
    assert_eq!(faults(&keyless), wanted);
    let sources = keyless
        .set("TTS_PROVIDER", "openai")
        .set("OPENAI_API_KEY", CANARY)
        .set("TTS_BASE_URL", "http://voice:8880/v1/")
        .set("TTS_API_KEY", "own")
        .set("TTS_MODEL", "kokoro")
        .set("LLM_PRICE_OUTPUT", "0.5");
    let config = Config::load(&sources).unwrap();
    let WriterConfig::OpenAi { account, prices } = &config.providers.writer else { panic!() };
    assert_eq!(account.base_url, "https://api.openai.com/v1");
    assert_eq!(account.key.as_ref().unwrap().expose_secret(), CANARY);
    assert_eq!((account.model.as_str(), *prices), ("gpt-6-luna", (0.0, 0.5)));
    let SpeakerConfig::OpenAi { account, voice, .. } = &config.providers.speaker else { panic!() };
    assert_eq!((account.base_url.as_str(), voice.as_str()), ("http://voice:8880/v1", "alloy"));
    assert_eq!(account.key.as_ref().unwrap().expose_secret(), "own");
    for page in [config.to_toml(), config.to_json().to_string(), format!("{config:?}")] {
        assert!(!page.contains(CANARY), "{page}");
    }
    assert_eq!(config.to_json()["openai_api_key"], "***");
}

#[test]
fn a_server_of_one_s_own_may_need_no_key() {
    let sources =
        required().set("LLM_PROVIDER", "openai").set("OPENAI_BASE_URL", "http://localhost:8000/v1");
    let config = Config::load(&sources).unwrap();
    let WriterConfig::OpenAi { account, .. } = &config.providers.writer else { panic!() };
    assert!(account.key.is_none());
}

#[test]
fn a_command_is_words_and_knows_nothing_secret() {
    let command = required().set("TTS_PROVIDER", "command");
    let message = "TTS_COMMAND: is not set; TTS_PROVIDER=command runs it for each passage";
    assert_eq!(faults(&command), [message]);
    let sources = command
        .set("TTS_COMMAND", "piper --model 'my voice.onnx' $HOME")
        .set("PATH", "/usr/bin")
        .set("OPENAI_API_KEY", CANARY);
    let config = Config::load(&sources).unwrap();
    let SpeakerConfig::Command { words, environment } = &config.providers.speaker else { panic!() };
    assert_eq!(*words, ["piper", "--model", "my voice.onnx", "$HOME"]);
    assert_eq!(*environment, [("PATH".to_owned(), "/usr/bin".to_owned())]);
}
