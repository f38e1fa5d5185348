//! The thread that keeps the leases: it renews, reaps and fences, whatever the runtime does.
//!
//! It has its own connection and no runtime, so neither a busy nor a blocked runtime delays it. Nor
//! does it keep the leases of a runtime that is stuck: when the pulse of the runtime stops, the
//! thread first stops renewing, then ends the process.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;

use super::options::ConsumerOptions;
use super::role::{Running, Stop};
use super::shared::Shared;
use crate::clock::Moment;
use crate::event::Event;
use crate::lease_state::LeaseState;
use crate::numbers::Numbers;
use crate::outage::Outage;
use crate::scripts::worker_calls::{LEASES_A_CALL, ReapRequest};
use crate::{Interrupted, Reaped};

/// Between two calls of the reaper while one leaves something for the next: 4,000 jobs a second at
/// most, and Redis serves everybody else in between.
const REAP_PAUSE: Duration = Duration::from_millis(25);

/// Starts the thread. Its first look comes after a twelfth of a lease.
pub(crate) fn start(shared: &Shared) -> std::io::Result<Running> {
    let heartbeat = Heartbeat::new(shared.clone());
    Running::thread("stillcast-leases", move |stop| heartbeat.run(stop))
}

/// What the thread works with.
struct Heartbeat {
    shared: Shared,
    connection: Option<redis::Connection>,
    outage: Outage,
    /// Redis' own time of the last reap that was answered.
    answered_ms: Option<i64>,
    renew_at: Moment,
    reap_at: Moment,
    /// The last call of the reaper left something.
    is_behind: bool,
}

impl Heartbeat {
    fn new(shared: Shared) -> Self {
        let (now, outage) = (Moment::now(), Outage::new("heartbeat"));
        let (connection, answered_ms, is_behind) = (None, None, false);
        let (renew_at, reap_at) = (now, now);
        Self { shared, connection, outage, answered_ms, renew_at, reap_at, is_behind }
    }

    fn run(mut self, stop: &Stop) {
        let lease_ttl = self.shared.options.lease_ttl;
        loop {
            let tick = self.tick();
            let expected = Moment::now() + tick;
            if stop.requested_within(tick) {
                return;
            }
            let now = Moment::now();
            if now.saturating_since(expected) > lease_ttl / 3 {
                self.overslept();
            }
            self.judge_pulse(now);
            self.fence(now);
            self.renew(now);
            self.reap(now);
        }
    }

    /// Until the next look: sooner when a renewal or the reaper is due, or while there is no connection.
    /// Each moment by which a renewal is late, or an outage's end is missed, is taken from the leases.
    fn tick(&self) -> Duration {
        let (lease_ttl, now) = (self.lease_ttl(), Moment::now());
        let least = lease_ttl / 60;
        if self.outage.is_on() {
            return least;
        }
        if self.is_behind {
            return REAP_PAUSE.min(lease_ttl / 12);
        }
        let due = self.reap_at.min(self.renew_at).saturating_since(now);
        due.clamp(least, lease_ttl / 12)
    }

    /// The thread itself stood still (SIGSTOP, suspend): all leases may be gone. The pulse stood
    /// still with it, so it is judged only from here on.
    fn overslept(&mut self) {
        tracing::warn!(
            "process was suspended for more than a third of a lease; its leases are given up"
        );
        let leases = &self.shared.leases;
        if leases.len() > 0 {
            self.shared.observe(&Event::SelfFenced);
        }
        leases.interrupt_all(Interrupted::LeaseLost);
        leases.beat();
        self.connection = None;
    }

    /// A runtime that stands still for a whole lease cannot be mended from inside.
    fn judge_pulse(&self, now: Moment) {
        if self.shared.leases.pulse_age(now) > self.lease_ttl() {
            tracing::error!("runtime blocked for longer than a lease; aborting the process");
            std::process::abort();
        }
    }

    fn fence(&self, now: Moment) {
        for lease in self.shared.leases.all() {
            if lease.interruption().is_none() && now >= lease.valid_until() {
                self.shared.observe(&Event::SelfFenced);
            }
            lease.fence(now);
        }
    }

