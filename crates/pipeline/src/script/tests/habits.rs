//! What models write besides, as tables: each mark in several places, what is spoken, and how long
//! the silence is.

use super::{enough, feed};
use crate::script::{Passage, Script, ScriptLength};

/// What is spoken and how many milliseconds are silent, in order; what the text ends with is closed.
fn heard(text: &str) -> Vec<String> {
    let mut script = Script::new();
    let mut passages = feed(&mut script, text).unwrap();
    passages.extend(script.close().unwrap());
    let said = passages.into_iter().map(|passage| match passage {
        Passage::Speech(text) => text,
        Passage::Pause(length) => length.as_millis().to_string(),
    });
    said.collect()
}

/// Marks, and the milliseconds that they are.
const PAUSES: [(&str, &str); 51] = [
    ("[Pause for 10 seconds]", "10000"),
    ("[PAUSE FOR 10 SECONDS.]", "10000"),
    ("[pause 3-5 seconds]", "4000"),
    ("[pause 3s–5s]", "4000"),
    ("[pause for 3 to 5 seconds]", "4000"),
    ("[5-second pause]", "5000"),
    ("[pause for ten seconds]", "10000"),
    ("[pause 1,5 s]", "1500"),
    ("[pause -3s]", "3000"),
    ("[pause 3 hours]", "30000"),
    ("[Pause 2 minutes]", "30000"),
    ("[pause for three breaths]", "12000"),
    ("[long pause]", "5000"),
    ("[Short pause]", "1000"),
    ("[Take a brief pause here]", "1000"),
    ("[silence]", "2000"),
    ("…[silence]", "2000"),
    ("[moment of silence, 8 seconds]", "8000"),
    ("[10 seconds]", "10000"),
    ("(pause)", "2000"),
    ("(Pause 5s)", "5000"),
    ("(Pause for a moment.)", "2000"),
    ("(10 seconds)", "10000"),
    ("*pause*", "2000"),
    ("**[pause 3s]**", "3000"),
    ("**Pause for 10 seconds**", "10000"),
    ("_(long pause)_", "5000"),
    ("*[beat]*", "2000"),
    ("{pause 3s}", "3000"),
    ("<break time=\"3s\"/>", "3000"),
    ("<pause 4>", "4000"),
    ("Pause for 10 seconds.", "10000"),
    ("— pause —", "2000"),
    ("...pause 4s...", "4000"),
    ("***long pause***", "5000"),
    ("[Pause: 10 Sekunden]", "10000"),
    ("[lange Pause]", "5000"),
    ("(kurze Stille)", "1000"),
    ("[pause de 10 secondes]", "10000"),
    ("[Silence de 5 secondes]", "5000"),
    ("[pausa de 10 segundos]", "10000"),
    ("(pausa larga)", "5000"),
    ("[пауза 5 секунд]", "5000"),
    ("[停顿3秒]", "3000"),
    ("【长停顿】", "5000"),
    ("（停顿）", "2000"),
    ("［間 5秒］", "5000"),
    ("[멈춤 5초]", "5000"),
    ("[หยุด ๕ วินาที]", "5000"),
    ("[وقفة ٥ ثوانٍ]", "5000"),
    ("[विराम ५ सेकंड]", "5000"),
];

#[test]
fn pauses_of_every_kind_are_silence() {
    for (mark, length) in PAUSES {
        let alone = heard(&format!("One.\n\n{mark}\n\nTwo."));
        assert_eq!(alone, ["One.", length, "Two."], "{mark}");
        if mark.contains(['[', '(', '*', '{', '<', '【', '（', '［']) {
            assert_eq!(heard(&format!("One. {mark} Two.")), ["One.", length, "Two."], "{mark}");
        }
        let last = heard(&format!("One.\n{mark}"));
        assert_eq!(last, ["One."], "{mark}");
    }
    // Left open, a mark ends with its paragraph.
    assert_eq!(heard("One. [pause 3s\n\nTwo."), ["One.", "3000", "Two."]);
    // Inside a sentence, round brackets are a pause only when they say nothing else.
    assert_eq!(heard("In (pause) and out."), ["In", "2000", "and out."]);
}

#[test]
fn directions_are_dropped_wherever_they_stand() {
    for mark in [
        "[Soft music plays]",
        "[Bell rings]",
        "[softly]",
        "[1]",
        "【音乐响起】",
        "(Soft music plays)",
        "(softly)",
        "（轻柔地）",
        "(in a whisper…)",
    ] {
        for text in [
            format!("One.\n\n{mark}\n\nTwo."),
            format!("One.\n{mark}\n\nTwo."),
            format!("{mark}\n\nOne.\n\nTwo.\n\n{mark}"),
            format!("{mark} One.\n\nTwo. {mark}"),
        ] {
            assert_eq!(heard(&text), ["One.", "900", "Two."], "{text}");
        }
        assert_eq!(heard(&format!("One. {mark} Two.")), ["One. Two."], "{mark}");
    }
    for mark in ["*breathes in*", "_soft chime_", "*Music fades*", "*(softly)*"] {
        for text in [format!("One.\n\n{mark}\n\nTwo."), format!("{mark} One.\n\nTwo. {mark}")] {
            assert_eq!(heard(&text), ["One.", "900", "Two."], "{text}");
        }
    }
    assert_eq!(heard("Let [softly] go [whispers]."), ["Let go."]);
    assert_eq!(heard("(The sound of a bell fades.)\n\nTwo."), ["Two."]);
    assert_eq!(heard("One. [and this is never closed"), ["One."]);
}

