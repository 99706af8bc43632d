//! The commands of the README. They exist because the WebAssembly target may be missing, and neither cargo nor a build
//! script should install anything unasked: typing one of these is asking for it.

mod ci;
mod hosts;
mod moto;
mod once;
mod servers;
mod suite;
mod verdicts;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

const TARGET: &str = "wasm32-unknown-unknown";

/// How cargo builds the command for the demo: with what the demo shows and no more. By the name of the program, so that the
/// features of third-party crates are those that the tests ask for, see `tests/unified/`.
const DEMO: [&str; 4] = ["--bin", "thingpost", "--no-default-features", "--features=thingpost-cli/emulator"];

const USAGE: &str = "\
cargo xtask demo                 build everything, start the emulators, publish to them
cargo xtask test [ARGUMENTS]     run all tests, whatever fails, and list the failures; arguments go to cargo test
cargo xtask ci [--full]          what has to hold before a change lands; --full: and all tests with busy cores, and under `nice` beside a build
cargo xtask once                 say which third-party crates the demo and the tests compile twice, if any
cargo xtask servers              install the MQTT broker and the proxies of the tests, as root on Debian; test does so too
cargo xtask hosts                install the hosts of others that the tests run the edge function in, what can be had of them; test uses them
cargo xtask moto                 install moto for the tests, if there is python3 with venv and pip; test uses it
cargo xtask components [FOLDER]  build the components, write them to a folder
cargo xtask bench                measure everything, write docs/performance.md
cargo xtask readme               write the sizes of the components into README.md";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let task = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    let done = match task.to_str() {
        Some("demo") => demo(&arguments),
        Some("test") => test(&arguments),
        Some("ci") => ci::run(&arguments),
        Some("servers") => servers::ensure(),
        Some("once") => once::check(),
        Some("hosts") => hosts::ensure(),
        Some("moto") => moto::ensure(),
        Some("components") => cargo(&["run", "--quiet", "--package", "thingpost-edge-artifacts", "--"], &arguments),
        Some("bench") => cargo(&["run", "--profile", "dist", "--package", "thingpost-benches", "--"], &arguments),
        Some("readme") => write_sizes(),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// Runs cargo in the workspace, after making sure that the components can be built.
fn cargo(arguments: &[&str], more: &[OsString]) -> Result<(), String> {
    ensure_target()?;
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).args(more);
    end_with(cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?)
}

fn demo(arguments: &[OsString]) -> Result<(), String> {
    ensure_target()?;
    let mut cargo = Command::new("cargo");
    // Which packages cargo counts the features of depends on the folder.
    cargo.current_dir(workspace()).arg("run").args(DEMO).args(["--", "demo"]).args(arguments);
    end_with(cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn test(arguments: &[OsString]) -> Result<(), String> {
    servers::ensure()?;
    // The tests that need them say that they are skipped.
    for installed in [moto::ensure(), hosts::ensure()] {
        installed.unwrap_or_else(|problem| eprintln!("{problem}"));
    }
    ensure_target()?;
    end_with(suite::run(Command::new("cargo"), arguments)?)
}

/// The caller is to see what cargo said.
fn end_with(status: ExitStatus) -> Result<(), String> {
    match status.success() {
        true => Ok(()),
        false => std::process::exit(status.code().unwrap_or(1)),
    }
}

fn ensure_target() -> Result<(), String> {
    if has_target() {
        return Ok(());
    }
    eprintln!("adding the WebAssembly target: rustup target add {TARGET}");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("the target {TARGET} cannot be added; without rustup, install it as your system does")),
    }
}

fn has_target() -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists())
}

/// Numbers written by hand are wrong after the next commit.
fn write_sizes() -> Result<(), String> {
    const BEGIN: &str = "<!-- sizes: written by `cargo xtask readme` -->\n";
    const END: &str = "<!-- end of sizes -->";
    ensure_target()?;
    let output = Command::new("cargo").args(["run", "--quiet", "--package", "thingpost-edge-artifacts"]).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let rows = String::from_utf8_lossy(&output.stdout);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).map_err(|error| format!("cannot read README.md: {error}"))?;
    let (before, rest) = readme.split_once(BEGIN).ok_or("README.md has no place for the sizes")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no end of the sizes")?;
    let readme = format!("{before}{BEGIN}| component | size |\n|---|---|\n{rows}{END}{after}");
    fs::write(&path, readme).map_err(|error| format!("cannot write README.md: {error}"))
}
