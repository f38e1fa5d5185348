//! What each term means, and how faults are told.

use stillcast_enqueue::{Cost, ErrorReport, Identifier, JobRecord, StageName, State};

use super::read::MAX_TEXT;
use super::*;
use crate::facts::{Facts, Words};

const NOW_MS: i64 = 10_000_000_000;

/// A dead job, accepted ten minutes ago.
fn job() -> Facts {
    let hash = [
        ("state", "dead"),
        ("stage", "tts"),
        ("format", "video"),
        ("tenant", "acme"),
        ("priority", "7"),
        ("enqueued_ms", "9999400000"),
        ("metadata", r#"{"show":"evening walk","part":"9"}"#),
    ];
    let hash = hash.map(|(field, value)| (field.to_owned(), value.to_owned())).into();
    let mut record = JobRecord::from_hash("job-17", &hash).unwrap();
    record.cost = Cost { spent_usd: 0.25, ..Cost::default() };
    record.error = Some(ErrorReport {
        stage: Some(StageName::Image),
        provider: Some("openai".to_owned()),
        ..ErrorReport::new("speech-silent", "there is no voice in it")
    });
    Facts::of(&record, &mut Words::default())
}

fn means(filter: &str) -> bool {
    let filter = Filter::parse(filter).unwrap_or_else(|fault| panic!("{filter}: {fault:?}"));
    assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter), "{filter}");
    filter.matches(&job(), NOW_MS)
}

#[test]
fn each_term_means_what_it_says() {
    for filter in [
        "",
        "  ",
        "state:dead",
        "state:ready,dead",
        "stage:tts",
        "stage:image",
        "format:video tenant:acme",
        "code:speech-silent",
        "code:speech-*",
        "code:other,\"speech-silent\"",
        "provider:openai",
        "id:job-17",
        "id:job-*",
        "age>5m",
        "age>=10m age<=600s age:10m",
        "age<2h age<1d12h",
        "priority>=7 priority:7 priority=7 priority<8",
        "meta.show=\"evening walk\"",
        "meta.show:eve*",
        "meta.\"show\"=\"evening \"*",
        "meta.part:8,9",
        "-state:done",
        "-meta.nothing:x",
        "-tenant:other state:dead",
    ] {
        assert!(means(filter), "{filter}");
    }
    for filter in [
        "state:ready",
        "-state:dead",
        "stage:upload",
        "format:audio",
        "tenant:acm",
        "code:speech",
        "code:*silent",
        "provider:open",
        "id:job-1",
        "age<5m",
        "age>10m",
        "priority>7",
        "meta.show:evening",
        "meta.nothing:*",
        "state:dead tenant:other",
        "id:\"job-*\"",
    ] {
        assert!(!means(filter), "{filter}");
    }
}

#[test]
fn more_states_narrow_a_filter() {
    let filter = Filter::parse("tenant:acme").unwrap();
    assert!(filter.clone().in_states([State::Dead]).matches(&job(), NOW_MS));
    let none = filter.in_states([State::Ready, State::Done]);
    assert!(!none.matches(&job(), NOW_MS));
    assert_eq!(none.to_string(), "tenant:acme state:ready,done");
    let own = Identifier::parse("tenant", "other").unwrap();
    let foreign = Filter::parse("-tenant:x").unwrap().of_tenant(Some(&own));
    assert!(!foreign.matches(&job(), NOW_MS));
    assert_eq!(foreign.to_string(), "tenant:other -tenant:x");
}

#[test]
fn a_fault_names_its_place_and_what_may_stand_there() {
    for (filter, at, takes) in [
        ("dead", 1, "one of state, stage"),
        ("state:dead stat:dead", 12, "one of state, stage"),
        ("state", 6, "`:` and a value"),
        ("state:gone", 7, "one of delayed, ready"),
        ("state:dead,", 12, "a value"),
        ("state:dea*", 7, "one of delayed, ready"),
        ("é", 1, "a field"),
        ("tenant:\"a", 10, "the quote that ends"),
        ("tenant:\"a\"b", 11, "a space or a comma"),
        ("age:5", 5, "a time such as"),
        ("age>", 5, "a value"),
        ("age>99999999999999999999d", 5, "a time such as"),
        ("age~5m", 4, "`>`"),
        ("priority>10", 10, "from 0 to 9"),
        ("priority>=*", 11, "from 0 to 9"),
        ("meta", 5, "`.` and a key"),
        ("meta.=x", 6, "a key"),
        ("--state:dead", 2, "a field"),
    ] {
        let fault = Filter::parse(filter).unwrap_err();
        assert_eq!(fault.at, at, "{filter}: {fault:?}");
        assert!(fault.takes.contains(takes), "{filter}: {fault:?}");
    }
    let long = format!("id:{}", "a".repeat(MAX_TEXT));
    assert!(Filter::parse(&long).unwrap_err().takes.contains("at most 4096"));
}

#[test]
fn every_field_that_is_told_is_read() {
    for (field, _, example) in FIELDS {
        let word = field.replace(".KEY", "");
        assert!(example.starts_with(&word), "{example}");
        assert!(Filter::parse(example).is_ok(), "{example}");
    }
}
