//! The other end of the queue: claim, lease, renew, report, reap, look and mend.
//!
//! A worker gives [`Consumer::run`] a [`Handler`]; each attempt gets a [`Lease`] and answers with an
//! [`Outcome`]. What must hold stands in the crate's README, the specification of the queue. This is
//! the only crate that knows apalis.

mod account_limits;
mod actions;
mod answers;
mod audit;
mod bulk;
mod clock;
mod connection;
mod consumer;
mod error;
mod event;
mod examination;
mod flight;
mod forecast;
mod history;
mod inspect;
mod interrupted;
mod lease;
mod lease_cost;
mod lease_state;
mod lease_table;
mod lent;
mod limits;
mod link;
mod numbers;
mod outage;
mod outcome;
mod remake;
mod scaling;
mod scripts;
mod spending_cap;
mod stats;
mod tenant_budgets;
mod trash;
mod verify;
mod waiting;
mod webhooks;

pub use account_limits::AccountLimits;
pub use actions::{JobFiles, PurgeError, Watch, purge};
pub use answers::{Claim, ClaimedJob, Claims, Idle, Reaped, Reported};
pub use audit::{Actor, AuditEntry, Interface};
pub use bulk::{BulkAction, BulkAnswer, BulkOrder, BulkRecord, BulkState};
pub use connection::Endpoint;
pub use consumer::{
    AttemptBudget, Consumer, ConsumerOptions, Handler, Health, NewLease, Shutdown, Stopped,
};
pub use error::QueueError;
pub use event::{Event, Observer};
pub use examination::ServerReport;
pub use flight::{FlightResult, JoinAnswer};
pub use history::{CacheUse, ErrorCount, History, JobsEnded, Slot, StageUse, Tally, Times};
pub use inspect::{
    Announcement, Announcements, AuditPage, BulkHolder, CheckUp, Cursor, Inspector, LOOKED_AT,
    MAX_PAGE, Page, PurgeAnswer, RefusedWorker, ReplayAnswer, ResendAnswer, ServerNumbers,
    ServerTold, SlowCall, WAITS, Wait, WorkerSeen,
};
pub use interrupted::Interrupted;
pub use lease::Lease;
pub use lent::{BorrowError, LeaseStanding, LentLease};
pub use limits::Limits;
pub use outcome::{Outcome, ParkReason, Report};
pub use remake::Remake;
pub use scaling::Demand;
pub use scripts::budget_calls::Spending;
pub use scripts::lease_calls::LeaseCalls;
pub use scripts::limit_calls::{
    AccountLimit, Admission, AdmitRequest, Allowance, Settlement, Told,
};
pub use scripts::probe_calls::REFUSALS_A_DAY;
pub use scripts::worker_calls::{ClaimRequest, ReapRequest};
pub use scripts::{Clock, Scripts, Verb};
pub use spending_cap::SpendingCap;
pub use stats::{QueueStats, StateCounts};
pub use tenant_budgets::TenantBudgets;
pub use trash::{Trash, TrashEntry, WorkFolder};
pub use verify::{Verified, Violation, verify};
pub use waiting::{WaitingReason, Why};
pub use webhooks::{Attempt, Courier, Delivery, Notifier};
