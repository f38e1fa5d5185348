//! The queue's Redis: whether it may keep a queue, how soon it answers, its memory, its clock, and its slow
//! scripts.

use queue::{CheckUp, Inspector, ServerNumbers, SlowCall};

use super::finding::{Finding, Severity, said};
use crate::config::Config;
use crate::connect;
use crate::render::bytes;

const FIT: &str = "start a Redis of version 7.0 or newer with `maxmemory-policy noeviction`, or correct \
                   REDIS_URL";
const DURABLE: &str = "set `appendonly yes` and `appendfsync always` in its configuration";
const INFO: &str = "grant +info to its user";
const NEAR: &str = "run workers and servers near their Redis, and nothing else on its core";
const ROOM: &str =
    "raise its maxmemory, or have fewer jobs remembered: a full Redis takes no new ones";
const SLOW: &str = "look what else this Redis serves and what its host does (`SLOWLOG GET`)";
const CLOCK: &str = "keep the clocks of both hosts by NTP (chrony, systemd-timesyncd)";

/// Seconds of a middling answer that are too many.
const ANSWER: (f64, f64) = (0.01, 0.5);
/// Seconds between two clocks: signed requests and presigned addresses bear some minutes.
const APART: (f64, f64) = (2.0, 60.0);
/// Shares of its memory.
const FULL: (f64, f64) = (0.85, 0.97);
/// Seconds of one call: during it nobody else is answered.
const CALL: (f64, f64) = (0.1, 5.0);

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    let inspector = match connect::patient_inspector(config).await {
        Ok(inspector) => inspector,
        Err(error) => return vec![Finding::error("redis", said(&error), FIT)],
    };
    let mut findings = fitness(&inspector).await;
    match inspector.check_up().await {
        Ok(checked) => findings.extend(measured(&checked)),
        Err(error) => findings.push(Finding::error("redis", error.to_string(), FIT)),
    }
    findings
}

/// Whether it may keep a queue: what a worker asks at its start.
async fn fitness(inspector: &Inspector) -> Vec<Finding> {
    match inspector.examine().await {
        Err(error) => vec![Finding::error("redis", error.to_string(), FIT)],
        Ok(report) if report.warnings.is_empty() => {
            let version = report.version;
            vec![Finding::ok(
                "redis",
                format!("Redis {version}, which evicts nothing and syncs always"),
            )]
        }
        Ok(report) => report.warnings.into_iter().map(weak).collect(),
    }
}

fn weak(warning: String) -> Finding {
    let cure = if warning.starts_with("append") { DURABLE } else { INFO };
    Finding::warning("redis", warning, cure)
}

fn measured(checked: &CheckUp) -> Vec<Finding> {
    let numbers = checked.told.as_ref().map(|told| told.numbers);
    let memory = numbers.map(|numbers| memory("redis-memory", numbers));
    let slow = checked.slow.as_deref();
    [answers("redis-latency", checked)]
        .into_iter()
        .chain(memory)
        .chain([scripts(slow), clock(checked.clock_ahead_s)])
        .collect()
}

/// How soon a Redis answers.
pub(super) fn answers(about: &str, checked: &CheckUp) -> Finding {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let (median, slowest) = (checked.median, checked.slowest);
    let found = format!(
        "half of its answers within {:.1} ms, all of 20 within {:.1} ms",
        ms(median),
        ms(slowest)
    );
    let (warning, error) = ANSWER;
    let severity = Severity::above(median.as_secs_f64(), warning, error);
    Finding::judged(about, found, (severity, NEAR))
}

fn memory(about: &str, numbers: ServerNumbers) -> Finding {
    let (used, clients) = (bytes(numbers.used_bytes), numbers.clients);
    if numbers.max_bytes == 0 {
        let found = format!("{used} used, as much as there is may be; {clients} connections");
        return Finding::ok(about, found);
    }
    let share = numbers.used_bytes as f64 / numbers.max_bytes as f64;
    let (warning, error) = FULL;
    let found = format!("{used} used of {}; {clients} connections", bytes(numbers.max_bytes));
    Finding::judged(about, found, (Severity::above(share, warning, error), ROOM))
}

fn scripts(slow: Option<&[SlowCall]>) -> Finding {
    let about = "redis-scripts";
    let Some(slow) = slow else {
        return Finding::ok(about, "its user may not SLOWLOG, so that slow calls cannot be seen");
    };
    let Some(slowest) = slow.first() else {
        return Finding::ok(about, "no slow call in the last hour");
    };
    let named: Vec<String> = slow.iter().take(3).map(named).collect();
    let found = format!("{} slow calls in the last hour: {}", slow.len(), named.join(", "));
    let (warning, error) = CALL;
    let severity = Severity::above(slowest.took.as_secs_f64(), warning, error);
    Finding::judged(about, found, (severity, SLOW))
}

fn named(call: &SlowCall) -> String {
    format!("{} {:.0} ms", call.what, call.took.as_secs_f64() * 1e3)
}

fn clock(ahead_s: f64) -> Finding {
    let side = if ahead_s < 0.0 { "behind" } else { "ahead of" };
    let found = format!("this machine is {:.3} s {side} Redis", ahead_s.abs());
    let (warning, error) = APART;
    Finding::judged("clock", found, (Severity::above(ahead_s.abs(), warning, error), CLOCK))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn clocks_apart_are_told_with_the_side_and_the_cure() {
        for (ahead_s, severity, side) in [
            (0.2, Severity::Ok, "ahead of"),
            (-3.0, Severity::Warning, "behind"),
            (-90.0, Severity::Error, "behind"),
            (61.0, Severity::Error, "ahead of"),
        ] {
            let finding = clock(ahead_s);
            assert!(finding.severity == severity && finding.found.contains(side), "{finding:?}");
            assert_eq!(finding.cure.is_some(), severity != Severity::Ok, "{finding:?}");
        }
    }

    #[test]
    fn memory_and_slow_calls_are_judged_by_their_worst() {
        let of = |used_bytes, max_bytes| {
            memory("m", ServerNumbers { used_bytes, max_bytes, ..ServerNumbers::default() })
                .severity
        };
        let judged = [of(1 << 40, 0), of(50, 100), of(85, 100), of(99, 100)];
        assert_eq!(judged, [Severity::Ok, Severity::Ok, Severity::Warning, Severity::Error]);
        let call = |ms| SlowCall { what: "claim".to_owned(), took: Duration::from_millis(ms) };
        assert_eq!(scripts(Some(&[call(99), call(12)])).severity, Severity::Ok);
        let slow = scripts(Some(&[call(150), call(12)]));
        assert!(
            slow.severity == Severity::Warning && slow.found.contains("claim 150 ms"),
            "{slow:?}"
        );
    }
}
