//! What travels beside the request arrives under the lease.

use std::sync::Arc;

use async_trait::async_trait;
use queue::{Consumer, Handler, Lease, NewLease, Outcome, Report, Shutdown};
use stillcast_enqueue::{ErrorReport, Format, Identifier, Options, TraceParent};
use tests::fleet::Fleet;
use tests::script::Script;
use tokio::sync::mpsc;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Sends the lease to the test and ends the job.
struct Show(mpsc::UnboundedSender<Lease>);

#[async_trait]
impl Handler for Show {
    async fn attempt(&self, lease: NewLease) -> Report {
        self.0.send(lease.begin().await).unwrap();
        Outcome::Dead { error: ErrorReport::new("seen", "that was all") }.into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_tenant_and_options_reach_the_worker() {
    let fleet = Fleet::start().await.unwrap();
    let voice = Some(Identifier::parse("voice", "slt").unwrap());
    let job = Script::default()
        .job()
        .with_traceparent(TraceParent::parse(TRACE).unwrap())
        .with_tenant("acme")
        .with_options(Options { voice: voice.clone(), variant: 3, ..Options::default() });
    fleet.enqueue(std::slice::from_ref(&job)).await.unwrap();

    let (show, mut shown) = mpsc::unbounded_channel();
    let shutdown = Shutdown::default();
    let consumer = Consumer::connect(fleet.consumer_options("show").unwrap()).await.unwrap();
    let working = consumer.run(Arc::new(Show(show)), shutdown.clone());
    let looking = async {
        let lease = shown.recv().await.unwrap();
        shutdown.signal();
        lease
    };
    let (ended, lease) = tokio::join!(working, looking);
    ended.unwrap();
    assert_eq!(lease.id(), job.id.as_str());
    assert_eq!((lease.traceparent(), lease.tenant(), lease.attempt()), (Some(TRACE), "acme", 1));
    let envelope = lease.envelope();
    assert_eq!((&envelope.source, envelope.format), (&job.source, Format::Audio));
    assert_eq!((&envelope.options.voice, envelope.options.variant), (&voice, 3));
}
