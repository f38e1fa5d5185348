//! What is bought for all tenants: under which names it lies, who finds it, and what a tenant's job leaves alone.

use std::sync::Arc;

use bytes::Bytes;
use stillcast_enqueue::{Format, StageName};

use super::fakes::{PASSAGES, TestRun};
use super::shared_state::SharedState;
use crate::{EVERYBODY, Memory, SharedCache, quote, warm};

const PAID: [StageName; 3] = [StageName::Transcript, StageName::Tts, StageName::Image];

fn paid(test: &TestRun) -> [usize; 3] {
    let calls = test.journal.calls();
    PAID.map(|stage| calls.iter().filter(|call| **call == stage).count())
}

fn warming(shared: &Arc<SharedState>) -> TestRun {
    let mut test = TestRun::of(shared, Format::Video).of_tenant(EVERYBODY);
    let cache = Arc::clone(shared) as Arc<dyn SharedCache>;
    test.run.memory = Memory::of_warming(Arc::clone(&test.run.memory.objects), cache);
    test
}

fn warmed(shared: &SharedState) -> Vec<String> {
    shared.keys().into_iter().filter(|key| key.starts_with("*/")).collect()
}

#[tokio::test(start_paused = true)]
async fn it_is_bought_once_for_everybody_and_lies_under_no_tenant_s_name() {
    let shared = Arc::new(SharedState::default());
    let test = warming(&shared);
    assert!(!quote(&test.run).await.is_empty());
    assert_eq!(paid(&test), [0; 3], "a quote buys nothing");
    warm(&test.run).await.unwrap();
    assert_eq!(paid(&test), [1, PASSAGES as usize, 1]);
    assert!(quote(&test.run).await.is_empty());
    assert_eq!(shared.keys(), warmed(&shared), "nothing else is shared");
    assert_eq!((shared.objects("work/"), shared.objects("cache/")), (0, 0));
    for tenant in ["acme", "ben"] {
        let job = TestRun::of(&shared, Format::Video).of_tenant(tenant);
        job.attempt().await.unwrap();
        assert_eq!(paid(&job), [0; 3], "{tenant}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_s_job_neither_writes_nor_forgets_what_is_everybody_s() {
    let shared = Arc::new(SharedState::default());
    warm(&warming(&shared).run).await.unwrap();
    let before = warmed(&shared);
    TestRun::of(&shared, Format::Video).of_tenant("acme").attempt().await.unwrap();
    let other = TestRun::of(&shared, Format::Video).of_tenant("acme").saying("another text");
    other.attempt().await.unwrap();
    let [words, _, pictures] = paid(&other);
    assert_eq!((words, pictures), (1, 1), "what was not warm is bought");
    assert_eq!(warmed(&shared), before);
    // Damaged, it is of no use to the tenant, and not its to throw away.
    for key in &before {
        shared.delete(key).await;
        shared.put_if_absent(key, Bytes::from_static(b"damaged")).await;
    }
    let poor = TestRun::of(&shared, Format::Video).of_tenant("ben");
    poor.attempt().await.unwrap();
    assert_eq!(paid(&poor), [1, PASSAGES as usize, 1]);
    assert_eq!(warmed(&shared), before);
}
