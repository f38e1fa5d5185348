//! One adapter, one call, one answer.

use std::path::Path;

use futures::StreamExt;
use pipeline::{
    DraftPiece, Finish, ImageGenerator, ImageKind, Prompt, ProviderError, SpeechSynthesizer,
    TranscriptWriter,
};
use providers::openai::OpenAiWriter;
use tests::simulator::{Endpoint, Fault};

use crate::harness::{WireHarness, prompt, scene, utterance};

/// A whole draft: its text and why it ended.
pub(crate) async fn draft(
    writer: &OpenAiWriter,
    prompt: &Prompt,
) -> Result<(String, Finish), ProviderError> {
    let mut pieces = writer.write(prompt).await?;
    let mut whole = String::new();
    while let Some(piece) = pieces.next().await {
        match piece? {
            DraftPiece::Text(text) => whole += &text,
            DraftPiece::Retract => whole.clear(),
            DraftPiece::End { finish, usage } => {
                assert!(usage.usd() > 0.0, "{usage:?}");
                return Ok((whole, finish));
            }
        }
    }
    unreachable!("a draft ends with an end or an error");
}

#[tokio::test]
async fn words_come_as_they_are_written() {
    let harness = WireHarness::start().await;
    let (text, finish) = draft(&harness.writer(), &prompt()).await.unwrap();
    assert_eq!(finish, Finish::Complete);
    let words = text.split_whitespace().filter(|word| !word.contains("pause")).count();
    assert!((400..=500).contains(&words), "{words} words");
    harness.simulator.script(Endpoint::Chat, [Some(Fault::Length), Some(Fault::Refuse)]);
    assert_eq!(draft(&harness.writer(), &prompt()).await.unwrap().1, Finish::Length);
    assert_eq!(draft(&harness.writer(), &prompt()).await.unwrap().1, Finish::Refused);
}

#[tokio::test]
async fn what_is_said_is_gone_on_from() {
    let harness = WireHarness::start().await;
    let said = "Let the breath come and go as it likes. ".repeat(40);
    let prompt = Prompt { said, words: 40..=140, ..prompt() };
    let (text, _) = draft(&harness.writer(), &prompt).await.unwrap();
    let words = text.split_whitespace().count();
    assert!(words < 160, "{words} words more");
}

#[tokio::test]
async fn speech_is_taken_raw_and_as_wav() {
    let harness = WireHarness::start().await;
    let speak = async || {
        let answer = harness.speaker().speak(&utterance(), Path::new("/nowhere")).await.unwrap();
        (answer.value.samples.len(), answer.usage.usd())
    };
    let raw = speak().await;
    harness.simulator.script(Endpoint::Speech, [Some(Fault::Wav)]);
    assert_eq!(speak().await, raw);
    let characters = utterance().text.chars().count();
    let seconds = raw.0 as f64 / 24_000.0;
    assert!((seconds - characters as f64 / 13.5).abs() < 0.1, "{seconds} s");
    assert!((raw.1 - characters as f64 * 18e-6).abs() < 1e-12);
}

#[tokio::test]
async fn pictures_come_as_jpeg_and_decode_whole() {
    let harness = WireHarness::start().await;
    let picture = harness.painter().draw(&scene()).await.unwrap().value;
    let facts = picture.inspect().unwrap();
    assert_eq!((facts.kind, facts.width, facts.height), (ImageKind::Jpeg, 640, 368));
}
