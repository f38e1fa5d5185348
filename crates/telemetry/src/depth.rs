//! The numbers of a queue as a whole go in; `OpenMetrics` text comes out.
//!
//! They are the fleet's, not this process': whoever exports them tells the same as any other, so that a
//! dashboard takes the maximum over exporters, never their sum.

use std::iter;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::metrics::QUEUE;

/// What there is to tell of a queue at one moment.
#[derive(Clone, Debug, Default)]
pub struct Depth<'numbers> {
    /// The queue's name.
    pub queue: &'numbers str,
    /// Jobs by state.
    pub jobs: &'numbers [(&'static str, u64)],
    /// Age in seconds of the ready job whose turn is next; 0 when none is ready.
    pub oldest_ready_age_s: f64,
    /// State and reason of those that wait, how many they are, and the age in seconds of the oldest.
    pub waits: &'numbers [(&'static str, &'static str, u64, f64)],
    /// Further numbers of this moment: name without prefix, sentence, number.
    pub gauges: &'numbers [(&'static str, &'static str, u64)],
    /// Numbers that only grow: name without prefix and `_total`, sentence, number.
    pub counters: &'numbers [(&'static str, &'static str, u64)],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waits {
    state: &'static str,
    reason: &'static str,
}

impl Depth<'_> {
    /// The text of all numbers, in `OpenMetrics` 1.0.
    pub fn encode(&self) -> String {
        let queue = iter::once((QUEUE.into(), self.queue.to_owned().into()));
        let mut registry = Registry::with_prefix_and_labels("stillcast", queue);
        let jobs = Family::<InState, Gauge>::default();
        for (state, count) in self.jobs {
            jobs.get_or_create(&InState { state }).set(whole(*count));
        }
        registry.register("jobs", "Jobs of the queue by state", jobs);
        let help = "Age of the ready job whose turn is next; 0 when none is ready";
        registry.register(
            "oldest_ready_age_seconds",
            help,
            ConstGauge::new(self.oldest_ready_age_s),
        );
        self.register_waits(&mut registry);
        for (name, help, number) in self.gauges {
            registry.register(*name, *help, ConstGauge::new(whole(*number)));
        }
        for (name, help, number) in self.counters {
            registry.register(*name, *help, ConstCounter::new(*number));
        }
        let mut page = String::new();
        text::encode(&mut page, &registry).expect("a String takes every write");
        page
    }

    fn register_waits(&self, registry: &mut Registry) {
        let jobs = Family::<Waits, Gauge>::default();
        let oldest = Family::<Waits, Gauge<f64, AtomicU64>>::default();
        for &(state, reason, count, age_s) in self.waits {
            jobs.get_or_create(&Waits { state, reason }).set(whole(count));
            oldest.get_or_create(&Waits { state, reason }).set(age_s);
        }
        registry.register("waiting_jobs", "Jobs that wait, by state and for what", jobs);
        let help = "Time since the oldest job that waits for this could first have run";
        registry.register("oldest_waiting_age_seconds", help, oldest);
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_shown() {
        let depth = Depth {
            queue: "evening",
            jobs: &[("ready", 7)],
            oldest_ready_age_s: 1.5,
            waits: &[("parked", "rate", 3, 7.5)],
            gauges: &[("paused", "1 while claims are stopped", 1)],
            counters: &[("enqueued_jobs", "Jobs ever accepted", u64::MAX)],
        };
        let page = depth.encode();
        for line in [
            "stillcast_jobs{queue=\"evening\",state=\"ready\"} 7",
            "stillcast_oldest_ready_age_seconds{queue=\"evening\"} 1.5",
            "stillcast_waiting_jobs{queue=\"evening\",state=\"parked\",reason=\"rate\"} 3",
            "stillcast_oldest_waiting_age_seconds{queue=\"evening\",state=\"parked\",reason=\"rate\"} \
             7.5",
            "stillcast_paused{queue=\"evening\"} 1",
            "stillcast_enqueued_jobs_total{queue=\"evening\"} 18446744073709551615",
        ] {
            assert!(page.lines().any(|found| found == line), "`{line}` is not in\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }
}
