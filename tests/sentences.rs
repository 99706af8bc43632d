//! `Debug` is for programmers. In a sentence for users it is a riddle at best, and at worst it shows a
//! secret: it prints every field. Texts are made in many places, so all of them are looked through.

use std::fs;
use std::path::{Path, PathBuf};

/// Whose texts people read.
const SOURCES: [&str; 4] = ["src", "components", "host/src", "cli/src"];

/// Makes words of the name of a variant, without what it holds.
const WORDS_OF_A_NAME: &str = r#"let name = format!("{variant:?}");"#;

/// The files of a folder and those below it that are compiled into what people use.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_of_tests(&path) {
            found.push(path);
        }
    }
}

fn is_of_tests(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// The lines that format with `Debug`, up to the tests of the file.
fn debug_output(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.filter(|line| line.contains(":?}") || line.contains(":#?}"))
}

#[test]
fn no_sentence_contains_debug_output() {
    assert_eq!(debug_output("let a = format!(\"{:?}\", b);\n// {:?}\n").count(), 1);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in SOURCES {
        sources(&workspace.join(folder), &mut files);
    }
    assert!(files.len() > 200, "{} files", files.len());
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let found: Vec<&str> = debug_output(&source).filter(|line| *line != WORDS_OF_A_NAME).collect();
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
}
