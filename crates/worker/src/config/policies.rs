//! `CONTENT_GENERATION_TIMEOUT` and each stage's `…_TIMEOUT`, `…_TRIES`, `…_SLOTS` and `JOB_WASTE_LIMIT` go in;
//! the policy table as they change it comes out.

use std::num::NonZero;
use std::time::Duration;

use pipeline::{Policies, StagePolicy};
use settings::Reader;
use stillcast_enqueue::StageName;

/// Most calls at once that a process is meant for.
const MAX_SLOTS: usize = 1024;
const MAX_TRIES: usize = 100;
/// Nobody who limits waste means more.
const MAX_WASTE: f64 = 100.0;

/// Reads the section; `tasks` is how many jobs the worker takes at once.
pub(super) fn read(reader: &mut Reader, tasks: usize) -> Option<Policies> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let defaults = pipeline::standard(tasks, cores);
    let content = timeout(reader, "content_generation_timeout");
    let video = timeout(reader, "video_encoding_timeout");
    let rows = StageName::ALL.map(|stage| (stage, row(reader, stage, *defaults.row(stage))));
    let waste_limit = times(reader, "job_waste_limit");
    let mut policies = Policies::new(content?, video?, |stage| *defaults.row(stage));
    for (stage, row) in rows {
        *policies.row_mut(stage) = row?;
    }
    policies.waste_limit = waste_limit?;
    Some(policies)
}

fn row(reader: &mut Reader, stage: StageName, default: StagePolicy) -> Option<StagePolicy> {
    let timeout = timeout(reader, &timeout_of(stage));
    let tries = reader.count(&format!("{stage}_tries"), 1..=MAX_TRIES);
    let slots = reader.count_or_auto(&format!("{stage}_slots"), 1..=MAX_SLOTS, default.slots);
    let tries = u32::try_from(tries?).ok()?;
    Some(StagePolicy { timeout: timeout?, tries, slots: slots?, ..default })
}

fn times(reader: &mut Reader, name: &str) -> Option<f64> {
    reader.read(name, |text| {
        let times = text.parse().ok().filter(|times| (0.0..=MAX_WASTE).contains(times));
        times.ok_or_else(|| "is how often its price a job may waste, from 0 to 100".to_owned())
    })
}

/// The encode stage has two time-outs, each with a name that is older than the stages.
fn timeout_of(stage: StageName) -> String {
    match stage {
        StageName::Encode => "audio_compression_timeout".to_owned(),
        _ => format!("{stage}_timeout"),
    }
}

fn timeout(reader: &mut Reader, name: &str) -> Option<Duration> {
    reader.duration(name, Duration::from_secs(1)..=Duration::from_hours(24))
}
