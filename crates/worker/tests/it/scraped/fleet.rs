//! Two workers, two servers, a provider, a collector and a Prometheus, and what they have to do.

use std::net::SocketAddr;
use std::path::Path;

use child::Running;
use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Format, Job, Options as Asked, Source};
use tests::collector::Collector;
use tests::program::{self, Program};
use tests::prometheus::Prometheus;
use tests::simulator::{Endpoint, Fault, Latency, Options, Voice};

use crate::harness::{QUEUE, Worker, free_address};
use crate::paid_harness::{PaidHarness, TEXT, key};

pub(crate) const TENANTS: [&str; 10] =
    ["ash", "birch", "cedar", "dogwood", "elm", "fir", "gorse", "hazel", "ivy", "juniper"];

pub(crate) struct WatchedFleet {
    pub(crate) paid: PaidHarness,
    pub(crate) collector: Collector,
    pub(crate) prometheus: Prometheus,
    _workers: Vec<Worker>,
    _servers: Vec<Running>,
}

impl WatchedFleet {
    /// All of it, at rest; Prometheus goes by `rules`.
    pub(crate) async fn start(rules: Option<&Path>) -> Self {
        // Words come one by one, so that there is a time between them.
        let latency =
            Latency { first_token: 0.05, tokens_per_s: 4_000.0, scale: 1.0, ..Latency::NONE };
        let voice = Voice::Hurried;
        let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
        let collector = Collector::start().await.unwrap();
        let (mut workers, mut servers, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..2 {
            let address = free_address().await;
            let harness = paid
                .harness()
                .set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint())
                // Far more than is spent: every call asks all the same.
                .set("TENANT_BUDGETS", "*:1000")
                .set("WORKER_ADDR", &address.to_string());
            workers.push(harness.start(&[]).await);
            targets.push(("stillcast-worker", address));
            let (server, address) = serve(&paid).await;
            servers.push(server);
            targets.push(("stillcast-serve", address));
        }
        let prometheus = Prometheus::start(&targets, rules).await.unwrap();
        Self { paid, collector, prometheus, _workers: workers, _servers: servers }
    }

    /// Jobs of all tenants, then some more, so that every counter has moved between two scrapes; one call
    /// of each round fails, and half of what the second one wants comes from the cache. How many were done.
    pub(crate) async fn work(&self) -> usize {
        let mut done = 0;
        for (round, tenants) in (0..).zip([&TENANTS[..], &TENANTS[..4]]) {
            let failing = [None, Some(Fault::status(503, "overloaded"))];
            self.paid.simulator.script(Endpoint::Speech, failing);
            let job = |(at, tenant): (usize, &&'static str)| {
                let format = if at == 0 { Format::Video } else { Format::Audio };
                // Every other job of the second round is one of the first.
                let fresh = if at % 2 == 0 { 0 } else { round };
                let job = Job::new(Source::Text(TEXT.to_owned()), format).with_tenant(*tenant);
                job.with_options(variant(fresh))
            };
            let jobs: Vec<Job> = tenants.iter().enumerate().map(job).collect();
            let ids = self.paid.enqueue(&jobs).await;
            let _ = self.paid.done(&ids).await;
            done += ids.len();
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let told = done as f64;
            let reported = "sum(stillcast_job_duration_seconds_count{state='done'})";
            self.prometheus.settles(reported, told).await;
        }
        done
    }

    /// From now on the painter's key opens nothing.
    pub(crate) fn revoke(&self) {
        self.paid.simulator.set_revoked(&key(Capability::Image), true);
    }
}

/// Options that ask for another one of the same.
pub(crate) fn variant(variant: u32) -> Asked {
    Asked { variant, ..Asked::default() }
}

async fn serve(paid: &PaidHarness) -> (Running, SocketAddr) {
    let program = Program::stillcast(&paid.server.folder().join("home"))
        .env("REDIS_URL", paid.server.url())
        .env("QUEUE_NAME", QUEUE)
        .env("HTTP_ADDR", "127.0.0.1:0")
        .env("API_REQUESTS_PER_MINUTE", "0");
    let (serving, url) = program::serve(&program).await.unwrap();
    (serving, url.trim_start_matches("http://").parse().unwrap())
}
