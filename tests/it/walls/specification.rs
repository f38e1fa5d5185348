//! The queue's specification and its code go in; a word that stands in only one of them comes out.

use std::collections::{BTreeMap, BTreeSet};

use stillcast_enqueue::State;

use crate::tree::{File, files, text_of};

const PAGE: &str = "crates/queue/README.md";

/// The cells of each row of the table below `heading`, without its head.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = text_of(PAGE);
    let (_, below) = page.split_once(heading).unwrap_or_else(|| panic!("{PAGE}: no `{heading}`"));
    let section = below.split("\n## ").next().unwrap_or_default();
    let (_, body) = section.split_once("|---").unwrap_or_else(|| panic!("{heading} has no table"));
    let rows = body.lines().skip(1).filter(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches(['|', ' ']).split(" | ").map(str::to_owned).collect();
    rows.map(cells).collect()
}

/// The words in backticks.
fn words(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The words of the first column of a table.
fn first_words(heading: &str) -> BTreeSet<String> {
    rows(heading).iter().flat_map(|cells| words(&cells[0])).collect()
}

/// Each verb's script, by the verb.
fn verbs() -> BTreeMap<String, File> {
    let is_verb = |file: &File| {
        file.is("lua") && file.path.contains("/lua/") && !file.name().ends_with("preamble.lua")
    };
    let verb = |file: File| (file.name().trim_end_matches(".lua").to_owned(), file);
    let verbs: BTreeMap<_, _> = files().into_iter().filter(is_verb).map(verb).collect();
    assert!(verbs.len() > 10, "only {} verbs found", verbs.len());
    verbs
}

/// The transitions that the head of a script names.
fn transitions(script: &File) -> BTreeSet<String> {
    let mut lines = script.text.lines().take_while(|line| line.starts_with(['-', '#']));
    let named = lines.find_map(|line| line.strip_prefix("-- Transitions: ")).unwrap_or_default();
    named.split([',', ' ', '.']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Numbers such as `letter` and 7, if they stand as words of their own.
fn numbered(letter: char, file: &File) -> Vec<String> {
    let is_in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_number = |word: &&str| {
        let digits = word.strip_prefix(letter).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let words = file.text.split(|letter| !is_in_word(letter));
    words.filter(is_number).map(str::to_owned).collect()
}

/// What is read by people who look a number up: code, scripts and pages.
fn sources() -> Vec<File> {
    let is_source = |file: &File| ["rs", "lua", "md"].iter().any(|kind| file.is(kind));
    files().into_iter().filter(|file| file.path != PAGE && is_source(file)).collect()
}

#[test]
fn every_verb_has_its_row() {
    let verbs: BTreeSet<String> = verbs().into_keys().collect();
    assert_eq!(first_words("\n## Verbs\n"), verbs, "verbs of {PAGE} (left), scripts (right)");
}

#[test]
fn every_state_has_its_row() {
    let states: BTreeSet<String> = State::ALL.map(|state| state.as_str().to_owned()).into();
    assert_eq!(
        first_words("\n## States\n"),
        states,
        "states of {PAGE} (left), of the code (right)"
    );
}

#[test]
fn every_transition_has_its_row_and_names_the_verbs_that_make_it() {
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (verb, script) in verbs() {
        for transition in transitions(&script) {
            made.entry(transition).or_default().insert(verb.clone());
        }
    }
    let row = |cells: &Vec<String>| {
        let verbs = cells.last().map(|cell| words(cell)).unwrap_or_default();
        words(&cells[0]).into_iter().map(move |transition| (transition, verbs.clone()))
    };
    let told: BTreeMap<_, _> = rows("\n## Transitions\n").iter().flat_map(row).collect();
    assert_eq!(told, made, "transitions of {PAGE} (left), of the heads of the scripts (right)");
}

#[test]
fn the_diagram_shows_every_state_and_every_transition() {
    let page = text_of(PAGE);
    let (_, below) = page.split_once("```mermaid\n").expect("a diagram");
    let diagram = below.split("```").next().unwrap_or_default();
    let drawn: BTreeSet<&str> =
        diagram.split(|letter: char| !letter.is_ascii_alphabetic()).collect();
    for word in first_words("\n## States\n").iter().chain(&first_words("\n## Transitions\n")) {
        assert!(drawn.contains(word.as_str()), "the diagram of {PAGE} does not show `{word}`");
    }
}

/// A frozen script of an old client says what it said then.
#[test]
fn transitions_are_called_by_their_words() {
    for file in sources().iter().filter(|file| !file.path.contains("/golden/")) {
        let numbers = numbered('T', file);
        assert!(numbers.is_empty(), "{} calls transitions {numbers:?}; see {PAGE}", file.path);
    }
}

#[test]
fn every_invariant_that_the_code_names_has_its_row() {
    let rows: BTreeSet<String> =
        rows("\n## Invariants\n").into_iter().map(|mut cells| cells.remove(0)).collect();
    assert!(rows.len() > 10, "only {} invariants found", rows.len());
    for file in sources() {
        let unknown: Vec<_> =
            numbered('I', &file).into_iter().filter(|name| !rows.contains(name)).collect();
        assert!(unknown.is_empty(), "{} names {unknown:?}, which {PAGE} does not", file.path);
    }
}
