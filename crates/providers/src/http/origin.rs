//! What went wrong with a call goes in; an error that names the vendor and the setting comes out.

use std::error::Error;
use std::{io, iter};

use pipeline::{FailureClass, ProviderError, Usage};

use super::account::Capability;
use super::vendor::Vendor;

const UNREADABLE: &str = "answer-unreadable";

/// Where an answer comes from: who was asked, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) vendor: &'static Vendor,
    pub(super) capability: Capability,
}

impl Origin {
    /// A connection that failed, broke or fell silent. The address stays out: it may hold a password.
    pub(super) fn lost(self, error: &reqwest::Error) -> ProviderError {
        let (code, message) = if error.is_timeout() {
            ("provider-silent", "the provider did not answer in time")
        } else if error.is_connect() {
            ("connection-failed", "the provider cannot be reached; is its address right, and up?")
        } else {
            ("connection-broken", "the connection to the provider broke in the middle")
        };
        let lost = ProviderError::transient(self.vendor.provider, code, message);
        match cause(error) {
            Some(cause) => lost.because(cause),
            None => lost,
        }
    }

    /// A status of success with a body that is not of this API: an accident once, the wrong server
    /// twice.
    pub(super) fn unreadable(self, what: &str) -> ProviderError {
        let message = format!("the answer {what}; is {}_BASE_URL right?", self.capability);
        ProviderError::transient(self.vendor.provider, UNREADABLE, message)
            .again(FailureClass::Misconfigured)
    }
}

/// What the system said, as far as it said anything. All other words stay out: a server's own may be
/// among them.
fn cause(error: &reqwest::Error) -> Option<io::Error> {
    let first: &(dyn Error + 'static) = error;
    let mut chain = iter::successors(Some(first), |&error| error.source());
    let number = chain.find_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error());
    number.map(io::Error::from_raw_os_error)
}

/// Books what a call has cost whose answer was lost or spoilt. What is not of this API at all, such
/// as a gateway's page, nobody has sent a bill for.
pub(crate) fn booked(error: ProviderError, cost: &Usage) -> ProviderError {
    if error.code == UNREADABLE { error } else { error.wasting(cost.clone()) }
}
