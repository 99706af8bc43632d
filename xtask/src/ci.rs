//! Machines differ: what passes on one that is quick and idle may fail on the next. `--full` runs the tests where they
//! have it hard.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::suite;

/// Where the build beside the tests goes, under the workspace.
const BESIDE: &str = "target/beside";

/// What `.ci/run` does, which is the list of it; and with `--full` all tests twice more.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    let is_full = match arguments {
        [] => false,
        [full] if full == "--full" => true,
        _ => return Err("`cargo xtask ci` takes --full or nothing".to_owned()),
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut failed = Vec::new();
    let mut step = |name: &'static str, status: Result<ExitStatus, String>| {
        if !status?.success() {
            failed.push(name);
        }
        Ok::<_, String>(())
    };
    step(".ci/run", Command::new(workspace.join(".ci/run")).status().map_err(|error| format!(".ci/run: {error}")))?;
    if is_full {
        step("the tests with all cores kept busy", with_busy_cores())?;
        step("the tests under `nice` beside a build", beside_a_build(&workspace))?;
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join(", "))),
    }
}

/// Two threads for each core want to compute all the time, and so a test gets a third of what it could use. They are
/// threads of this process, and go with it.
fn with_busy_cores() -> Result<ExitStatus, String> {
    println!("\n== the tests with all cores kept busy");
    let threads = thread::available_parallelism().map_or(4, |cores| cores.get() * 2);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let status = suite::run(Command::new("cargo"), &[]);
        is_over.store(true, Ordering::Relaxed);
        status
    })
}

/// Whatever the build wants it gets first, and it wants all cores for minutes.
fn beside_a_build(workspace: &Path) -> Result<ExitStatus, String> {
    println!("\n== the tests under `nice` beside a build");
    let target = workspace.join(BESIDE);
    let mut build = Command::new("cargo");
    build.args(["build", "--workspace", "--quiet", "--target-dir"]).arg(&target);
    let mut build = build.spawn().map_err(|error| format!("cannot run cargo: {error}"))?;
    let mut nice = Command::new("nice");
    nice.args(["-n", "19", "cargo"]);
    let status = suite::run(nice, &[]);
    let built = build.wait().map_err(|error| format!("cannot wait for cargo: {error}"))?;
    let _ = std::fs::remove_dir_all(target);
    if !built.success() {
        return Err("the build beside the tests has failed".to_owned());
    }
    status
}
