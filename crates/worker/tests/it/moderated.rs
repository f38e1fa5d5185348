//! Texts that nothing may be made of: judged before anything is bought, and the words before the file is
//! delivered.

use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Job, JobRecord, Source, StageName, State};
use tests::simulator::{Endpoint, Fault, Latency, SELF_HARM, VIOLENCE};

use crate::harness::WorkerHarness;
use crate::paid_harness::{PaidHarness, TEXT, key};

fn moderating(paid: &PaidHarness) -> WorkerHarness {
    paid.harness()
        .set("MODERATION_BASE_URL", &paid.simulator.base_url())
        .set("MODERATION_API_KEY", &key(Capability::Llm))
}

async fn ended(paid: &PaidHarness, text: &str) -> JobRecord {
    let job = Job::video(Source::Text(text.to_owned()));
    let ids = paid.enqueue(&[job]).await;
    paid.ended(&ids).await.remove(0)
}

fn bought(paid: &PaidHarness) -> usize {
    [Endpoint::Chat, Endpoint::Speech, Endpoint::Image]
        .map(|endpoint| paid.simulator.calls(endpoint).0)
        .iter()
        .sum()
}

fn judged(paid: &PaidHarness) -> usize {
    paid.simulator.calls(Endpoint::Moderation).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_is_flagged_ends_its_job_before_anything_is_bought() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let worker = moderating(&paid).start(&[]).await;
    for (text, code, says) in [
        (SELF_HARM, "self-harm", "where there is help"),
        (VIOLENCE, "content-flagged", "moderation flags the text (violence)"),
    ] {
        let before = judged(&paid);
        let record = ended(&paid, &format!("It was a long day. {text}.")).await;
        let error = record.error.unwrap();
        assert_eq!((record.state, record.attempt), (State::Dead, 1), "{error:?}");
        assert_eq!((error.code.as_str(), error.stage), (code, Some(StageName::Collection)));
        assert!(error.message.contains(says) && !error.message.contains(text), "{error:?}");
        assert_eq!((bought(&paid), judged(&paid) - before), (0, 1));
    }
    // A moderator that is away for a moment is asked again; nothing is made unjudged.
    paid.simulator.script(Endpoint::Moderation, vec![Some(Fault::status(500, "")); 2]);
    let before = judged(&paid);
    assert_eq!(ended(&paid, TEXT).await.state, State::Done);
    assert_eq!(judged(&paid) - before, 4, "two tries, the text, the words");
    assert!(!worker.log().contains(SELF_HARM));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_are_flagged_are_never_delivered() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let _worker = moderating(&paid).start(&[]).await;
    paid.simulator.script(Endpoint::Moderation, [None, Some(Fault::Refuse)]);
    let record = ended(&paid, TEXT).await;
    let error = record.error.unwrap();
    assert_eq!((record.state, record.attempt, record.artifact), (State::Dead, 1, None));
    assert_eq!(
        (error.code.as_str(), error.stage),
        ("content-flagged", Some(StageName::Transcript))
    );
    let asked = paid.simulator.asked(Endpoint::Moderation);
    assert_eq!(asked[0]["input"], TEXT);
    assert!(asked[1]["input"].as_str().unwrap().contains("come back to the room"), "{asked:?}");
}
