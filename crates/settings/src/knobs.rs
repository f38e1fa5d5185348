//! A program's defaults go in; the names of its settings come out, and what is said of names that
//! are nearly one of them.

use std::collections::BTreeSet;

/// Letters by which a foreign name must differ from a setting's.
const NEAR: usize = 2;

/// The settings of one program.
#[derive(Clone, Copy, Debug)]
pub struct Knobs {
    /// Whose they are, as a sentence about a file says it: `the worker`.
    pub owner: &'static str,
    /// Every setting on a line of its own, as `name = default` in TOML, with its sentence above it.
    pub defaults: &'static str,
    /// The same of a program that is started in the same environment: what both know is a setting of
    /// each, and what only the other knows is never a slip. Empty where there is none.
    pub neighbours: &'static str,
    /// Settings of a later version: in a file a fault, in the environment worth a note.
    pub not_yet: &'static [&'static str],
    /// Names that could mean either of two settings; refused, naming both.
    pub split: &'static [(&'static str, [&'static str; 2])],
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A setting, by its name in the file.
    Known(&'static str),
    /// It could mean either of these.
    Split([&'static str; 2]),
    /// A setting of a later version.
    NotYet,
    /// Nearly a setting: most likely a slip.
    Near(&'static str),
    /// Somebody else's.
    Foreign,
}

impl Knobs {
    /// The settings' names in the order of the defaults.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        names_in(self.defaults)
    }

    /// The same, to be asked often.
    pub(crate) fn index(self) -> Index {
        Index {
            knobs: self,
            known: self.names().collect(),
            neighbours: names_in(self.neighbours).collect(),
        }
    }
}

/// The names of one program's settings, read once.
pub(crate) struct Index {
    pub(crate) knobs: Knobs,
    known: BTreeSet<&'static str>,
    neighbours: BTreeSet<&'static str>,
}

impl Index {
    /// The setting that may name a file with `name` in it, when `name` is a secret.
    pub(crate) fn secret_file_of(&self, name: &str) -> Option<&'static str> {
        self.known.get(format!("{name}_file").as_str()).copied()
    }

    /// Judges a name of the environment, where settings are written in capitals.
    pub(crate) fn judge_variable(&self, variable: &str) -> Name {
        match self.judge(&variable.to_ascii_lowercase()) {
            Name::Known(known) if variable != known.to_ascii_uppercase() => Name::Near(known),
            judged => judged,
        }
    }

    /// Judges a name of the file.
    pub(crate) fn judge(&self, name: &str) -> Name {
        if let Some(known) = self.known.get(name) {
            return Name::Known(known);
        }
        if let Some((_, two)) = self.knobs.split.iter().find(|(split, _)| *split == name) {
            return Name::Split(*two);
        }
        if self.knobs.not_yet.contains(&name) {
            return Name::NotYet;
        }
        if self.neighbours.contains(name) {
            return Name::Foreign;
        }
        let near = self.knobs.names().find(|known| distance(known, name) <= NEAR);
        near.map_or(Name::Foreign, Name::Near)
    }
}

fn names_in(defaults: &'static str) -> impl Iterator<Item = &'static str> {
    defaults.lines().filter_map(setting_of)
}

/// The setting that a line of the defaults holds.
pub(crate) fn setting_of(line: &'static str) -> Option<&'static str> {
    let (name, _) = line.split_once(" = ")?;
    (!name.starts_with('#')).then_some(name)
}

/// Letters to put in, take out or replace to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, found) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *found);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOBS: Knobs = Knobs {
        owner: "the kettle",
        defaults: "# cups = 9\nwater_url = \"\"\nwater_url_file = \"\"\n\nmax_cups = 2\n",
        neighbours: "max_cubs = 3\nwater_urn = \"\"\n",
        not_yet: &["max_heat"],
        split: &[("heat", ["heat_water", "heat_milk"])],
    };

    #[test]
    fn distances_are_those_of_the_book() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("redis_url", "redis_uri"), 1);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn the_lines_of_the_defaults_are_the_names() {
        let index = KNOBS.index();
        assert_eq!(KNOBS.names().collect::<Vec<_>>(), ["water_url", "water_url_file", "max_cups"]);
        assert!(KNOBS.names().all(|name| index.judge(name) == Name::Known(name)));
    }

    #[test]
    fn slips_are_named_and_strangers_ignored() {
        let index = KNOBS.index();
        assert_eq!(index.judge_variable("WATER_URL"), Name::Known("water_url"));
        assert_eq!(index.judge_variable("WATER_URI"), Name::Near("water_url"));
        assert_eq!(index.judge_variable("water_url"), Name::Near("water_url"));
        assert_eq!(index.judge_variable("MAXCUP"), Name::Near("max_cups"));
        assert_eq!(index.judge_variable("HEAT"), Name::Split(["heat_water", "heat_milk"]));
        assert_eq!(index.judge_variable("MAX_HEAT"), Name::NotYet);
        assert_eq!(index.judge_variable("WATER_TAP"), Name::Foreign);
    }

    #[test]
    fn a_setting_of_a_neighbour_is_no_slip_but_a_slip_of_both_is() {
        let index = KNOBS.index();
        assert_eq!(index.judge_variable("MAX_CUBS"), Name::Foreign);
        assert_eq!(index.judge_variable("WATER_URN"), Name::Foreign);
        assert_eq!(index.judge_variable("WATER_URM"), Name::Near("water_url"));
    }

    #[test]
    fn secrets_may_lie_in_files() {
        let index = KNOBS.index();
        assert_eq!(index.secret_file_of("water_url"), Some("water_url_file"));
        assert_eq!(index.secret_file_of("max_cups"), None);
    }
}
