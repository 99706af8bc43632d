//! What has to hold before a change lands. `.ci/run` and a workflow of a forge call this, and so there is one list of it.
//!
//! Machines differ: what passes on one that is quick and idle may fail on the next. `--full` runs the tests where they
//! have it hard.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::{TARGET, suite, workspace};

/// Where the build beside the tests goes, under the workspace.
const BESIDE: &str = "target/beside";

/// Words for cargo, and what rustdoc is to be told: nothing, or to take no warning.
struct Step {
    cargo: &'static str,
    rustdoc: &'static str,
}

const fn step(cargo: &'static str) -> Step {
    Step { cargo, rustdoc: "" }
}

const fn documentation(cargo: &'static str) -> Step {
    Step { cargo, rustdoc: "--deny warnings" }
}

/// In this order, as each finds done what those before it have done. The first of the README's two commands adds the
/// WebAssembly target where it is missing; all that follows needs it.
const STEPS: &[Step] = &[
    step("fmt --all --check"),
    // A broker for the tests of MQTT; the demo shows MQTT where there is one.
    step("xtask servers"),
    step("xtask demo"),
    step("xtask test"),
    step("xtask once"),
    // Each benchmark once, so that none of them rots; what they measure in this profile says nothing.
    step("test --workspace --bench codec --bench mqtt --bench publish --bench start"),
    step("clippy --workspace --all-targets -- --deny warnings"),
    // What is to be published, without building it once more.
    step("package --package thingpost --package thingpost-host --no-verify --allow-dirty"),
    documentation("doc --workspace --no-deps --document-private-items"),
    documentation(
        "doc --target wasm32-unknown-unknown --no-deps --document-private-items --package thingpost --features wasi",
    ),
    // The core library has the name of the command, and so the same place in the documentation. This one goes elsewhere.
    documentation(
        "doc --bin thingpost --no-deps --document-private-items --config build.build-dir='target' \
         --target-dir target/command",
    ),
];

/// What the crate of the components can be, by its feature.
const COMPONENTS: [&str; 8] = ["codec", "sans-io", "publisher", "host-signer", "mqtt", "edge", "edge-min", "edge-spin"];

/// Packages with some of their features, each alone, so that none is borrowed from what the rest of the workspace asks for.
/// A line for each set that somebody may want: the verb, the package, and the features.
const ALONE: &[(&str, &str, &str)] = &[
    ("check", "thingpost", ""),
    ("test", "thingpost", "aws"),
    ("test", "thingpost", "aliyun"),
    ("check", "thingpost", "edge"),
    ("check", "thingpost", "mqtt"),
    ("check", "thingpost", "aws,aliyun"),
    ("check", "thingpost", "aws,mqtt"),
    ("check", "thingpost", "aliyun,mqtt"),
    // Their dependencies differ in one thing only, whether there is a compiler, so most of these are a matter of seconds.
    ("clippy", "thingpost-host", ""),
    ("clippy", "thingpost-host", "hooks"),
    ("clippy", "thingpost-host", "mqtt"),
    ("clippy", "thingpost-host", "hooks,mqtt"),
    ("clippy", "thingpost-host", "runtime"),
    ("clippy", "thingpost-host", "runtime,mqtt"),
    ("clippy", "thingpost-host", "signer"),
    ("clippy", "thingpost-host", "compiler"),
    ("clippy", "thingpost-host", "incoming-handler"),
    ("clippy", "thingpost-host", "compiler,incoming-handler"),
    ("clippy", "thingpost-host", "pkcs11"),
    ("clippy", "thingpost-host", "default"),
    ("clippy", "thingpost-host", "interpreter"),
    ("test", "thingpost-host", "compiler,interpreter"),
    ("clippy", "thingpost-client", ""),
    ("check", "thingpost-serve", "otlp"),
    ("check", "thingpost-cli", ""),
    ("check", "thingpost-cli", "serve"),
    ("check", "thingpost-cli", "otlp"),
    ("check", "thingpost-cli", "emulator"),
    ("check", "thingpost-cli", "pkcs11"),
    ("check", "thingpost-cli", "interpreter"),
];

/// Carries out all steps, whatever fails, and says at the end what did; with `--full` also all tests twice more.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    let is_full = match arguments {
        [] => false,
        [full] if full == "--full" => true,
        _ => return Err("`cargo xtask ci` takes --full or nothing".to_owned()),
    };
    let workspace = workspace();
    let mut failed = Vec::new();
    let mut note = |name: &str, status: Result<ExitStatus, String>| {
        if !status?.success() {
            failed.push(name.to_owned());
        }
        Ok::<_, String>(())
    };
    for Step { cargo, rustdoc } in STEPS {
        let words: Vec<_> = cargo.split_whitespace().collect();
        note(&format!("cargo {cargo}"), cargo_with(&words, rustdoc, &workspace))?;
    }
    for component in COMPONENTS {
        let of_it = ["--target", TARGET, "--package", "thingpost-components", "--features", component];
        let clippy = [&["clippy"], &of_it[..], &["--", "--deny", "warnings"]].concat();
        note(&format!("clippy of the component {component}"), cargo_with(&clippy, "", &workspace))?;
        let doc = [&["doc", "--no-deps", "--document-private-items"], &of_it[..]].concat();
        note(&format!("documentation of the component {component}"), cargo_with(&doc, "--deny warnings", &workspace))?;
    }
    for &(verb, package, features) in ALONE {
        let mut words = vec![verb, "--package", package, "--no-default-features", "--features", features];
        if verb == "clippy" {
            words.extend(["--", "--deny", "warnings"]);
        }
        note(&format!("{verb} of {package}, features `{features}`"), cargo_with(&words, "", &workspace))?;
    }
    if is_full {
        note("the tests with all cores kept busy", with_busy_cores())?;
        note("the tests under `nice` beside a build", beside_a_build(&workspace))?;
    }
    match failed.is_empty() {
        true => {
            println!("\n== all that has to hold does");
            Ok(())
        }
        false => Err(format!("\nfailed:\n  {}", failed.join("\n  "))),
    }
}

fn cargo_with(words: &[&str], rustdoc: &str, workspace: &Path) -> Result<ExitStatus, String> {
    println!("\n== cargo {}", words.join(" "));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace).args(words);
    if !rustdoc.is_empty() {
        cargo.env("RUSTDOCFLAGS", rustdoc);
    }
    cargo.status().map_err(|error| format!("cannot run cargo: {error}"))
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
