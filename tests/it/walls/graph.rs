//! Walls in the dependency graph: who may know whom, and how much the producer's crate weighs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::tree::{cargo, root, text_of};

/// For each crate, the crates of the house that it may import. Arrows point down only.
const ARROWS: [(&str, &[&str]); 10] = [
    ("stillcast-enqueue", &[]),
    ("child", &[]),
    ("settings", &[]),
    ("telemetry", &[]),
    ("queue", &["stillcast-enqueue"]),
    ("pipeline", &["stillcast-enqueue"]),
    ("providers", &["stillcast-enqueue", "pipeline", "child"]),
    (
        "worker",
        &["stillcast-enqueue", "queue", "pipeline", "providers", "settings", "telemetry", "child"],
    ),
    ("ops", &["stillcast-enqueue", "queue", "providers", "settings", "telemetry", "child"]),
    ("tests", &["stillcast-enqueue", "queue", "pipeline", "providers", "telemetry", "child"]),
];

/// Crates that do I/O; the pipeline must not even compile them.
const OUTSIDE_WORLD: [&str; 9] =
    ["apalis", "aws-", "axum", "child", "hyper", "nix", "redis", "reqwest", "sqlx"];

/// Most crates that a producer may have to compile, itself not counted.
const ENQUEUE_LIMIT: usize = 85;
const ENQUEUE_SNAPSHOT: &str = "tests/it/walls/enqueue-closure.txt";

/// The packages that `package` compiles with its default features, as `name` to `features`.
fn closure(package: &str) -> Vec<(String, String)> {
    let tree = cargo(&[
        "tree",
        "--offline",
        "--locked",
        "--package",
        package,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ]);
    let split = |line: &str| {
        let (name, features) = line.split_once('|').expect("the format has a bar");
        let name = name.split(' ').next().unwrap_or_default();
        (name.to_owned(), features.replace(" (*)", ""))
    };
    let packages: BTreeSet<_> = tree.lines().map(split).collect();
    packages.into_iter().filter(|(name, _)| name != package).collect()
}

fn workspace() -> Vec<Value> {
    let text = cargo(&["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("cargo lists packages").clone()
}

/// The normal dependencies that live in the house.
fn inner_dependencies(package: &Value) -> Vec<&Value> {
    let all = package["dependencies"].as_array().expect("a list");
    all.iter().filter(|one| one["path"].is_string() && one["kind"].is_null()).collect()
}

#[test]
fn arrows_point_down() {
    for package in workspace() {
        let name = package["name"].as_str().expect("a name");
        let row = ARROWS.iter().find(|(row, _)| *row == name);
        let (_, allowed) = row.unwrap_or_else(|| panic!("`{name}` has no row in ARROWS"));
        for dependency in inner_dependencies(&package) {
            let target = dependency["name"].as_str().expect("a name");
            assert!(allowed.contains(&target), "`{name}` must not import `{target}`");
        }
    }
}

#[test]
fn ops_uses_only_the_providers_that_it_may() {
    let packages = workspace();
    let ops = packages.iter().find(|package| package["name"] == "ops").expect("ops exists");
    for dependency in inner_dependencies(ops) {
        let features = dependency["features"].as_array().expect("a list");
        let ours = ["postgres", "s3", "store"];
        let foreign = features.iter().find(|name| !ours.iter().any(|known| *name == known));
        let is_providers = dependency["name"] == "providers";
        assert!(!is_providers || foreign.is_none(), "ops turns on the provider {foreign:?}");
    }
}

#[test]
fn the_pipeline_does_no_io() {
    for (name, features) in closure("pipeline") {
        let outside = OUTSIDE_WORLD.iter().find(|word| name.starts_with(*word));
        assert_eq!(outside, None, "pipeline compiles `{name}`");
        let doors = ["fs", "net", "process"];
        let open = features.split(',').find(|word| name == "tokio" && doors.contains(word));
        assert_eq!(open, None, "pipeline compiles tokio with a door to the outside");
    }
}

#[test]
fn the_enqueue_crate_stays_small() {
    let names: Vec<_> = closure("stillcast-enqueue").into_iter().map(|(name, _)| name).collect();
    assert!(names.len() <= ENQUEUE_LIMIT, "{} crates: {names:?}", names.len());
    let snapshot = text_of(ENQUEUE_SNAPSHOT);
    let known: Vec<_> = snapshot.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(names, known, "producers compile other crates than {ENQUEUE_SNAPSHOT} says");
}

#[test]
fn redis_has_one_version() {
    let lock = text_of("Cargo.lock");
    assert_eq!(lock.matches("name = \"redis\"\n").count(), 1, "types of two versions do not fit");
}

#[test]
fn every_crate_has_its_sentence_in_the_map() {
    let map = text_of("crates/README.md");
    let rows = map.lines().filter_map(|line| line.strip_prefix("| [`")?.split("`](").next());
    let described: BTreeSet<_> = rows.map(str::to_owned).collect();
    let folders = std::fs::read_dir(root().join("crates")).expect("crates/ exists");
    let folders = folders.map(|entry| entry.expect("a readable entry").path());
    let crates: BTreeSet<_> = folders
        .filter(|path| path.is_dir())
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(crates, described, "folders of crates/ (left), rows of crates/README.md (right)");
}
