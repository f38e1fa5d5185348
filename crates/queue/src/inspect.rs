//! What anyone may look at and an operator may mend: identifiers and wishes go in, records, counts
//! and typed answers come out.

mod alerts;
mod announcements;
mod answers;
mod audit;
mod bulks;
mod checkup;
mod forecast;
mod history;
mod inspector;
mod listing;
mod memory;
mod mending;
mod remaking;
mod remembered;
mod scaling;
mod waits;
mod webhooks;
mod why;
mod workers;

pub use self::announcements::{Announcement, Announcements};
pub use self::answers::{PurgeAnswer, ReplayAnswer, ResendAnswer};
pub use self::audit::AuditPage;
pub use self::bulks::BulkHolder;
pub use self::checkup::{CheckUp, ServerTold, SlowCall};
pub use self::inspector::Inspector;
pub use self::listing::{Cursor, MAX_PAGE, Page};
pub use self::memory::ServerNumbers;
pub use self::waits::{LOOKED_AT, WAITS, Wait};
pub use self::workers::{RefusedWorker, WorkerSeen};
