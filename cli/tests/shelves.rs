//! A folder of the sources is a shelf, and what stands on it can be understood, changed and tested without those that use it. Two
//! shelves that point at each other are one, whatever their names say; so in no folder may there be a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module by the names on the way to it, from the root of the crate.
type Module = Vec<String>;

/// Of each folder: which of its files and folders points to which others of it.
type Arrows = BTreeMap<Module, BTreeMap<String, BTreeSet<String>>>;

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module_of(file: &Path) -> Module {
    let mut names: Module =
        file.with_extension("").components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|name| name == "mod" || name == "main") {
        names.pop();
    }
    names
}

/// What is written after each `crate::` and `super::` of the code, with braces taken apart: `{b, c::{d}}` is `b` and `c::d`.
fn paths_of(source: &str) -> Vec<Vec<String>> {
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join(" ");
    let mut paths = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = ["crate::", "super::"].into_iter().filter_map(|start| rest.find(start)).min() {
        let is_begin = !rest[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':');
        rest = &rest[at..];
        let mut unread = rest;
        let expanded = read_tree(&mut unread);
        if is_begin {
            paths.extend(expanded);
        }
        rest = &rest[rest.len() - unread.len()..];
    }
    paths
}

/// Reads one path or tree of paths off the beginning of the text.
fn read_tree(text: &mut &str) -> Vec<Vec<String>> {
    let mut path = Vec::new();
    loop {
        *text = text.trim_start();
        if let Some(inner) = text.strip_prefix('{') {
            *text = inner;
            let mut paths = Vec::new();
            while !text.is_empty() && !text.starts_with('}') {
                paths.extend(read_tree(text).into_iter().map(|end| [path.clone(), end].concat()));
                let next = text.find([',', '}']).unwrap_or(text.len());
                *text = text[next..].trim_start_matches(',').trim_start();
            }
            *text = text.strip_prefix('}').unwrap_or(text);
            return paths;
        }
        let end = text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len());
        path.push(text[..end].to_owned());
        *text = &text[end..];
        match text.strip_prefix("::") {
            Some(more) => *text = more,
            None => return vec![path],
        }
    }
}

/// The way from the root that a path means, written in this module.
fn absolute(module: &[String], path: Vec<String>) -> Vec<String> {
    let mut base = module.to_vec();
    let mut names = path.into_iter().peekable();
    if names.next_if(|name| name == "crate").is_some() {
        base.clear();
    }
    while names.next_if(|name| name == "super").is_some() {
        base.pop();
    }
    base.extend(names);
    base
}

fn arrows(sources: &[(Module, String)]) -> Arrows {
    let mut modules = BTreeSet::new();
    for (module, _) in sources {
        modules.extend((1..=module.len()).map(|length| module[..length].to_vec()));
    }
    let mut arrows = Arrows::new();
    for (module, source) in sources {
        for path in paths_of(source).into_iter().map(|path| absolute(module, path)) {
            let shared = module.iter().zip(&path).take_while(|(from, to)| from == to).count();
            if let (Some(from), Some(to)) = (module.get(shared), path.get(shared))
                && modules.contains(&path[..=shared])
            {
                let folder = arrows.entry(module[..shared].to_vec()).or_default();
                folder.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    arrows
}

/// What is left when everything is taken away, again and again, that points at nothing that is left.
fn circles(mut arrows: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let left: BTreeSet<String> = arrows.keys().cloned().collect();
        let before = arrows.values().map(BTreeSet::len).sum::<usize>() + arrows.len();
        arrows.values_mut().for_each(|to| to.retain(|name| left.contains(name)));
        arrows.retain(|_, to| !to.is_empty());
        if arrows.values().map(BTreeSet::len).sum::<usize>() + arrows.len() == before {
            return arrows;
        }
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let source =
        "use crate::{a, b::{c, d::E}};\nuse super::f::*; // crate::no\nfn g() { h(crate::i::J::k(), mycrate::l()) }";
    let expected = [&["crate", "a"][..], &["crate", "b", "c"], &["crate", "b", "d", "E"], &["super", "f", ""]];
    let expected: Vec<_> = expected.iter().map(|path| names(path)).chain([names(&["crate", "i", "J", "k"])]).collect();
    assert_eq!(paths_of(source), expected);
    assert_eq!(absolute(&names(&["a", "b"]), names(&["super", "c"])), names(&["a", "c"]));
    assert_eq!(absolute(&names(&["a", "b"]), names(&["crate", "c"])), names(&["c"]));
}

#[test]
fn a_circle_is_found_and_a_chain_is_none() {
    let source = |module: &[&str], source: &str| (names(module), source.to_owned());
    let chain = [
        source(&["a"], "use crate::b::X;"),
        source(&["b", "inner"], "use super::other::Y; use crate::c;"),
        source(&["b", "other"], ""),
        source(&["c"], ""),
    ];
    assert!(arrows(&chain).into_values().all(|arrows| circles(arrows).is_empty()));
    let circle = [&chain[..3], &[source(&["c"], "use super::a::Z;")]].concat();
    let found = circles(arrows(&circle).remove(&Vec::new()).unwrap());
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn no_shelf_points_back_at_one_that_uses_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    files_below(&root, &mut files);
    assert!(files.len() > 80, "{} files", files.len());
    let read = |file: &PathBuf| (module_of(file.strip_prefix(&root).unwrap()), fs::read_to_string(file).unwrap());
    let sources: Vec<_> = files.iter().map(read).collect();
    let arrows = arrows(&sources);
    assert!(arrows[&Vec::new()]["commands"].contains("args"), "the scan sees nothing: {arrows:?}");
    for (folder, arrows) in arrows {
        let circles = circles(arrows);
        assert!(circles.is_empty(), "a circle in src/{}: {circles:?}", folder.join("/"));
    }
}
