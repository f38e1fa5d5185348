//! A day of jobs goes in, with a crowd in the morning and servers that fail in all ways; what the fleet, as it is
//! scaled, makes of it comes out, and whether `promtool` says of the query what was assumed of it.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use serde_json::json;

use super::autoscaler::Autoscaler;
use super::fleet::Fleet;
use super::tried;
use crate::kubernetes::{fleet, one};
use crate::tools::Copies;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Servers and workers are asked so often.
const SCRAPE_S: u64 = 15;
/// The default of `BACKLOG_TARGET`.
const TARGET: Duration = Duration::from_mins(2);
/// Ten times as many jobs as otherwise.
const CROWD: Range<u64> = 7 * HOUR..7 * HOUR + 20 * MINUTE;
/// When the first server does not answer, and when the second.
const AWAY: [&[Range<u64>]; 2] = [
    &[
        3 * HOUR..3 * HOUR + 2 * MINUTE,
        6 * HOUR..6 * HOUR + 30,
        7 * HOUR + 4 * MINUTE..7 * HOUR + 5 * MINUTE,
        15 * HOUR..15 * HOUR + 20 * MINUTE,
    ],
    &[6 * HOUR..6 * HOUR + 30, 9 * HOUR..10 * HOUR, 15 * HOUR..15 * HOUR + 20 * MINUTE],
];
/// Servers that are gone, and whose last words are read on: when, and what they were.
const GHOSTS: [(Range<u64>, u64); 2] = [(17 * HOUR..18 * HOUR, 0), (19 * HOUR..20 * HOUR, 9)];

/// Jobs a second: fewest at four in the morning, most at four in the afternoon.
fn arrivals(now: u64) -> f64 {
    let turn = (now as f64 / DAY as f64 - 4.0 / 24.0) * std::f64::consts::TAU;
    let calm = 0.05 + 0.40 * (1.0 - turn.cos()) / 2.0;
    if CROWD.contains(&now) { 10.0 * calm } else { calm }
}

/// What was scraped at one moment.
struct Scrape {
    at: u64,
    /// What each server told, and each ghost.
    told: Vec<Option<u64>>,
    /// Workers that say that they have a job.
    busy: usize,
}

impl Scrape {
    fn of(fleet: &Fleet, now: u64) -> Self {
        let desired = fleet.demand(now).replicas(TARGET);
        let is_away = |times: &[Range<u64>]| times.iter().any(|time| time.contains(&now));
        let servers = AWAY.iter().map(|times| (!is_away(times)).then_some(desired));
        let ghosts = GHOSTS.iter().map(|(time, value)| time.contains(&now).then_some(*value));
        Self { at: now, told: servers.chain(ghosts).collect(), busy: fleet.holders() }
    }

    /// What the query answers.
    fn answer(&self) -> Option<u64> {
        let told = self.told.iter().flatten().max()?;
        Some((*told).max(self.busy as u64))
    }
}

/// What became of the day.
struct Lived {
    fleet: Fleet,
    scrapes: Vec<Scrape>,
    /// The size after each decision.
    sizes: Vec<(u64, usize)>,
}

fn live(mut autoscaler: Autoscaler, grace_s: u64) -> Lived {
    let mut fleet = Fleet::new(autoscaler.least, grace_s);
    let (mut scrapes, mut sizes) = (Vec::new(), Vec::new());
    for now in 0..DAY {
        fleet.second(now, arrivals(now));
        if now.is_multiple_of(SCRAPE_S) {
            scrapes.push(Scrape::of(&fleet, now));
        }
        // Some seconds later: what was told is not quite true any more.
        if now % autoscaler.every_s == 7 {
            let told: &Scrape = scrapes.last().unwrap();
            let size = autoscaler.size(now, fleet.size(), told.answer());
            assert!(size >= told.busy.min(autoscaler.most), "{size} of {} at {now}", told.busy);
            fleet.resize(now, size);
            sizes.push((now, size));
        }
    }
    Lived { fleet, scrapes, sizes }
}

impl Lived {
    /// The longest wait of those that arrived then, in seconds.
    fn longest_wait(&self, then: &Range<u64>) -> u64 {
        let of = self.fleet.waits.iter().filter(|(arrived, _)| then.contains(arrived));
        of.map(|(_, wait)| *wait).max().unwrap_or_default()
    }

