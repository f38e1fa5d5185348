//! A word to Redis each third of a lease, over the main connection: this worker is there. Its answer
//! shows that reports would get through too, however long no attempt has had anything to say.

use super::role::Running;
use super::shared::Shared;
use crate::link::Link;

/// Starts the words.
pub(crate) fn start(shared: &Shared) -> Running {
    let shared = shared.clone();
    Running::task(async move {
        let lease_ttl = shared.options.lease_ttl;
        loop {
            // After a failure a server is soon looked for again: the heartbeat waits for this answer.
            let pause = if say(&shared).await { lease_ttl / 3 } else { lease_ttl / 12 };
            tokio::time::sleep(pause.mul_f64(0.9 + fastrand::f64() / 10.0)).await;
        }
    })
}

/// A renewal of no lease, which writes that the worker was seen, and how it stands: what a replica would
/// not do.
async fn say(shared: &Shared) -> bool {
    let Link { scripts, mut connection, .. } = shared.link.clone();
    let none: [(&str, &str); 0] = [];
    let call = scripts.renew(&shared.standing(), none);
    // A failure has been heard by whoever watches the connection.
    call.invoke_async::<Vec<String>>(&mut connection).await.is_ok()
}
