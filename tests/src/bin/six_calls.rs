//! A worker whose handler makes six paid calls, each journalled outside Redis.
//!
//! Arguments: address, name, folder, lease ms, budget ms, drain ms, slots, back-off ms; then `suspect` in the
//! process of a suspect, which such a worker starts itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use isolation::{Bounds, Isolation, Process};
use queue::{
    Consumer, ConsumerOptions, Endpoint, FlightResult, Handler, Interrupted, JoinAnswer, Lease,
    Limits, NewLease, Outcome, ParkReason, Report, Shutdown, Tally,
};
use stillcast_enqueue::{Artifact, ErrorReport, Source};
use telemetry::{LogFormat, Logging};
use tests::fleet::QUEUE;
use tests::journal::{Act, Entry, Journal};
use tests::misdeeds::misbehave;
use tests::script::Script;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let _log = telemetry::start(&Logging::new(LogFormat::Pretty, "info,apalis_core=warn")?)?;
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let of_suspect = args.iter().map(Into::into).chain(["suspect".into()]).collect::<Vec<_>>();
    let is_suspect = args.pop_if(|last| last == "suspect").is_some();
    let [url, name, folder, numbers @ ..] = args.as_slice() else { anyhow::bail!("arguments") };
    let numbers: Vec<u64> = numbers.iter().map(|n| n.parse()).collect::<Result<_, _>>()?;
    let [lease, budget, drain, slots, backoff] = numbers[..] else { anyhow::bail!("numbers") };
    let (lease, budget) = (Duration::from_millis(lease), Duration::from_millis(budget));
    let folder = PathBuf::from(folder);
    let journal = Journal::open(&folder.join("journal"))?;
    if is_suspect {
        return one_suspect(&Endpoint::new(url, QUEUE)?, lease, (journal, folder)).await;
    }
    let worker = format!("{name}-{}", uuid::Uuid::new_v4().simple());
    let options = ConsumerOptions {
        endpoint: Endpoint::new(url, QUEUE)?,
        worker: worker.clone(),
        lease_ttl: lease,
        slots: usize::try_from(slots)?,
        drain_timeout: Duration::from_millis(drain),
        attempt_budget: Arc::new(move |_| budget),
        backoff: (Duration::from_millis(backoff), Duration::from_secs(2)),
        limits: Limits::default(),
        until_empty: false,
        tally: Tally::default(),
        observer: Arc::new(()),
    };
    let shutdown = Shutdown::default();
    let signals = watch_signals(shutdown.clone())?;
    let bounds = Bounds { memory: SUSPECT_MEMORY, cpu: budget, silence: lease };
    let isolation = Isolation::new(of_suspect, bounds);
    let handler = Arc::new(Worker { isolation, calls: SixCalls { journal, worker, folder } });
    let consumer = Consumer::connect(options).await.context("connect")?;
    tokio::select! {
        stopped = consumer.run(handler, shutdown) => { stopped?; }
        () = signals => {}
    }
    Ok(())
}

/// Counts SIGTERM; never ends.
fn watch_signals(shutdown: Shutdown) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        loop {
            terminate.recv().await;
            shutdown.signal();
        }
    })
}

/// Far less than a worker of these tests may have.
const SUSPECT_MEMORY: u64 = 256 << 20;

/// The process of a suspect: the same six calls under a lease that its worker keeps.
async fn one_suspect(
    endpoint: &Endpoint,
    lease: Duration,
    (journal, folder): (Journal, PathBuf),
) -> anyhow::Result<()> {
    let process = Process::begin(endpoint, lease / 6).await?;
    let worker = process.setup().as_str().context("the worker's name")?;
    // So that tests find the process.
    let worker = format!("{worker}/{}", std::process::id());
    let (lease, calls) = (process.lease().clone(), SixCalls { journal, worker, folder });
    process.run(async move { calls.attempt(lease).await }).await;
    Ok(())
}

/// Runs suspects apart.
struct Worker {
    isolation: Isolation,
    calls: SixCalls,
}

#[async_trait]
impl Handler for Worker {
    async fn attempt(&self, lease: NewLease) -> Report {
        let lease = lease.begin().await;
        if !lease.is_suspect() {
            return self.calls.attempt(lease).await;
        }
        self.isolation.attempt(&lease, self.calls.worker.clone().into(), &|_| ()).await
    }
}

struct SixCalls {
    journal: Journal,
    worker: String,
    folder: PathBuf,
}

/// Why the calls ended early.
enum Early {
    Interrupted,
    Failed(ErrorReport),
    Park(String),
}

