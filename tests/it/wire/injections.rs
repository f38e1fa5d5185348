//! Texts that give orders, whoever writes the words: what is asked of a provider keeps its form, and so does
//! the file.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use pipeline::{
    DraftPiece, ImageGenerator, Passage, Produced, Prompt, Scene, Script, SourceText,
    SpeechSynthesizer, TranscriptWriter, Utterance,
};
use providers::offline::OfflineWriter;
use serde_json::Value;
use stillcast_enqueue::{Aspect, Format};
use tests::simulator::{Endpoint, Voice};

use crate::harness::{WireHarness, prompt};

const HARMLESS: &str = "It was a long day by the sea.";
/// Of so many texts one becomes a whole file: sound takes longest, and knows nothing of them.
const WHOLE: usize = 10;

fn texts() -> Vec<String> {
    let texts = include_str!("injections.jsonl").lines();
    texts.map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// All that was asked, but for the text itself: of the writer its rules and the names of what it is told, of
/// voice and painter every field beside the words.
fn contract(harness: &WireHarness, text: &str) -> BTreeSet<String> {
    let simulator = &harness.simulator;
    let writer = simulator.asked(Endpoint::Chat).into_iter().map(|mut asked| {
        let data = asked["messages"][1]["content"].take();
        let mut data: Value = serde_json::from_str(data.as_str().unwrap()).unwrap();
        assert_eq!(data["source"].take(), SourceText::cap(text).unwrap().text);
        // Counted in words or in characters, by the script of the source.
        assert!(data["length"].take().as_str().unwrap().contains(" to "));
        format!("{asked} {data}")
    });
    let voice = simulator.asked(Endpoint::Speech).into_iter().map(|mut asked| {
        let said = asked["input"].take();
        assert!(
            !said.as_str().unwrap().contains(['<', '>', '{', '}', '[', ']', '|', '\\', '=']),
            "{said}"
        );
        asked.to_string()
    });
    let painter = simulator.asked(Endpoint::Image).into_iter().map(|mut asked| {
        let prompt = asked["prompt"].take();
        let (rules, data) = prompt.as_str().unwrap().split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["source"], text);
        format!("{asked} {rules}")
    });
    writer.chain(voice).chain(painter).collect()
}

fn assert_format(produced: &Produced, text: &str) {
    let artifact = &produced.artifact;
    assert_eq!(artifact.content_type, "audio/mp4", "{text:?}");
    let words = produced.stages[1].resources["words"];
    assert!((400.0..=500.0).contains(&words), "{words} words of {text:?}");
    let captions = artifact.extras["captions.vtt"].path.as_ref().unwrap();
    let captions = std::fs::read_to_string(captions).unwrap();
    let cues = captions.lines().filter(|line| line.contains(" --> ")).count();
    assert!(captions.starts_with("WEBVTT\n\nNOTE ") && cues > 20, "{cues} cues of {text:?}");
    assert!(!captions.contains("00:00:00,000"), "{captions}");
}

/// Who writes: on this machine, or `None` for the one on the wire.
type Writer = Option<Arc<dyn TranscriptWriter>>;

fn offline() -> Arc<dyn TranscriptWriter> {
    Arc::new(OfflineWriter)
}

async fn harness() -> WireHarness {
    WireHarness::with(|options| options.voice = Voice::Hurried).await
}

async fn draw(harness: &WireHarness, text: &str) {
    let scene = Scene { text: text.to_owned(), variant: 0, aspect: Aspect::default() };
    harness.painter().draw(&scene).await.unwrap();
}

/// Makes a sound of `text`, and paints its picture.
async fn made(writer: Writer, text: &str) -> BTreeSet<String> {
    let harness = harness().await;
    let produced = harness.produce_of(text, writer, Format::Audio).await;
    assert_format(&produced.unwrap(), text);
    draw(&harness, text).await;
    contract(&harness, text)
}

/// Asks for words, for the speech of each passage and for a picture, as the stages do.
async fn asked(writer: Writer, text: &str) -> BTreeSet<String> {
    let harness = harness().await;
    let source = SourceText::cap(text).unwrap().text;
    let writer = writer.unwrap_or_else(|| Arc::new(harness.writer()));
    let draft = writer.write(&Prompt { text: source, ..prompt() }).await.unwrap();
    let pieces: Vec<DraftPiece> = draft.try_collect().await.unwrap();
    let words = pieces.into_iter().filter_map(|piece| match piece {
        DraftPiece::Text(words) => Some(words),
        DraftPiece::Retract | DraftPiece::End { .. } => None,
    });
    let mut script = Script::new();
    script.push(&words.collect::<String>());
    let mut passages = Vec::new();
    while let Some(more) = script.step().unwrap() {
        passages.extend(more);
    }
    passages.extend(script.close().unwrap());
    assert!((400..=500).contains(&script.words()), "{} words of {text:?}", script.words());
    let speaker = harness.speaker();
    for passage in passages {
        if let Passage::Speech(text) = passage {
            let utterance = Utterance { text, voice: None, language: None };
            speaker.record(&utterance, harness.folder.path()).await.unwrap();
        }
    }
    draw(&harness, text).await;
    contract(&harness, text)
}

#[test]
fn there_are_enough_of_them() {
    let different: BTreeSet<String> = texts().into_iter().collect();
    assert!(different.len() >= 60, "{}", different.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_in_a_text_changes_what_providers_are_asked() {
    let (bought, composed) = (asked(None, HARMLESS).await, asked(Some(offline()), HARMLESS).await);
    assert_eq!((bought.len(), composed.len()), (3, 2), "one way of asking each");
    for text in texts() {
        assert_eq!(asked(None, &text).await, bought, "{text:?}");
        assert_eq!(asked(Some(offline()), &text).await, composed, "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_in_a_text_changes_the_file() {
    let (bought, composed) = (made(None, HARMLESS).await, made(Some(offline()), HARMLESS).await);
    for (number, text) in texts().iter().step_by(WHOLE).enumerate() {
        let is_bought = number.is_multiple_of(2);
        let (writer, like) = if is_bought { (None, &bought) } else { (Some(offline()), &composed) };
        assert_eq!(made(writer, text).await, *like, "{text:?}");
    }
}
