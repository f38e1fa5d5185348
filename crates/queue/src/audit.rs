//! Who changes a queue goes in with each change; the lines that the changes have left come out.
//!
//! The scripts that people call write the line themselves, so that no change is without one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stillcast_enqueue::InvalidField;

/// Longest name, in bytes; the scripts refuse a longer one.
const MAX_BY: usize = 128;
/// Longest reason, in bytes.
const MAX_WHY: usize = 500;

/// What a person has in their hands.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// The command line.
    Cli,
    /// The HTTP API.
    Api,
    /// The page for people.
    Page,
    /// The crate of producers, or a script that calls the queue itself.
    Crate,
}

impl Interface {
    /// Every interface.
    pub const ALL: [Self; 4] = [Self::Cli, Self::Api, Self::Page, Self::Crate];

    /// The word in Redis and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Api => "api",
            Self::Page => "page",
            Self::Crate => "crate",
        }
    }
}

/// Who changes a queue, and why: each change by a person is called with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    interface: Interface,
    by: String,
    why: String,
}

impl Actor {
    /// A person or program of this name, with this in their hands. What a line cannot hold of the name
    /// is left out: control characters, and whatever lies beyond 128 bytes; a name of nothing is
    /// `nobody`.
    pub fn new(interface: Interface, by: &str) -> Self {
        let mut kept = String::new();
        for letter in by.chars().filter(|letter| !letter.is_control()) {
            if kept.len() + letter.len_utf8() > MAX_BY {
                break;
            }
            kept.push(letter);
        }
        let by = if kept.is_empty() { "nobody".to_owned() } else { kept };
        Self { interface, by, why: String::new() }
    }

    /// The same, who says why. Anybody who may read the audit reads it. Refused are control characters,
    /// and more than 500 bytes.
    pub fn because(self, why: Option<&str>) -> Result<Self, InvalidField> {
        let why = why.unwrap_or_default();
        if why.len() > MAX_WHY || why.chars().any(char::is_control) {
            let takes = "one line of at most 500 bytes";
            return Err(InvalidField::value("why", takes, "more, or another"));
        }
        Ok(Self { why: why.to_owned(), ..self })
    }

    /// As every script of an operator reads it: by, interface, why.
    pub(crate) fn words(&self) -> [&str; 3] {
        [&self.by, self.interface.as_str(), &self.why]
    }
}

/// One change by a person.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Grows by one with each change; never used again.
    pub number: u64,
    /// When, by the clock of Redis.
    pub at: DateTime<Utc>,
    /// The name of an API's token, the user of a command line, or `producer`.
    pub by: String,
    /// What they had in their hands: `cli`, `api`, `page` or `crate`.
    pub interface: String,
    /// What they did: `cancel`, `replay`, `purge`, `resend-webhook`, `pause`, `resume`, `stop-bulk`.
    pub action: String,
    /// What came of it: `cancelled`, `cancelling`, `ready`, `purged`, `due`, `paused`, `resumed`,
    /// `probed-anew`; of a bulk action `running`, `stopped`.
    pub result: String,
    /// Why, in their own words; null when they did not say.
    pub why: Option<String>,
    /// The job; null when it was more than one, or the queue.
    pub job: Option<String>,
    /// Whose job it was; null for the queue.
    pub tenant: Option<String>,
    /// Which jobs, when they were chosen by a filter.
    pub filter: Option<String>,
    /// How many jobs a filter met.
    pub jobs: Option<u64>,
    /// What was changed of the request, such as `from tts, voice=anna`; null when nothing was.
    #[serde(default)]
    pub changes: Option<String>,
}

/// A line as the scripts write it: an array, whose order never changes, so that it is short.
#[derive(Deserialize)]
struct Line(
    u64,
    String,
    String,
    String,
    String,
    String,
    String,
    #[serde(default)] String,
    #[serde(default)] String,
    #[serde(default)] String,
    #[serde(default)] u64,
    // Only where something was changed: an older reader knows no more than eleven.
    #[serde(default)] String,
);

impl AuditEntry {
    /// Reads a line; `None` when it is none.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let Line(
            number,
            ms,
            by,
            interface,
            action,
            result,
            why,
            job,
            tenant,
            filter,
            jobs,
            changes,
        ) = serde_json::from_str(&line).ok()?;
        let at = DateTime::from_timestamp_millis(ms.parse().ok()?)?;
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        let (why, job, tenant, filter) = (said(why), said(job), said(tenant), said(filter));
        let (jobs, changes) = (Some(jobs).filter(|jobs| *jobs > 0), said(changes));
        Some(Self {
            number,
            at,
            by,
            interface,
            action,
            result,
            why,
            job,
            tenant,
            filter,
            jobs,
            changes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_to_what_a_line_holds() {
        let by = |name: &str| Actor::new(Interface::Cli, name).by;
        assert_eq!(by("anna"), "anna");
        assert_eq!(by("an\nna\u{7f}"), "anna");
        assert_eq!((by(""), by("\t")), ("nobody".to_owned(), "nobody".to_owned()));
        assert_eq!(by(&"é".repeat(100)).len(), 128);
    }

    #[test]
    fn a_reason_is_one_line() {
        let actor = || Actor::new(Interface::Api, "ops");
        assert_eq!(actor().because(None).unwrap().words(), ["ops", "api", ""]);
        assert_eq!(actor().because(Some("a mistake")).unwrap().words()[2], "a mistake");
        for why in ["two\nlines", &"a".repeat(501)] {
            assert_eq!(actor().because(Some(why)).unwrap_err().field, "why");
        }
    }

    #[test]
    fn a_line_is_read_and_one_that_is_none_hides_no_other() {
        let line = r#"[7,"1700000000123","anna","cli","cancel","cancelled","","a","t","",0]"#;
        let entry = AuditEntry::read(line.as_bytes()).unwrap();
        assert_eq!((entry.number, entry.at.timestamp_millis()), (7, 1_700_000_000_123));
        assert_eq!((entry.job.as_deref(), entry.why, entry.jobs), (Some("a"), None, None));
        let filtered = r#"[8,"1","a","api","cancel","cancelled","w","","t","state:ready",9]"#;
        let filtered = AuditEntry::read(filtered.as_bytes()).unwrap();
        assert_eq!((filtered.job, filtered.jobs, filtered.changes), (None, Some(9), None));
        let changed = r#"[9,"1","a","cli","replay","ready","","j","t","",0,"from tts"]"#;
        let changed = AuditEntry::read(changed.as_bytes()).unwrap();
        assert_eq!(changed.changes.as_deref(), Some("from tts"));
        assert!(AuditEntry::read(b"[7]").is_none() && AuditEntry::read(b"\xff").is_none());
    }
}
