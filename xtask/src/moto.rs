//! People try what they build against AWS on moto, or on LocalStack, which is built on it. It is a Python program; the tests
//! that publish to it want it in a folder of its own, with the versions that they were written for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is installed.
const VERSIONS: &str = include_str!("../moto.txt");

/// Installs it where it is missing, or where it is of other versions. From nothing that takes 9 seconds and 140 MB.
pub fn ensure() -> Result<(), String> {
    let folder = folder();
    let stamp = folder.join("versions.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == VERSIONS) {
        return Ok(());
    }
    eprintln!("installing moto for the tests into {}", folder.display());
    // What is half there is of no use, and it may not be there at all.
    let _ = fs::remove_dir_all(&folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let versions = Path::new(env!("CARGO_MANIFEST_DIR")).join("moto.txt");
    run(Command::new(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
        // Nothing is compiled: where there is no wheel, there is no moto.
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(&versions))?;
    fs::write(&stamp, VERSIONS).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

/// Where the tests look for it too.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/moto")
}

fn run(command: &mut Command) -> Result<(), String> {
    const WITHOUT: &str = "moto cannot be installed, and the tests that need it are skipped: it needs python3 (3.10 or later) with \
                           venv, and pip with a way to PyPI";
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{WITHOUT}\n{program}: {}", String::from_utf8_lossy(&output.stderr).trim_end())),
        Err(error) => Err(format!("{WITHOUT}\n{program}: {error}")),
    }
}
