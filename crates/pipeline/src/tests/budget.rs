//! Calls whose price is taken out of their tenant's day, and what becomes of it and of their jobs.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use stillcast_enqueue::{Format, StageName};

use super::fakes::{BROKEN_USD, PASSAGES, PICTURE_USD, Step, TestRun};
use crate::{BUDGET_SPENT, BUDGET_UNKNOWN, Budget, Expense, Funds, Gate, Interrupted, produce};

const TOMORROW: Duration = Duration::from_hours(7);

/// Pays for so many calls, and notes what they cost.
#[derive(Clone)]
struct Purse(Arc<Mutex<Notes>>);

struct Notes {
    /// Calls that are paid for.
    most: usize,
    /// Whether it answers at all.
    is_known: bool,
    /// What was taken, whose.
    taken: Vec<(String, f64)>,
    /// What it was put right to.
    settled: Vec<f64>,
    /// Whether the lease is over as soon as something was taken.
    ends_lease: bool,
}

struct Note(Purse);

impl Purse {
    fn of(test: &mut TestRun, most: usize) -> Self {
        let (taken, settled) = (Vec::new(), Vec::new());
        let notes = Notes { most, is_known: true, taken, settled, ends_lease: false };
        let purse = Self(Arc::new(Mutex::new(notes)));
        test.run.budget = Some(Arc::new(purse.clone()));
        purse
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap()
    }

    /// How many calls were paid for, and what they have cost together.
    fn paid(&self) -> (usize, f64) {
        let notes = self.notes();
        assert_eq!(notes.taken.len(), notes.settled.len(), "each is put right once");
        (notes.taken.len(), notes.settled.iter().sum())
    }
}

#[async_trait]
impl Budget for Purse {
    async fn take(&self, tenant: &str, usd: f64) -> Funds {
        let mut notes = self.notes();
        let (again, why) = (TOMORROW, "the next day (UTC)".to_owned());
        if !notes.is_known {
            return Funds::Unknown { again, why };
        }
        if notes.taken.len() == notes.most {
            return Funds::Spent { again, why };
        }
        notes.taken.push((tenant.to_owned(), usd));
        Funds::Taken(Box::new(Note(self.clone())))
    }
}

impl Expense for Note {
    fn settle(self: Box<Self>, usd: f64) {
        self.0.notes().settled.push(usd);
    }
}

impl Gate for Purse {
    fn check(&self) -> Result<(), Interrupted> {
        let notes = self.notes();
        let is_over = notes.ends_lease && !notes.taken.is_empty();
        if is_over { Err(Interrupted { reason: "lease-lost" }) } else { Ok(()) }
    }

    fn check_finish(&self) -> Result<(), Interrupted> {
        self.check()
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_bought_is_paid_for_and_put_right_to_what_it_has_cost() {
    let mut test = TestRun::new(Format::Video).of_tenant("acme");
    let purse = Purse::of(&mut test, usize::MAX);
    let produced = produce(&test.run).await.unwrap();
    let (calls, cost) = purse.paid();
    assert_eq!(calls, 2 + PASSAGES as usize, "nothing else is");
    assert!((cost - produced.cost.spent_usd).abs() < 1e-9 && cost >= PICTURE_USD, "{cost}");
    let taken = &purse.notes().taken;
    assert!(taken.iter().all(|(tenant, _)| tenant == "acme"), "{taken:?}");
    let known = taken.iter().map(|(_, usd)| usd).sum::<f64>();
    assert!((known - BROKEN_USD).abs() < 1e-9, "{known}");
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_paid_for_too() {
    let mut test = TestRun::new(Format::Audio);
    let purse = Purse::of(&mut test, usize::MAX);
    test.script(StageName::Transcript, [Step::Garble]);
    let produced = produce(&test.run).await.unwrap();
    let (calls, cost) = purse.paid();
    assert_eq!(calls, 2 + PASSAGES as usize, "each try is a call");
    let (spent, wasted) = (produced.cost.spent_usd, produced.cost.wasted_usd);
    assert!(spent + wasted >= BROKEN_USD && (cost - spent - wasted).abs() < 1e-9, "{cost}");
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_tenant_has_spent_its_day_parks_keeps_what_it_has_and_buys_nothing_more() {
    let mut test = TestRun::new(Format::Audio);
    let purse = Purse::of(&mut test, 3);
    let failed = test.attempt().await.unwrap_err();
    let error = &failed.error;
    assert_eq!((error.code, error.stage), (BUDGET_SPENT, StageName::Tts), "{error:?}");
    assert_eq!((error.park, error.provider), (Some(TOMORROW), Some("fake")));
    assert_eq!(error.message, "waits for the next day (UTC)");
    assert_eq!(purse.paid().0, 3);
    let bought = |test: &TestRun| {
        [StageName::Transcript, StageName::Tts].map(|stage| test.journal.finished(stage))
    };
    assert_eq!(bought(&test), [1, 2], "what was paid for, and no more");
    purse.notes().is_known = false;
    let failed = test.attempt().await.unwrap_err();
    assert_eq!((failed.error.code, bought(&test)), (BUDGET_UNKNOWN, [1, 2]), "nothing unseen");
    test.run.budget = None;
    test.attempt().await.unwrap();
    assert_eq!(bought(&test), [1, PASSAGES as usize], "none is bought twice");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_begin_costs_nothing() {
    let mut test = TestRun::new(Format::Audio);
    let purse = Purse::of(&mut test, usize::MAX);
    purse.notes().ends_lease = true;
    test.run.gate = Arc::new(purse.clone());
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(failed.error.code, "lease-lost");
    assert_eq!((test.journal.calls().len(), purse.paid()), (0, (1, 0.0)));
}
