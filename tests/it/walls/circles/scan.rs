//! The text of a file goes in; what it defines, what it imports and every path that it names come
//! out, each with the module in which it stands.

use std::collections::BTreeMap;

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemMod, ItemUse, Macro, MetaList, Path, UseTree};

/// Names from the root of a crate, or from wherever a path stands.
pub(super) type Names = Vec<String>;

/// What a module makes known.
#[derive(Default)]
pub(super) struct Module {
    pub(super) file: String,
    /// What it defines itself, and whether that is a constant.
    pub(super) items: BTreeMap<String, bool>,
    /// The names that it imports, for itself or to hand them on, and what each one stands for.
    pub(super) imports: Vec<(String, Names)>,
    pub(super) globs: Vec<Names>,
}

/// A path that a file names in the module `place`.
pub(super) struct Mention {
    pub(super) file: String,
    pub(super) place: Names,
    pub(super) path: Names,
}

/// All that was found so far, and where the reader stands.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) modules: BTreeMap<Names, Module>,
    pub(super) mentions: Vec<Mention>,
    file: String,
    place: Names,
}

/// The module that a file below `src/` is.
pub(super) fn place_of(file: &str) -> Names {
    let path = file.trim_end_matches(".rs");
    let is_root = path == "lib" || path == "main";
    path.split('/').filter(|_| !is_root).map(str::to_owned).collect()
}

/// The name that an item defines in its module, and whether it is a constant.
fn defined(item: &Item) -> Option<(&Ident, bool)> {
    match item {
        Item::Const(item) => Some((&item.ident, true)),
        Item::Static(item) => Some((&item.ident, true)),
        Item::Enum(item) => Some((&item.ident, false)),
        Item::Fn(item) => Some((&item.sig.ident, false)),
        Item::Macro(item) => Some((item.ident.as_ref()?, false)),
        Item::Struct(item) => Some((&item.ident, false)),
        Item::Trait(item) => Some((&item.ident, false)),
        Item::Type(item) => Some((&item.ident, false)),
        Item::Union(item) => Some((&item.ident, false)),
        _ => None,
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let argument = attribute.parse_args::<Ident>();
    attribute.path().is_ident("cfg") && argument.is_ok_and(|word| word == "test")
}

fn with(mut path: Names, name: &Ident) -> Names {
    path.push(name.to_string());
    path
}

/// The path at a cursor, and where it ends.
fn path_at(mut cursor: Cursor<'_>) -> (Names, Cursor<'_>) {
    let mut path = Names::new();
    while let Some((word, next)) = cursor.ident() {
        path.push(word.to_string());
        let Some(after) = behind_colons(next) else { return (path, next) };
        cursor = after;
    }
    (path, cursor)
}

fn behind_colons(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, next) = cursor.punct()?;
    let (second, next) = next.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(next)
}

impl Scan {
    pub(super) fn read(&mut self, file: &str, text: &str) {
        self.file = file.to_owned();
        self.place = place_of(file);
        let parsed = syn::parse_file(text);
        self.module();
        self.visit_file(&parsed.unwrap_or_else(|error| panic!("{file} is not Rust: {error}")));
    }

    fn module(&mut self) -> &mut Module {
        let module = self.modules.entry(self.place.clone()).or_default();
        module.file.clone_from(&self.file);
        module
    }

    fn mention(&mut self, path: Names) {
        let (file, place) = (self.file.clone(), self.place.clone());
        self.mentions.push(Mention { file, place, path });
    }

    fn import(&mut self, tree: &UseTree, path: Names) {
        match tree {
            UseTree::Path(tree) => self.import(&tree.tree, with(path, &tree.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone());
                }
            }
            UseTree::Name(tree) => self.bind(&tree.ident, None, path),
            UseTree::Rename(tree) => self.bind(&tree.ident, Some(&tree.rename), path),
            UseTree::Glob(_) => {
                self.module().globs.push(path.clone());
                self.mention(path);
            }
        }
    }

    /// An import is a mention too: a trait may be used without being named again.
    fn bind(&mut self, name: &Ident, rename: Option<&Ident>, path: Names) {
        let path = if name == "self" { path } else { with(path, name) };
        let name = rename.map(Ident::to_string).or_else(|| path.last().cloned());
        self.module().imports.push((name.unwrap_or_default(), path.clone()));
        self.mention(path);
    }

    /// To a parser, what stands in a macro's call or in an attribute is no more than words.
    fn words(&mut self, mut rest: Cursor<'_>) {
        while let Some((_, next)) = rest.token_tree() {
            if let Some((inside, ..)) = rest.any_group() {
                self.words(inside);
            }
            let (path, behind) = path_at(rest);
            rest = if path.is_empty() { next } else { behind };
            self.mention(path);
        }
    }
}

impl<'text> Visit<'text> for Scan {
    fn visit_item(&mut self, item: &'text Item) {
        if let Some((name, is_constant)) = defined(item) {
            self.module().items.insert(name.to_string(), is_constant);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'text ItemMod) {
        // A module in a file of its own is read from there.
        let Some((_, items)) = &item.content else { return };
        if item.attrs.iter().any(is_for_tests) {
            return;
        }
        self.place.push(item.ident.to_string());
        self.module();
        for item in items {
            self.visit_item(item);
        }
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'text ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, Names::new());
        }
    }

    fn visit_path(&mut self, path: &'text Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string());
            self.mention(names.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'text Macro) {
        self.visit_path(&call.path);
        self.words(TokenBuffer::new2(call.tokens.clone()).begin());
    }

    fn visit_meta_list(&mut self, list: &'text MetaList) {
        self.words(TokenBuffer::new2(list.tokens.clone()).begin());
    }
}
