//! What each stage did goes in; bars on one axis of time come out, and which of them made the job take
//! as long as it did.

use stillcast_enqueue::{StageName, StageRecord};

use super::words;

/// Width of the axis.
const WIDTH: f64 = 1000.0;
/// Narrowest bar, so that what was quick is still seen.
const NARROWEST: f64 = 3.0;

/// Bars of one attempt.
pub(super) struct Waterfall {
    pub(super) bars: Vec<Bar>,
    pub(super) total: String,
}

/// One stage.
pub(super) struct Bar {
    pub(super) stage: &'static str,
    /// Where it begins, from 0 to [`WIDTH`], and how wide it is.
    pub(super) x: f64,
    pub(super) width: f64,
    /// The part of it, at its begin, that it waited for a slot.
    pub(super) wait: f64,
    pub(super) is_critical: bool,
    pub(super) is_cached: bool,
    pub(super) says: String,
}

/// A stage on the axis of time, in seconds.
#[derive(Clone, Copy)]
struct Span<'record> {
    record: &'record StageRecord,
    begin: f64,
    end: f64,
}

impl Waterfall {
    /// `None` where no stage has begun.
    pub(super) fn of(stages: &[StageRecord]) -> Option<Self> {
        let spans = spans(stages);
        let last = spans.iter().copied().max_by(|one, other| one.end.total_cmp(&other.end))?;
        let critical = critical(&spans, last);
        let scale = WIDTH / last.end.max(0.001);
        let bar = |span: &Span<'_>| Bar {
            stage: span.record.stage.as_str(),
            x: (span.begin * scale).min(WIDTH - NARROWEST),
            width: ((span.end - span.begin) * scale).max(NARROWEST),
            wait: (span.record.wait_s.min(span.end - span.begin) * scale).max(0.0),
            is_critical: critical.contains(&span.record.stage),
            is_cached: span.record.cached,
            says: says(span.record),
        };
        Some(Self { bars: spans.iter().map(bar).collect(), total: words::span(last.end) })
    }
}

/// Whose work a stage takes.
fn before(stage: StageName) -> &'static [StageName] {
    match stage {
        StageName::Collection => &[],
        StageName::Transcript | StageName::Image => &[StageName::Collection],
        StageName::Tts => &[StageName::Transcript],
        StageName::Encode => &[StageName::Tts, StageName::Image],
        StageName::Upload => &[StageName::Encode],
    }
}

/// Each stage where its record has it; where that says nothing, behind what it takes.
fn spans(stages: &[StageRecord]) -> Vec<Span<'_>> {
    let mut spans: Vec<Span<'_>> = Vec::new();
    for record in stages {
        let taken = spans.iter().filter(|span| before(record.stage).contains(&span.record.stage));
        let ready = taken.map(|span| span.end).fold(0.0, f64::max);
        let begin = record.began_s.unwrap_or(ready);
        let end = record.ended_s.unwrap_or(begin + record.wait_s + record.run_s);
        spans.push(Span { record, begin, end: end.max(begin) });
    }
    spans
}

/// The chain of stages that ends with `last`, each with the one before it that ended latest.
fn critical(spans: &[Span<'_>], last: Span<'_>) -> Vec<StageName> {
    let mut chain = vec![last.record.stage];
    let mut stage = last.record.stage;
    while let Some(span) = spans
        .iter()
        .filter(|span| before(stage).contains(&span.record.stage))
        .max_by(|one, other| one.end.total_cmp(&other.end))
    {
        stage = span.record.stage;
        chain.push(stage);
    }
    chain
}

fn says(record: &StageRecord) -> String {
    if record.cached {
        return "from a cache".to_owned();
    }
    let mut says = words::span(record.run_s);
    if record.wait_s >= 0.05 {
        says = format!("{says}, waited {}", words::span(record.wait_s));
    }
    if record.tries > 1 {
        says = format!("{says}, {} tries", record.tries);
    }
    record.provider.as_ref().map_or_else(|| says.clone(), |provider| format!("{says} · {provider}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(stage: StageName, run_s: f64) -> StageRecord {
        StageRecord { run_s, tries: 1, cached: false, ..StageRecord::cached(stage, None) }
    }

    #[test]
    fn what_ended_latest_made_the_job_take_so_long() {
        use StageName::{Collection, Encode, Image, Transcript, Tts, Upload};
        let all = |picture| {
            let seconds = [(Collection, 1.0), (Transcript, 2.0), (Tts, 3.0), (Image, picture)];
            let seconds = seconds.into_iter().chain([(Encode, 1.0), (Upload, 1.0)]);
            seconds.map(|(name, run)| stage(name, run)).collect::<Vec<_>>()
        };
        let critical = |picture| {
            let waterfall = Waterfall::of(&all(picture)).unwrap();
            let bars = waterfall.bars.into_iter().filter(|bar| bar.is_critical);
            (bars.map(|bar| bar.stage).collect::<Vec<_>>(), waterfall.total)
        };
        let spoken = ["collection", "transcript", "tts", "encode", "upload"].to_vec();
        assert_eq!(critical(1.0), (spoken, "8.0 s".to_owned()));
        let drawn = ["collection", "image", "encode", "upload"].to_vec();
        assert_eq!(critical(7.0), (drawn, "10 s".to_owned()));
    }

    #[test]
    fn bars_lie_where_their_records_have_them() {
        let mut tts = stage(StageName::Tts, 2.0);
        (tts.began_s, tts.ended_s, tts.wait_s) = (Some(5.0), Some(10.0), 1.0);
        let waterfall = Waterfall::of(&[stage(StageName::Collection, 1.0), tts]).unwrap();
        let bar = &waterfall.bars[1];
        assert_eq!((bar.x, bar.width, bar.wait), (500.0, 500.0, 100.0));
        assert!(Waterfall::of(&[]).is_none());
    }
}
