//! Whatever stands in a file or in the environment: it is a configuration or a list of faults, and
//! no secret is in either.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

/// What people write, by mistake or on purpose, as any value.
const VALUES: [&str; 24] = [
    "",
    "1",
    "90s",
    "250ms",
    "1e9h",
    "-1",
    "auto",
    "true",
    "off",
    "openai",
    "offline",
    "command",
    "info,queue=debug",
    "json",
    "127.0.0.1:9090",
    "[::1]:80",
    "redis://:canary@host:6379/0",
    "rediss://user:canary@host/3?ca_file=/x",
    "unix:///run/redis.sock?db=3",
    "https://user:canary@host/v1?key=canary",
    "s3://bucket/prefix",
    "file:///srv/../x",
    "postgres://user:canary@host:5432/content?sslmode=require",
    "\"quoted\"",
];

/// A secret in a file.
const SECRET: &str = "redis_url = \"redis://:canary@host\"\n";

fn names() -> Vec<String> {
    let lines = KNOBS.defaults.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    names.map(str::to_ascii_uppercase).collect()
}

/// Settings as an environment has them. Nothing is drawn in vain: of a million inputs too many would be.
fn environment() -> impl Strategy<Value = Vec<(String, String)>> {
    // A file's path would be read, and what stands in a setting that is no secret is shown.
    let (files, names): (Vec<_>, Vec<_>) =
        names().into_iter().partition(|name| name.ends_with("_FILE"));
    let one = (proptest::sample::select(names), fuzzing::text(&VALUES));
    let one = one.prop_map(move |(name, value)| {
        // The operating system hands on no NUL.
        let value = value.replace('\0', " ");
        let is_told = files.contains(&format!("{name}_FILE")) && is_marked(&value);
        let value = if is_told { value } else { value.replace(CANARY, "") };
        (name, value)
    });
    proptest::collection::vec(one, 0..6)
}

/// Whether an `@` behind it or a mark before it says that it is a secret; else it is a host or a path.
fn is_marked(value: &str) -> bool {
    value.match_indices(CANARY).all(|(at, _)| {
        let (before, behind) = value.split_at(at);
        behind.contains('@') || before.ends_with(':') || before.contains('?')
    })
}

/// Loads; where one is set, neither the faults nor what is shown of the settings may hold a secret.
fn load(sources: &Sources, has_secret: bool) -> Result<(), TestCaseError> {
    let said = match Config::load(sources) {
        Ok(config) => {
            format!("{}{}{config:?}", config.settled.to_toml(), config.settled.to_json())
        }
        Err(faults) => {
            prop_assert!(faults.iter().count() > 0);
            faults.iter().map(ToString::to_string).collect()
        }
    };
    prop_assert!(!has_secret || !said.contains(CANARY), "{}", said);
    Ok(())
}

proptest! {
    #[test]
    fn an_environment_is_read_or_refused(pairs in environment()) {
        load(&pairs.iter().fold(required(), |sources, (name, value)| sources.set(name, value)), true)?;
    }
}

#[test]
fn a_file_is_read_or_refused() {
    // One folder for all files: a million of them would be what the test waits for.
    let folder = folder();
    let texts = fuzzing::text(&[KNOBS.defaults, &format!("{SECRET}[x]\ny=[1]")]);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let held = TestRunner::new(config).run(&texts, |text| {
        // What edits have made a part of a name is nobody's secret.
        let has_secret = text.contains(SECRET) && text.matches(CANARY).count() == 1;
        load(&required().file(&folder, &text), has_secret)
    });
    if let Err(failure) = held {
        panic!("{failure}");
    }
}
