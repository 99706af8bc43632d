//! Builds the components, so that `cargo test` and `cargo run` work on a fresh checkout.
//!
//! Cargo is called by cargo here, with a target directory of its own: the outer one is locked.

mod component;

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// The components, and the feature of the package that makes it each of them.
const COMPONENTS: [(&str, &str); 5] = [
    ("codec", "codec"),
    ("mqtt", "mqtt"),
    ("publisher", "publisher"),
    ("sans-io", "sans-io"),
    ("signed-publisher", "host-signer"),
];

fn main() {
    if let Err(error) = build() {
        println!("cargo::error={error}");
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    // Not `env!`: a target directory may be restored under another path than the one this script was compiled in.
    let crate_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = crate_dir.parent().ok_or("no workspace around this crate")?;
    component::rerun_if_changed(workspace);
    component::check_target()?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target_dir = out.join("target");
    println!("cargo::metadata=target_dir={}", target_dir.display());
    for (component, feature) in COMPONENTS {
        component::build(workspace, &target_dir, feature, &out.join(format!("{component}.wasm")))?;
    }
    Ok(())
}
