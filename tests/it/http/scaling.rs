//! How many workers a queue wants, as a server tells it.

use queue::{Clock, Scripts, Verb};
use stillcast_enqueue::keys::Keys;

use crate::support::Api;

/// Jobs take half a minute, as far as is known.
async fn half_a_minute_each(api: &Api) {
    let scripts = Scripts::new(Keys::new("stillcast").unwrap(), Clock::Server);
    let mut connection = api.server.connection().await.unwrap();
    let mut tally = scripts.call(Verb::Tally);
    let _: Vec<u64> =
        tally.arg(&["attempt:audio:44", "20"]).invoke_async(&mut connection).await.unwrap();
}

#[tokio::test]
async fn the_number_of_workers_that_there_should_be_follows_the_target() {
    // Of the four slots of a worker each begins four jobs in two minutes, and one in a second.
    for (target, workers) in [("", 1), ("2m", 1), ("1s", 4)] {
        let api = Api::start_with(&[("BACKLOG_TARGET", target)]).await;
        half_a_minute_each(&api).await;
        for _ in 0..16 {
            let _ = api.enqueue().await;
        }
        let page = api.get("/metrics").await.text;
        let line = format!("stillcast_desired_replicas{{queue=\"stillcast\"}} {workers}");
        assert!(page.lines().any(|found| found == line), "`{line}` is not in\n{page}");
    }
}
