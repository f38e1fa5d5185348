//! The grammar and the contract, as tables.

mod fuzz;
mod habits;
mod scripts;

use super::pause::MAX_PAUSE;
use super::*;

/// A sentence of ten words, often enough to be a transcript.
fn enough() -> String {
    "Now let the breath come and go as it likes. ".repeat(42)
}

fn read(text: &str) -> Result<Vec<Passage>, ScriptFault> {
    let mut script = Script::new();
    let mut passages = feed(&mut script, text)?;
    passages.extend(script.close()?);
    passages.extend(script.finish()?);
    Ok(passages)
}

/// Pushes a piece; the passages that are whole by then.
fn feed(script: &mut Script, text: &str) -> Result<Vec<Passage>, ScriptFault> {
    script.push(text);
    let mut passages = Vec::new();
    while let Some(more) = script.step()? {
        passages.extend(more);
    }
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
    let json = format!("{{\"meditation\": \"{}\"}}", enough());
    let list = format!("[\"{}\"]", enough());
    let page = format!("<!DOCTYPE html>\n<html><body><p>{}</p></body></html>", enough());
    let cases = [
        (String::new(), ScriptFault::TooShort(0)),
        ("Too little.".to_owned(), ScriptFault::TooShort(2)),
        (enough() + &format!("[{}", "and so on ".repeat(31)), ScriptFault::Mark),
        (json, ScriptFault::NotPlain('{')),
        (list, ScriptFault::Mark),
        (page, ScriptFault::NotPlain('<')),
        (enough() + "<b>soft</b>", ScriptFault::NotPlain('<')),
        (enough() + "a | b", ScriptFault::NotPlain('|')),
        (enough() + "see https://example.org", ScriptFault::Link),
        (enough() + "see [this](https://example.org)", ScriptFault::Link),
        ("I can't help with that.".to_owned(), ScriptFault::Refusal),
        ("I’m sorry, but I can’t assist with this request.".to_owned(), ScriptFault::Refusal),
        ("Sure!\n\nUnfortunately, I am unable to write this.".to_owned(), ScriptFault::Refusal),
        ("Es tut mir leid, ich kann dir dabei nicht helfen.".to_owned(), ScriptFault::Refusal),
        ("抱歉，我无法提供这方面的帮助。".to_owned(), ScriptFault::Refusal),
    ];
    for (text, fault) in cases {
        assert_eq!(read(&text), Err(fault), "{text:.60}");
    }
}

#[test]
fn a_text_without_paragraphs_is_cut_at_a_sentence() {
    let endless = "and let the breath go where it likes, ".repeat(90);
    for (text, end, words) in [(enough().repeat(2), "likes.", 491), (endless, ",", 497)] {
        let mut script = Script::new();
        feed(&mut script, "One.\n\n").unwrap();
        script.push(&text);
        let passages = script.close().unwrap();
        assert_eq!((script.words(), script.has_unread()), (words, true));
        assert!(matches!(passages.last(), Some(Passage::Speech(text)) if text.ends_with(end)));
        let said = script.said().to_owned();
        assert_eq!(
            Script::read(&said, ScriptLength::default()).unwrap().last(),
            passages.last(),
            "it is read alike again"
        );
    }
}

#[test]
fn silence_has_an_end_and_costs_no_draft() {
    let passages = read(&(enough() + &"Rest. [pause 30s] ".repeat(20))).unwrap();
    let pauses = passages.iter().filter_map(|passage| match passage {
        Passage::Pause(length) => Some(*length),
        Passage::Speech(_) => None,
    });
    let silence: Duration = pauses.sum();
    let most = ScriptLength::default().silence;
    assert!(silence + MAX_PAUSE > most && silence < most + MAX_PAUSE, "{silence:?}");
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
            passages.extend(feed(&mut script, std::str::from_utf8(piece).unwrap()).unwrap());
        }
        passages.extend(script.close().unwrap());
        passages.extend(script.finish().unwrap());
        assert_eq!(passages, whole, "pieces of {size}");
    }
}

/// A blank paragraph is dropped where a draft is introduced: what comes behind it must not come to
/// stand in a bracket that was left open.
#[test]
fn a_pause_whose_bracket_stays_open_ends_with_its_paragraph() {
    for text in
        ["{pause \n\nLet go.", "\n\n{<break/> and rest, \n\n\u{ed0}", "[pause\n \n\t\n\nRest."]
    {
        let mut script = Script::new();
        script.push(text);
        let mut passages = Vec::new();
        while let Some(more) = script.step().unwrap() {
            passages.extend(more);
        }
        passages.extend(script.close().unwrap());
        let (_, again) = Script::resume(script.said(), ScriptLength::default()).unwrap();
        assert_eq!(again, passages, "{text:?} became {:?}", script.said());
    }
}

#[test]
fn passages_are_handed_on_before_the_text_ends_and_are_never_too_long() {
    let mut script = Script::new();
    assert_eq!(feed(&mut script, "One. [pause 1s").unwrap(), []);
    assert_eq!(feed(&mut script, "] Two").unwrap(), [Passage::Speech("One.".to_owned())]);
    assert_eq!(script.said(), "One. [pause 1s]");
    for passage in read(&enough()).unwrap() {
        assert!(!matches!(passage, Passage::Speech(text) if text.chars().count() > MAX_PASSAGE));
    }
}

#[test]
fn what_is_said_stays_and_what_is_not_can_be_trimmed() {
    let mut script = Script::new();
    let said = "One.\n\nTwo. [pause 2s]";
    assert_eq!(feed(&mut script, said).unwrap().len(), 3);
    script.push("Three <b>\n\nFour");
    assert_eq!(script.step(), Err(ScriptFault::NotPlain('<')));
    assert_eq!((script.said(), script.words()), (said, 2));
    script.trim();
    let more = feed(&mut script, "Three.\n\n").unwrap();
    let pause = Passage::Pause(Duration::from_secs(2));
    assert_eq!(more, [pause, Passage::Speech("Three.".to_owned())]);
    assert_eq!(script.said(), format!("{said}Three.\n\n"));
}

#[test]
fn a_paragraph_that_is_too_much_is_not_said() {
    let mut script = Script::new();
    feed(&mut script, &format!("{}\n\n", enough())).unwrap();
    script.push(&format!("{}\n\n", enough()));
    assert_eq!((script.step(), script.words()), (Err(ScriptFault::TooLong), 420));
    script.trim();
    assert!(script.close().is_ok());
    assert!(script.finish().is_ok());
}
