//! A crate whose features differ between the demo and the tests is compiled twice, and all that stands on it too: the
//! half of ten minutes, which nobody sees in a diff. So cargo is asked which files each of the two commands is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use crate::{DEMO, workspace};

const TESTS: [&str; 3] = ["test", "--workspace", "--no-run"];

/// Both together are of some three hundred crates. If there are fewer here, it is the reading that is wrong.
const AT_LEAST: usize = 100;

/// For each crate the sets of files that it was compiled to.
type Crates = BTreeMap<String, BTreeSet<String>>;

/// Fails with the names of the third-party crates that the demo and the tests, or one of them, compile more than once.
/// Compiles what is not compiled yet.
pub fn check() -> Result<(), String> {
    let demo = read(["build"].iter().chain(&DEMO))?;
    let tests = read(TESTS.iter())?;
    let mut crates = demo;
    for (name, files) in tests {
        crates.entry(name).or_default().extend(files);
    }
    if crates.len() < AT_LEAST {
        return Err(format!(
            "cargo named {} third-party crates, and there are more: has its output changed?",
            crates.len()
        ));
    }
    let twice: Vec<_> = crates.iter().filter(|(_, files)| files.len() > 1).map(|(name, _)| name.as_str()).collect();
    match twice.is_empty() {
        true => {
            println!("each of {} third-party crates is compiled once for the demo and the tests", crates.len());
            Ok(())
        }
        false => Err(format!(
            "compiled more than once for the demo and the tests, see tests/unified/:\n  {}\n\
             `cargo tree --edges features --invert CRATE` says who asks for what",
            twice.join("\n  ")
        )),
    }
}

fn read<'a>(arguments: impl Iterator<Item = &'a &'a str>) -> Result<Crates, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace());
    cargo.args(arguments).args(["--quiet", "--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    match output.status.success() {
        true => Ok(third_party(&String::from_utf8_lossy(&output.stdout))),
        false => Err("the demo or the tests do not compile, see above".to_owned()),
    }
}

/// Of the messages of cargo, one a line, those about a crate of a registry.
///
/// A parser of JSON would be compiled before anything else. These lines are written by a program, and the three fields
/// have nothing in them that is escaped.
fn third_party(messages: &str) -> Crates {
    let mut crates = Crates::new();
    for line in messages.lines().filter(|line| line.contains(r#""reason":"compiler-artifact""#)) {
        let package = between(line, r#""package_id":"registry+"#, "\"").and_then(|id| id.rsplit_once('#'));
        let kind = between(line, r#""kind":["#, "]");
        let (Some((_, package)), Some(kind), Some(files)) = (package, kind, between(line, r#""filenames":["#, "]"))
        else {
            continue;
        };
        crates.entry(format!("{package} ({})", kind.replace('"', ""))).or_default().insert(files.to_owned());
    }
    crates
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(package: &str, files: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{package}","manifest_path":"/a","target":{{"kind":["lib"],"crate_types":["lib"]}},"features":["std"],"filenames":["{files}"],"executable":null,"fresh":true}}"#
        )
    }

    #[test]
    fn a_crate_of_a_registry_that_is_compiled_to_two_sets_of_files_is_told_from_one_that_is_not() {
        let messages = [
            message("registry+https://a/index#hex@0.4.3", "/target/libhex-1.rlib"),
            message("registry+https://a/index#serde@1.0.229", "/target/libserde-1.rlib"),
            message("registry+https://a/index#hex@0.4.3", "/target/libhex-1.rlib"),
            message("registry+https://a/index#serde@1.0.229", "/target/libserde-2.rlib"),
            message("path+file:///src/host#thingpost-host@0.1.0", "/target/libthingpost_host-1.rlib"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let crates = third_party(&messages.join("\n"));
        let counts: Vec<_> = crates.iter().map(|(name, files)| (name.as_str(), files.len())).collect();
        assert_eq!(counts, [("hex@0.4.3 (lib)", 1), ("serde@1.0.229 (lib)", 2)]);
    }
}
