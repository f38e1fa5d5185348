//! Redis goes away under four running jobs.

use std::time::Duration;

use baseline::Errand;
use tests::script::Script;

use super::{Busy, aftermath};
use crate::column::Column;

const AWAY: Duration = Duration::from_secs(2);

/// Two that end while Redis is away, so that the worker has something to say to it, and two that do
/// not.
fn two_short_two_long() -> Vec<Errand> {
    [Errand::many("short", 2, &Script::of(200)), Errand::many("long", 2, &Script::of(1000))]
        .concat()
}

pub(super) async fn connections_killed(column: Column) -> anyhow::Result<String> {
    let busy = Busy::start(column, two_short_two_long()).await?;
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes");
    kill.query_async::<i64>(&mut busy.fleet.connection()).await?;
    reconnected(&busy).await?;
    aftermath(column, &busy).await
}

pub(super) async fn paused(column: Column) -> anyhow::Result<String> {
    let busy = Busy::start(column, two_short_two_long()).await?;
    let mut pause = redis::cmd("CLIENT");
    pause.arg("PAUSE").arg(1500).arg("ALL");
    pause.query_async::<()>(&mut busy.fleet.connection()).await?;
    reconnected(&busy).await?;
    aftermath(column, &busy).await
}

pub(super) async fn restarted(column: Column) -> anyhow::Result<String> {
    let mut busy = Busy::start(column, two_short_two_long()).await?;
    busy.fleet.server.kill().await?;
    tokio::time::sleep(AWAY).await;
    busy.fleet.server.resume().await?;
    reconnected(&busy).await?;
    aftermath(column, &busy).await
}

/// Until this program's own connections answer again.
async fn reconnected(busy: &Busy) -> anyhow::Result<()> {
    busy.fleet.stats().await?;
    let known = async || busy.fleet.producer.status(&[stillcast_enqueue::JobId::generate()]).await;
    busy.fleet.until("the producer answers", async || known().await.ok()).await?;
    Ok(())
}