    fn renew(&mut self, now: Moment) {
        // What cannot report must not keep its jobs either: neither a stuck runtime, nor one whose
        // connection gets no answer while this thread's does.
        let blocked = self.shared.leases.pulse_age(now) > self.lease_ttl() / 3
            || self.shared.link.vitals.silence(now) > self.lease_ttl();
        if now < self.renew_at || blocked {
            return;
        }
        let leases = self.shared.leases.renewable(now);
        let mut renewed = true;
        for batch in leases.chunks(LEASES_A_CALL) {
            renewed &= self.renew_batch(batch).is_ok();
        }
        // After a failure the next tick tries again: a lease has time for several tries.
        if renewed {
            self.renew_at = now + self.lease_ttl() / 3;
        }
    }

    fn renew_batch(&mut self, batch: &[Arc<LeaseState>]) -> RedisResult<()> {
        let lease_ttl = self.lease_ttl();
        // The lease begins when the call is sent, not when its answer comes.
        let sent = Moment::now();
        let words: Vec<String> = self.call(|shared, connection| {
            let leases = batch.iter().map(|lease| (lease.id.as_str(), lease.token.as_str()));
            let call = shared.link.scripts.renew(&shared.standing(), leases);
            call.invoke(connection)
        })?;
        for (lease, word) in batch.iter().zip(words) {
            match word.as_str() {
                "ok" => lease.renewed(sent, lease_ttl),
                "cancel" => {
                    lease.renewed(sent, lease_ttl);
                    lease.interrupt(Interrupted::Cancelled);
                }
                _ => lease.interrupt(Interrupted::LeaseLost),
            }
        }
        Ok(())
    }

    fn reap(&mut self, now: Moment) {
        if now < self.reap_at && !self.is_behind {
            return;
        }
        let fresh = self.lease_ttl() / 6;
        // Whoever has left something goes on; all others look at what it has just done, and skip.
        let asked = if self.is_behind { Duration::ZERO } else { fresh };
        let answered_ms = self.answered_ms;
        let answer: RedisResult<Numbers> = self.call(|shared, connection| {
            let ConsumerOptions { lease_ttl, limits, .. } = &*shared.options;
            let (lease_ttl, everything) = (*lease_ttl, false);
            let request = ReapRequest { lease_ttl, everything, answered_ms, fresh: asked, limits };
            shared.link.scripts.reap(&request).invoke(connection)
        });
        self.is_behind = false;
        let Ok(numbers) = answer else { return };
        // From the answer on: whoever counts from the call comes too early, and asks again.
        let answered = Moment::now();
        self.answered_ms = numbers.get("reap", "now").ok();
        // Somebody else has reaped: this thread looks again just when that is no longer enough.
        if let Ok(left) = numbers.count("reap", "fresh") {
            self.reap_at = answered + Duration::from_millis(left).min(fresh);
            return;
        }
        self.reap_at = answered + fresh;
        match Reaped::from_numbers(&numbers) {
            Ok(reaped) => {
                self.is_behind = reaped.more;
                self.shared.observe(&Event::Reaped(reaped));
            }
            Err(error) => tracing::error!(%error, "the reaper's numbers are lost"),
        }
    }

    /// Calls Redis on the thread's own connection, which is opened anew after a failure.
    fn call<T>(
        &mut self,
        call: impl FnOnce(&Shared, &mut redis::Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let answer = match self.connection.take().map_or_else(|| self.connect(), Ok) {
            Ok(mut open) => call(&self.shared, &mut open).inspect(|_| self.connection = Some(open)),
            Err(error) => Err(error),
        };
        match &answer {
            Ok(_) => {
                self.outage.answered();
                self.shared.health.answer();
            }
            Err(error) => {
                self.shared.options.endpoint.failed(error);
                self.outage.failed(error);
            }
        }
        answer
    }

    fn connect(&self) -> RedisResult<redis::Connection> {
        let timeout = (self.lease_ttl() / 12).max(Duration::from_millis(100));
        self.shared.options.endpoint.blocking(timeout)
    }

    fn lease_ttl(&self) -> Duration {
        self.shared.options.lease_ttl
    }
}
