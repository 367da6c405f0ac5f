//! Tests that no modules of a crate need one another in a circle: what a module imports, or names by a path from the
//! crate's root, its parent or its children, in code that is not a test's. It is our own code because cargo-modules
//! reads no function bodies, and takes CI more than six minutes to compile.

#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Attribute, File, Item, ItemMod, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

/// A path in a crate, without `crate`. The root's is empty.
type Names = Vec<String>;

/// What the modules of a crate use, before it is known which names are modules.
#[derive(Default)]
struct Crate {
    uses: BTreeMap<Names, BTreeSet<Names>>,
    /// What a module exports under a name that stands elsewhere; `*` for all names.
    exports: BTreeMap<Names, Vec<(String, Names)>>,
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut modules = Self::default();
        let [library, program] = ["lib.rs", "main.rs"].map(|name| root.join(name));
        modules.file(if library.exists() { &library } else { &program }, root, &Names::new());
        modules
    }

    /// Reads a module's file, and those of its children, which are in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, name: &Names) {
        let source = fs::read_to_string(file).unwrap();
        let File { items, .. } = syn::parse_file(&source).unwrap();
        self.module(&items, folder, name);
    }

    fn module(&mut self, items: &[Item], folder: &Path, name: &Names) {
        let children = items.iter().filter_map(|item| match item {
            Item::Mod(child) if !is_test(&child.attrs) => Some(child),
            _ => None,
        });
        let children: Vec<&ItemMod> = children.collect();
        let mut reader = Reader {
            children: children.iter().map(|child| child.ident.to_string()).collect(),
            name: name.clone(),
            uses: BTreeSet::new(),
            exports: Vec::new(),
        };
        items.iter().filter(|item| !matches!(item, Item::Mod(_))).for_each(|item| reader.visit_item(item));
        self.uses.insert(name.clone(), reader.uses);
        self.exports.insert(name.clone(), reader.exports);
        for child in children {
            let ident = child.ident.to_string();
            let folder = folder.join(&ident);
            let child_name = [name.clone(), vec![ident]].concat();
            match &child.content {
                Some((_, items)) => self.module(items, &folder, &child_name),
                None if folder.join("mod.rs").exists() => {
                    self.file(&folder.join("mod.rs"), &folder, &child_name);
                }
                None => self.file(&folder.with_extension("rs"), &folder, &child_name),
            }
        }
    }

    /// The module that a path leads to, through what modules export.
    fn owner(&self, path: &[String]) -> Names {
        let is_module = |length: &usize| self.uses.contains_key(&path[..*length]);
        let length = (0..=path.len()).rev().find(is_module).unwrap_or_default();
        let (module, rest) = path.split_at(length);
        let Some(item) = rest.first() else { return module.to_vec() };
        let exports = &self.exports[module];
        let named = exports.iter().find(|(name, _)| name == item);
        match named.or_else(|| exports.iter().find(|(name, _)| name == "*")) {
            Some((name, from)) if name == "*" => self.owner(&[from.as_slice(), rest].concat()),
            Some((_, from)) => self.owner(from),
            None => module.to_vec(),
        }
    }

    /// The modules of a circle, if there is one.
    fn circle(&self) -> Option<Vec<Names>> {
        let needs = |module: &Names| -> BTreeSet<Names> {
            self.uses[module].iter().map(|path| self.owner(path)).filter(|owner| owner != module).collect()
        };
        let mut left: BTreeMap<Names, BTreeSet<Names>> =
            self.uses.keys().map(|module| (module.clone(), needs(module))).collect();
        while let Some(free) = left.iter().find(|(_, needs)| needs.is_empty()).map(|(free, _)| free.clone()) {
            left.remove(&free);
            for needs in left.values_mut() {
                needs.remove(&free);
            }
        }
        // Each module that is left needs another one that is left.
        let mut way = vec![left.keys().next()?.clone()];
        loop {
            let next = left[way.last()?].first()?.clone();
            if let Some(start) = way.iter().position(|module| *module == next) {
                return Some(way.split_off(start));
            }
            way.push(next);
        }
    }
}

/// Collects the paths that a module names.
struct Reader {
    name: Names,
    children: BTreeSet<String>,
    uses: BTreeSet<Names>,
    exports: Vec<(String, Names)>,
}

impl Reader {
    /// A path from the crate's root; `None` if it leads into another crate, or names something local.
    fn absolute(&self, path: &[String]) -> Option<Names> {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let (from, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (&self.name[..], &path[1..]),
            "super" => (&self.name[..self.name.len().checked_sub(supers)?], &path[supers..]),
            child if self.children.contains(child) => (&self.name[..], path),
            _ => return None,
        };
        Some([from, rest].concat())
    }

    fn use_tree(&mut self, tree: &UseTree, mut path: Names, is_export: bool) {
        let (name, last) = match tree {
            UseTree::Path(next) => {
                path.push(next.ident.to_string());
                return self.use_tree(&next.tree, path, is_export);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.use_tree(tree, path.clone(), is_export));
            }
            UseTree::Name(name) => (name.ident.to_string(), Some(name.ident.to_string())),
            UseTree::Rename(name) => (name.rename.to_string(), Some(name.ident.to_string())),
            UseTree::Glob(_) => ("*".to_owned(), None),
        };
        path.extend(last.filter(|last| last != "self"));
        if let Some(path) = self.absolute(&path) {
            if is_export {
                self.exports.push((name, path.clone()));
            }
            self.uses.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_export = !matches!(item.vis, Visibility::Inherited);
        self.use_tree(&item.tree, Names::new(), is_export);
    }

    /// Who may see something is nothing that it needs.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.uses.extend(self.absolute(&names).filter(|_| names.len() > 1));
        visit::visit_path(self, path);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    };
    attributes.iter().any(is_test)
}

/// A crate of one file.
fn modules(source: &str) -> Crate {
    let mut modules = Crate::default();
    modules.module(&syn::parse_file(source).unwrap().items, Path::new(""), &Names::new());
    modules
}

#[test]
fn circles_are_found() {
    for (uses, is_circle) in [
        ("mod a { use super::b::B; } mod b { use crate::a::A; }", true),
        ("mod a { use super::b::B; } mod b { fn f() { crate::a::f() } }", true),
        ("pub use a::A; mod a { use crate::b::B; } mod b { use crate::A; }", true),
        ("pub use a::*; mod a { use crate::b::B; } mod b { use crate::A; }", true),
        ("mod a { mod c; fn f() { c::f() } mod c { use super::A; } } ", true),
        ("struct R; fn f() { a::f() } mod a { use super::R; }", true),
        ("mod a { use super::b::B; } mod b { use super::c::C; } mod c { fn f() {} }", false),
        ("pub use a::A; mod a { struct A; } mod b { use crate::A; }", false),
        ("mod a { use super::b::B; } mod b { #[cfg(test)] mod tests { use crate::a::A; } }", false),
    ] {
        let uses = uses.replace("mod c; ", "");
        assert_eq!(modules(&uses).circle().is_some(), is_circle, "{uses}");
    }
}

#[test]
fn no_crate_has_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let inside = |folder: &str| fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut crates: Vec<_> =
        inside("shared").chain(inside("functions")).chain([root.join("local/salesforce-sim")]).collect();
    crates.sort();
    assert!(crates.len() > 19);
    for path in crates {
        let circle = Crate::read(&path.join("src")).circle();
        let circle =
            circle.map(|modules| modules.iter().map(|name| name.join("::")).collect::<Vec<_>>().join(" -> "));
        assert_eq!(circle, None, "{}", path.display());
    }
}
