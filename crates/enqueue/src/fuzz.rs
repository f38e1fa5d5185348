//! Whatever somebody sends as a request or lays into Redis as an envelope: it is read or refused,
//! and a refusal repeats nothing of it.

use proptest::prelude::*;

use crate::{Envelope, Job};

const SECRET: &str = "Marzipanturm";

const REQUESTS: [&str; 3] = [
    r#"{"source":{"text":"Marzipanturm"},"format":"audio"}"#,
    r#"{"source":{"conversation_id":"0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44"},"format":"video",
        "options":{"voice":"slt","language":"en","variant":2,"duration":600,
            "bed":"rain","bed_level":-20,"bells":true,"tail":60,"stems":false,
            "container":"mp4-social","aspect":"1:1","motion":true,"lexicon":{"qigong":"chee gung"},"live":false},"idempotency_key":"k1","priority":9,
        "run_at":"2999-01-01T00:00:00Z","deadline":"2999-01-02T00:00:00Z","max_attempts":2,
        "tenant":"acme","metadata":{"a":"Marzipanturm"},"webhook":"https://example.org/Marzipanturm",
        "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#,
    "[1, -2.5, true, null, \"\\ud83d\\ude00\", {\"\": []}]",
];
const ENVELOPES: &str = include_str!("../golden/envelopes.jsonl");

proptest! {
    #[test]
    fn a_request_is_a_valid_job_or_every_fault_has_a_path(
        json in fuzzing::bytes(&REQUESTS.map(str::as_bytes)),
    ) {
        match Job::from_json(&json) {
            Ok(job) => {
                prop_assert!(job.validate().is_ok());
                let envelope = Envelope::of(&job);
                prop_assert_eq!(Envelope::decode(envelope.encode().as_bytes()).unwrap(), envelope);
            }
            Err(invalid) => {
                prop_assert!(!invalid.fields().is_empty());
                prop_assert!(invalid.fields().iter().all(|fault| !fault.field.is_empty()));
                let said = format!("{invalid} {invalid:?}");
                prop_assert!(!said.contains(SECRET), "{}", said);
            }
        }
    }

    #[test]
    fn an_envelope_is_read_or_refused(
        bytes in fuzzing::bytes(&ENVELOPES.lines().map(str::as_bytes).collect::<Vec<_>>()),
    ) {
        match Envelope::decode(&bytes) {
            Ok(envelope) => {
                let again = Envelope::decode(envelope.encode().as_bytes());
                let is_known = !matches!(envelope.source, crate::Source::Unknown(_));
                prop_assert!(!is_known || again.unwrap() == envelope);
            }
            Err(error) => {
                let said = format!("{error} {error:?}");
                prop_assert!(!said.contains("long day"), "{}", said);
            }
        }
    }
}
