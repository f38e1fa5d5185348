//! A lease goes out to a process that works under it while this one keeps it; there it is a lease
//! again.
//!
//! The keeper renews, reports and says how the lease stands; the borrower fences itself by that, and
//! writes checkpoints, flights and progress itself, under the same token. Both read the same clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use stillcast_enqueue::Envelope;

use super::Lease;
use crate::Interrupted;
use crate::clock::Moment;
use crate::connection::Endpoint;
use crate::lease_state::{Bounds, LeaseState};
use crate::lease_table::LeaseTable;
use crate::lent::{BorrowError, LeaseStanding, LentLease};
use crate::link::{Link, LinkVitals};
use crate::scripts::{Clock, Scripts};

impl Lease {
    /// For a process of this machine that shall work under the lease, which stays here.
    pub fn lend(&self) -> LentLease {
        LentLease {
            id: self.id().to_owned(),
            token: self.token().to_owned(),
            deadline: self.state.deadline().as_nanos(),
            standing: self.standing(),
        }
    }

    /// How it stands now; whoever works under it elsewhere is to hear of each change.
    pub fn standing(&self) -> LeaseStanding {
        LeaseStanding {
            valid_until: self.state.valid_until().as_nanos(),
            is_draining: self.table.is_draining(),
        }
    }

    /// The other end of [`Lease::lend`]: connects, and reads the job.
    ///
    /// Fails with [`BorrowError::Lost`] where the job has another token by now, and with
    /// [`BorrowError::Queue`] where Redis does not answer within `response_timeout`.
    pub async fn borrowed(
        endpoint: &Endpoint,
        response_timeout: Duration,
        lent: LentLease,
    ) -> Result<Self, BorrowError> {
        let vitals = Arc::new(LinkVitals::new());
        let watch = {
            let vitals = Arc::clone(&vitals);
            Arc::new(move |answer: Result<(), &_>| vitals.hear(answer))
        };
        let connection = endpoint.watched(response_timeout, watch).await?;
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        let link = Link { scripts, connection, vitals };
        let (hash, body) = read(&link, &lent.id).await?;
        if hash.get("token") != Some(&lent.token) {
            return Err(BorrowError::Lost);
        }
        let envelope = Envelope::decode(&body).map_err(|_| BorrowError::Lost)?;
        let bounds = Bounds {
            valid_until: Moment::from_nanos(lent.standing.valid_until),
            // Only its keeper renews.
            renew_until: Moment::from_nanos(0),
            deadline: Moment::from_nanos(lent.deadline),
        };
        let state = LeaseState::new(lent.id, lent.token, &bounds);
        let lease = Self::new(envelope, hash, state, Arc::new(LeaseTable::new()), link);
        lease.follow(lent.standing);
        Ok(lease)
    }

    /// Stands as its keeper says it does.
    pub fn follow(&self, standing: LeaseStanding) {
        self.state.kept_until(Moment::from_nanos(standing.valid_until));
        if standing.is_draining {
            self.table.start_drain();
        }
    }

    /// Writes what Redis may not know yet, before the keeper reports. Repeats until Redis has answered,
    /// or the lease is over.
    pub async fn settle(&self) -> Result<(), Interrupted> {
        tokio::select! {
            settled = self.confirm_checkpoints() => settled,
            why = self.interrupted() => Err(why),
        }
    }
}

async fn read(link: &Link, id: &str) -> RedisResult<(HashMap<String, String>, Vec<u8>)> {
    let (keys, mut connection) = (link.scripts.keys(), link.connection.clone());
    let fields: HashMap<String, Vec<u8>> =
        redis::cmd("HGETALL").arg(keys.job(id)).query_async(&mut connection).await?;
    let body: Option<Vec<u8>> =
        redis::cmd("GET").arg(keys.body(id)).query_async(&mut connection).await?;
    // Any client may have written a field, also one that is no text.
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let hash = fields.into_iter().map(|(name, value)| (name, text(value))).collect();
    Ok((hash, body.unwrap_or_default()))
}
