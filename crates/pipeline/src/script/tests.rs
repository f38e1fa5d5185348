//! The grammar and the contract, as tables.

use super::*;

/// A sentence of ten words, often enough to be a transcript.
fn enough() -> String {
    "Now let the breath come and go as it likes. ".repeat(42)
}

fn read(text: &str) -> Result<Vec<Passage>, ScriptFault> {
    let mut script = Script::new();
    let mut passages = script.push(text)?;
    passages.extend(script.finish()?);
    Ok(passages)
}

/// The pauses in milliseconds, whatever is said between them.
fn pauses(text: &str) -> Vec<u128> {
    let passages = read(&format!("{text}\n\n{}", enough())).unwrap();
    let speech_then: Vec<Passage> = passages;
    let until = speech_then.iter().rposition(|p| matches!(p, Passage::Speech(t) if t.len() > 200));
    speech_then[..until.unwrap_or(0)]
        .iter()
        .filter_map(|passage| match passage {
            Passage::Pause(length) if *length != SENTENCE_GAP => Some(length.as_millis()),
            _ => None,
        })
        .collect()
}

#[test]
fn pauses_are_read_in_every_spelling() {
    let cases: [(&str, &[u128]); 14] = [
        ("One.[pause 3s]Two.", &[3000, 900]),
        ("One.\n\n[pause 3s]\n\nTwo.", &[3000, 900]),
        ("One. [pause] Two.", &[2000, 900]),
        ("One. [Pause: 500ms] Two.", &[500, 900]),
        ("One. [pause 1.5 seconds] Two.", &[1500, 900]),
        ("One. [pause 4] Two.", &[4000, 900]),
        ("One. [pause 2s] [pause 3s] Two.", &[5000, 900]),
        ("One. [pause 2s]\n\n[pause]\n\nTwo.", &[4000, 900]),
        ("One. [pause 20s][pause 20s] Two.", &[30_000, 900]),
        ("One. [pause 1000000000s] Two.", &[30_000, 900]),
        ("One. [pause 0s] Two.", &[900]),
        ("One.\n\nTwo.", &[900, 900]),
        ("One.\n\n\n\n…\n\nTwo.", &[900, 900]),
        ("[pause 1s] One. ", &[1000, 900]),
    ];
    for (text, expected) in cases {
        assert_eq!(pauses(text), expected, "{text}");
    }
}

#[test]
fn the_contract_refuses() {
    let long = format!("{} word.", "and so on".repeat(50));
    let cases = [
        (String::new(), ScriptFault::TooShort(0)),
        ("Too little.".to_owned(), ScriptFault::TooShort(2)),
        (enough().repeat(2), ScriptFault::TooLong),
        (long.clone(), ScriptFault::LongSentence(long.chars().count())),
        (enough() + "[music]", ScriptFault::Mark),
        (enough() + "[pause -3s]", ScriptFault::Mark),
        (enough() + "[pause 3 hours]", ScriptFault::Mark),
        (enough() + "[pause 3s", ScriptFault::Mark),
        (enough() + "[and this bracket is never closed", ScriptFault::Mark),
        (enough() + "<break>", ScriptFault::NotPlain('<')),
        (enough() + "bell \u{7} bell", ScriptFault::NotPlain('\u{7}')),
        (enough() + "see https://example.org", ScriptFault::Link),
        (enough() + &"Rest. [pause 30s] ".repeat(11), ScriptFault::TooSilent),
    ];
    for (text, fault) in cases {
        assert_eq!(read(&text), Err(fault), "{} bytes", text.len());
    }
}

#[test]
fn ornaments_are_not_spoken() {
    let passages = read(&format!("**Breathe** 🌊 _in_.[pause 1s]{}", enough())).unwrap();
    assert_eq!(passages[0], Passage::Speech("Breathe in.".to_owned()));
}

#[test]
fn a_text_cut_anywhere_gives_the_same_passages() {
    let text = format!("One. [pause 2s]Two.\n\nThree. [pause] {}", enough());
    let whole = read(&text).unwrap();
    for size in [1, 2, 3, 7, 64] {
        let mut script = Script::new();
        let mut passages = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            passages.extend(script.push(std::str::from_utf8(piece).unwrap()).unwrap());
        }
        passages.extend(script.finish().unwrap());
        assert_eq!(passages, whole, "pieces of {size}");
    }
}

#[test]
fn passages_are_handed_on_before_the_text_ends_and_are_never_too_long() {
    let mut script = Script::new();
    assert_eq!(script.push("One. [pause 1s").unwrap(), []);
    assert_eq!(script.push("] Two").unwrap(), [Passage::Speech("One.".to_owned())]);
    for passage in read(&enough()).unwrap() {
        assert!(!matches!(passage, Passage::Speech(text) if text.chars().count() > MAX_PASSAGE));
    }
}
