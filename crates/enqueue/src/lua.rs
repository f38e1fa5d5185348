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
/// forty functions otherwise. So what a verb calls `-- Rare:` in its head, and what only that needs, is
/// made no sooner than one of these functions is called.
pub fn assemble(preamble: &str, verb: &str) -> Assembled {
    let flags = preamble.lines().next().unwrap_or_default();
    let parts: Vec<&str> = preamble.split("\n\n").skip(1).map(str::trim_end).collect();
    let rare = rare_of(verb);
    let (all, named) = reached(&parts, verb, &BTreeSet::new());
    let (often, called) = reached(&parts, verb, &rare);
    let keys: Vec<&str> = FIXED.into_iter().filter(|key| named.contains(key)).collect();
    let of = |which: &dyn Fn(usize) -> bool| -> Vec<&str> {
        (0..parts.len()).filter(|at| which(*at)).map(|at| parts[at]).collect()
    };
    let locals = format!("local {} = unpack(KEYS)", keys.join(", "));
    let entries: Vec<&str> = rare.into_iter().filter(|name| called.contains(name)).collect();
    let (stubs, seldom) = made_later(&entries, &of(&|at| all[at] && !often[at]));
    let often = of(&|at| often[at]);
    let blocks = [&[flags, &locals, &stubs], &*often, &[&seldom, verb]].concat();
    let blocks: Vec<&str> = blocks.into_iter().filter(|block| !block.is_empty()).collect();
    Assembled { source: blocks.join("\n"), keys }
}

/// The functions that the head of a verb calls rare.
fn rare_of(verb: &str) -> BTreeSet<&str> {
    let lines = verb.lines().filter_map(|line| line.strip_prefix("-- Rare: "));
    lines.flat_map(str::split_whitespace).collect()
}

/// Which parts a verb names, and those parts in turn, but for what they name that is `left_out`; and all
/// names that they use.
fn reached<'text>(
    parts: &[&'text str],
    verb: &'text str,
    left_out: &BTreeSet<&str>,
) -> (Vec<bool>, BTreeSet<&'text str>) {
    let mut named = words(verb);
    // By a key a cluster finds the node; and a test's clock has the prefix in its name.
    named.extend(["ready", "prefix"]);
    let mut taken = vec![false; parts.len()];
    loop {
        let wanted: BTreeSet<&str> = named.difference(left_out).copied().collect();
        let next = (0..parts.len()).find(|at| !taken[*at] && is_named(parts[*at], &wanted));
        let Some(at) = next else { return (taken, named) };
        taken[at] = true;
        named.extend(words(parts[at]));
    }
}

/// In front of all: functions of these names, which make the real ones of `parts` when one is first called.
/// Behind all that is used often: their making.
fn made_later(entries: &[&str], parts: &[&str]) -> (String, String) {
    if parts.is_empty() {
        return (String::new(), String::new());
    }
    let stub = |name: &&str| format!("local function {name}(...) return rare().{name}(...) end");
    let stubs: Vec<String> = entries.iter().map(stub).collect();
    let made: Vec<String> = entries.iter().map(|name| format!("{name} = {name}")).collect();
    let stubs = format!("local rare\n{}", stubs.join("\n"));
    let making = format!(
        "local made\nrare = function()\nif made then return made end\n{}\nmade = {{ {} }}\nreturn made\nend",
        parts.join("\n"),
        made.join(", ")
    );
    (stubs, making)
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
    fn what_is_rare_is_made_when_it_is_called() {
        let parts = "#!lua\n-- A head.\n\nlocal function often() return 1 end\n\n\
            local function deep() return often() end\n\nlocal function seldom() return deep() end\n";
        let verb = "-- A head.\n-- Rare: seldom other\nreturn often() or seldom()\n";
        assert_eq!(
            assemble(parts, verb).source,
            "#!lua\nlocal ready = unpack(KEYS)\nlocal rare\n\
             local function seldom(...) return rare().seldom(...) end\n\
             local function often() return 1 end\nlocal made\nrare = function()\n\
             if made then return made end\nlocal function deep() return often() end\n\
             local function seldom() return deep() end\nmade = { seldom = seldom }\nreturn made\nend\n\
             -- A head.\n-- Rare: seldom other\nreturn often() or seldom()\n"
        );
    }

    #[test]
    fn a_string_with_a_dash_is_no_comment() {
        assert_eq!(words("x('--', y) -- z"), BTreeSet::from(["x", "y"]));
    }
}
