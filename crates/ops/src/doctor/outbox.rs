//! The outbox of the database: whether jobs wait there that nobody hands over, and which need a person.

use super::finding::{Finding, Severity};
use crate::render::seconds;
use crate::wiring::OutboxCount;

const RELAY: &str =
    "start a worker with this DATABASE_URL and OUTBOX, and read what it says of the outbox";
const PERSON: &str = "read their `reason` in stillcast_outbox; `stillcast outbox resend --since TIME` hands \
                      over again what is missing or unclear";
/// Seconds for which the oldest row waits.
const AGE: (f64, f64) = (60.0, 900.0);
/// States that need a person.
const FOR_PEOPLE: [&str; 3] = ["missing", "refused", "unclear"];

pub(super) fn judge(rows: &[OutboxCount]) -> Finding {
    let of = |state: &str| rows.iter().find(|one| one.state == state);
    let waiting = of("waiting").map_or((0, 0.0), |one| (one.rows, one.oldest.as_secs_f64()));
    let (number, age) = waiting;
    let found = match number {
        0 => "nothing waits in the outbox".to_owned(),
        _ => format!("{number} jobs wait in the outbox, the oldest for {}", seconds(age)),
    };
    let (warning, error) = AGE;
    let severity = Severity::above(age, warning, error);
    if severity != Severity::Ok {
        return Finding::judged("outbox", found, (severity, RELAY));
    }
    let said = |state: &str| of(state).map(|one| format!("{} {state}", one.rows));
    let odd: Vec<String> = FOR_PEOPLE.into_iter().filter_map(said).collect();
    if odd.is_empty() {
        return Finding::ok("outbox", found);
    }
    Finding::warning("outbox", format!("{found}; {}", odd.join(", ")), PERSON)
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rows(of: &[(&str, u64)]) -> Vec<OutboxCount> {
        let row = |(state, age): &(&str, u64)| OutboxCount {
            state: (*state).to_owned(),
            rows: 3,
            oldest: Duration::from_secs(*age),
        };
        of.iter().map(row).collect()
    }

    #[test]
    fn what_nobody_hands_over_and_what_needs_a_person_is_told() {
        for (of, severity, words) in [
            (&[][..], Severity::Ok, "nothing waits"),
            (&[("done", 9999), ("waiting", 2)], Severity::Ok, "3 jobs wait"),
            (&[("waiting", 61)], Severity::Warning, "the oldest for"),
            (&[("waiting", 901), ("refused", 1)], Severity::Error, "the oldest for"),
            (&[("missing", 1), ("refused", 9)], Severity::Warning, "3 missing, 3 refused"),
        ] {
            let found = judge(&rows(of));
            assert_eq!(found.severity, severity, "{found:?}");
            assert!(found.found.contains(words), "{found:?}");
        }
    }
}
