//! Drafts with thoughts in them, cut anywhere: what is heard of them.

use super::*;

/// What is heard in the end, and what the draft says about its server.
fn heard(hold: Hold, pieces: &[&str], is_cut: bool) -> (String, ThoughtFilter) {
    let mut filter = ThoughtFilter::new(hold);
    let mut all: Vec<Heard> = pieces.iter().flat_map(|piece| filter.push(piece)).collect();
    all.extend(filter.finish(is_cut));
    let mut whole = String::new();
    for heard in all {
        match heard {
            Heard::Text(text) => whole += &text,
            Heard::Retract => whole.clear(),
        }
    }
    (whole, filter)
}

#[test]
fn thoughts_are_dropped_wherever_a_draft_is_cut() {
    let (plain, unmarked) = (Some(Habit::Plain), Some(Habit::Unmarked));
    for (draft, wanted, thought, habit) in [
        ("Rest now.", "Rest now.", 0, plain),
        ("<think>hm</think>\n\nRest.", "Rest.", 2, plain),
        ("\n<Think>\nhm\n</THINK>\nRest.", "\nRest.", 4, plain),
        ("<thinking type=\"deep\">hm</thinking>Rest.", "Rest.", 2, plain),
        ("<reasoning>hm</reasoning> Rest.", "Rest.", 2, plain),
        ("[THINK]hm[/THINK]Rest.", "Rest.", 2, plain),
        ("◁think▷hm◁/think▷Rest.", "Rest.", 2, plain),
        ("<|begin_of_thought|>hm<|end_of_thought|>Rest.", "Rest.", 2, plain),
        ("< think >hm< / think >Rest.", "Rest.", 2, plain),
        ("<think></think>Rest.", "Rest.", 0, plain),
        ("<think>a <b> < c [pause] </think>Rest.", "Rest.", 18, plain),
        ("Rest. <think>hm</think> Now.", "Rest. Now.", 2, plain),
        ("<think>hm", "", 2, None),
        ("Rest. <think>hm", "Rest. ", 2, plain),
        ("hm</think>\n\nRest.", "Rest.", 2, unmarked),
        ("hm\n</think>\n<think>hm</think>Rest.", "Rest.", 5, unmarked),
        ("<think>hm</think>hm</think>Rest.", "Rest.", 4, unmarked),
        ("Rest.</think>", "", 5, unmarked),
        ("Rest. [pause 3s] Now.", "Rest. [pause 3s] Now.", 0, plain),
        ("a < b, a <thin line, <thinker>.", "a < b, a <thin line, <thinker>.", 0, plain),
        ("Rest.<thi", "Rest.<thi", 0, plain),
        ("静かに。<think>考え</think>息。", "静かに。息。", 2, plain),
        ("", "", 0, None),
    ] {
        let borders: Vec<usize> =
            (0..=draft.len()).filter(|&at| draft.is_char_boundary(at)).collect();
        for &at in &borders {
            let (head, tail) = draft.split_at(at);
            let (text, filter) = heard(Hold::Beginning, &[head, tail], false);
            assert_eq!(text, wanted, "{draft:?} cut at {at}");
            assert_eq!((filter.thought(), filter.habit()), (thought, habit), "{draft:?}");
        }
        let single: Vec<&str> = borders.windows(2).map(|pair| &draft[pair[0]..pair[1]]).collect();
        assert_eq!(heard(Hold::Beginning, &single, false).0, wanted, "{draft:?} letter by letter");
    }
}

/// Words that go on as long as it takes.
fn calm() -> String {
    "Feel the weight of your hands, and let it go. ".repeat(20)
}

#[test]
fn words_are_heard_as_they_come_unless_they_may_be_a_thought() {
    for (hold, words, at_once) in [
        (Hold::Nothing, "Rest.".to_owned(), true),
        (Hold::Beginning, "Rest.".to_owned(), false),
        (Hold::Beginning, calm(), true),
        (Hold::Beginning, format!("Okay, the user wants rain. {}", calm()), false),
        (Hold::All, calm(), false),
    ] {
        let mut filter = ThoughtFilter::new(hold);
        let now = filter.push(&words);
        assert_eq!(!now.is_empty(), at_once, "{hold:?} {words}");
        let rest = filter.finish(false);
        assert_eq!([now, rest].concat(), [Heard::Text(words)]);
    }
    let mut apart = ThoughtFilter::new(Hold::All);
    assert_eq!(apart.push("Rest."), []);
    assert_eq!(apart.set_apart(7), [Heard::Text("Rest.".to_owned())]);
    assert_eq!((apart.thought(), apart.push(" Now.").len()), (7, 1));
}

#[test]
fn what_was_heard_is_retracted_when_it_turns_out_to_be_a_thought() {
    let mut filter = ThoughtFilter::new(Hold::Nothing);
    assert_eq!(filter.push("Quiet planning."), [Heard::Text("Quiet planning.".to_owned())]);
    assert_eq!(filter.push("</think>\n\n"), []);
    assert_eq!(filter.push("Rest."), [Heard::Retract, Heard::Text("Rest.".to_owned())]);
    assert_eq!((filter.habit(), filter.thought()), (Some(Habit::Unmarked), 15));
    // A stray mark at the end makes no thought of a whole draft.
    assert_eq!(heard(Hold::Nothing, &["Rest.", "</think>\n"], false).0, "Rest.");
}

#[test]
fn a_thought_without_end_is_one_when_the_draft_ran_into_its_limit() {
    let thinking = format!("Okay, the user wants rain. {}", calm());
    for (hold, is_cut, is_heard) in [
        (Hold::All, true, false),
        (Hold::All, false, true),
        (Hold::Beginning, true, false),
        (Hold::Beginning, false, true),
        (Hold::Nothing, true, true),
    ] {
        let (text, filter) = heard(hold, &[&thinking], is_cut);
        assert_eq!(!text.is_empty(), is_heard, "{hold:?} {is_cut}");
        assert_eq!(filter.thought() > 0, !is_heard, "{hold:?} {is_cut}");
    }
}
