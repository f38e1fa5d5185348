//! A verb goes in; the script that Redis runs comes out: the verb, and in front of it what it names.

use std::collections::BTreeSet;

use crate::keys::FIXED;

/// What the verbs of the queue share, in parts: one a paragraph.
pub const PREAMBLE: &str = include_str!("../lua/preamble.lua");
/// The transition *cancel*: a person ends a job.
pub const CANCEL: &str = include_str!("../lua/cancel.lua");

/// A script, whole.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// Its text.
    pub source: String,
    /// Its `KEYS`, as words of [`FIXED`].
    pub keys: Vec<&'static str>,
}

/// Puts those parts of `preamble` in front of `verb` that it names, and those that they name, in the
/// order of the preamble; and in front of them the fixed keys that any of them names, as locals.
///
/// Redis runs the whole text of a script at every call, so that a verb of two commands would pay for
/// forty functions otherwise.
pub fn assemble(preamble: &str, verb: &str) -> Assembled {
    let flags = preamble.lines().next().unwrap_or_default();
    let parts: Vec<&str> = preamble.split("\n\n").skip(1).map(str::trim_end).collect();
    let mut named = words(verb);
    // By a key a cluster finds the node; and a test's clock has the prefix in its name.
    named.extend(["ready", "prefix"]);
    let mut taken = vec![false; parts.len()];
    while let Some(at) = (0..parts.len()).find(|at| !taken[*at] && is_named(parts[*at], &named)) {
        taken[at] = true;
        named.extend(words(parts[at]));
    }
    let keys: Vec<&str> = FIXED.into_iter().filter(|key| named.contains(key)).collect();
    let taken = parts.iter().zip(taken).filter(|(_, taken)| *taken);
    let parts: Vec<&str> = taken.map(|(part, _)| *part).collect();
    let locals = format!("local {} = unpack(KEYS)", keys.join(", "));
    Assembled { source: [&[flags, &locals], &*parts, &[verb]].concat().join("\n"), keys }
}

/// Whether a part makes something of a name that is used.
fn is_named(part: &str, used: &BTreeSet<&str>) -> bool {
    part.lines().filter_map(|line| line.strip_prefix("local ")).any(|line| {
        let names = match line.strip_prefix("function ") {
            Some(function) => function.split('(').next(),
            None => line.split('=').next(),
        };
        names.is_some_and(|names| names.split(',').any(|name| used.contains(name.trim())))
    })
}

/// The identifiers of a text: what stands in comments and strings is none.
fn words(text: &str) -> BTreeSet<&str> {
    let is_in_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let code = text.lines().flat_map(code_of);
    let words = code.flat_map(|code| code.split(move |letter| !is_in_word(letter)));
    words.filter(|word| !word.is_empty()).collect()
}

/// What of a line stands in neither a string nor a comment.
fn code_of(line: &str) -> Vec<&str> {
    let mut code = Vec::new();
    // Every second piece between quotes is a string.
    for piece in line.split('\'').step_by(2) {
        match piece.split_once("--") {
            None => code.push(piece),
            Some((before, _)) => {
                code.push(before);
                break;
            }
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: &str = "#!lua flags=x\n-- A head.\n\nlocal prefix = ARGV[1]\n\n\
        -- Not of ready.\nlocal a, b = 1, 2\n\nlocal function twice(x)\n  return 'ready' .. a + x\nend\n\n\
        local function rouse() return redis.call('ZADD', wake, b) end\n";

    #[test]
    fn a_verb_gets_what_it_names_and_no_more() {
        let plain = assemble(PARTS, "return 1 -- twice, leased\n");
        assert_eq!(
            plain.source,
            "#!lua flags=x\nlocal ready = unpack(KEYS)\nlocal prefix = ARGV[1]\n\
             return 1 -- twice, leased\n"
        );
        let whole = assemble(PARTS, "return twice(leased)\n");
        assert_eq!(whole.keys, ["ready", "leased"]);
        assert!(whole.source.contains("local ready, leased = unpack(KEYS)\n"), "{}", whole.source);
        assert!(whole.source.contains("local a, b") && !whole.source.contains("ZADD"));
        assert_eq!(assemble(PARTS, "rouse()").keys, ["ready", "wake"], "what a part names");
    }

    #[test]
    fn a_string_with_a_dash_is_no_comment() {
        assert_eq!(words("x('--', y) -- z"), BTreeSet::from(["x", "y"]));
    }
}
