//! Walls in the source files: their size, their heads, and what may be named where.

use crate::tree::{File, files};

/// Lines at which a file must have been split; `main.rs` only starts things.
const FILE_LIMIT: usize = 500;
const MAIN_LIMIT: usize = 80;

/// File names that say nothing: rooms in which everything ends up.
const DRAWERS: [&str; 7] =
    ["common.rs", "helpers.rs", "manager.rs", "misc.rs", "mod.rs", "util.rs", "utils.rs"];

/// Files of the product, without its tests.
fn sources() -> Vec<File> {
    let all = files().into_iter();
    all.filter(|file| file.path.starts_with("crates/") && file.path.contains("/src/")).collect()
}

fn rust() -> Vec<File> {
    files().into_iter().filter(|file| file.is("rs")).collect()
}

fn is_script(file: &File) -> bool {
    file.is("lua") || file.text.starts_with("#!") || file.is("sh")
}

#[test]
fn files_stay_short() {
    for file in files().iter().filter(|file| file.is("rs") || is_script(file)) {
        let limit = if file.name() == "main.rs" { MAIN_LIMIT } else { FILE_LIMIT };
        let lines = file.text.lines().count();
        assert!(lines <= limit, "{} has {lines} lines, the limit is {limit}", file.path);
    }
}

#[test]
fn no_file_is_a_drawer() {
    for file in rust() {
        assert!(!DRAWERS.contains(&file.name()), "{} says nothing about its content", file.path);
    }
}

#[test]
fn every_rust_file_opens_with_what_goes_in_and_out() {
    for file in rust().iter().filter(|file| file.name() != "build.rs") {
        let head = file.text.strip_prefix("//! ").and_then(|text| text.lines().next());
        assert!(head.is_some_and(|line| line.len() > 20), "{} has no `//!` head", file.path);
    }
}

#[test]
fn every_lua_verb_documents_its_contract() {
    let lua = files().into_iter().filter(|file| file.is("lua") && file.path.starts_with("crates/"));
    for file in lua {
        let head = file.text.lines().take_while(|line| line.starts_with(['-', '#']));
        let head: Vec<_> = head.collect();
        let says = |word: &str| head.iter().any(|line| line.starts_with(&format!("-- {word}")));
        if file.name() == "preamble.lua" {
            assert!(head[0].contains("allow-oom"), "draining must work in a full Redis");
            assert!(says("KEYS"), "{} does not document its KEYS", file.path);
        } else if file.name().ends_with("preamble.lua") {
            assert!(says("KEYS"), "{} does not document its KEYS", file.path);
            assert!(says("ARGV") || !file.text.contains("ARGV["), "{}: no ARGV", file.path);
        } else {
            assert!(says("Returns"), "{} does not document what it returns", file.path);
            assert!(says("ARGV") || !file.text.contains("ARGV["), "{}: no ARGV", file.path);
            assert!(!head[0].contains("allow-oom"), "{} sets its own flags", file.path);
        }
    }
}

#[test]
fn unsafe_code_stands_once_in_child() {
    let words = [concat!("unsa", "fe {"), concat!("unsa", "fe fn"), concat!("unsa", "fe impl")];
    let in_file = |file: &File| words.map(|word| file.mentions(word)).concat();
    let places: Vec<_> = rust().iter().flat_map(in_file).collect();
    assert_eq!(places.len(), 1, "unsafe code stands at {places:?}");
    assert!(places[0].starts_with("crates/child/src/"), "unsafe code stands at {places:?}");
}

#[test]
fn only_wiring_names_concrete_providers() {
    for file in sources().iter().filter(|file| !file.path.starts_with("crates/providers/")) {
        let mut named = file.mentions("providers::");
        // How long a server asks to be left alone is nobody's technology.
        let shared = file.mentions(concat!("providers::", "retry_after"));
        named.retain(|one| !shared.contains(one));
        // The API is handed a store, and names what a store is.
        let is_store = named == file.mentions(concat!("providers::", "store"));
        let may =
            file.path.contains("/src/wiring") || (file.path.starts_with("crates/api/") && is_store);
        assert!(may || named.is_empty(), "providers are named at {named:?}");
    }
}

/// `..` would leave out a setting that is added later, and two results would share one key.
#[test]
fn a_revision_takes_its_settings_apart_field_by_field() {
    let mut found = 0;
    for file in sources().iter().filter(|file| file.path.starts_with("crates/providers/")) {
        for rest in file.text.split("fn revision(&self)").skip(1) {
            let (body, _) = rest.split_once("\n    }\n").expect("a method ends");
            let is_whole = body.contains("let Self") && !body.contains("..");
            assert!(is_whole, "{} forgets settings in its revision: {body}", file.path);
            found += 1;
        }
    }
    assert!(found >= 8, "only {found} revisions found");
}

#[test]
fn only_configuration_and_wiring_know_what_a_build_leaves_out() {
    let binaries = ["crates/ops/src/", "crates/worker/src/"];
    let asks = |file: &File| file.mentions(concat!("(feature", " = "));
    for file in sources().iter().filter(|file| binaries.iter().any(|at| file.path.starts_with(at)))
    {
        let may = ["/src/config", "/src/wiring"].iter().any(|at| file.path.contains(at));
        assert!(may || asks(file).is_empty(), "a part is asked for at {:?}", asks(file));
    }
}

#[test]
fn only_keys_spells_the_names_of_redis_keys() {
    for file in sources().iter().filter(|file| file.is("rs")) {
        let spelled = file.mentions("\"{{q:");
        let home = file.path == "crates/enqueue/src/keys.rs";
        assert!(home || spelled.is_empty(), "a key is spelled at {spelled:?}");
    }
}

#[test]
fn nothing_unfinished_and_no_foreign_path_is_left() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
        concat!("lorem", " ipsum"),
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/wt"),
        concat!("#[", "ignore"),
        concat!("#[", "allow("),
    ];
    for file in files() {
        for word in words {
            let places = file.mentions(word);
            assert!(places.is_empty(), "`{word}` stands at {places:?}");
        }
    }
}
