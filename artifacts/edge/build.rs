//! Builds the components, with the dependencies that those of `artifacts` have compiled already.

#[path = "../build/component.rs"]
mod component;

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// The components, each named as the feature of the package that makes it.
const COMPONENTS: [&str; 3] = ["edge", "edge-min", "edge-spin"];

fn main() {
    if let Err(error) = build() {
        println!("cargo::error={error}");
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = folder.ancestors().nth(2).ok_or("no workspace around this crate")?;
    component::rerun_if_changed(workspace);
    component::check_target()?;

    let target_dir = PathBuf::from(env::var("DEP_THINGPOST_COMPONENTS_TARGET_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for component in COMPONENTS {
        component::build(workspace, &target_dir, component, &out.join(format!("{component}.wasm")))?;
    }
    Ok(())
}
