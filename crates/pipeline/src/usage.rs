//! What a call gave, and what it used: resources by name, money among them.

use std::collections::BTreeMap;

/// What a call gave, and what it used.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What it gave.
    pub value: T,
    /// What it used.
    pub usage: Usage,
}

impl<T> Answer<T> {
    /// An answer that used nothing worth a record.
    pub fn free(value: T) -> Self {
        Self { value, usage: Usage::default() }
    }
}

/// The sum that is money.
const USD: &str = "usd";

/// Resources by name and unit, such as `cpu_s`; sums add up over the calls of a stage, peaks do not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    sums: BTreeMap<&'static str, f64>,
    peaks: BTreeMap<&'static str, f64>,
}

impl Usage {
    /// Adds to a sum, such as `characters` or `cpu_s`.
    #[must_use]
    pub fn and(mut self, name: &'static str, amount: f64) -> Self {
        *self.sums.entry(name).or_default() += amount;
        self
    }

    /// Raises a peak, such as `rss_bytes`.
    #[must_use]
    pub fn and_peak(mut self, name: &'static str, amount: f64) -> Self {
        let peak = self.peaks.entry(name).or_default();
        *peak = peak.max(amount);
        self
    }

    /// Adds money, in US dollars, as the sum `usd`; none where the price is not known.
    #[must_use]
    pub fn and_usd(self, amount: f64) -> Self {
        if amount > 0.0 { self.and(USD, amount) } else { self }
    }

    /// All money in it, in US dollars.
    pub fn usd(&self) -> f64 {
        self.sums.get(USD).copied().unwrap_or_default()
    }

    /// How much of the sum `name` there is; none where nothing was added.
    pub fn sum(&self, name: &str) -> Option<f64> {
        self.sums.get(name).copied()
    }

    /// Adds everything of `other`.
    pub fn merge(&mut self, other: &Self) {
        let begun = std::mem::take(self);
        let sums = other.sums.iter().fold(begun, |all, (name, amount)| all.and(name, *amount));
        *self = other.peaks.iter().fold(sums, |all, (name, amount)| all.and_peak(name, *amount));
    }

    pub(crate) fn to_resources(&self) -> BTreeMap<String, f64> {
        let all = self.sums.iter().chain(&self.peaks);
        all.map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
    }
}