impl From<Interrupted> for Early {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl SixCalls {
    async fn attempt(&self, lease: Lease) -> Report {
        let Source::Text(text) = &lease.envelope().source else {
            return Outcome::Dead { error: ErrorReport::new("source", "no script") }.into();
        };
        let Ok(script) = serde_json::from_str::<Script>(text) else {
            return Outcome::Dead { error: ErrorReport::new("script", "not a script") }.into();
        };
        self.write(&lease, Act::Attempt, 0, "");
        let outcome = match self.calls(&lease, &script).await {
            Ok(()) => {
                self.write(&lease, Act::Finish, 0, "");
                Outcome::Done { artifact: Box::new(artifact()) }
            }
            Err(Early::Interrupted) => Outcome::Release,
            Err(Early::Failed(error)) => Outcome::Retry { after: None, error },
            Err(Early::Park(key)) => Outcome::Park {
                reason: ParkReason::Flight(vec![key]),
                wake: Duration::from_secs(30),
                error: None,
            },
        };
        outcome.into()
    }
}

impl SixCalls {
    fn write(&self, lease: &Lease, act: Act, call: u32, key: &str) {
        self.journal.write(&Entry {
            at: chrono::Utc::now().timestamp_millis(),
            worker: self.worker.clone(),
            job: lease.id().to_owned(),
            token: lease.token().to_owned(),
            act,
            call,
            key: key.to_owned(),
        });
    }

    async fn calls(&self, lease: &Lease, script: &Script) -> Result<(), Early> {
        let mut paid = Vec::new();
        for call in 1..=script.calls {
            if lease.recall(&name(call)).is_none() {
                paid.push((call, self.buy(lease, script, call).await?));
            }
            if call % script.checkpoint_every == 0 {
                self.keep(lease, std::mem::take(&mut paid)).await?;
            }
        }
        Ok(())
    }

    /// Pays for one call, or has it from who did; its key.
    async fn buy(&self, lease: &Lease, script: &Script, call: u32) -> Result<String, Early> {
        if !script.flight.is_empty() {
            return self.fly(lease, script, call).await;
        }
        let key = format!("{}/{call}", lease.id());
        self.pay(lease, script, call, &key).await.map(|()| key)
    }

    /// Keeps calls, each with its key.
    async fn keep(&self, lease: &Lease, paid: Vec<(u32, String)>) -> Result<(), Early> {
        let names: Vec<_> = paid.iter().map(|(call, _)| name(*call)).collect();
        let digests: Vec<_> = names.iter().map(|name| (name.as_str(), "paid")).collect();
        lease.checkpoint(&digests).await?;
        for (call, key) in paid {
            self.write(lease, Act::Kept, call, &key);
        }
        Ok(())
    }

    /// One paid call.
    async fn pay(&self, lease: &Lease, script: &Script, call: u32, key: &str) -> Result<(), Early> {
        lease.check()?;
        self.write(lease, Act::CallStart, call, key);
        if misbehave(script, call).await {
            return Err(Early::Failed(ErrorReport::new("provider-500", "asked to fail")));
        }
        tokio::time::sleep(Duration::from_millis(script.ms)).await;
        self.write(lease, Act::CallEnd, call, key);
        Ok(())
    }

    /// The same under a flight, whose name comes back: recall, join, recall again, pay, put, land.
    async fn fly(&self, lease: &Lease, script: &Script, call: u32) -> Result<String, Early> {
        let key = format!("{}-{call}", script.flight);
        let value = self.folder.join(&key);
        // Looks twice before it parks, as a branch beside working siblings would for longer.
        for look in 0..3 {
            if value.exists() {
                return Ok(key);
            }
            match lease.join(&key).await? {
                JoinAnswer::Owned if value.exists() => {
                    lease.land(&key, &FlightResult::Stored).await?;
                    return Ok(key);
                }
                JoinAnswer::Owned => {
                    self.pay(lease, script, call, &key).await?;
                    std::fs::write(&value, "paid")
                        .map_err(|e| Early::Failed(ErrorReport::new("put", e.to_string())))?;
                    lease.land(&key, &FlightResult::Stored).await?;
                    return Ok(key);
                }
                JoinAnswer::Waiting { .. } if look < 2 => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                JoinAnswer::Waiting { .. } => return Err(Early::Park(key)),
                JoinAnswer::Unshared => {
                    return self.pay(lease, script, call, &key).await.map(|()| key);
                }
                JoinAnswer::Permanent(text) => {
                    return Err(Early::Failed(ErrorReport::new("permanent", &text)));
                }
            }
        }
        Err(Early::Park(key))
    }
}

/// Of a call's checkpoint.
fn name(call: u32) -> String {
    format!("call-{call}")
}

fn artifact() -> Artifact {
    Artifact {
        url: "file:///journal".to_owned(),
        key: "journal".to_owned(),
        path: None,
        bytes: 0,
        content_type: "audio/mp4".to_owned(),
        duration_s: 0.0,
        sha256: String::new(),
        extras: std::collections::BTreeMap::new(),
    }
}
