//! Every text becomes a transcript that the contract accepts, and no two the same.

use std::collections::HashSet;
use std::time::Duration;

use pipeline::{Part, Passage, Script, ScriptLength};

use super::*;

fn prompt(text: &str, variant: u32) -> Prompt {
    let (text, said) = (text.to_owned(), String::new());
    let (words, whole, part) = (WORDS, WORDS, Part::WHOLE);
    Prompt { text, said, words, whole, part, language: None, variant }
}

async fn write(prompt: &Prompt) -> String {
    let pieces: Vec<_> = OfflineWriter.write(prompt).await.unwrap().collect().await;
    let text = pieces.into_iter().filter_map(|piece| match piece.unwrap() {
        DraftPiece::Text(text) => Some(text),
        DraftPiece::Retract | DraftPiece::End { .. } => None,
    });
    text.collect()
}

fn passages(text: &str) -> Vec<Passage> {
    let mut script = Script::new();
    let mut passages = Vec::new();
    script.push(text);
    while let Some(more) = script.step().unwrap() {
        passages.extend(more);
    }
    passages.extend(script.close().unwrap());
    passages.extend(script.finish().unwrap());
    passages
}

#[tokio::test]
async fn any_text_passes_the_contract() {
    let long = "The harbour was loud and I could not sleep for worry. ".repeat(300);
    let odd = [
        "x",
        "🌊",
        "שלום עולם",
        "我今天很累，想休息",
        "<b>[pause]</b> {1} {2}",
        "Ärger über Möbel",
        &long,
    ];
    for text in odd {
        for variant in 0..40 {
            let script = write(&prompt(text, variant)).await;
            assert!(!script.contains(['{', '}']), "{variant}");
            assert!(passages(&script).len() > 15, "{variant}");
        }
    }
}

#[tokio::test]
async fn a_text_is_heard_in_its_own_words() {
    let text = "My daughter moved to Lisbon and the kitchen feels enormous without her laughter.";
    let script = write(&prompt(text, 0)).await;
    for word in ["daughter", "lisbon", "kitchen", "laughter"] {
        assert!(script.contains(word), "{word}: {script}");
    }
}

#[tokio::test]
async fn two_texts_or_variants_give_two_scripts_and_one_gives_one() {
    let texts = ["I lost my job.", "We sailed to the island.", "x", "y"];
    let mut scripts = HashSet::new();
    for text in texts {
        for variant in 0..4 {
            let prompt = prompt(text, variant);
            let script = write(&prompt).await;
            assert_eq!(script, write(&prompt).await);
            scripts.insert(script);
        }
    }
    assert_eq!(scripts.len(), 16);
}

#[tokio::test]
async fn another_language_is_refused_rather_than_ignored() {
    let ask = |tag: &str| Prompt { language: Some(tag.to_owned()), ..prompt("x", 0) };
    assert!(OfflineWriter.write(&ask("en-GB")).await.is_ok());
    let error = OfflineWriter.write(&ask("de")).await.err().unwrap();
    assert_eq!(error.code, "language-unsupported");
}

#[tokio::test]
async fn a_beginning_that_is_said_is_not_written_again() {
    let whole = write(&prompt("the harbour", 0)).await;
    for part in [0, 40, 300, whole.len() - 5, whole.len()] {
        let said = whole[..part].to_owned();
        let rest = write(&Prompt { said, ..prompt("the harbour", 0) }).await;
        assert_eq!(format!("{}{rest}", &whole[..part]), whole, "{part}");
    }
}

/// What is written for a file of so many minutes.
async fn write_long(text: &str, minutes: u64) -> (String, ScriptLength) {
    let length = ScriptLength::of(Some(Duration::from_mins(minutes)));
    let (words, part) = (length.next_part(0).1, Part { index: 0, of: length.parts() });
    let prompt = Prompt { words, part, whole: length.words.clone(), ..prompt(text, 0) };
    (write(&prompt).await, length)
}

#[tokio::test]
async fn a_file_of_any_length_has_its_words_and_says_none_of_them_twice() {
    for text in ["x", "My daughter moved to Lisbon.", "我今天很累", "The sea, the sea."] {
        for minutes in [3, 5, 10, 20, 40, 60] {
            let (script, length) = write_long(text, minutes).await;
            let spoken = Script::read(&script, length.clone());
            let spoken = spoken.unwrap_or_else(|fault| panic!("{text} {minutes}: {fault}"));
            let said: Vec<&str> = script.unicode_sentences().map(str::trim).collect();
            let long = said.iter().filter(|sentence| spoken_words(sentence) > 6);
            let mut seen = HashSet::new();
            for sentence in long {
                assert!(seen.insert(*sentence), "{text} {minutes}: {sentence}");
            }
            assert!(spoken.len() > 15 * usize::try_from(minutes).unwrap() / 3, "{minutes}");
        }
    }
}
