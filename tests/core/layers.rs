//! A platform is one folder as long as nothing else names it. The compiler does not mind an `if` on AWS in the middle of a state
//! machine, so the sources are read.

use std::fs;
use std::path::{Path, PathBuf};

/// The names by which a platform could be reached, without those that begin with a dollar: topics are in documentation.
const PLATFORMS: [&str; 3] = ["aliyun", "aws", "generic"];

/// The state machines, and what is said between them and a platform.
const NEUTRAL: [&str; 9] = [
    "src/exchange",
    "src/mqtt",
    "src/wasi",
    "src/platform.rs",
    "src/credential.rs",
    "src/operation.rs",
    "src/signing.rs",
    "src/error.rs",
    "src/http.rs",
];

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        // Tests play whole platforms.
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a line, without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether a line of code has a path that goes through this name.
fn goes_through(line: &str, name: &str) -> bool {
    let code = code(line);
    let is_part_of_a_name = |character: char| character.is_alphanumeric() || character == '_' || character == '"';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        !before.is_some_and(is_part_of_a_name) && !after.starts_with(is_part_of_a_name)
    })
}

#[test]
fn the_state_machines_name_no_platform() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = NEUTRAL.iter().flat_map(|path| sources(&root.join(path))).collect();
    assert!(files.len() > 40, "only {} files were read", files.len());
    let mut named = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (number, line) in text.lines().enumerate() {
            // Where the tests of a machine are compiled depends on the platforms they play.
            if line.trim_start().starts_with("#[cfg(") {
                continue;
            }
            if PLATFORMS.iter().any(|platform| goes_through(line, platform)) {
                named.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(named.is_empty(), "these lines name a platform:\n{}", named.join("\n"));
}

#[test]
fn a_path_through_a_platform_is_found_and_a_word_with_its_letters_is_not() {
    for line in ["use crate::aws::Config;", "    Operation(aws::Operation),", "use crate::{aliyun, error};"] {
        assert!(PLATFORMS.iter().any(|platform| goes_through(line, platform)), "{line}");
    }
    for line in ["let laws = 1;", "// as aws does", "let aws_like = 2;", "\"aws\""] {
        assert!(!PLATFORMS.iter().any(|platform| goes_through(line, platform)), "{line}");
    }
}
