//! Builds the components, with the dependencies that the components of `artifacts` have compiled already.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

fn main() {
    // This script runs once more for the components themselves.
    if env::var_os("CARGO_CFG_TARGET_FAMILY").is_some_and(|family| family == "wasm") {
        return;
    }
    if let Err(error) = build() {
        println!("cargo::error={error}");
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = folder.ancestors().nth(2).ok_or("no workspace around this crate")?;
    for input in ["tests/hostile_guest", "wit", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    let target_dir = PathBuf::from(env::var("DEP_THINGPOST_COMPONENTS_TARGET_DIR")?);
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(workspace).args(["build", "--quiet", "--locked", "--profile", "component", "--target", TARGET]);
    cargo.args(["--package", env!("CARGO_PKG_NAME"), "--examples"]).env("CARGO_TARGET_DIR", &target_dir);
    // Flags for the outer build are not meant for the components.
    for flags in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(flags);
    }
    if !cargo.status()?.success() {
        return Err("the hostile guests do not compile; cargo build -vv shows why".into());
    }
    let (built, out) = (target_dir.join(TARGET).join("component/examples"), PathBuf::from(env::var("OUT_DIR")?));
    for component in ["guest.wasm", "dialer.wasm", "handler.wasm", "granted.wasm"] {
        fs::copy(built.join(component), out.join(component))?;
    }
    Ok(())
}
