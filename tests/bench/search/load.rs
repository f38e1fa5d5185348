//! A server with many dead jobs: how long it takes to know them, to answer filters, and to replay them all.
//!
//! Argument: `--jobs N`, 100,000 by default. The server is the one that was built beside this program.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use queue::{BulkState, Clock, Scripts, Verb};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use stillcast_enqueue::keys::Keys;
use tests::many;
use tests::process::resident;
use tests::program::{Program, serve};
use tests::server::Server;
use tests::wait::until;

/// Filters of every kind: few and many matches, each field, several terms.
const FILTERS: [&str; 12] = [
    "",
    "state:dead",
    "state:ready",
    "tenant:tenant-3 code:fault-4",
    "code:fault-*",
    "-tenant:tenant-1,tenant-2 priority>=7",
    "age<1h age>=1s",
    "meta.show=\"evening walk 17\"",
    "meta.user:user-9*",
    "provider:openai stage:tts format:audio",
    "id:nobody",
    "meta.episode:99999,5 -state:done",
];
/// What people look at first.
const PAGES: [&str; 6] = ["/", "/jobs", "/dead", "/stages", "/queue", "/audit"];
/// How often each is asked.
const ROUNDS: usize = 20;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let jobs = jobs()?;
    let server = Server::start_everysec().await?;
    many::dead_jobs(&server, jobs).await?;
    let path = std::env::current_exe()?.with_file_name("stillcast");
    let program = Program::at(path)
        .env("STILLCAST_HOME", server.folder().join("home"))
        .env("REDIS_URL", server.url())
        .env("HTTP_ADDR", "127.0.0.1:0")
        .env("API_REQUESTS_PER_MINUTE", "0");
    let began = Instant::now();
    let (serving, url) = serve(&program).await?;
    let client = Client::new();
    let before = resident(serving.pid())?;
    let ready = began.elapsed();
    until("the server knows them", async || {
        let plan = plan(&client, &url).await.ok()?;
        (plan["jobs"] == jobs).then_some(())
    })
    .await;
    println!(
        "{jobs} jobs known after   {:>8.2} s, of which its start {:.2} s",
        began.elapsed().as_secs_f64(),
        ready.as_secs_f64()
    );
    let grown = resident(serving.pid())?.saturating_sub(before);
    println!("memory for them        {:>8.1} MiB", grown as f64 / f64::from(1 << 20));
    search(&client, &url).await?;
    pages(&client, &url).await?;
    replay(&client, &url, &server, jobs).await
}

fn jobs() -> anyhow::Result<usize> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(100_000),
        ["--jobs", number] => number.parse().context("--jobs takes a number"),
        _ => anyhow::bail!("usage: tests/bench/search/run [--jobs N]"),
    }
}

async fn plan(client: &Client, url: &str) -> anyhow::Result<Value> {
    let asked = client.post(format!("{url}/v1/jobs/bulk"));
    Ok(asked.json(&json!({"action": "replay", "filter": ""})).send().await?.json().await?)
}

/// Each filter so many times, one after the other, a page of fifty each.
async fn search(client: &Client, url: &str) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for filter in FILTERS {
        let mut took = Vec::new();
        let mut matches = 0;
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let place = Url::parse_with_params(&format!("{url}/v1/jobs"), [("filter", filter)])?;
            let answer = client.get(place).send().await?;
            let answer: Value = answer.error_for_status()?.json().await?;
            took.push(began.elapsed());
            matches = answer["search"]["matches"].as_u64().context("matches")?;
        }
        took.sort_unstable();
        println!("{:>8.1} ms p95  {matches:>7} of  {filter}", percentile(&took, 95));
        all.extend(took);
    }
    all.sort_unstable();
    let [middle, tail, worst] = [50, 95, 100].map(|percent| percentile(&all, percent));
    println!(
        "any filter             {middle:>8.1} ms p50, {tail:.1} ms p95, {worst:.1} ms at most"
    );
    Ok(())
}

/// Each page for people, and that of jobs with each filter: until its last byte.
async fn pages(client: &Client, url: &str) -> anyhow::Result<()> {
    let places = PAGES.iter().map(|path| Url::parse(&format!("{url}{path}")));
    let filtered = FILTERS
        .iter()
        .map(|filter| Url::parse_with_params(&format!("{url}/jobs"), [("q", filter)]));
    let mut all = Vec::new();
    for place in places.chain(filtered) {
        let place = place?;
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            client.get(place.clone()).send().await?.error_for_status()?.bytes().await?;
            took.push(began.elapsed());
        }
        took.sort_unstable();
        let shown = place.query().map_or(place.path(), |query| query);
        println!("{:>8.1} ms p95  page {shown}", percentile(&took, 95));
        all.extend(took);
    }
    all.sort_unstable();
    let [middle, tail, worst] = [50, 95, 100].map(|percent| percentile(&all, percent));
    println!(
        "any page               {middle:>8.1} ms p50, {tail:.1} ms p95, {worst:.1} ms at most"
    );
    Ok(())
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3
}

/// All of them once more.
async fn replay(client: &Client, url: &str, server: &Server, jobs: usize) -> anyhow::Result<()> {
    server.configure("slowlog-max-len", "100000").await?;
    server.configure("slowlog-log-slower-than", "100").await?;
    server.say(&["SLOWLOG", "RESET"]).await?;
    let plan = plan(client, url).await?;
    println!("price                  {}", plan["price"]);
    let began = Instant::now();
    let asked = client.post(format!("{url}/v1/jobs/bulk")).json(&json!({"plan": plan["plan"]}));
    let bulk: Value = asked.send().await?.json().await?;
    let id = bulk["id"].as_str().context("an identifier")?;
    let inspector = many::open(server).await?;
    let bulk = until("all are replayed", async || {
        let bulk = inspector.bulk(id).await.ok()??;
        (bulk.state == BulkState::Done).then_some(bulk)
    })
    .await;
    println!("replayed in            {:>8.2} s", began.elapsed().as_secs_f64());
    ensure!(bulk.granted == jobs as u64 && bulk.refused.is_empty(), "{bulk:?}");
    let ready = inspector.stats().await?.states.ready;
    ensure!(ready == jobs as u64, "{ready} are ready");
    let mut scripts = scripts(server).await?;
    scripts.sort_unstable();
    let at = |percent: usize| scripts[(scripts.len() - 1) * percent / 100] as f64 / 1e3;
    println!(
        "its scripts            {:>8.2} ms p50, {:.2} ms p99, {:.2} ms at most",
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

/// How long each script of a bulk action took, in µs, by Redis' own log.
async fn scripts(server: &Server) -> anyhow::Result<Vec<u64>> {
    type Entry = (u64, u64, u64, Vec<String>, String, String);
    let scripts = Scripts::new(Keys::new("stillcast")?, Clock::Server);
    let digests = [Verb::Bulk, Verb::BulkStep].map(|verb| scripts.digest(verb).to_owned());
    let log: Vec<Entry> = server.command(&[b"SLOWLOG", b"GET", b"-1"]).await?;
    let is_ours = |entry: &Entry| entry.3.get(1).is_some_and(|word| digests.contains(word));
    Ok(log.into_iter().filter(is_ours).map(|entry| entry.2).collect())
}
