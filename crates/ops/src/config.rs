//! The environment goes in, checked settings come out, or every fault at once; the only module of
//! `ops` that reads it.
//!
//! `deploy/ops.toml` names each setting, its default and its sentence. An address that the worker
//! would refuse is refused here too, whichever command is run: both ask `settings` what an address is.

mod http;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret, SecretString};
use settings::{
    BucketConfig, Faults, Knobs, OutboxConfig, QueriesConfig, Reader, Settled, Sources,
};
use settings::{WebhookConfig, address};
use stillcast_enqueue::Identifier;
use stillcast_enqueue::address::{check_ca_file, with_ca_file};

use crate::cli_error::CliError;

pub(crate) use self::http::HttpConfig;
pub(crate) use settings::Environment;

/// Every setting of this program.
///
/// An operator's shell may hold the worker's settings as well: `make` and `dev` hand them on, and all
/// other commands have no use for them. So they are neighbours, which are never taken for a slip,
/// however near to a setting of ours one of them may come. A slip of one of theirs is for the worker
/// to refuse, who knows all of them.
const KNOBS: Knobs = Knobs {
    owner: "stillcast",
    defaults: include_str!("../../../deploy/ops.toml"),
    neighbours: include_str!("../../../deploy/worker.toml"),
    not_yet: &[],
    split: &[],
};

/// Most replicas that somebody may wait for.
const MAX_REPLICAS: usize = 100;
/// Longest wait for them: half of a producer's call.
const MAX_WAIT: Duration = Duration::from_millis(2500);

/// What an embedded stack has of its own: its commands read none of it, not even to refuse it.
const EMBEDDED: [&str; 6] = [
    "REDIS_URL",
    "REDIS_URL_FILE",
    "REDIS_CA_FILE",
    "CACHE_REDIS_URL",
    "CACHE_REDIS_URL_FILE",
    "STORAGE_URL",
];

/// What the environment says.
pub(crate) struct Config {
    /// The queue's Redis, with whom to trust there; may hold a password. `None` means a running
    /// embedded one.
    pub(crate) redis_url: Option<SecretString>,
    /// The Redis in which the workers share results, with whom to trust there; `None` means the queue's.
    pub(crate) cache_redis_url: Option<SecretString>,
    /// The queue's name.
    pub(crate) queue_name: String,
    /// How many replicas must have a job, and how long that may take.
    pub(crate) copies: (u32, Duration),
    /// Where the worker stores files.
    pub(crate) storage_url: Option<String>,
    /// How a bucket at `storage_url` is reached.
    pub(crate) bucket: BucketConfig,
    /// Where the API answers, and whom.
    pub(crate) http: HttpConfig,
    /// How `serve` tells of the ends of jobs.
    #[cfg_attr(
        not(feature = "http"),
        expect(
            dead_code,
            reason = "a build without the API reads them only to refuse what is wrong"
        )
    )]
    pub(crate) webhooks: WebhookConfig,
    /// Whether `serve` hands over what applications write into the outbox.
    #[cfg_attr(
        not(all(feature = "http", feature = "postgres")),
        expect(
            dead_code,
            reason = "a build without either reads them only to refuse what is wrong"
        )
    )]
    pub(crate) outbox: OutboxConfig,
    /// The database that `migrate` changes; may hold a password.
    pub(crate) database_url: Option<SecretString>,
    /// How the workers find conversations there.
    pub(crate) queries: QueriesConfig,
    /// The embedded stack's folder, absolute.
    pub(crate) home: PathBuf,
    /// All of it, for the embedded worker.
    pub(crate) environment: Environment,
    /// The settings as they may be shown.
    pub(crate) settled: Settled,
}

impl Config {
    /// Reads the process' environment; `is_embedded` for a command that runs a stack of its own.
    pub(crate) fn from_environment(is_embedded: bool) -> anyhow::Result<Self> {
        let read = Self::read(Environment::of_process(), is_embedded);
        read.map_err(|faults| CliError::configuration(faults.to_string()))
    }

    /// The queue's Redis; refused where this build leaves out what it takes to get there.
    pub(crate) fn reachable_redis(&self) -> anyhow::Result<Option<&str>> {
        reachable(self.redis_url.as_ref()).context("REDIS_URL")
    }

