//! What no worker could fulfil is found before anything is sent.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Utc};

use crate::readable::has_visible;
use crate::{Identifier, InvalidField, InvalidJob, Job, Source};

/// Largest `source.text`, in bytes (16 KiB: what Redis keeps inline without a slow fork).
const MAX_TEXT: usize = 16 * 1024;
/// Largest metadata, in bytes of its JSON.
const MAX_METADATA: usize = 4 * 1024;
/// 9 goes first, 0 last.
pub(crate) const PRIORITY: RangeInclusive<u8> = 0..=9;
/// Attempts before a job is dead.
pub(crate) const MAX_ATTEMPTS: RangeInclusive<u32> = 1..=100;
/// Another number asks for another file.
pub const VARIANT: RangeInclusive<u32> = 0..=u32::MAX;
/// Seconds of a file: three minutes to an hour.
pub const DURATION: RangeInclusive<u32> = 180..=3_600;
/// Years in which a job may begin and end: what every reader of RFC 3339 reads.
const YEARS: RangeInclusive<i32> = 1970..=9999;

impl Job {
    /// Finds all that no worker could fulfil; every enqueue calls it first.
    pub fn validate(&self) -> Result<(), InvalidJob> {
        let mut faults = Vec::new();
        faults.extend(source(&self.source));
        faults.extend(in_range("priority", &self.priority, &PRIORITY));
        let duration = self.options.duration.as_ref();
        faults.extend(duration.and_then(|given| in_range("options.duration", given, &DURATION)));
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
