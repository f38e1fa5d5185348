//! No circles between files: the sources of each crate go in, files that need each other come out,
//! with the names that tie them. Files of a circle can only be read, moved and tested together.
//!
//! A file needs another one when it names what the other one defines, by whatever way the name got
//! there. A face that only hands names on defines none, so nobody needs it; one that defines what
//! its files need, and hands on what they define, is in a circle with them. A file may take a
//! constant from its own face all the same: that is where files of one subject keep what they share.

mod names;
mod scan;

use std::collections::{BTreeMap, BTreeSet};

use self::names::{Crate, Need};
use crate::tree::files;

/// For each file, the files that it needs, and the names by which it does.
type Needs = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Files that need each other, straight or through one another.
type Knot<'needs> = BTreeSet<&'needs str>;

fn needs(sources: &[(String, String)]) -> Needs {
    let mut needs = Needs::new();
    for Need { file, needed, name } in Crate::read(sources).needs() {
        needs.entry(file).or_default().entry(needed).or_default().insert(name);
    }
    needs
}

/// Every file to which a chain of needs leads from `file`.
fn reach<'needs>(needs: &'needs Needs, file: &'needs str) -> Knot<'needs> {
    let mut reached = Knot::new();
    let mut open = vec![file];
    while let Some(next) = open.pop() {
        let needed = needs.get(next).into_iter().flat_map(BTreeMap::keys);
        open.extend(needed.map(String::as_str).filter(|file| reached.insert(*file)));
    }
    reached
}

/// The largest sets of files in which each one leads to each other one, and so to itself.
fn knots(needs: &Needs) -> BTreeSet<Knot<'_>> {
    let files = needs.keys().map(String::as_str);
    let reached: BTreeMap<&str, Knot<'_>> = files.map(|file| (file, reach(needs, file))).collect();
    let leads = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let knot = |file: &str| reached[file].iter().copied().filter(|&far| leads(far, file)).collect();
    reached.keys().map(|file| knot(file)).filter(|knot: &Knot<'_>| !knot.is_empty()).collect()
}

/// Each need inside of a knot, on a line of its own.
fn told(needs: &Needs, knot: &Knot<'_>) -> String {
    let mut lines = Vec::new();
    for file in knot {
        for (needed, names) in &needs[*file] {
            if knot.contains(needed.as_str()) {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                lines.push(format!("{file} → {needed} via {}", names.join(", ")));
            }
        }
    }
    lines.join("\n")
}

/// The circles of one crate.
fn circles(sources: &[(String, String)]) -> Vec<String> {
    let needs = needs(sources);
    knots(&needs).iter().map(|knot| told(&needs, knot)).collect()
}

/// The files of each crate by their path below `src/`, without its tests: those may name anything.
fn crates() -> BTreeMap<String, Vec<(String, String)>> {
    let mut crates = BTreeMap::<_, Vec<_>>::new();
    for file in files().into_iter().filter(|file| file.is("rs") && file.name() != "tests.rs") {
        let below = file.path.strip_prefix("crates/").and_then(|path| path.split_once("/src/"));
        if let Some((name, path)) = below.filter(|_| !file.path.contains("/tests/")) {
            crates.entry(name.to_owned()).or_default().push((path.to_owned(), file.text));
        }
    }
    crates
}

#[test]
fn no_files_need_each_other() {
    let crates = crates();
    assert!(crates.len() > 5, "only {} crates found: the wall would guard nothing", crates.len());
    let mut found = Vec::new();
    for (name, sources) in crates {
        let in_crate = |circle| format!("a circle in `{name}`:\n{circle}\n");
        found.extend(circles(&sources).into_iter().map(in_crate));
    }
    assert!(found.is_empty(), "{} circles of files\n\n{}", found.len(), found.join("\n"));
}

/// The circles of a crate that is made up.
fn made_up<const FILES: usize>(sources: [(&str, &str); FILES]) -> Vec<String> {
    circles(&sources.map(|(file, text)| (file.to_owned(), text.to_owned())))
}