    fn largest(&self, then: &Range<u64>) -> usize {
        let of = self.sizes.iter().filter(|(at, _)| then.contains(at));
        of.map(|(_, size)| *size).max().unwrap_or_default()
    }

    /// How often it grew after it had shrunk, or shrank after it had grown.
    fn turns(&self) -> usize {
        let sizes: Vec<usize> = self.sizes.iter().map(|(_, size)| *size).collect();
        let steps = sizes.windows(2).map(|pair| pair[1].cmp(&pair[0]));
        let steps: Vec<_> = steps.filter(|step| step.is_ne()).collect();
        steps.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }
}

#[tokio::test]
async fn a_day_with_a_crowd_and_failing_servers_kills_no_work_and_keeps_its_target() {
    let documents = fleet().await;
    let spec = &one(&documents, "ScaledObject", "stillcast-worker")["spec"];
    let worker = one(&documents, "Deployment", "stillcast-worker");
    let pod = &worker["spec"]["template"]["spec"];
    let grace_s = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    let lived = live(Autoscaler::of(spec), grace_s);
    let (target, whole) = (TARGET.as_secs(), 0..DAY);
    assert_eq!(lived.fleet.killed, 0, "jobs were cut off");
    assert!(lived.fleet.waits.len() > 20_000, "{} jobs are no day", lived.fleet.waits.len());
    let waits = [0..CROWD.start, CROWD, CROWD.end..DAY].map(|then| lived.longest_wait(&then));
    assert!(waits.iter().all(|wait| *wait <= target), "{waits:?} s in the morning, crowd, evening");
    let sizes = [0..CROWD.start, CROWD, whole].map(|then| lived.largest(&then));
    assert!(sizes[1] >= 10, "the crowd was not seen: {sizes:?}");
    assert!(sizes[0] <= 5, "more than anybody needs: {sizes:?}");
    let turns = lived.turns();
    assert!(turns <= 12, "the size has turned {turns} times in a day");
    let query = spec["triggers"][0]["metadata"]["query"].as_str().unwrap();
    let copies = Copies::new();
    let file = copies.write("day.test.yml", &replayed(&lived.scrapes, query));
    let said = tried(&file).await;
    assert!(said.is_ok(), "{:.800}", said.unwrap_err());
}

/// The day as `promtool` reads it, with what the query must have answered.
fn replayed(scrapes: &[Scrape], query: &str) -> String {
    let mut series = Vec::new();
    for at in 0..scrapes[0].told.len() {
        let name = format!("stillcast_desired_replicas{{queue=\"stillcast\",instance=\"{at}\"}}");
        let told: Vec<Option<u64>> = scrapes.iter().map(|scrape| scrape.told[at]).collect();
        series.push(json!({"series": name, "values": values(&told)}));
    }
    let most = scrapes.iter().map(|scrape| scrape.busy).max().unwrap();
    for at in 0..most {
        let name = format!(
            "stillcast_slots{{queue=\"stillcast\",pool=\"jobs\",state=\"busy\",instance=\"{at}\"}}"
        );
        let told: Vec<Option<u64>> =
            scrapes.iter().map(|scrape| Some((scrape.busy > at).into())).collect();
        series.push(json!({"series": name, "values": values(&told)}));
    }
    let asked = scrapes.iter().map(|scrape| {
        let samples = scrape.answer().map(|value| json!({"labels": "{}", "value": value}));
        let samples: Vec<_> = samples.into_iter().collect();
        json!({"expr": query, "eval_time": format!("{}s", scrape.at), "exp_samples": samples})
    });
    let day = json!({
        "interval": format!("{SCRAPE_S}s"),
        "input_series": series,
        "promql_expr_test": asked.collect::<Vec<_>>(),
    });
    json!({"evaluation_interval": format!("{SCRAPE_S}s"), "tests": [day]}).to_string()
}

/// A server that does not answer is marked as gone once, and nothing is known of it from then on.
fn values(told: &[Option<u64>]) -> String {
    let mut values = String::new();
    let mut was_told = false;
    for value in told {
        let _ = match value {
            Some(value) => write!(values, "{value} "),
            None if was_told => write!(values, "stale "),
            None => write!(values, "_ "),
        };
        was_told = value.is_some();
    }
    values
}
