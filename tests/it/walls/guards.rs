//! The tables of invariants and of promises go in; a guard that they name and that is not there
//! comes out.

use crate::tree::{File, files, text_of};

/// The page, the heading below which its tables stand, and how many guards they name at least.
const TABLES: [(&str, &str, usize); 2] = [
    ("crates/README.md", "## Invariants, each with its guard", 60),
    ("README.md", "## What is promised", 25),
];

/// A word in backticks, as the last cell of a row holds it, and what stands right before it.
struct Guard<'row> {
    before: &'row str,
    word: &'row str,
}

/// The last cell of each row below `heading`.
fn cells<'page>(page: &'page str, heading: &str) -> Vec<&'page str> {
    let (_, below) = page.split_once(heading).unwrap_or_else(|| panic!("no `{heading}`"));
    let section = below.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    rows.map(|row| row.trim_end_matches([' ', '|']).rsplit("| ").next().unwrap_or_default())
        .collect()
}

fn guards(cell: &str) -> Vec<Guard<'_>> {
    let parts: Vec<&str> = cell.split('`').collect();
    let pairs = parts.chunks_exact(2);
    pairs.map(|pair| Guard { before: pair[0], word: pair[1] }).collect()
}

/// `a/{b,c}.rs` is two paths.
fn paths(word: &str) -> Vec<String> {
    match word.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?))) {
        Some((head, (names, tail))) => {
            names.split(',').map(|name| format!("{head}{name}{tail}")).collect()
        }
        None => vec![word.to_owned()],
    }
}

/// The files that a path of the tables means: it may begin anywhere.
fn meant<'all>(all: &'all [File], path: &str) -> Vec<&'all File> {
    let is_meant = |file: &&File| {
        let place = format!("/{}", file.path);
        let path = format!("/{path}");
        place.ends_with(&path) || path.ends_with('/') && place.contains(&path)
    };
    all.iter().filter(is_meant).collect()
}

fn is_path(word: &str) -> bool {
    word.contains('/') || word.contains(".rs") || word.contains(".toml")
}

/// Whether `file` holds the guard: a test of that name, a check that tests call, or a setting.
fn holds(file: &File, name: &str) -> bool {
    if !file.is("rs") {
        return file.text.contains(name);
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let head = format!("fn {name}(");
    let Some(at) = lines.iter().position(|line| line.contains(&head)) else { return false };
    name.starts_with("assert_") || lines[at.saturating_sub(3)..at].iter().any(is_test)
}

fn is_test(line: &&str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

/// Whether the configuration of the lints knows one.
fn is_lint(name: &str) -> bool {
    let threshold = format!("{}-threshold", name.replace('_', "-"));
    text_of("Cargo.toml").contains(&format!("\n{name} = "))
        || text_of(".clippy.toml").contains(&threshold)
}

/// Whether the page of commands knows `group verb`.
fn is_command(group: &str, verb: &str) -> bool {
    let page = text_of("README.md");
    let head = format!("| `stillcast {group} ");
    page.lines().any(|row| row.starts_with(&head) && row.contains(verb))
}

#[test]
fn every_guard_that_a_table_names_is_there() {
    let all = files();
    for (page, heading, least) in TABLES {
        let mut found = 0;
        for cell in cells(&text_of(page), heading) {
            let mut last: Vec<&File> = Vec::new();
            for Guard { before, word } in guards(cell) {
                let is_there = if is_path(word) {
                    let each = paths(word).iter().map(|path| meant(&all, path)).collect::<Vec<_>>();
                    let none_is_empty = each.iter().all(|files| !files.is_empty());
                    last = each.concat();
                    none_is_empty
                } else if before.ends_with("lint ") {
                    is_lint(word)
                } else if let Some((group, verb)) = word.split_once(' ') {
                    is_command(group, verb)
                } else {
                    last.iter().any(|file| holds(file, word))
                };
                assert!(is_there, "{page} names the guard `{word}`, which is not there: {cell}");
                found += 1;
            }
        }
        assert!(found >= least, "only {found} guards found below `{heading}`");
    }
}
