//! Attempts go in; what an observer hears of their calls comes out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stillcast_enqueue::{Cost, Format, StageName, StageRecord};

use super::fakes::{PASSAGES, PICTURE_USD, Step, TestRun, of};
use crate::{
    Answer, Call, CallObserver, FailureClass, Image, ImageGenerator, OpenCall, ProviderError,
    Scene, Usage, produce,
};

/// One line each, in the order in which it was heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

struct Open {
    heard: Heard,
    call: Option<String>,
}

impl Heard {
    fn say(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self, word: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap().clone();
        lines.into_iter().filter(|line| line.starts_with(word)).collect()
    }
}

impl CallObserver for Heard {
    fn began(&self, call: &Call<'_>, _: Duration, tried: u32) -> Box<dyn OpenCall> {
        let call = format!("{} {} {tried}", call.stage, call.operation);
        self.say(format!("began {call}"));
        Box::new(Open { heard: self.clone(), call: Some(call) })
    }

    fn used(&self, stage: StageName, usage: &Usage) {
        self.say(format!("used {stage} {}", usage.usd()));
    }

    fn booked(&self, stage: StageName, cost: Cost) {
        let Cost { spent_usd, avoided_usd, wasted_usd } = cost;
        self.say(format!("booked {stage} {spent_usd} {avoided_usd} {wasted_usd}"));
    }

    fn ended(&self, record: &StageRecord, failure: Option<&'static str>) {
        self.say(format!("stage {} {}", record.stage, failure.unwrap_or("ok")));
    }
}

impl OpenCall for Open {
    fn ended(mut self: Box<Self>, _: &Usage, failure: Option<&'static str>) {
        let call = self.call.take().unwrap();
        self.heard.say(format!("ended {call} {}", failure.unwrap_or("ok")));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.heard.say(format!("cut {call}"));
        }
    }
}

fn observed(format: Format) -> (TestRun, Heard) {
    let (mut test, heard) = (TestRun::new(format), Heard::default());
    test.run.observer = Arc::new(heard.clone());
    (test, heard)
}

#[tokio::test(start_paused = true)]
async fn each_call_begins_and_ends_with_its_try_and_each_stage_ends_once() {
    let (test, heard) = observed(Format::Video);
    let transient = Step::Fail(FailureClass::Transient { retry_after: None });
    test.script(StageName::Image, vec![transient, Step::Succeed]);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(heard.lines("began image"), ["began image draw 1", "began image draw 2"]);
    let ended = heard.lines("ended image");
    assert!(ended[0].starts_with("ended image draw 1 ") && !ended[0].ends_with("ok"), "{ended:?}");
    assert_eq!(ended[1], "ended image draw 2 ok");
    assert_eq!(heard.lines("ended tts speak 1 ok").len(), PASSAGES as usize);
    let encode = ["began encode begin 1", "began encode finish 1", "began encode still 1"];
    assert!(encode.iter().all(|line| heard.lines(line).len() == 1));
    assert_eq!(heard.lines("began encode").len(), 4, "and none for each piece of sound");
    assert_eq!(heard.lines("began").len(), heard.lines("ended").len());
    let mut stages = heard.lines("stage");
    stages.sort();
    let mut all: Vec<String> = StageName::ALL.map(|stage| format!("stage {stage} ok")).to_vec();
    all.sort();
    assert_eq!(stages, all);
    assert_eq!(heard.lines("stage upload").len(), 1);
    assert_eq!(of(&produced, StageName::Image).tries, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cut_off_is_told_and_so_is_what_it_has_used() {
    let (mut test, heard) = observed(Format::Video);
    test.run.providers.painter = Arc::new(Priced(Arc::clone(&test.run.providers.painter)));
    test.script(StageName::Image, vec![Step::Hang]);
    let cancel = test.run.cancel.clone();
    let run = produce(&test.run);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(run, stop);
    ended.unwrap_err();
    assert_eq!(heard.lines("cut"), ["cut image draw 1"]);
    assert_eq!(heard.lines("used image"), [format!("used image {PICTURE_USD}")]);
    assert_eq!(heard.lines("booked image"), [format!("booked image 0 0 {PICTURE_USD}")]);
}

/// A painter whose price is known beforehand.
struct Priced(Arc<dyn ImageGenerator>);

#[async_trait]
impl ImageGenerator for Priced {
    fn provider(&self) -> &'static str {
        self.0.provider()
    }

    fn revision(&self) -> String {
        self.0.revision()
    }

    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError> {
        self.0.draw(scene).await
    }

    fn estimate(&self) -> Usage {
        Usage::default().and_usd(PICTURE_USD)
    }
}
