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
use crate::wait::look;

/// Longest wait for a number; reaching it is a failure, which says what the number was.
const WAIT: Duration = Duration::from_secs(45);
/// How often it scrapes: often, so that no test waits for it.
const INTERVAL: &str = "400ms";

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
    _folder: TempDir,
}

impl Prometheus {
    /// Scrapes `/metrics` of each address, under the name of its job; keeps exemplars, and goes by the
    /// rules of `rules`, if there are any.
    pub async fn start(
        targets: &[(&str, SocketAddr)],
        rules: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sc-").tempdir()?;
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, configuration(targets, rules))?;
        let address = free_address().await?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let running = Spec::new("prometheus")
            .hint("install it with: apt-get install prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage")
            .arg("--log.level=warn")
            .stdout(child::Stream::File(log))
            .spawn()
            .await?;
        let server = Self { address, _running: running, _folder: folder };
        let up = look(WAIT, async || {
            let up = server.query("count(up == 1)").await.ok()?;
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let all = targets.len() as f64;
            up.first().filter(|up| (up.value - all).abs() < 0.5).map(|_| ())
        });
        up.await.context("Prometheus never scraped all")?;
        Ok(server)
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
        let mut stream = TcpStream::connect(self.address).await?;
        // Of the old protocol, so that the answer comes in one piece and ends with the connection.
        let request = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no head")?;
        let answer: Value = serde_json::from_str(body).with_context(|| answer.clone())?;
        anyhow::ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["data"].clone())
    }
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
