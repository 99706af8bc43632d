//! A house is carried on by people who were not there when it was built. What they stumble over first is words: a term that
//! has to be learnt, a summary that only makes sense beside another one, a file that is too long to be read. What can be counted of that is counted here.

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

/// The lines of a source that are comments, without their slashes.
fn comments(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().map(str::trim).filter(|line| line.starts_with("//"));
    lines.map(|line| line.trim_start_matches(['/', '!']).trim())
}

/// The first lines of documentation, without their slashes.
fn summaries(source: &str) -> Vec<&str> {
    let is_documentation = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let mut found = Vec::new();
    let mut before = "";
    for line in source.lines().map(str::trim) {
        if is_documentation(line) && !is_documentation(before) {
            found.push(line.trim_start_matches(['/', '!']).trim());
        }
        before = line;
    }
    found
}

fn has_word(line: &str, words: &[&str]) -> bool {
    line.split(|character: char| !character.is_alphanumeric()).any(|word| words.contains(&word.to_lowercase().as_str()))
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

#[test]
fn comments_name_their_subjects() {
    let vague = |line: &&str| has_word(line, &["somebody", "nobody", "whoever"]);
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| comments(text).filter(vague).map(move |line| format!("{}: {line}", path.display())))
        .collect();
    assert!(found.len() <= 60, "{} comments with somebody, nobody, whoever:\n{}", found.len(), found.join("\n"));
}

#[test]
fn summaries_can_stand_alone_in_an_index() {
    let leans = |line: &&str| *line == "The same" || line.starts_with("The same ") || line.starts_with("The same,");
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| {
            summaries(text).into_iter().filter(leans).map(move |line| format!("{}: {line}", path.display()))
        })
        .collect();
    assert!(found.len() <= 3, "{} summaries that begin with The same:\n{}", found.len(), found.join("\n"));
}

#[test]
fn comments_and_summaries_are_told_from_code() {
    let source = "//! One.\n//! Two.\nfn f() {} // Three.\n    /// Four.\n/// Five.\n#[x]\n/// Six.\n// Seven.\n";
    assert_eq!(comments(source).collect::<Vec<_>>(), ["One.", "Two.", "Four.", "Five.", "Six.", "Seven."]);
    assert_eq!(summaries(source), ["One.", "Four.", "Six."]);
    assert!(has_word("For whoever, it is.", &["whoever"]) && !has_word("nobodyelse", &["nobody"]));
}

/// Names of types that had to be learnt, and where they may not come back: everywhere, unless it is said where.
const OLD_NAMES: [(&str, &str); 25] = [
    ("Asker", ""),
    ("Circle", ""),
    ("Door", ""),
    ("Errand", ""),
    ("Failure", ""),
    ("Flight", ""),
    ("Front", ""),
    ("Gate", ""),
    ("Lane", ""),
    ("Link", ""),
    ("NoAnswer", ""),
    ("Pace", ""),
    ("Pacing", ""),
    // In the command it is a profile of the AWS tools, whose word it is.
    ("Profile", "host"),
    ("Reach", ""),
    ("Reporter", ""),
    ("Seat", ""),
    // A session is MQTT's; a token or a temporary key is a credential.
    ("Session", "src/aws"),
    ("Session", "src/aliyun"),
    ("Situation", ""),
    ("Standing", ""),
    ("Starter", ""),
    ("Subject", ""),
    ("Tally", ""),
    ("Way", ""),
];

/// The rooms in which names of types are looked at.
const ROOMS: [&str; 5] = ["src", "host/src", "cli/src", "components", "emulator/src"];

/// The name of the type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let mut words = words.skip_while(|word| word.ends_with(')'));
    let is_type = ["struct", "enum", "trait", "type", "union"].contains(&words.next()?);
    let name = words.next().filter(|_| is_type)?;
    name.split(|letter: char| !letter.is_alphanumeric()).next()
}

#[test]
fn types_have_the_words_of_the_field() {
    for (path, text) in sources() {
        if !ROOMS.iter().any(|room| path.starts_with(room)) {
            continue;
        }
        for name in text.lines().filter_map(declared) {
            let is_old = |(old, room): &(&str, &str)| name == *old && path.starts_with(room);
            assert!(!OLD_NAMES.iter().any(is_old), "{}: {name}", path.display());
            assert!(!name.ends_with("Problem"), "{}: {name} is an error", path.display());
        }
    }
}

#[test]
fn a_declaration_is_told_from_a_use() {
    let lines = [
        "pub(super) struct Lane<T> {",
        "    enum Way {",
        "type Seat = u8;",
        "use Way;",
        "pub fn way() {}",
        "// enum X",
    ];
    let names: Vec<&str> = lines.into_iter().filter_map(declared).collect();
    assert_eq!(names, ["Lane", "Way", "Seat"]);
}
