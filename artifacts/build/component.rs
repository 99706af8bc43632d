//! One component: the package of the components, compiled with one of its features, and without names for debuggers.
//!
//! Part of the build script of each crate that hands out components.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "thingpost-components";

/// Builds a component and writes it to a file.
pub fn build(workspace: &Path, target_dir: &Path, feature: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    compile(workspace, target_dir, feature)?;
    let built = target_dir.join(TARGET).join("component").join(format!("{}.wasm", PACKAGE.replace('-', "_")));
    let stripped = without_custom_sections(&fs::read(&built)?).ok_or("a component is not well-formed")?;
    fs::write(file, stripped)?;
    Ok(())
}

/// Compiles the package with one of its features. In a call of its own for each, because one call has one set of features.
fn compile(workspace: &Path, target_dir: &Path, feature: &str) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(workspace).args(["build", "--quiet", "--locked", "--profile", "component", "--target", TARGET]);
    cargo.args(["--package", PACKAGE, "--features", feature]);
    // Flags for the outer build (warnings denied, coverage, another linker) are not meant for the components.
    for flags in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(flags);
    }
    match cargo.env("CARGO_TARGET_DIR", target_dir).status()?.success() {
        true => Ok(()),
        false => Err(format!("the component of feature {feature} does not compile, see above").into()),
    }
}

/// What the components are made of.
pub fn rerun_if_changed(workspace: &Path) {
    for input in ["src", "wit", "components", "Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    // Components of another profile would be taken for these, and their sizes with them.
    for setting in ["LTO", "CODEGEN_UNITS", "OPT_LEVEL"] {
        println!("cargo::rerun-if-env-changed=CARGO_PROFILE_COMPONENT_{setting}");
    }
}

/// Says what to type where WebAssembly cannot be compiled to.
pub fn check_target() -> Result<(), Box<dyn Error>> {
    let rustc = env::var("RUSTC")?;
    let libraries = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let libraries = String::from_utf8(libraries.stdout)?;
    match Path::new(libraries.trim()).exists() {
        true => Ok(()),
        false => Err(format!("the WebAssembly target is missing; type: rustup target add {TARGET}").into()),
    }
}

/// Names for debuggers: 2 to 6 KB of each component that is never read, and that no linker flag leaves out.
fn without_custom_sections(component: &[u8]) -> Option<Vec<u8>> {
    const PREAMBLE: usize = 8;
    const CUSTOM: u8 = 0;
    let mut kept = component.get(..PREAMBLE)?.to_vec();
    let mut rest = &component[PREAMBLE..];
    while let [id, after_id @ ..] = rest {
        let (length, length_bytes) = leb128(after_id)?;
        let section = rest.get(..1 + length_bytes + length)?;
        if *id != CUSTOM {
            kept.extend(section);
        }
        rest = &rest[section.len()..];
    }
    Some(kept)
}

/// An unsigned number and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}