    /// The same of the Redis in which the workers share results.
    pub(crate) fn reachable_cache(&self) -> anyhow::Result<Option<&str>> {
        reachable(self.cache_redis_url.as_ref()).context("CACHE_REDIS_URL")
    }

    fn read(environment: Environment, is_embedded: bool) -> Result<Self, Faults> {
        let is_ignored = |name: &str| is_embedded && EMBEDDED.contains(&name);
        let sources = Sources { file: None, environment: environment.without(is_ignored) };
        let mut reader = Reader::new(KNOBS, &sources);
        let (redis_url, cache_redis_url) = redis_urls(&mut reader);
        let queue_name = reader.read("queue_name", queue_name);
        let copies = copies(&mut reader);
        let http = HttpConfig::read(&mut reader);
        let webhooks = WebhookConfig::read(&mut reader);
        let database_url = reader.optional("database_url", address::postgres);
        let queries = QueriesConfig::read(&mut reader);
        let outbox = OutboxConfig::read(&mut reader);
        let storage_url = reader.optional("storage_url", address::storage);
        let bucket = BucketConfig::read(&mut reader);
        let home = home(&mut reader, &environment);
        let parts = queue_name.zip(copies).zip(home).zip(http).zip(outbox);
        let config = parts.map(|((((queue_name, copies), home), http), outbox)| {
            let database_url = database_url.map(SecretString::from);
            move |settled| Self {
                redis_url,
                cache_redis_url,
                queue_name,
                copies,
                storage_url,
                bucket,
                http,
                webhooks,
                outbox,
                database_url,
                queries,
                home,
                environment,
                settled,
            }
        });
        reader.finish(config)
    }
}

fn reachable(url: Option<&SecretString>) -> anyhow::Result<Option<&str>> {
    let url = url.map(ExposeSecret::expose_secret);
    if !cfg!(feature = "tls") && url.is_some_and(|url| url.starts_with("rediss://")) {
        return Err(CliError::left_out("tls"));
    }
    Ok(url)
}

/// The queue's Redis and the cache's, with whom to trust there.
fn redis_urls(reader: &mut Reader) -> (Option<SecretString>, Option<SecretString>) {
    let ca_file = reader.optional("redis_ca_file", |text| {
        let path = PathBuf::from(text);
        // Without TLS there is nothing to try it with.
        if !cfg!(feature = "tls") {
            return Ok(path);
        }
        check_ca_file(&path).map(|()| path).map_err(|error| error.to_string())
    });
    let trusting = |url: String| match &ca_file {
        Some(file) => with_ca_file(&url, file).into(),
        None => url.into(),
    };
    let queue = reader.optional("redis_url", address::redis).map(&trusting);
    let cache = reader.optional("cache_redis_url", address::redis).map(&trusting);
    (queue, cache)
}

fn copies(reader: &mut Reader) -> Option<(u32, Duration)> {
    let replicas = reader.count("producer_wait_replicas", 0..=MAX_REPLICAS);
    let range = Duration::from_millis(1)..=MAX_WAIT;
    let limit = reader.duration("producer_wait_timeout", range);
    Some((u32::try_from(replicas?).ok()?, limit?))
}

fn queue_name(text: &str) -> Result<String, String> {
    let checked = Identifier::parse("queue_name", text);
    checked.map(|name| name.to_string()).map_err(|_| "is letters, digits, `.`, `_`, `-`".to_owned())
}

