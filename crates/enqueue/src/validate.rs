//! What no worker could fulfil is found before anything is sent.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Utc};

use crate::readable::has_visible;
use crate::{
    Container, Format, Identifier, InvalidField, InvalidJob, Job, Lexicon, Options, Source,
};

/// Largest `source.text`, in bytes (16 KiB: what Redis keeps inline without a slow fork).
const MAX_TEXT: usize = 16 * 1024;
/// Largest metadata, in bytes of its JSON.
const MAX_METADATA: usize = 4 * 1024;
/// Largest lexicon of a job, in bytes of its JSON.
const MAX_LEXICON: usize = 4 * 1024;
/// 9 goes first, 0 last.
pub(crate) const PRIORITY: RangeInclusive<u8> = 0..=9;
/// Attempts before a job is dead.
pub(crate) const MAX_ATTEMPTS: RangeInclusive<u32> = 1..=100;
/// Another number asks for another file.
pub const VARIANT: RangeInclusive<u32> = 0..=u32::MAX;
/// Seconds of a file: three minutes to an hour.
pub const DURATION: RangeInclusive<u32> = 180..=3_600;
/// How loud a bed may be beside the voice, in dB.
pub const BED_LEVEL: RangeInclusive<i8> = -40..=-8;
/// Seconds of the bed behind the last word.
pub const TAIL: RangeInclusive<u32> = 0..=1_800;
/// Seconds that words need beside a tail.
const LEAST_BESIDE_TAIL: u32 = 180;
/// Years in which a job may begin and end: what every reader of RFC 3339 reads.
const YEARS: RangeInclusive<i32> = 1970..=9999;

impl Job {
    /// Finds all that no worker could fulfil; every enqueue calls it first.
    pub fn validate(&self) -> Result<(), InvalidJob> {
        let mut faults = Vec::new();
        faults.extend(source(&self.source));
        faults.extend(in_range("priority", &self.priority, &PRIORITY));
        faults.extend(sound(&self.options));
        faults.extend(picture(self.format, &self.options));
        faults.extend(live(self.format, &self.options));
        faults.extend(words(&self.options.lexicon));
        faults.extend(in_range("max_attempts", &self.max_attempts, &MAX_ATTEMPTS));
        faults.extend(Identifier::parse("tenant", &self.tenant).err());
        let key = self.idempotency_key.as_deref();
        faults.extend(key.and_then(|key| Identifier::parse("idempotency_key", key).err()));
        let metadata = serde_json::to_string(&self.metadata).unwrap_or_default();
        faults.extend(within("metadata", metadata.len(), MAX_METADATA));
        faults.extend(self.times(Utc::now()));
        InvalidJob::unless_empty(faults)
    }

    fn times(&self, now: DateTime<Utc>) -> Vec<InvalidField> {
        let given = [("run_at", self.run_at), ("deadline", self.deadline)];
        let mut faults: Vec<InvalidField> = given
            .into_iter()
            .filter_map(|(field, time)| Some((field, time?.year())))
            .filter(|(_, year)| !YEARS.contains(year))
            .map(|(field, year)| {
                let takes = format!("a time in the years {} to {}", YEARS.start(), YEARS.end());
                InvalidField::value(field, takes, format!("the year {year}"))
            })
            .collect();
        let begin = self.run_at.map_or(now, |run_at| run_at.max(now));
        let passed = self.deadline.is_some_and(|deadline| deadline <= begin);
        if passed && faults.is_empty() {
            faults.push(passed_deadline());
        }
        faults
    }
}

/// The deadline would pass before the job may begin.
pub(crate) fn passed_deadline() -> InvalidField {
    InvalidField::value("deadline", "a time after now and after `run_at`", "an earlier one")
}

fn source(source: &Source) -> Option<InvalidField> {
    match source {
        Source::Text(text) if !has_visible(text) => {
            let takes = "words of which at least one character is visible";
            Some(InvalidField::value("source.text", takes, "none"))
        }
        Source::Text(text) => within("source.text", text.len(), MAX_TEXT),
        Source::Conversation(_) => None,
        Source::Unknown(kind) => {
            Some(InvalidField::value("source", Source::KINDS, format!("`{kind}`")))
        }
    }
}

