//! `cargo xtask demo` builds the command without tests, `cargo xtask test` builds everything with them, and a crate whose
//! features differ between the two is compiled twice, with all that stands on it. Cargo gives a crate the features that the
//! selected packages ask for. So this package is selected by both and asks for what only one of them would: nothing here is
//! ever compiled for the demo, it is there to be counted.
//!
//! Its dependencies are the ones of tests; its build dependencies are for crates that are a part both of the program and of
//! a procedural macro or a build script. `cargo xtask ci` says what is missing here.
