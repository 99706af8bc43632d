//! The WIT files are the documentation of the components: whatever is declared there says since when, and what it is.

use std::fs;
use std::path::Path;

/// What is missing from a WIT file: the line, and what it lacks.
fn gaps(wit: &str) -> Vec<String> {
    let mut gaps = Vec::new();
    let (mut documented, mut dated, mut in_import_list) = (false, false, false);
    // Of blocks whose lines are members (fields and cases), and not declarations.
    let mut in_members = false;
    for line in wit.lines().map(str::trim) {
        if in_import_list || line.starts_with("use ") {
            in_import_list = !line.ends_with(';');
            continue;
        }
        match line {
            line if line.starts_with("///") => {
                documented = true;
                continue;
            }
            line if line.starts_with("@since(version = ") => {
                dated = true;
                continue;
            }
            line if line.is_empty() || line.starts_with("//") || line.starts_with("package ") => {}
            "}" => in_members = false,
            line if ["export ", "import ", "include "].iter().any(|word| line.starts_with(word)) => {}
            line => {
                let keyword = line.split([' ', ':']).next().unwrap_or_default();
                let opens_members = ["record", "variant", "enum", "flags"].contains(&keyword);
                if !documented {
                    gaps.push(format!("no documentation: {line}"));
                }
                if !in_members && !dated {
                    gaps.push(format!("no @since: {line}"));
                }
                in_members |= opens_members && line.ends_with('{');
            }
        }
        (documented, dated) = (false, false);
    }
    gaps
}

#[test]
fn every_declaration_says_since_when_and_everything_has_a_documentation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut files = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            // What we only use, documented by those who made it.
            assert!(path.ends_with("deps"), "{}", path.display());
            continue;
        }
        let wit = fs::read_to_string(&path).unwrap();
        assert_eq!(gaps(&wit), Vec::<String>::new(), "{}", path.display());
        files += 1;
    }
    assert!(files >= 4, "{files} files");
}

#[test]
fn half_of_all_lines_are_documentation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (mut lines, mut documentation) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let wit = fs::read_to_string(&path).unwrap();
            lines += wit.lines().count();
            documentation += wit.lines().filter(|line| line.trim_start().starts_with("///")).count();
        }
    }
    assert!(documentation * 2 >= lines, "{documentation} of {lines}");
}

#[test]
fn a_gap_is_found_wherever_it_is() {
    let complete = "\
package thingpost:iot@0.2.0;

/// An interface.
@since(version = 0.2.0)
interface things {
    use types.{message,
        error};

    /// A record.
    @since(version = 0.2.0)
    record thing {
        /// A field.
        size: option<u32>,
    }

    /// A variant.
    @since(version = 0.2.0)
    variant state {
        /// A case.
        on(u32),
        /// Another.
        off,
    }

    /// A resource.
    @since(version = 0.2.0)
    resource handle {
        /// A method.
        @since(version = 0.2.0)
        open: static func() -> result<handle, string>;
    }

    /// A function.
    @since(version = 0.2.0)
    size: func() -> u32;
}

/// A world.
@since(version = 0.2.0)
world w {
    export things;
}
";
    assert_eq!(gaps(complete), Vec::<String>::new());
    let lines: Vec<&str> = complete.lines().collect();
    let mut removed = 0;
    for (index, line) in lines.iter().enumerate() {
        if line.trim().starts_with("///") || line.trim().starts_with("@since") {
            let without: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, l)| *l).collect();
            assert_eq!(gaps(&without.join("\n")).len(), 1, "without line {}: {line}", index + 1);
            removed += 1;
        }
    }
    assert_eq!(removed, 17);
}
