//! The thread that keeps the leases: it renews, reaps and fences, whatever the runtime does.
//!
//! It has its own connection and no runtime, so neither a busy nor a blocked runtime delays it. It
//! is no false witness either: when the runtime's pulse stops, it first stops renewing, then ends
//! the process.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use redis::RedisResult;

use crate::clock::Moment;
use crate::connection::Endpoint;
use crate::event::{Event, Observer};
use crate::health::Health;
use crate::lease_state::LeaseState;
use crate::lease_table::LeaseTable;
use crate::scripts::Scripts;
use crate::{Interrupted, Limits, QueueError, Reaped};

/// What the thread works with.
pub(crate) struct Heartbeat {
    pub(crate) endpoint: Endpoint,
    pub(crate) scripts: Scripts,
    pub(crate) leases: Arc<LeaseTable>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) health: Health,
    pub(crate) worker: String,
    pub(crate) lease_ttl: Duration,
    pub(crate) limits: Limits,
}

/// Stops and joins the thread when dropped.
pub(crate) struct HeartbeatThread {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for HeartbeatThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panics never; and while unwinding there is nobody to tell.
            let _ = thread.join();
        }
    }
}

impl Heartbeat {
    pub(crate) fn start(self) -> Result<HeartbeatThread, QueueError> {
        let (stop, stopped) = sync_channel(0);
        let thread = std::thread::Builder::new()
            .name("stillcast-leases".to_owned())
            .spawn(move || Loop::new(self).run(&stopped))?;
        Ok(HeartbeatThread { stop: Some(stop), thread: Some(thread) })
    }
}

struct Loop {
    renewal: Heartbeat,
    connection: Option<redis::Connection>,
    renew_at: Moment,
    reap_at: Moment,
}

impl Loop {
    fn new(renewal: Heartbeat) -> Self {
        let now = Moment::now();
        Self { renewal, connection: None, renew_at: now, reap_at: now }
    }

    fn run(mut self, stopped: &Receiver<()>) {
        let lease_ttl = self.renewal.lease_ttl;
        let tick = lease_ttl / 12;
        loop {
            let expected = Moment::now() + tick;
            if stopped.recv_timeout(tick) != Err(RecvTimeoutError::Timeout) {
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

    /// The thread itself stood still (SIGSTOP, suspend): all leases may be gone. The pulse stood
    /// still with it, so it is judged only from here on.
    fn overslept(&mut self) {
        tracing::warn!(
            "process was suspended for more than a third of a lease; its leases are given up"
        );
        let leases = &self.renewal.leases;
        if leases.len() > 0 {
            self.renewal.observer.observe(&Event::SelfFenced);
        }
        leases.interrupt_all(Interrupted::LeaseLost);
        leases.beat();
        self.connection = None;
    }

    /// A runtime that stands still for a whole lease cannot be mended from inside.
    fn judge_pulse(&self, now: Moment) {
        if self.renewal.leases.pulse_age(now) > self.renewal.lease_ttl {
            tracing::error!("runtime blocked for longer than a lease; aborting the process");
            std::process::abort();
        }
    }

    fn fence(&self, now: Moment) {
        for lease in self.renewal.leases.all() {
            if lease.interruption().is_none() && now >= lease.valid_until() {
                self.renewal.observer.observe(&Event::SelfFenced);
            }
            lease.fence(now);
        }
    }

    fn renew(&mut self, now: Moment) {
        let blocked = self.renewal.leases.pulse_age(now) > self.renewal.lease_ttl / 3;
        if now < self.renew_at || blocked {
            return;
        }
        let leases = self.renewal.leases.renewable(now);
        let mut renewed = true;
        for batch in leases.chunks(500) {
            renewed &= self.renew_batch(batch).is_ok();
        }
        // After a failure the next tick tries again: a lease has time for several tries.
        if renewed {
            self.renew_at = now + self.renewal.lease_ttl / 3;
        }
    }

    fn renew_batch(&mut self, batch: &[Arc<LeaseState>]) -> RedisResult<()> {
        let pairs: Vec<(String, String)> =
            batch.iter().map(|lease| (lease.id.clone(), lease.token.clone())).collect();
        let (scripts, worker) = (self.renewal.scripts.clone(), self.renewal.worker.clone());
        let lease_ttl = self.renewal.lease_ttl;
        // The lease begins when the call is sent, not when its answer comes.
        let sent = Moment::now();
        let words: Vec<String> = self.with_connection(|connection| {
            scripts.renew(&worker, lease_ttl, &pairs).invoke(connection)
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
        if now < self.reap_at {
            return;
        }
        let Heartbeat { scripts, worker, lease_ttl, limits, .. } = &self.renewal;
        let (scripts, worker) = (scripts.clone(), worker.clone());
        let (lease_ttl, limits) = (*lease_ttl, limits.clone());
        let answer: RedisResult<Vec<i64>> = self.with_connection(|connection| {
            scripts.reap(&worker, lease_ttl, false, &limits).invoke(connection)
        });
        if let Ok(answer) = answer {
            let reaped = Reaped::from_answer(&answer);
            self.renewal.observer.observe(&Event::Reaped(reaped));
            self.reap_at = now + lease_ttl / 6;
        }
    }

    fn with_connection<T>(
        &mut self,
        call: impl FnOnce(&mut redis::Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        if self.connection.is_none() {
            let timeout = (self.renewal.lease_ttl / 12).max(Duration::from_millis(100));
            self.connection = Some(self.renewal.endpoint.blocking(timeout)?);
        }
        let Some(connection) = &mut self.connection else {
            return Err(redis::RedisError::from((redis::ErrorKind::Io, "no connection")));
        };
        let answer = call(connection);
        match &answer {
            Ok(_) => self.renewal.health.answer(),
            Err(error) => {
                tracing::warn!(%error, "lease renewal failed, retrying");
                self.connection = None;
            }
        }
        answer
    }
}
