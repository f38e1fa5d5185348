//! How words are said decides what is bought of speech, and nothing else.

use std::sync::Arc;

use stillcast_enqueue::{Format, Identifier, Lexicon, Options, StageName};

use super::fakes::{PASSAGES, TestRun};
use super::shared_state::SharedState;

fn saying(word: &str, said: &str) -> Options {
    let lexicon = Lexicon::new([(word.to_owned(), said.to_owned())]);
    // A language whose numbers nobody reads here: the words decide alone.
    let language = Identifier::parse("language", "fr").ok();
    Options { lexicon, language, ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn another_lexicon_buys_the_passages_that_hold_its_words_and_no_other() {
    let shared = Arc::new(SharedState::default());
    let mut captions = Vec::new();
    for (word, said, bought) in [
        ("nothing", "of this kind", PASSAGES as usize),
        ("breath 3", "the third", 1),
        ("breath 3", "number three", 1),
        ("breath", "wind", PASSAGES as usize),
        ("breath 3", "the third", 0),
    ] {
        let test = TestRun::of(&shared, Format::Audio).with(saying(word, said));
        test.attempt().await.unwrap();
        let spoken = test.journal.calls();
        let spoken = spoken.iter().filter(|stage| **stage == StageName::Tts).count();
        assert_eq!(spoken, bought, "{word} is {said}");
        if bought > 0 {
            captions.push(test.journal.captions().srt());
        }
    }
    assert!(captions[0].contains("let breath 3 come"), "{}", captions[0]);
    let words =
        |srt: &String| -> String { srt.lines().filter(|line| !line.contains(" --> ")).collect() };
    assert!(captions.iter().all(|srt| words(srt) == words(&captions[0])), "{captions:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_another_job_has_paid_for_is_kept_without_a_call_of_its_own() {
    let shared = Arc::new(SharedState::default());
    let first = TestRun::of(&shared, Format::Audio).with(saying("nothing", "of this kind"));
    first.attempt().await.unwrap();
    assert_eq!(
        shared.said("remember-later", "passage-"),
        0,
        "what a job has bought is kept at once"
    );
    let bought = shared.said("remember", "passage-");
    assert_eq!(bought, PASSAGES as usize);
    let second = TestRun::of(&shared, Format::Audio).with(saying("breath 3", "the third"));
    second.attempt().await.unwrap();
    assert_eq!(shared.said("remember", "passage-") - bought, 1);
    assert_eq!(shared.said("remember-later", "passage-"), PASSAGES as usize - 1);
}
