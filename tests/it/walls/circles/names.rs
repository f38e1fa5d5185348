//! A path and the module in which it stands go in; the file that defines what it names comes out,
//! however often the name was handed on in between.

use super::scan::{Mention, Module, Names, Scan, place_of};

/// How often a name may be handed on: imports that name each other would lead nowhere for ever.
const HANDS: usize = 8;

/// What a path leads to: a module, or an item and the module that defines it.
enum Target {
    Module(Names),
    Item(Names, String),
}

/// How a name is looked up.
#[derive(Clone, Copy)]
struct Search {
    /// Prefers a module over an item of the same name, as everywhere but at the end of a path.
    inner: bool,
    hands: usize,
}

/// One file needs another one, by this name.
pub(super) struct Need {
    pub(super) file: String,
    pub(super) needed: String,
    pub(super) name: String,
}

/// The files of one crate.
pub(super) struct Crate(Scan);

impl Crate {
    /// Takes each file's path below `src/` and its text.
    pub(super) fn read(sources: &[(String, String)]) -> Self {
        let mut scan = Scan::default();
        for (file, text) in sources {
            scan.read(file, text);
        }
        Self(scan)
    }

    /// Every need, as often as a file mentions it.
    pub(super) fn needs(&self) -> impl Iterator<Item = Need> {
        self.0.mentions.iter().filter_map(|mention| self.need(mention))
    }

    /// `None` where a name leads out of the crate, to a module, or to where it may be named freely.
    fn need(&self, Mention { file, place, path }: &Mention) -> Option<Need> {
        let search = Search { inner: false, hands: HANDS };
        let Target::Item(place, name) = self.resolve(place, path, search)? else { return None };
        let home = self.module(&place)?;
        let is_lent = home.items[&name] && self.face_of(file) == Some(&home.file);
        let needs = *file != home.file && !is_lent;
        needs.then(|| Need { file: file.clone(), needed: home.file.clone(), name })
    }

    fn module(&self, place: &[String]) -> Option<&Module> {
        self.0.modules.get(place)
    }

    /// The file that declares `file` as its module.
    fn face_of(&self, file: &str) -> Option<&String> {
        let place = place_of(file);
        let (_, above) = place.split_last()?;
        self.module(above).map(|module| &module.file)
    }

    /// Follows a path to its end, or to the first item on its way: behind an item stand its
    /// variants and functions.
    fn resolve(&self, from: &[String], path: &[String], search: Search) -> Option<Target> {
        let mut target = Target::Module(from.to_owned());
        for (index, name) in path.iter().enumerate() {
            let Target::Module(place) = target else { break };
            let inner = search.inner || index + 1 < path.len();
            target = match name.as_str() {
                "crate" => Target::Module(Names::new()),
                "self" => Target::Module(place),
                "super" => Target::Module(place.split_last()?.1.to_owned()),
                name => self.find(&place, name, Search { inner, ..search })?,
            };
        }
        Some(target)
    }

    /// What `name` stands for in the module `place`.
    fn find(&self, place: &[String], name: &str, search: Search) -> Option<Target> {
        let hands = search.hands.checked_sub(1)?;
        let ways = self.ways(place, name).into_iter();
        let handed = ways.filter_map(|way| self.resolve(place, &way, Search { hands, ..search }));
        let mut all = self.own(place, name).chain(handed);
        let fits = |target: &Target| matches!(target, Target::Module(_)) == search.inner;
        let first = all.next()?;
        if fits(&first) { Some(first) } else { Some(all.find(fits).unwrap_or(first)) }
    }

    /// What the module holds itself: an item, a module, or one of each.
    fn own(&self, place: &[String], name: &str) -> impl Iterator<Item = Target> {
        let below = [place, &[name.to_owned()]].concat();
        let is_item = self.module(place).is_some_and(|module| module.items.contains_key(name));
        let item = is_item.then(|| Target::Item(place.to_owned(), name.to_owned()));
        let module = self.module(&below).is_some().then_some(Target::Module(below));
        item.into_iter().chain(module)
    }

    /// The paths by which the module imports `name`; what it imports by name hides what globs bring.
    fn ways(&self, place: &[String], name: &str) -> Vec<Names> {
        let Some(module) = self.module(place) else { return Vec::new() };
        let named = module.imports.iter().filter(|(known, _)| known == name);
        let named: Vec<_> = named.map(|(_, path)| path.clone()).collect();
        let through = |glob: &Names| [glob.as_slice(), &[name.to_owned()]].concat();
        if named.is_empty() { module.globs.iter().map(through).collect() } else { named }
    }
}