/// A folder that is named from where the person stands is one too.
fn home(reader: &mut Reader, environment: &Environment) -> Option<PathBuf> {
    let home = settings::home(reader, environment);
    let folder = home.and_then(|folder| std::path::absolute(folder).ok());
    if folder.is_none() {
        reader.missing(
            "stillcast_home",
            "and HOME names no folder; set it to one for the private Redis",
        );
    }
    folder
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What `stillcast` with these, and a home, makes of them.
    fn read(pairs: &[(&str, &str)]) -> Result<Config, Faults> {
        Config::read([("HOME", "/somebody")].iter().chain(pairs).copied().collect(), false)
    }

    /// Reads, and must fail; each fault on a line.
    fn faults(pairs: &[(&str, &str)]) -> Vec<String> {
        read(pairs).err().unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn defaults_follow_home() {
        let config = read(&[("REDIS_URL", "")]).unwrap();
        assert_eq!(config.home, Path::new("/somebody/.local/share/stillcast"));
        assert!(config.redis_url.is_none());
        assert_eq!(config.queue_name, "stillcast");
        assert_eq!(config.copies, (0, Duration::from_secs(1)));
    }

    #[test]
    fn a_secret_may_lie_in_a_file_but_not_in_two_places() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "redis://somewhere\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = read(&[("REDIS_URL_FILE", path)]).unwrap();
        assert_eq!(config.redis_url.unwrap().expose_secret(), "redis://somewhere");
        let both = [("REDIS_URL_FILE", path), ("REDIS_URL", "redis://else")];
        assert_eq!(faults(&both), ["REDIS_URL_FILE: and REDIS_URL are both set; keep one"]);
    }

    #[test]
    fn without_any_home_it_says_what_to_set() {
        let error = Config::read(Environment::default(), false).err().unwrap();
        assert!(error.to_string().contains("STILLCAST_HOME"));
    }

    #[test]
    fn a_folder_may_be_named_from_where_one_stands() {
        let config = read(&[("STILLCAST_HOME", "data")]).unwrap();
        assert_eq!(config.home, std::env::current_dir().unwrap().join("data"));
    }

    #[test]
    fn every_address_is_refused_as_the_worker_refuses_it_and_all_at_once() {
        let said = faults(&[
            ("REDIS_URL", "http://somewhere"),
            ("REDIS_CA_FILE", "/nowhere.pem"),
            ("QUEUE_NAME", "a/b"),
            ("DATABASE_URL", "mysql://canary@host"),
            ("STORAGE_URL", "ftp://elsewhere"),
            ("S3_ENDPOINT", "localhost:9000"),
            ("AWS_ACCESS_KEY_ID", "half"),
            ("STORAGE_URI", "redis://canary@host"),
        ]);
        let named: Vec<&str> = said.iter().filter_map(|line| line.split(':').next()).collect();
        let wanted = [
            "STORAGE_URI",
            "REDIS_CA_FILE",
            "REDIS_URL",
            "QUEUE_NAME",
            "DATABASE_URL",
            "STORAGE_URL",
            "S3_ENDPOINT",
            "AWS_SECRET_ACCESS_KEY",
        ];
        assert_eq!(named, wanted, "{said:#?}");
        assert!(!said.join("").contains("canary"), "{said:#?}");
    }

    #[test]
    fn a_slip_of_ours_is_refused_and_a_setting_of_the_worker_never() {
        let slip = "REDIS_ULR: is no setting; did you mean REDIS_URL?";
        assert_eq!(faults(&[("REDIS_ULR", "x")]), [slip]);
        let worker = Knobs { defaults: KNOBS.neighbours, ..KNOBS };
        for name in worker.names().filter(|name| KNOBS.names().all(|ours| ours != *name)) {
            assert!(read(&[(name.to_ascii_uppercase().as_str(), "x")]).is_ok(), "{name}");
        }
        for stranger in ["ENCODE_TIMEOUT", "MAX_ATTEMPTS", "TTS_SLOT", "EDITOR", "REDIS_PORT"] {
            assert!(read(&[(stranger, "x")]).is_ok(), "{stranger}");
        }
    }

    #[test]
    fn both_programs_mean_the_same_by_a_name() {
        let line = |text: &'static str, name: &str| {
            text.lines().find(|line| line.split_once(" = ").is_some_and(|(left, _)| left == name))
        };
        let is_shared = |name: &&str| line(KNOBS.neighbours, name).is_some();
        for name in KNOBS.names().filter(is_shared) {
            let ours = line(KNOBS.defaults, name);
            assert_eq!(ours, line(KNOBS.neighbours, name), "deploy/ops.toml, deploy/worker.toml");
        }
    }

    #[test]
    fn an_embedded_stack_reads_nothing_of_what_it_has_of_its_own() {
        let wrong = EMBEDDED.map(|name| (name, "nonsense"));
        let environment = [("HOME", "/somebody")].into_iter().chain(wrong).collect();
        let config = Config::read(environment, true).unwrap();
        assert!(config.redis_url.is_none() && config.storage_url.is_none());
        assert!(config.environment.has("REDIS_URL"), "it says that it ignores it");
    }
}
