//! Each stage has one word: every place that lists the stages lists the same six, in travel order.

use std::collections::BTreeSet;

use stillcast_enqueue::StageName;
use stillcast_enqueue::capability::Capability;

use crate::tree::{files, text_of};

fn travel_order() -> Vec<&'static str> {
    StageName::ALL.iter().map(|stage| stage.as_str()).collect()
}

/// The words that stand between `before` and `after` on the lines of `path`, in order.
fn words_between(path: &str, before: &str, after: &str) -> Vec<String> {
    let text = text_of(path);
    let word = |line: &str| {
        let (_, rest) = line.split_once(before)?;
        let (word, _) = rest.split_once(after)?;
        let word = word.trim_end().to_ascii_lowercase();
        let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        is_word.then_some(word)
    };
    text.lines().filter_map(word).collect()
}

#[test]
fn every_list_of_stages_is_in_travel_order() {
    let lists = [
        ("README.md", "| [`", "`](crates/pipeline"),
        ("crates/pipeline/src/produce.rs", "            StageName::", "=> ("),
        ("deploy/worker.toml", "", "_tries = "),
    ];
    for (path, before, after) in lists {
        assert_eq!(words_between(path, before, after), travel_order(), "the stages in {path}");
    }
}

#[test]
fn every_capability_is_chosen_where_a_worker_is_started() {
    for path in ["README.md", "crates/worker/src/cli.rs", "deploy/demo"] {
        for capability in Capability::ALL {
            let chosen = text_of(path).contains(&format!("{capability}_PROVIDER="));
            assert!(chosen, "{path} starts a worker, and chooses nobody for {capability}");
        }
    }
}

#[test]
fn every_stage_has_its_file() {
    let folder = "crates/pipeline/src/stages/";
    let inside = |path: &str| {
        let stem = path.strip_prefix(folder)?.strip_suffix(".rs")?;
        (!stem.contains('/') && stem != "tests").then(|| stem.to_owned())
    };
    let found: BTreeSet<_> = files().iter().filter_map(|file| inside(&file.path)).collect();
    let wanted: BTreeSet<_> = travel_order().into_iter().map(str::to_owned).collect();
    assert_eq!(found, wanted, "files of {folder} (left), words of the stages (right)");
}
