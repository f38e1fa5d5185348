//! Any string, cut anywhere: what holds for each of them.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use crate::pace;
use crate::script::{MAX_PASSAGE, Passage, Script, ScriptFault, ScriptLength};

/// What a reading of pieces gave: passages, the fault that ended it, what was said.
type Reading = (Vec<Passage>, Option<ScriptFault>, String);

/// Reads pieces as the stage does, and looks on at what is handed on.
fn reading<'text>(pieces: impl IntoIterator<Item = &'text str>) -> Reading {
    let (mut script, mut passages) = (Script::new(), Vec::new());
    let mut step = |script: &mut Script, text: Option<&str>| -> Result<(), ScriptFault> {
        let before = script.said().to_owned();
        if let Some(text) = text {
            script.push(text);
            while let Some(more) = script.step()? {
                passages.extend(more);
            }
        } else {
            passages.extend(script.close()?);
        }
        assert!(script.said().starts_with(&before), "what was said is never unsaid");
        Ok(())
    };
    let mut fault = None;
    for piece in pieces.into_iter().map(Some).chain([None]) {
        if let Err(error) = step(&mut script, piece) {
            fault = Some(error);
            break;
        }
    }
    (passages, fault, script.said().to_owned())
}

/// Pieces of what models write, and what nobody would.
fn text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        18 => prop::sample::select(vec![
            "Breathe in. ", "let it go", " and rest, ", "\n\n", "\n", " ", "(", ")", "[", "]", "*", "**", "_",
            "[pause 3s]", "[zz zz]", "(zz)", "*zz zz*", "{pause}", "<break/>", "# ", "- ", "1. ", "---", "```",
            "Narrator: ", "Word count: 420", "Sure! ", "Here is your meditation:", "静かに。", "呼吸，", "หายใจ ",
            "นิ", "तनि", "👨‍👩‍👧‍👦", "\u{301}", "\u{200d}", "\u{202e}", "\u{600}", "\r\n", "【zz】", "（zz）", "…", "pause 5 seconds",
        ]).prop_map(str::to_owned),
        4 => "\\PC{0,6}",
        2 => any::<char>().prop_map(String::from),
        1 => (prop::sample::select(vec!["a", "静", "e\u{301}", "ก", "کی", ", b"]), 1..500_usize).prop_map(|(unit, times)| unit.repeat(times)),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// `text` without what stands in brackets, each of which ends with its paragraph.
fn outside_of_brackets(text: &str) -> String {
    let mut outside = String::new();
    let mut open: Option<char> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_end = open.is_some() && (Some(c) == open || ends_paragraph(rest));
        match c {
            _ if is_end => open = None,
            _ if open.is_some() => {}
            '[' => open = Some(']'),
            '【' => open = Some('】'),
            '［' => open = Some('］'),
            '〔' => open = Some('〕'),
            '{' => open = Some('}'),
            '<' => open = Some('>'),
            _ => outside.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    outside
}

/// Whether `rest` begins with an empty line's break.
fn ends_paragraph(rest: &str) -> bool {
    let behind = rest.strip_prefix('\n').map(|behind| behind.trim_start_matches([' ', '\t']));
    behind.is_some_and(|behind| behind.starts_with('\n'))
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| *c == 'z').count()
}

proptest! {
    // 256 cases, or as many as PROPTEST_CASES says.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_pieces_is_read_alike(text in text(), size in 1..9_usize) {
        let whole = reading([text.as_str()]);
        let letters: Vec<&str> = text.split_inclusive(|_| true).collect();
        let pieces: Vec<String> = letters.chunks(size).map(<[_]>::concat).collect();
        prop_assert_eq!(&reading(pieces.iter().map(String::as_str)), &whole);
        // Whoever reads again what was said hears the same.
        let (_, again) = Script::resume(&whole.2, ScriptLength::default()).expect("what was said can be said again");
        prop_assert_eq!(&again, &whole.0);
    }

    #[test]
    fn every_passage_can_be_said(text in text()) {
        let (passages, _, said) = reading([text.as_str()]);
        let outside = outside_of_brackets(&said);
        for passage in &passages {
            let Passage::Speech(words) = passage else { continue };
            prop_assert!(words.chars().count() <= MAX_PASSAGE && !words.is_empty());
            prop_assert!(pace::letters(words) <= MAX_PASSAGE as f64 + 1e-6);
            prop_assert!(words.contains(char::is_alphanumeric) && words.trim() == words);
            prop_assert!(!words.contains(['[', ']', '{', '}', '<', '>', '*']), "{}", words);
            prop_assert!(!words.contains(char::is_control));
        }
        let spoken: String = passages.iter().map(|passage| match passage {
            Passage::Speech(words) => words.as_str(),
            Passage::Pause(_) => "\n",
        }).collect();
        prop_assert!(letters(&spoken) <= letters(&outside), "no direction is spoken: {}", spoken);
    }

    #[test]
    fn no_grapheme_is_torn(text in "[a-c静ก\u{301}\u{94d}\u{200d}ि ำ,.。、\u{600}ක]{1,900}") {
        let passages = crate::script::passage::split(&text);
        // A mark behind a space is one with it, and no space begins a passage.
        let graphemes = |text: &str| -> Vec<String> {
            let all = text.graphemes(true).map(|grapheme| grapheme.trim().to_owned());
            all.filter(|grapheme| !grapheme.is_empty()).collect()
        };
        let known = graphemes(&text);
        for passage in &passages {
            let (own, mut all) = (graphemes(passage), known.windows(graphemes(passage).len()));
            prop_assert!(all.any(|window| window == own), "{passage:?}");
        }
    }
}
