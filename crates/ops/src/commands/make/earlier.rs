//! Jobs that an earlier run left unfinished go in; they are waited for, and what became of each is
//! printed.

use queue::Inspector;
use stillcast_enqueue::{JobRecord, State};

use crate::commands::watch;
use crate::render::{self, Screen};

/// Jobs of earlier runs that are waited for; more of them wait for `stillcast dev`.
const MAX_EARLIER: usize = 100;

/// The jobs that earlier runs left behind and a worker can go on with now.
pub(super) async fn unfinished(inspector: &Inspector) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for state in [State::Ready, State::Leased] {
        let page = inspector.list(Some(state), MAX_EARLIER, None).await?;
        ids.extend(page.jobs.into_iter().map(|record| record.id));
    }
    Ok(ids)
}

/// Waits while any of `earlier` is ready or leased, and prints what became of each.
pub(super) async fn finish(
    inspector: &Inspector,
    earlier: Vec<String>,
    screen: &Screen,
) -> anyhow::Result<()> {
    for id in earlier {
        screen.live_status(&format!("  finishing the earlier job {id}"));
        let went_on = |record: &JobRecord| !matches!(record.state, State::Ready | State::Leased);
        let record = watch::until(inspector, &id, went_on, |_| {}).await?;
        let became = match &record.artifact {
            Some(artifact) => artifact.path.clone().unwrap_or_else(|| artifact.url.clone()),
            None => render::failure(&record),
        };
        screen.note(&format!("earlier job {id}: {became}"));
    }
    Ok(())
}
