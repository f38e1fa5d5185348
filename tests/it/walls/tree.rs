//! The project as the walls see it: its files, and the answers of `cargo` and `git` about it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root").to_owned()
}

/// One file of the project, by its path from the root.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The lines that contain `needle`, as `path:number`.
    pub(crate) fn mentions(&self, needle: &str) -> Vec<String> {
        let lines = self.text.lines().enumerate();
        let hits = lines.filter(|(_, line)| line.contains(needle));
        hits.map(|(index, _)| format!("{}:{}", self.path, index + 1)).collect()
    }
}

/// Every text file that is tracked, or would be by `git add`.
pub(crate) fn files() -> Vec<File> {
    let listed = answer_of("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let read = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    let file = |path: &str| read(path).map(|text| File { path: path.to_owned(), text });
    let files: Vec<File> = listed.lines().filter_map(file).collect();
    assert!(files.len() > 40, "only {} files found: the walls would guard nothing", files.len());
    files
}

/// The text of one file, by its path from the root.
pub(crate) fn text_of(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What `cargo` prints.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    answer_of(env!("CARGO"), arguments)
}

#[expect(clippy::disallowed_methods, reason = "a look at the project, not a child of the product")]
fn answer_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("its answer is text")
}
