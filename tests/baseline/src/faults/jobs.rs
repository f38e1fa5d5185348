//! Bad jobs, and the same job twice.

use baseline::Errand;
use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use super::{Busy, SLOTS, WINDOW, aftermath};
use crate::column::Column;
use crate::seen::{Seen, acted};

pub(super) async fn poison(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let errands = Errand::many("good", 3, &Script::of(500));
    column.enqueue(&fleet, &errands[..2]).await?;
    column.enqueue_poison(&fleet).await?;
    column.enqueue(&fleet, &errands[2..]).await?;
    let _worker = column.worker(&fleet, "one", SLOTS).await?;
    Ok(Seen::within(WINDOW, &fleet, &errands).await.words())
}

pub(super) async fn panic(column: Column) -> anyhow::Result<String> {
    let mut busy = Busy::start(column, Errand::many("job", SLOTS, &Script::of(100))).await?;
    // The first four are done, so that the next four begin together.
    Seen::within(WINDOW, &busy.fleet, &busy.errands).await;
    busy.errands = Errand::many("good", 3, &Script::of(500));
    let bad = Errand::many("panics", 1, &Script { panic_at: 2, ..Script::of(500) });
    column.enqueue(&busy.fleet, &[busy.errands.clone(), bad].concat()).await?;
    aftermath(column, &busy).await
}

pub(super) async fn twice(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let errands = Errand::many("request", 2, &Script::of(10));
    for errand in &errands {
        column.enqueue_once(&fleet, errand, "evening-9").await?;
    }
    // What is enqueued last is run last: once it is done, so is whatever came before.
    let last = Errand::many("last", 1, &Script::of(2000));
    column.enqueue(&fleet, &last).await?;
    let _worker = column.worker(&fleet, "one", 1).await?;
    Seen::within(WINDOW, &fleet, &last).await;
    Ok(match acted(&fleet, &errands, Act::Finish).into_values().sum::<usize>() {
        1 => "run once".to_owned(),
        times => format!("**run {times} times**"),
    })
}
