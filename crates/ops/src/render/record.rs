//! A job's record goes in, text for people comes out.

use stillcast_enqueue::{Artifact, ErrorReport, JobRecord, StageRecord, State, WebhookRecord};

use super::table::{Table, pairs};
use super::units::{between, bytes, moment, seconds};

/// Everything that a person asks about one job.
pub(crate) fn record_view(record: &JobRecord) -> String {
    let head = pairs(&[
        ("job", Some(record.id.clone())),
        ("state", Some(state_words(record))),
        ("format", record.format.map(|format| format.to_string())),
        ("progress", progress(record)),
        ("priority", Some(record.priority.to_string())),
        ("tenant", Some(record.tenant.clone())),
        ("metadata", metadata(record)),
        ("attempts", Some(attempts(record))),
        ("enqueued", record.enqueued_at.map(moment)),
        ("waits", record.waiting.as_ref().map(|waiting| waiting.sentence.clone())),
        ("cure", record.waiting.as_ref().map(|waiting| waiting.cure.clone())),
        ("done in", record.eta.map(between)),
        ("wakes", record.wakes_at.filter(|_| is_asleep(record)).map(moment)),
        ("started", record.started_at.map(moment)),
        ("finished", record.finished_at.map(moment)),
        ("deadline", record.deadline.filter(|_| !record.state.is_terminal()).map(moment)),
        ("live", record.live.clone()),
        ("file", record.artifact.as_ref().map(file)),
        ("at", record.artifact.as_ref().map(address)),
        ("error", record.error.as_ref().map(error_words)),
        ("webhook", record.webhook.as_ref().map(webhook)),
    ]);
    let stages = record.stages.iter().map(stage_line);
    std::iter::once(head).chain(stages).collect::<Vec<_>>().join("\n")
}

/// One job a line.
pub(crate) fn records_view(records: &[JobRecord]) -> String {
    if records.is_empty() {
        return "no jobs".to_owned();
    }
    let mut table = Table::new(&["job", "state", "format", "attempt", "enqueued", "what"]);
    for record in records {
        table.row(vec![
            record.id.clone(),
            record.state.to_string(),
            record.format.map_or_else(String::new, |format| format.to_string()),
            format!("{}/{}", record.attempt, record.max_attempts),
            record.enqueued_at.map(moment).unwrap_or_default(),
            what(record),
        ]);
    }
    table.lines()
}

/// One finished stage: its word, its time, who did it.
pub(crate) fn stage_line(stage: &StageRecord) -> String {
    let how = if stage.cached { "cached" } else { stage.provider.as_deref().unwrap_or("") };
    format!("  {:<12}{:>9}  {how}", stage.stage.as_str(), seconds(stage.run_s))
        .trim_end()
        .to_owned()
}

/// Why a job gave no file: the stage, whose fault, the cause and what to do.
pub(crate) fn failure(record: &JobRecord) -> String {
    let why =
        record.error.as_ref().map_or_else(String::new, |error| format!(": {}", error_words(error)));
    match record.state {
        State::Dead => format!("the job {} failed{why}", record.id),
        state => format!("the job {} gave no file, it is {state}{why}", record.id),
    }
}

fn what(record: &JobRecord) -> String {
    match (&record.error, &record.artifact) {
        (_, Some(artifact)) => file(artifact),
        (Some(error), None) => error_words(error),
        (None, None) => progress(record).or_else(|| record.reason.clone()).unwrap_or_default(),
    }
}

fn state_words(record: &JobRecord) -> String {
    let reason = record.reason.as_deref().map_or_else(String::new, |word| format!(" ({word})"));
    format!("{}{reason}", record.state)
}

fn progress(record: &JobRecord) -> Option<String> {
    let stage = record.stage.filter(|_| record.state == State::Leased)?;
    Some(format!("{}, {} %", stage.as_str(), record.percent.unwrap_or(0)))
}

fn is_asleep(record: &JobRecord) -> bool {
    matches!(record.state, State::Delayed | State::Parked)
}

fn attempts(record: &JobRecord) -> String {
    let counts = [(record.interruptions, "interruptions"), (record.crashes, "crashes")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, word)| format!("{count} {word}"));
    let attempt = format!("{} of {}", record.attempt, record.max_attempts);
    std::iter::once(attempt).chain(counts).collect::<Vec<_>>().join(", ")
}

fn metadata(record: &JobRecord) -> Option<String> {
    let pairs = record.metadata.iter().map(|(name, value)| format!("{name}={value}"));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { None } else { Some(pairs.join(" ")) }
}

fn file(artifact: &Artifact) -> String {
    let (size, length) = (bytes(artifact.bytes), seconds(artifact.duration_s));
    format!("{}, {size}, {length}", artifact.content_type)
}

fn address(artifact: &Artifact) -> String {
    artifact.path.clone().unwrap_or_else(|| artifact.url.clone())
}

/// Where it stands, and how the latest attempt went; what was answered is a stranger's text.
fn webhook(webhook: &WebhookRecord) -> String {
    let next = webhook.next_at.map_or_else(String::new, |at| format!(", next {}", moment(at)));
    let last = webhook.attempts.last().map_or_else(String::new, |last| {
        let status = last.status.map(|status| format!("status {status}"));
        let how = status.or_else(|| last.error.clone()).unwrap_or_default();
        format!(", attempt {}: {how} in {} ms", webhook.attempts.len(), last.latency_ms)
    });
    format!("{}{last}{next}", webhook.state)
}

fn error_words(error: &ErrorReport) -> String {
    let stage = error.stage.map(|stage| stage.as_str().to_owned());
    let provider = error.provider.as_ref().map(|name| format!("provider {name}"));
    let place: Vec<String> = stage.into_iter().chain(provider).collect();
    let place = if place.is_empty() { String::new() } else { format!("{}: ", place.join(", ")) };
    format!("{place}{} ({})", error.message, error.code)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn record(pairs: &[(&str, &str)]) -> JobRecord {
        let hash: HashMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        JobRecord::from_hash("job-1", &hash).unwrap()
    }

    #[test]
    fn a_failure_names_stage_provider_cause_and_code() {
        let error = r#"{"stage":"tts","provider":"offline","code":"voice-unknown",
            "message":"there is no voice `x`; choose slt"}"#;
        let record = record(&[("state", "dead"), ("error", error)]);
        assert_eq!(
            failure(&record),
            "the job job-1 failed: tts, provider offline: there is no voice `x`; choose slt \
             (voice-unknown)"
        );
    }

    #[test]
    fn a_record_says_only_what_is_known() {
        let text = record_view(&record(&[("state", "ready"), ("max_attempts", "5")]));
        assert!(text.contains("state     ready\n"), "{text}");
        assert!(!text.contains("file") && !text.contains("error"), "{text}");
    }

    #[test]
    fn a_list_is_a_table_with_one_job_a_line() {
        let leased = record(&[("state", "leased"), ("stage", "tts"), ("percent", "40")]);
        assert!(records_view(&[leased.clone(), leased]).lines().all(|line| !line.is_empty()));
        assert_eq!(records_view(&[]), "no jobs");
    }
}