#[test]
fn prose_stays_whatever_it_stands_in() {
    for (text, spoken) in [
        ("Rest (as you wish) for a while.", "Rest (as you wish) for a while."),
        ("Close your eyes (or pause, if you like).", "Close your eyes (or pause, if you like)."),
        ("Sit. (Or lie down, if you like.) Rest.", "Sit. (Or lie down, if you like.) Rest."),
        ("坐下（或躺下）放松。", "坐下（或躺下）放松。"),
        ("Let it *all* go, **now**.", "Let it all go, now."),
        ("*Let* it go.", "Let it go."),
        ("*Breathe in.*", "Breathe in."),
        ("**Breathe in.**", "Breathe in."),
        ("Pause. Notice the silence.", "Pause. Notice the silence."),
        ("Remember: you are safe.", "Remember: you are safe."),
        ("Say to yourself:\nI am calm.", "Say to yourself: I am calm."),
        ("Breathe in for 4 seconds.", "Breathe in for 4 seconds."),
        ("Count 10 ~ 1.", "Count 10 1."),
    ] {
        assert_eq!(heard(&format!("One.\n\n{text}")), ["One.", "900", spoken], "{text}");
    }
    assert_eq!(
        heard("Here is breath number 1 of this evening."),
        ["Here is breath number 1 of this evening."]
    );
    assert_eq!(
        heard("Sure as the tide, the breath comes."),
        ["Sure as the tide, the breath comes."]
    );
    assert_eq!(
        heard("I can't tell you where the river ends."),
        ["I can't tell you where the river ends."]
    );
}

#[test]
fn what_stands_around_a_meditation_is_not_spoken() {
    for (text, spoken) in [
        ("# The Sea\n\nBreathe.", "Breathe."),
        ("**The Sea**\n\nBreathe.", "Breathe."),
        ("**Title: The Sea**\nBreathe.", "Breathe."),
        ("Title: The Sea\n\nBreathe.", "Breathe."),
        ("Here is your meditation:\n\nBreathe.", "Breathe."),
        ("Here is your meditation: Breathe.", "Breathe."),
        ("Sure! Here's a calm guided meditation for you.\n\nBreathe.", "Breathe."),
        ("Sure!\n\nHere’s a **450-word** meditation:\n\n---\n\n# The Sea\n\nBreathe.", "Breathe."),
        ("Hier ist deine Meditation:\n\nAtme.", "Atme."),
        ("Voici votre méditation :\n\nRespirez.", "Respirez."),
        ("以下是您的冥想：\n\n呼吸。", "呼吸。"),
        ("Breathe.\n\n---\n\n(Word count: 420)", "Breathe."),
        ("Breathe.\n\n**Word count:** 420", "Breathe."),
        ("Breathe.\n\n*(approx. 420 words)*", "Breathe."),
        ("Breathe.\n\n420 words", "Breathe."),
        ("Breathe.\n\nTotal: 420 words", "Breathe."),
        ("Breathe.\n\nEnd of meditation.", "Breathe."),
        ("Breathe.<|im_end|>", "Breathe."),
        ("Breathe.</s>\n<|endoftext", "Breathe."),
        ("♪ soft music ♪\n\nBreathe.", "Breathe."),
        ("Guided Meditation: A Slow Evening\n\nBreathe.", "Breathe."),
        ("Step 1: Breathe.", "Breathe."),
        ("Breathe.\n\n[End of meditation]", "Breathe."),
        ("Breathe.\n\n***\n\nLet me know if you'd like it longer!", "Breathe."),
        ("Narrator: Breathe.", "Breathe."),
        ("**Narrator:** Breathe.", "Breathe."),
        ("**Narrator (softly):** Breathe.", "Breathe."),
        ("Speaker 1: (softly) Breathe.", "Breathe."),
        ("**Opening:** Breathe.", "Breathe."),
        ("旁白：呼吸。", "呼吸。"),
        ("```text\nBreathe.\n```", "Breathe."),
        ("> Breathe.", "Breathe."),
        ("- Breathe in.\n- Breathe out.", "Breathe in. Breathe out."),
        ("* Breathe in.\n* Breathe out.", "Breathe in. Breathe out."),
        ("1. Breathe in.\n2) Breathe out.", "Breathe in. Breathe out."),
        ("Breathe `in`.\n---\n~~Out~~.", "Breathe in. Out."),
        ("A\u{200b}b\u{feff}c\u{7}.", "Abc."),
    ] {
        assert_eq!(heard(text), [spoken], "{text}");
    }
}

#[test]
fn what_introduces_a_second_draft_is_not_spoken_either() {
    let mut script = Script::new();
    feed(&mut script, "Breathe in.\n\nHalf a").unwrap();
    script.trim();
    let more = feed(&mut script, "Sure, here is the continuation:\n\nBreathe out.\n\n").unwrap();
    assert_eq!(more.last(), Some(&Passage::Speech("Breathe out.".to_owned())));
    assert_eq!(script.said(), "Breathe in.\n\nBreathe out.\n\n");
    // What was said is read alike, when it is read again.
    let text = format!("Of course!\n\nHere is the script: [pause 1s]\n\n# Sea\n\n{}", enough());
    let mut script = Script::new();
    let mut passages = feed(&mut script, &text).unwrap();
    passages.extend(script.close().unwrap());
    let said = script.said().to_owned();
    passages.extend(script.finish().unwrap());
    assert_eq!(Script::read(&said, ScriptLength::default()).unwrap(), passages);
}