const NONE: [&str; 0] = [];

#[test]
fn a_circle_is_named_whatever_hands_its_names_on() {
    let face = "mod high; mod low; pub use high::*; pub use low::Low as Deep;";
    let found = made_up([
        ("main.rs", "mod face; mod far; mod near; use face::{Deep, High}; use near::far;"),
        ("face.rs", face),
        ("face/high.rs", "use crate::Deep; pub struct High(Deep);"),
        ("face/low.rs", "use crate::far::Far; pub struct Low(Far);"),
        ("far.rs", "pub struct Far(crate::High);"),
        ("near.rs", "/// Has the name of a module.\npub fn far() {}"),
    ]);
    let high = "face/high.rs → face/low.rs via Low";
    let low = "face/low.rs → far.rs via Far";
    assert_eq!(found, [[high, low, "far.rs → face/high.rs via High"].join("\n")]);
}

/// Ways to name what another file defines.
const WAYS: [&str; 12] = [
    "use crate::a::A;",
    "pub(crate) use crate::{a::{A as B}};",
    "use super::{a::{self}}; fn f() -> a::A {}",
    "use super::a::T as _;",
    "use crate::a as c; fn f() -> Vec<c::A> {}",
    "use crate::*; fn f(_: &[A]) {}",
    "fn f() { use crate::a::*; g(A::new) }",
    "fn f() { self::super::a::A::<u8>::new() }",
    "fn f() { print!(\"{}\", -[(crate::a::A { x: 1 })]) }",
    "fn f() { print!(\"{}\", g(crate::a::A::new())) }",
    "#[error(\"{}\", crate::a::A)] struct E;",
    "mod inner { use super::super::a::A; }",
];

#[test]
fn every_way_to_name_is_seen() {
    for way in WAYS {
        let a = ("a.rs", "use crate::b::C; pub struct A; pub trait T {}");
        let b = format!("{way} pub struct C;");
        let found = made_up([("lib.rs", "mod a; mod b; use a::A;"), a, ("b.rs", &b)]);
        assert_eq!(found.len(), 1, "the need of `{way}`");
    }
}

#[test]
fn names_from_outside_of_the_crate_are_not_taken_for_its_own() {
    for way in ["use ::a::A;", "use std::a::A;", "fn f() -> ::a::A {}", "fn f() { Self::a::A }"] {
        let root = format!("mod a; pub struct C; {way}");
        let a = ("a.rs", "use crate::C; pub struct A;");
        assert_eq!(made_up([("lib.rs", &root), a]), NONE, "{way}");
    }
}

#[test]
fn a_face_that_only_hands_names_on_is_in_no_circle() {
    let high = ("face/high.rs", "use super::Low; pub struct High(Low);");
    let low = ("face/low.rs", "pub struct Low;");
    let face = "mod high; mod low; pub use self::{high::High, low::Low};";
    assert_eq!(made_up([("face.rs", face), high, low]), NONE);
    let low = ("face/low.rs", "pub struct Low; #[cfg(test)] mod tests { use super::super::High; }");
    assert_eq!(made_up([("face.rs", face), high, low]), NONE);
}

#[test]
fn a_face_lends_its_files_constants_and_nothing_else() {
    let face = |item: &str| format!("mod low; pub use low::Low; {item}");
    let low = ("face/low.rs", "use super::ITEM; pub struct Low;");
    assert_eq!(made_up([("face.rs", &face("const ITEM: u8 = 1;")), low]), NONE);
    assert_eq!(made_up([("face.rs", &face("static ITEM: u8 = 1;")), low]), NONE);
    assert_eq!(made_up([("face.rs", &face("struct ITEM;")), low]).len(), 1);
    let other = ("other.rs", "pub struct Low; use crate::face::ITEM;");
    let face = "use crate::other::Low; pub const ITEM: u8 = 1;";
    assert_eq!(made_up([("face.rs", face), other]).len(), 1);
}
