//! Many jobs, several workers, and a worker with nothing to do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use baseline::Errand;
use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use super::{SLOTS, WINDOW};
use crate::column::Column;
use crate::seen::{Seen, acted, line, look, seconds};

pub(super) async fn shared(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let errands = Errand::many("job", 2 * SLOTS, &Script::of(1000));
    column.enqueue(&fleet, &errands).await?;
    let _workers =
        [column.worker(&fleet, "one", SLOTS).await?, column.worker(&fleet, "two", SLOTS).await?];
    let seen = Seen::within(WINDOW, &fleet, &errands).await;
    let mut shares: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fleet.account().entries().into_iter().filter(|entry| entry.act == Act::Attempt) {
        *shares.entry(entry.worker).or_default() += 1;
    }
    let mut shares: Vec<String> = shares.into_values().map(|share| share.to_string()).collect();
    shares.resize(2, "0".to_owned());
    Ok(format!("shared {}; {}", shares.join(" : "), seen.words()))
}

const CROWD: usize = 10_000;
const MAX_WAIT: Duration = Duration::from_secs(90);

pub(super) async fn due_at_once(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let errands = Errand::many("due", CROWD, &Script { calls: 0, ..Script::default() });
    column.enqueue(&fleet, &errands).await?;
    let _worker = column.worker(&fleet, "one", 64).await?;
    let began = Instant::now();
    // Counted without reading each line: looking must not take the time that is measured.
    let finished = || {
        let journal = std::fs::read_to_string(fleet.server.folder().join("journal"));
        journal.unwrap_or_default().matches(r#""act":"finish""#).count()
    };
    let all = look(MAX_WAIT, async || (finished() >= CROWD).then_some(began.elapsed())).await;
    Ok(match all {
        Some(took) => format!("all done in {}", seconds(took)),
        None => format!("**{} done** within {}", finished(), seconds(MAX_WAIT)),
    })
}

pub(super) async fn picked_up(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let first = Errand::many("first", 1, &Script { calls: 0, ..Script::default() });
    column.enqueue(&fleet, &first).await?;
    let _worker = column.worker(&fleet, "one", SLOTS).await?;
    let began = line(WINDOW, &fleet, |entry| entry.act == Act::Finish).await;
    began.context("the worker did not begin")?;
    let errands = Errand::many("job", 20, &Script { calls: 0, ..Script::default() });
    let mut sent = BTreeMap::new();
    for errand in &errands {
        tokio::time::sleep(Duration::from_millis(100)).await;
        sent.insert(errand.id.clone(), chrono::Utc::now().timestamp_millis());
        column.enqueue(&fleet, std::slice::from_ref(errand)).await?;
    }
    let all = async || (acted(&fleet, &errands, Act::Attempt).len() == errands.len()).then_some(());
    if look(WINDOW, all).await.is_none() {
        return Ok(format!("**not all** within {}", seconds(WINDOW)));
    }
    let entries = fleet.account().entries().into_iter().filter(|entry| entry.act == Act::Attempt);
    let mut waits: Vec<i64> =
        entries.filter_map(|entry| Some(entry.at - sent.get(&entry.job)?)).collect();
    waits.sort_unstable();
    Ok(format!("median {} ms, longest {} ms", waits[waits.len() / 2], waits[waits.len() - 1]))
}
