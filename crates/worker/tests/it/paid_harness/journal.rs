//! The provider's journal and the records of jobs go in; what was bought how often, and whether the
//! books agree with it, comes out.

use std::collections::{BTreeMap, BTreeSet};

use stillcast_enqueue::{Cost, JobRecord};
use tests::simulator::{Endpoint, Purchase};

use super::PaidHarness;

/// Everything that can be bought.
pub(crate) const ENDPOINTS: [Endpoint; 3] = [Endpoint::Chat, Endpoint::Speech, Endpoint::Image];
/// Sums of prices differ by no more, whatever their order; US dollars.
pub(crate) const USD_EPSILON: f64 = 1e-9;

impl PaidHarness {
    /// What has been bought of `endpoint`, or refused, with this outcome.
    pub(crate) fn purchases(&self, endpoint: Endpoint, outcome: &str) -> Vec<Purchase> {
        let mut purchases = self.simulator.purchases();
        purchases.retain(|bought| bought.endpoint == endpoint && bought.outcome == outcome);
        purchases
    }

    /// How often each thing was bought to a good end.
    pub(crate) fn good(&self, endpoint: Endpoint) -> BTreeMap<String, usize> {
        let purchases = self.purchases(endpoint, "done").into_iter();
        purchases.filter(|purchase| !purchase.spoilt).fold(BTreeMap::new(), count)
    }

    /// How often each thing was bought to the end.
    pub(crate) fn bought(&self, endpoint: Endpoint) -> BTreeMap<String, usize> {
        self.purchases(endpoint, "done").into_iter().fold(BTreeMap::new(), count)
    }

    /// Calls of `endpoint` that came to their end.
    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.purchases(endpoint, "done").len()
    }

    /// US dollars, of one endpoint or of all.
    pub(crate) fn usd_paid(&self, endpoint: Option<Endpoint>) -> f64 {
        let purchases = self.simulator.purchases();
        let of =
            |purchase: &&Purchase| endpoint.is_none_or(|endpoint| purchase.endpoint == endpoint);
        purchases.iter().filter(of).map(|purchase| purchase.usd).sum()
    }

    /// US dollars for calls whose client went away, and for what was bought to the end once more.
    pub(crate) fn cut_off(&self) -> f64 {
        let mut seen = BTreeSet::new();
        let is_lost = |purchase: &&Purchase| {
            let is_done = purchase.outcome == "done" && !purchase.spoilt;
            purchase.outcome == "left" || (is_done && !seen.insert(purchase.input.clone()))
        };
        self.simulator.purchases().iter().filter(is_lost).map(|purchase| purchase.usd).sum()
    }

    /// US dollars for the dearest call of `endpoint`.
    pub(crate) fn dearest(&self, endpoint: Endpoint) -> f64 {
        self.purchases(endpoint, "done").iter().map(|purchase| purchase.usd).fold(0.0, f64::max)
    }

    /// US dollars that were paid and stand in no record.
    pub(crate) fn unbooked(&self, records: &[JobRecord]) -> f64 {
        let cost = sum(records);
        self.usd_paid(None) - cost.spent_usd - cost.wasted_usd
    }

    /// One job's worth of calls, whoever paid.
    pub(crate) fn assert_each_bought_once(&self) {
        for endpoint in ENDPOINTS {
            let bought = self.bought(endpoint);
            assert!(bought.values().all(|count| *count == 1), "{endpoint:?}: {bought:?}");
        }
        assert_eq!((self.count(Endpoint::Chat), self.count(Endpoint::Image)), (1, 1));
    }
}

fn count(mut counts: BTreeMap<String, usize>, purchase: Purchase) -> BTreeMap<String, usize> {
    *counts.entry(purchase.input).or_default() += 1;
    counts
}

/// The money of all records.
pub(crate) fn sum(records: &[JobRecord]) -> Cost {
    records.iter().fold(Cost::default(), |sum, record| Cost {
        spent_usd: sum.spent_usd + record.cost.spent_usd,
        avoided_usd: sum.avoided_usd + record.cost.avoided_usd,
        wasted_usd: sum.wasted_usd + record.cost.wasted_usd,
    })
}

#[track_caller]
pub(crate) fn assert_usd(booked: f64, paid: f64, what: &str) {
    assert!((booked - paid).abs() < USD_EPSILON, "{what}: booked {booked}, paid {paid}");
}
