//! A house is carried on by people who were not there when it was built. What they stumble over first is words: a term that
//! has to be learnt, a file that is too long to be read. What can be counted of that is counted here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources of the workspace: Rust and WIT, without what others have made.
fn sources() -> Vec<(PathBuf, String)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let mut folders = vec![workspace.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "deps"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") || name.ends_with(".wit") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(workspace).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 400, "{} files", found.len());
    found
}

/// The terms of the glossary: the first column of its tables.
fn terms() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/glossary.md");
    let page = fs::read_to_string(path).unwrap();
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells.filter(|cell| *cell != "term").map(str::to_owned).collect()
}

#[test]
fn each_term_of_the_glossary_is_used_in_the_sources_and_stands_there_once() {
    let own = Path::new("tests/words.rs");
    let sources: String = sources().into_iter().filter(|(path, _)| path != own).map(|(_, text)| text + "\n").collect();
    // `congestion window` is `CongestionWindow` and `congestion_window` in code, and may be broken by the end of a line.
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' ', '\n', '/'], "");
    let sources = plain(&sources);
    let terms = terms();
    assert!(terms.len() > 80, "{}", terms.len());
    let mut seen = BTreeSet::new();
    for term in &terms {
        assert!(sources.contains(&plain(term)), "{term} is in no source");
        assert!(seen.insert(term), "{term} is there twice");
    }
}

#[test]
fn no_source_is_too_long_to_be_read_at_a_time() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}
