//! Walls in the dependency graph: who may know whom, and how much the producer's crate weighs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::tree::{cargo, root, text_of};

/// For each crate, the crates of the house that it may import. Arrows point down only.
const ARROWS: [(&str, &[&str]); 15] = [
    ("stillcast-enqueue", &[]),
    ("child", &[]),
    ("fuzzing", &[]),
    ("settings", &[]),
    ("systemd", &[]),
    ("telemetry", &[]),
    ("queue", &["stillcast-enqueue"]),
    ("pipeline", &["stillcast-enqueue"]),
    ("providers", &["stillcast-enqueue", "pipeline", "child"]),
    ("api", &["stillcast-enqueue", "queue", "providers", "telemetry"]),
    ("isolation", &["stillcast-enqueue", "queue", "child"]),
    ("webhook", &["queue", "providers", "settings"]),
    (
        "worker",
        &[
            "stillcast-enqueue",
            "queue",
            "pipeline",
            "providers",
            "settings",
            "systemd",
            "telemetry",
            "child",
            "isolation",
            "webhook",
        ],
    ),
    (
        "ops",
        &[
            "stillcast-enqueue",
            "queue",
            "api",
            "providers",
            "settings",
            "systemd",
            "telemetry",
            "child",
            "webhook",
        ],
    ),
    (
        "tests",
        &[
            "stillcast-enqueue",
            "queue",
            "pipeline",
            "providers",
            "telemetry",
            "child",
            "isolation",
            "webhook",
        ],
    ),
];

/// Crates that do I/O; the pipeline must not even compile them.
const OUTSIDE_WORLD: [&str; 9] =
    ["apalis", "aws-", "axum", "child", "hyper", "nix", "redis", "reqwest", "sqlx"];

/// What only the parts that `deploy/demo` leaves out compile.
const LEFT_OUT: [&str; 8] =
    ["aws-", "c2pa", "hyper-rustls", "opentelemetry", "reqwest", "rustls", "sqlx", "x509-parser"];

/// Most crates that a producer may have to compile, itself not counted.
const ENQUEUE_LIMIT: usize = 85;
const ENQUEUE_SNAPSHOT: &str = "tests/it/walls/enqueue-closure.txt";

/// The packages that `package` compiles with its default features, as `name` to `features`.
fn closure(package: &str) -> Vec<(String, String)> {
    closure_of(&["--package", package])
}

/// The packages that are compiled for the `chosen` ones.
fn closure_of(chosen: &[&str]) -> Vec<(String, String)> {
    let form = ["--edges", "normal", "--prefix", "none", "--format", "{p}|{f}"];
    let tree = cargo(&[&["tree", "--offline", "--locked"], &form[..], chosen].concat());
    let split = |line: &str| {
        let (name, features) = line.split_once('|').expect("the format has a bar");
        let name = name.split(' ').next().unwrap_or_default();
        (name.to_owned(), features.replace(" (*)", ""))
    };
    // An empty line stands between the trees of two packages.
    let lines = tree.lines().filter(|line| !line.is_empty());
    let packages: BTreeSet<_> = lines.map(split).collect();
    packages.into_iter().filter(|(name, _)| !chosen.contains(&name.as_str())).collect()
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

fn text_in(word: &Value) -> String {
    word.as_str().expect("a text").to_owned()
}

/// The features of a package, each with what it turns on.
fn features(package: &Value) -> BTreeMap<String, Vec<String>> {
    let all = package["features"].as_object().expect("a table");
    let words = |list: &Value| list.as_array().expect("a list").iter().map(text_in).collect();
    all.iter().map(|(name, list)| (name.clone(), words(list))).collect()
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
fn ops_and_api_use_only_the_providers_that_they_may() {
    let packages = workspace();
    for (name, may) in [("ops", &["postgres", "s3", "store"][..]), ("api", &["store"])] {
        let package = packages.iter().find(|package| package["name"] == name).expect("it exists");
        let on = providers_of(package);
        let foreign = on.iter().find(|feature| !may.contains(&feature.as_str()));
        assert!(!on.is_empty() && foreign.is_none(), "{name} turns on the provider {foreign:?}");
    }
}

/// The providers that a package or a part of it turns on.
fn providers_of(package: &Value) -> Vec<String> {
    let dependencies = inner_dependencies(package).into_iter();
    let always = dependencies.filter(|one| one["name"] == "providers").flat_map(|one| {
        one["features"].as_array().expect("a list").iter().map(text_in).collect::<Vec<_>>()
    });
    let parts = features(package).into_values().flatten();
    let by_parts = parts.filter_map(|word| word.strip_prefix("providers/").map(str::to_owned));
    always.chain(by_parts).collect()
}

#[test]
fn whoever_says_nothing_builds_every_part() {
    let packages = workspace();
    for name in ["ops", "worker"] {
        let package = packages.iter().find(|package| package["name"] == name).expect("it exists");
        let mut parts = features(package);
        let whole = parts.remove("default").expect("a default");
        assert!(!whole.is_empty());
        assert_eq!(parts.into_keys().collect::<Vec<_>>(), whole, "{name}: parts, and its default");
    }
}

#[test]
fn the_demo_compiles_no_part_that_it_leaves_out() {
    let demo = closure_of(&["--package", "ops", "--package", "worker", "--no-default-features"]);
    assert!(text_of("deploy/demo").contains("--no-default-features"), "it builds otherwise");
    let is_costly = |name: &str| LEFT_OUT.iter().any(|word| name.starts_with(word));
    let costly = demo.iter().find(|(name, _)| is_costly(name));
    assert!(!demo.is_empty() && costly.is_none(), "the demo compiles {costly:?}");
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

/// The SDK sends from a thread of its own, where an asynchronous client panics: the worker would live
/// on without a span. It is taken whenever any crate turns it on.
#[test]
fn the_client_that_sends_spans_blocks() {
    for chosen in [&["--package", "worker"][..], &["--workspace"]] {
        let packages = closure_of(chosen);
        let found = packages.iter().find(|(name, _)| name == "opentelemetry-otlp");
        let (_, features) = found.expect("spans are sent");
        let has = |wanted: &str| features.split(',').any(|feature| feature == wanted);
        assert!(has("reqwest-blocking-client"), "{features}");
        assert!(!has("reqwest-client") && !has("hyper-client") && !has("grpc-tonic"), "{features}");
    }
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
