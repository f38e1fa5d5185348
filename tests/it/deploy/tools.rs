//! A file, or a broken copy of it, goes in; what a foreign tool says of it comes out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use child::{ChildError, Spec};
use serde_json::Value;
use tempfile::TempDir;
use tests::foreign::{printed, python, root};

/// Longest run of one tool; reaching it is a failure.
const WAIT: Duration = Duration::from_secs(150);
/// Reads a file of several documents in YAML, and prints a list of them as JSON.
const TO_JSON: &str = "\
import json, sys, yaml
json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout, default=str)
";

/// The text of one file, by its path from the root.
pub(crate) fn text_of(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text with `wrong` in the place of `right`, which must stand in it.
pub(crate) fn broken(text: &str, right: &str, wrong: &str) -> String {
    assert!(text.contains(right), "`{right}` is not there, so that nothing is broken");
    text.replacen(right, wrong, 1)
}

/// Runs a tool to its end: what it printed, or how it complained.
pub(crate) async fn run(tool: Spec) -> Result<String, String> {
    match tool.timeout(WAIT).output(8 << 20).await {
        Ok((printed, finished)) => {
            Ok(format!("{}{}", String::from_utf8_lossy(&printed), finished.stderr))
        }
        Err(ChildError::Status { stderr, .. }) => Err(stderr),
        Err(error) => panic!("{error}"),
    }
}

/// Copies of files, which may be broken, in a folder of their own.
pub(crate) struct Copies(TempDir);

impl Copies {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("sc-").tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes one; its folders are made.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Copies all files of a folder of the repository, and of those in it.
    pub(crate) fn folder(&self, folder: &str) {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            if path.is_dir() {
                self.folder(&name);
            } else {
                self.write(&name, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

/// The documents of a file in YAML.
pub(crate) async fn yaml(path: &Path) -> Vec<Value> {
    let reading = Spec::new(python()).args(["-c", TO_JSON]).arg(path);
    serde_json::from_str(&printed(reading).await.unwrap()).unwrap()
}

/// The whole seconds of a length of time such as `25s`, `18m`, `1m0s` or `45`.
pub(crate) fn seconds(text: &str) -> u64 {
    let (mut sum, mut number) = (0, 0);
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            number = number * 10 + u64::from(digit);
            continue;
        }
        let unit = [('s', 1), ('m', 60), ('h', 3600)].iter().find(|(unit, _)| *unit == letter);
        sum += number * unit.unwrap_or_else(|| panic!("`{text}` is no length of time")).1;
        number = 0;
    }
    sum + number
}
