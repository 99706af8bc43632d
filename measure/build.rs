//! Tells the crate how it is compiled: no other thing knows, and what is not optimised is not worth measuring.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=THINGPOST_OPT_LEVEL={level}");
}
