//! Addresses to scrape go in; a real Prometheus answers what is asked of it in its own language.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use child::{Running, Spec};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ports::free_address;
use crate::wait::{WAIT_TIMEOUT, look};

/// Longest wait for a number; reaching it is a failure, which says what the number was.
const WAIT: Duration = Duration::from_secs(45);
/// How often it scrapes: often, so that no test waits for it.
const INTERVAL: &str = "400ms";
/// Its configuration, and what it says, in its folder.
const CONFIG: &str = "prometheus.yml";
const LOG: &str = "log";
/// Ports that it may find taken: between the draw and its start another test may take one.
const STARTS: usize = 5;

/// One series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels, the name as `__name__`.
    pub labels: BTreeMap<String, String>,
    /// Not a number where there was nothing to count.
    pub value: f64,
}

/// A running server; gone when dropped.
pub struct Prometheus {
    address: SocketAddr,
    _running: Running,
    folder: TempDir,
}

impl Prometheus {
    /// Scrapes `/metrics` of each address, under the name of its job; keeps exemplars, and goes by the
    /// rules of `rules`, if there are any.
    pub async fn start(
        targets: &[(&str, SocketAddr)],
        rules: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sc-").tempdir()?;
        std::fs::write(folder.path().join(CONFIG), configuration(targets, rules))?;
        let (running, address) = listening(folder.path()).await?;
        let server = Self { address, _running: running, folder };
        server.reads_all(targets.len()).await?;
        Ok(server)
    }

    /// Returns once it has read each of `targets` addresses, though not all at the same moment.
    async fn reads_all(&self, targets: usize) -> anyhow::Result<()> {
        let read = look(WAIT_TIMEOUT, async || {
            let read = self.query("max_over_time(up[5m]) == 1").await.ok()?;
            (read.len() == targets).then_some(())
        });
        if read.await.is_some() {
            return Ok(());
        }
        let faults = self.faults().await?;
        anyhow::bail!("not all were ever read: {faults:#?}; it says: {}", log(self.folder.path()))
    }

    /// What went wrong at last with each address.
    async fn faults(&self) -> anyhow::Result<Vec<String>> {
        let data = self.ask("/api/v1/targets").await?;
        let targets = data["activeTargets"].as_array().context("no targets")?;
        let fault = |target: &Value| format!("{}: {}", target["scrapeUrl"], target["lastError"]);
        Ok(targets.iter().map(fault).collect())
    }

    /// What it answers to an instant query.
    pub async fn query(&self, query: &str) -> anyhow::Result<Vec<Sample>> {
        let data = self.ask(&format!("/api/v1/query?query={}", encoded(query))).await?;
        let result = data["result"].as_array().with_context(|| format!("{query}: {data}"))?;
        // A scalar is a pair, anything else a list of series.
        let Some(series) = result.iter().map(sample).collect::<Option<Vec<_>>>() else {
            let value =
                result.get(1).and_then(number).with_context(|| format!("{query}: {data}"))?;
            return Ok(vec![Sample { labels: BTreeMap::new(), value }]);
        };
        Ok(series)
    }

    /// The exemplars of the last hour: their labels.
    pub async fn exemplars(&self, query: &str) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
        let path =
            format!("/api/v1/query_exemplars?query={}&start=0&end=9999999999", encoded(query));
        let data = self.ask(&path).await?;
        let series = data.as_array().with_context(|| format!("{query}: {data}"))?;
        let exemplars = series.iter().filter_map(|series| series["exemplars"].as_array()).flatten();
        Ok(exemplars.filter_map(|exemplar| texts(&exemplar["labels"])).collect())
    }

    /// The one value of a query, as soon as it is `wanted` to a billionth; what it was at last fails.
    pub async fn settles(&self, query: &str, wanted: f64) {
        let mut last = Vec::new();
        let found = look(WAIT, async || {
            last = self.query(query).await.ok()?;
            let [one] = &last[..] else { return None };
            ((one.value - wanted).abs() < 1e-9).then_some(())
        });
        let found = found.await;
        assert!(found.is_some(), "{query} is not {wanted}, but {last:?}");
    }

    /// Returns once a query gives anything that is a number.
    pub async fn has(&self, query: &str) {
        let found = look(WAIT, async || {
            let found = self.query(query).await.ok()?;
            found.iter().any(|sample| sample.value.is_finite()).then_some(())
        });
        assert!(found.await.is_some(), "{query} has no data: {:?}", self.query(query).await);
    }

    async fn ask(&self, path: &str) -> anyhow::Result<Value> {
        let body = get(self.address, path).await?;
        let answer: Value = serde_json::from_str(&body).with_context(|| body.clone())?;
        anyhow::ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["data"].clone())
    }
}

/// The body of what is answered at `path`.
async fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // Of the old protocol, so that the answer comes in one piece and ends with the connection.
    let request = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no head")?;
    Ok(body.to_owned())
}

/// The program and its address, once it answers there.
async fn listening(folder: &Path) -> anyhow::Result<(Running, SocketAddr)> {
    for _ in 0..STARTS {
        let address = free_address().await?;
        let mut running = spawned(folder, address).await?;
        let answers = look(WAIT_TIMEOUT, async || is_ready(address).await.ok()?.then_some(()));
        tokio::select! {
            biased;
            _ = running.wait() => continue,
            answers = answers => answers.context("it was never ready")?,
        };
        return Ok((running, address));
    }
    anyhow::bail!("it ended {STARTS} times; at last it said: {}", log(folder))
}

/// Whether it is Prometheus that answers there, and not somebody who took the port first.
async fn is_ready(address: SocketAddr) -> anyhow::Result<bool> {
    Ok(get(address, "/-/ready").await?.contains("Prometheus"))
}

async fn spawned(folder: &Path, address: SocketAddr) -> anyhow::Result<Running> {
    let spec = Spec::new("prometheus")
        .hint("install it with: apt-get install prometheus")
        .arg(format!("--config.file={}", folder.join(CONFIG).display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--enable-feature=exemplar-storage")
        .arg("--log.level=warn")
        .without_timeout();
    let log = std::fs::File::create(folder.join(LOG))?;
    Ok(spec.stdout(child::Stream::Null).stderr(child::Stream::File(log)).spawn().await?)
}

/// What it has said, for the message of a test that fails.
fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(LOG)).unwrap_or_else(|fault| fault.to_string())
}

fn configuration(targets: &[(&str, SocketAddr)], rules: Option<&Path>) -> String {
    let mut jobs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (job, address) in targets {
        jobs.entry(job).or_default().push(address.to_string());
    }
    let rules: Vec<String> = rules.iter().map(|path| path.display().to_string()).collect();
    let scrapes: Vec<Value> = jobs
        .iter()
        .map(|(job, targets)| {
            serde_json::json!({"job_name": job, "static_configs": [{"targets": targets}]})
        })
        .collect();
    // JSON is YAML.
    serde_json::json!({
        "global": {
            "scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL,
        },
        "rule_files": rules,
        "scrape_configs": scrapes,
    })
    .to_string()
}

fn sample(series: &Value) -> Option<Sample> {
    Some(Sample { labels: texts(&series["metric"])?, value: number(&series["value"][1])? })
}

fn texts(object: &Value) -> Option<BTreeMap<String, String>> {
    let pairs = object.as_object()?.iter();
    pairs.map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
}

fn number(text: &Value) -> Option<f64> {
    text.as_str()?.parse().ok()
}

fn encoded(query: &str) -> String {
    query.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            // A String takes every write.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
