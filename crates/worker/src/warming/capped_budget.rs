//! What warming may cost in all goes in; whether a call may be paid for comes out. Redis keeps what is spent, so
//! that a kill forgets nothing of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Budget, Expense, Funds};
use queue::{QueueError, SpendingCap};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::tenant_budget::millionths;

/// A call is asked for again after so long while Redis does not answer.
const UNANSWERED: Duration = Duration::from_secs(10);
const MILLION: f64 = 1e6;
/// The largest cap that Redis takes, for whoever names none.
const ANY: f64 = 1e6;

/// A budget of everybody's.
pub(super) struct CappedBudget {
    cap: Arc<SpendingCap>,
    most_usd: f64,
    told: UnboundedSender<Told>,
    /// Puts right what was taken, while nobody waits for that.
    _teller: JoinSet<()>,
}

enum Told {
    /// Taken and spent, in millionths of a dollar.
    Settled(u64, u64),
    /// Whatever was told before is put right.
    Flushed(oneshot::Sender<()>),
}

impl CappedBudget {
    /// `most_usd` in all; any amount where nobody says.
    pub(super) fn new(cap: SpendingCap, most_usd: Option<f64>) -> Self {
        let cap = Arc::new(cap);
        let (told, to_tell) = unbounded_channel();
        let mut teller = JoinSet::new();
        teller.spawn(tell(Arc::clone(&cap), to_tell));
        Self { cap, most_usd: most_usd.unwrap_or(ANY), told, _teller: teller }
    }

    /// What was spent in all until now, in US dollars.
    pub(super) async fn spent(&self) -> Result<f64, QueueError> {
        let (flush, flushed) = oneshot::channel();
        if self.told.send(Told::Flushed(flush)).is_ok() {
            // It answers, or has ended.
            let _ = flushed.await;
        }
        self.cap.spent().await.map(dollars)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a millionth of a million dollars")]
pub(super) fn dollars(millionths: u64) -> f64 {
    millionths as f64 / MILLION
}

#[async_trait]
impl Budget for CappedBudget {
    async fn take(&self, _: &str, usd: f64) -> Funds {
        let price = millionths(usd);
        match self.cap.take(price, millionths(self.most_usd)).await {
            Ok(true) => Funds::Taken(Box::new(Paid { price, told: self.told.clone() })),
            Ok(false) => {
                let most = self.most_usd;
                let why = format!("more than {most} US dollars for this call of {usd:.6}");
                Funds::Spent { again: Duration::MAX, why }
            }
            Err(error) => {
                tracing::warn!("what warming has cost cannot be looked up: {error}");
                let why = "somebody to answer for what was spent".to_owned();
                Funds::Unknown { again: UNANSWERED, why }
            }
        }
    }
}

/// One call's, until it is over.
struct Paid {
    price: u64,
    told: UnboundedSender<Told>,
}

impl Expense for Paid {
    fn settle(self: Box<Self>, usd: f64) {
        let cost = millionths(usd);
        if cost != self.price {
            // Nobody listens any more where the process ends; then the price stays taken.
            let _ = self.told.send(Told::Settled(self.price, cost));
        }
    }
}

async fn tell(cap: Arc<SpendingCap>, mut told: UnboundedReceiver<Told>) {
    while let Some(told) = told.recv().await {
        match told {
            Told::Settled(price, cost) => {
                if let Err(error) = cap.put_right(price, cost).await {
                    tracing::warn!(
                        "a call has cost {cost} millionths of a dollar and counts as {price}: {error}"
                    );
                }
            }
            Told::Flushed(asked) => {
                // Who has asked may have gone.
                let _ = asked.send(());
            }
        }
    }
}
