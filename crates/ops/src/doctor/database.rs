//! The database of conversations: whether it answers and has its tables, how its two queries are planned,
//! and how long they take.

use secrecy::ExposeSecret;

use super::finding::{Finding, Severity, said};
use super::outbox;
use crate::config::Config;
use crate::wiring::{self, CheckUp, Lookup};

const AWAY: &str =
    "start it, or correct DATABASE_URL, or the queries in MESSAGES_QUERY and SOURCES_QUERY";
const MIGRATE: &str = "run `stillcast migrate`, or name your own tables in MESSAGES_QUERY";
const INDEX: &str = "create an index by conversation on that table";
const SLOW: &str = "run `explain analyze` on that query, and look what else the database does";
/// Seconds of the slowest of 20 but one.
const P95: (f64, f64) = (0.1, 5.0);

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    let Some(url) = &config.database_url else {
        let found = "none (DATABASE_URL is not set): only jobs that bring their text can run";
        return vec![Finding::ok("database", found)];
    };
    let checked = match wiring::check_up(url.expose_secret(), &config.queries).await {
        Ok(checked) => checked,
        Err(error) => return vec![Finding::error("database", said(&error), AWAY)],
    };
    let mut findings = judge(&checked);
    // A database without the table has been told to migrate, or has no outbox.
    match wiring::outbox_count(url.expose_secret(), &config.queue_name, None).await {
        Ok(Some(rows)) => findings.push(outbox::judge(&rows)),
        Ok(None) => {}
        Err(error) => findings.push(Finding::error("outbox", said(&error), AWAY)),
    }
    findings
}

fn judge(checked: &CheckUp) -> Vec<Finding> {
    if !checked.lacks.is_empty() {
        let found = format!("{} lacks {}", checked.server, checked.lacks.join(", "));
        return vec![Finding::error("database", found, MIGRATE)];
    }
    let server = Finding::ok("database", &*checked.server);
    [server].into_iter().chain(checked.lookups.iter().map(lookup)).collect()
}

fn lookup(lookup: &Lookup) -> Finding {
    let about = format!("database-{}", lookup.name);
    let ms = lookup.p95.as_secs_f64() * 1e3;
    let found = format!("19 of 20 look-ups of nobody's conversation within {ms:.1} ms");
    if !lookup.scans.is_empty() {
        let found = format!("{found}, reading all of {}", lookup.scans.join(", "));
        return Finding::warning(&about, found, INDEX);
    }
    let (warning, error) = P95;
    let severity = Severity::above(lookup.p95.as_secs_f64(), warning, error);
    Finding::judged(&about, found, (severity, SLOW))
}
