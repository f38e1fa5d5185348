//! A lease as the pipeline's gate: whether a call may begin goes out, and in which words it may not.

use pipeline::Gate;
use queue::{Interrupted, Lease};

/// Whether a paid call may begin is the lease's to say.
pub(super) struct LeaseGate(pub(super) Lease);

impl Gate for LeaseGate {
    fn check(&self) -> Result<(), pipeline::Interrupted> {
        self.0.check().map_err(|why| pipeline::Interrupted { reason: reason(why) })
    }

    fn check_finish(&self) -> Result<(), pipeline::Interrupted> {
        match self.0.check() {
            Ok(()) | Err(Interrupted::Draining) => Ok(()),
            Err(why) => Err(pipeline::Interrupted { reason: reason(why) }),
        }
    }
}

/// A stable word.
pub(super) fn reason(why: Interrupted) -> &'static str {
    match why {
        Interrupted::LeaseLost => "lease-lost",
        Interrupted::Cancelled => "cancelled",
        Interrupted::DeadlinePassed => "deadline",
        Interrupted::Draining => "drain",
    }
}