/// What of a sound nobody can make.
fn sound(options: &Options) -> Vec<InvalidField> {
    // The others take whatever their types take.
    let Options {
        duration,
        bed,
        bed_level,
        bells,
        tail,
        stems,
        voice: _,
        language: _,
        variant: _,
        lexicon: _,
        container: _,
        aspect: _,
        motion: _,
        live: _,
    } = options;
    let range = |field, given: &Option<u32>, range| {
        given.as_ref().and_then(|given| in_range(field, given, range))
    };
    let mut faults: Vec<InvalidField> =
        range("options.duration", duration, &DURATION).into_iter().collect();
    let level = bed_level.as_ref();
    faults.extend(level.and_then(|given| in_range("options.bed_level", given, &BED_LEVEL)));
    faults.extend(in_range("options.tail", tail, &TAIL));
    if *tail > 0 && bed.is_none() {
        faults.push(InvalidField::value("options.tail", "a bed in `options.bed`", "none"));
    }
    if *stems && bed.is_none() && !*bells {
        faults.push(InvalidField::value("options.stems", "a bed in `options.bed`", "none"));
    }
    let left = duration.map(|duration| duration.saturating_sub(*tail));
    if *tail > 0 && left.is_some_and(|left| left < LEAST_BESIDE_TAIL) {
        let takes = format!("at least {LEAST_BESIDE_TAIL} s less than `options.duration`");
        faults.push(InvalidField::value("options.tail", takes, tail.to_string()));
    }
    faults
}

/// What of a picture nobody would see, and a container that holds no such file.
fn picture(format: Format, options: &Options) -> Vec<InvalidField> {
    let Options { container, aspect, motion, .. } = options;
    let mut faults = Vec::new();
    let unfit = container.filter(|container| container.format() != format);
    if let Some(container) = unfit {
        let got = format!("`{container}` for `{format}`");
        faults.push(InvalidField::value("options.container", Container::WORDS, got));
    }
    let asked = [("options.aspect", !aspect.is_default()), ("options.motion", *motion)];
    let unseen = asked.into_iter().filter(|(_, is_asked)| *is_asked && format != Format::Video);
    let unseen = unseen
        .map(|(field, _)| InvalidField::value(field, "`video` in `format`", format!("`{format}`")));
    faults.extend(unseen);
    faults
}

/// What of a sound nobody could hear while it is made.
fn live(format: Format, options: &Options) -> Option<InvalidField> {
    let refused = |takes, got: String| Some(InvalidField::value("options.live", takes, got));
    let container = options.container(format);
    if !options.live {
        None
    } else if container != Container::M4a {
        refused("`audio` in `format`, as `m4a`", format!("`{container}` for `{format}`"))
    } else if options.duration.is_some() {
        let takes = "no `options.duration`: its first pause is known when the last word is spoken";
        refused(takes, "one".to_owned())
    } else {
        None
    }
}

/// What of a lexicon nobody can say.
fn words(lexicon: &Lexicon) -> Option<InvalidField> {
    let fault = lexicon.check("options.lexicon").err();
    fault.or_else(|| within("options.lexicon", lexicon.to_string().len(), MAX_LEXICON))
}

fn within(field: &str, actual: usize, limit: usize) -> Option<InvalidField> {
    let fault = || InvalidField::value(field, format!("at most {limit} bytes"), actual.to_string());
    (actual > limit).then(fault)
}

fn in_range<N: PartialOrd + ToString>(
    field: &str,
    actual: &N,
    range: &RangeInclusive<N>,
) -> Option<InvalidField> {
    let fault = || InvalidField::value(field, whole_number(range), actual.to_string());
    (!range.contains(actual)).then(fault)
}

/// What a field takes that holds a number.
pub(crate) fn whole_number<N: ToString>(range: &RangeInclusive<N>) -> String {
    format!("a whole number from {} to {}", range.start().to_string(), range.end().to_string())
}
