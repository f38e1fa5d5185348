//! The environment goes in, settings come out; the only module of `ops` that reads it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use stillcast_enqueue::address;

use crate::cli_error::CliError;

/// Where the embedded stack keeps its data when `STILLCAST_HOME` is not set, below `HOME`.
const DEFAULT_HOME: &str = ".local/share/stillcast";
const DEFAULT_QUEUE: &str = "stillcast";

/// What the environment says.
pub(crate) struct Config {
    /// The queue's Redis; `None` means a running embedded one.
    pub(crate) redis_url: Option<String>,
    /// The queue's name. Default `stillcast`.
    pub(crate) queue_name: String,
    /// Where the worker stores files.
    pub(crate) storage_url: Option<String>,
    /// How a bucket at `storage_url` is reached.
    pub(crate) bucket: BucketConfig,
    /// The database that `migrate` changes.
    pub(crate) database_url: Option<String>,
    /// The embedded stack's folder, absolute.
    pub(crate) home: PathBuf,
    /// All of it, for the embedded worker.
    pub(crate) environment: Environment,
}

/// How a bucket is reached; unset parts are the machine's AWS settings.
pub(crate) struct BucketConfig {
    /// Another S3 than Amazon's.
    pub(crate) endpoint: Option<String>,
    /// The bucket's region.
    pub(crate) region: Option<String>,
    /// The name of the account's key.
    pub(crate) access_key_id: Option<String>,
    /// Its secret.
    pub(crate) secret_access_key: Option<String>,
    /// Given with temporary keys.
    pub(crate) session_token: Option<String>,
}

/// Names and values as the process was given them.
pub(crate) struct Environment(Vec<(OsString, OsString)>);

impl Config {
    /// Reads the process' environment.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        Self::read(Environment(std::env::vars_os().collect()))
    }

    fn read(environment: Environment) -> anyhow::Result<Self> {
        Ok(Self {
            redis_url: redis_url(&environment)?,
            queue_name: environment.text("QUEUE_NAME")?.unwrap_or_else(|| DEFAULT_QUEUE.to_owned()),
            storage_url: environment.text("STORAGE_URL")?,
            bucket: BucketConfig::read(&environment)?,
            database_url: environment.secret("DATABASE_URL")?,
            home: home(&environment)?,
            environment,
        })
    }
}

impl BucketConfig {
    fn read(environment: &Environment) -> anyhow::Result<Self> {
        let read = Self {
            endpoint: environment.text("S3_ENDPOINT")?,
            region: environment.text("AWS_REGION")?,
            access_key_id: environment.text("AWS_ACCESS_KEY_ID")?,
            secret_access_key: environment.secret("AWS_SECRET_ACCESS_KEY")?,
            session_token: environment.secret("AWS_SESSION_TOKEN")?,
        };
        if read.access_key_id.is_some() == read.secret_access_key.is_some() {
            return Ok(read);
        }
        let message = "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or none of them";
        Err(CliError::configuration(message))
    }
}

impl Environment {
    /// Every pair but those whose name `is_dropped`.
    pub(crate) fn without(
        &self,
        is_dropped: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = &(OsString, OsString)> {
        self.0.iter().filter(move |(name, _)| !name.to_str().is_some_and(&is_dropped))
    }

    /// Whether `name` is set to anything.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// An empty value counts as none.
    fn raw(&self, name: &str) -> Option<&OsString> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> anyhow::Result<Option<String>> {
        let read = |value: &OsString| value.to_str().map(str::to_owned);
        self.raw(name)
            .map(|value| {
                let fault = || CliError::configuration(format!("{name} is not valid UTF-8"));
                read(value).ok_or_else(fault)
            })
            .transpose()
    }

    /// The value of `name`, or the content of the file that `<name>_FILE` names.
    fn secret(&self, name: &str) -> anyhow::Result<Option<String>> {
        let file_name = format!("{name}_FILE");
        match (self.text(name)?, self.raw(&file_name)) {
            (value, None) => Ok(value),
            (None, Some(path)) => read_secret(&file_name, Path::new(path)).map(Some),
            (Some(_), Some(_)) => {
                Err(CliError::configuration(format!("{name} and {file_name} are both set")))
            }
        }
    }
}

/// The queue's Redis, with whom to trust there.
fn redis_url(environment: &Environment) -> anyhow::Result<Option<String>> {
    let url = environment.secret("REDIS_URL")?;
    let Some(file) = environment.raw("REDIS_CA_FILE").map(Path::new) else { return Ok(url) };
    Ok(url.map(|url| address::with_ca_file(&url, file)))
}

fn read_secret(name: &str, path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::configuration(format!("{name}: {} cannot be read: {error}", path.display()))
    })?;
    Ok(text.trim().to_owned())
}

fn home(environment: &Environment) -> anyhow::Result<PathBuf> {
    let chosen = environment.raw("STILLCAST_HOME").map(PathBuf::from);
    let default = || environment.raw("HOME").map(|home| Path::new(home).join(DEFAULT_HOME));
    let home = chosen.or_else(default).ok_or_else(|| {
        CliError::configuration("set STILLCAST_HOME: neither it nor HOME names a folder")
    })?;
    Ok(std::path::absolute(home)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> anyhow::Result<Config> {
        let pairs = pairs.iter().map(|(name, value)| (name.into(), value.into()));
        Config::read(Environment(pairs.collect()))
    }

    #[test]
    fn defaults_follow_home() {
        let config = read(&[("HOME", "/somebody"), ("REDIS_URL", "")]).unwrap();
        assert_eq!(config.home, Path::new("/somebody/.local/share/stillcast"));
        assert_eq!((config.redis_url, config.queue_name.as_str()), (None, "stillcast"));
    }

    #[test]
    fn a_secret_may_lie_in_a_file_but_not_in_two_places() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "redis://somewhere\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = read(&[("HOME", "/x"), ("REDIS_URL_FILE", path)]).unwrap();
        assert_eq!(config.redis_url.as_deref(), Some("redis://somewhere"));
        let both = [("HOME", "/x"), ("REDIS_URL_FILE", path), ("REDIS_URL", "redis://else")];
        assert!(read(&both).is_err());
    }

    #[test]
    fn without_any_home_it_says_what_to_set() {
        let error = read(&[]).err().unwrap();
        assert!(error.to_string().contains("STILLCAST_HOME"));
    }
}
