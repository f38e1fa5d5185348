//! What a call does goes out to whoever traces and counts it; nothing of it comes back.

use std::time::Duration;

use stillcast_enqueue::{Cost, StageName, StageRecord};

use crate::Usage;

/// A call to a provider, or a heavy step of this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call<'call> {
    /// Whose stage it is.
    pub stage: StageName,
    /// Who is called, by its name in records.
    pub provider: &'static str,
    /// The model that is asked, where there is one.
    pub model: Option<&'call str>,
    /// The method that is called, such as `speak` or `mux`.
    pub operation: &'static str,
    /// What it buys, where it counts against the limits of an account and the budget of a tenant.
    pub bought: Option<Bought>,
}

/// What a call buys, as near as can be told beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bought {
    /// Tokens that it uses at most.
    pub tokens: u64,
    /// US dollars; 0 where no price is known.
    pub usd: f64,
}

/// Hears of every call, and of what it used. Called from the attempt's own task: must neither block
/// nor wait. Hears no text, no key and no address.
pub trait CallObserver: Send + Sync {
    /// `call` begins after it has `waited` for its slot; the first of its stage's tries is 1.
    fn began(&self, call: &Call<'_>, waited: Duration, tried: u32) -> Box<dyn OpenCall>;
    /// A call of `stage` has used this, for something or for nothing. Said of each call, also of one
    /// that was cut off, as near as can be told; perhaps in parts, which add up.
    fn used(&self, stage: StageName, usage: &Usage);
    /// So much more money was spent, wasted or spared for `stage`. Said of each booking, so that the sum
    /// is that of the records.
    fn booked(&self, stage: StageName, cost: Cost);
    /// What a call of `stage` gave can be had again by a later attempt, so long after its last byte.
    fn kept(&self, _stage: StageName, _after: Duration) {}
    /// A stage is over, with the code of its failure if it has failed.
    fn ended(&self, record: &StageRecord, failure: Option<&'static str>);
}

/// A call under way. Dropped unended, it was cut off.
pub trait OpenCall: Send {
    /// The call has given something or, for the reason with this code, nothing.
    fn ended(self: Box<Self>, usage: &Usage, failure: Option<&'static str>);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl CallObserver for Unobserved {
    fn began(&self, _: &Call<'_>, _: Duration, _: u32) -> Box<dyn OpenCall> {
        Box::new(Self)
    }

    fn used(&self, _: StageName, _: &Usage) {}

    fn booked(&self, _: StageName, _: Cost) {}

    fn ended(&self, _: &StageRecord, _: Option<&'static str>) {}
}

impl OpenCall for Unobserved {
    fn ended(self: Box<Self>, _: &Usage, _: Option<&'static str>) {}
}
