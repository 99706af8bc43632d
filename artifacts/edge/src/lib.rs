//! The components of the edge function as bytes. A crate of their own beside `thingpost-artifacts`, because neither the command
//! nor the demo has a use for them, and each takes seconds to compile.

#![deny(missing_docs)]

pub use thingpost_artifacts::Artifact;

macro_rules! artifact {
    ($file:literal) => {
        Artifact { name: $file, bytes: include_bytes!(concat!(env!("OUT_DIR"), "/", $file)) }
    };
}

/// World `edge`: settings and tokens in stores of the host, as wasmtime and wasmCloud have them.
pub const EDGE: Artifact = artifact!("edge.wasm");

/// World `edge-min`: all settings in a header of each request.
pub const EDGE_MIN: Artifact = artifact!("edge-min.wasm");

/// World `edge-spin`: settings and tokens in stores of the host, as Spin has them.
pub const EDGE_SPIN: Artifact = artifact!("edge-spin.wasm");

/// All of them.
pub const ALL: [Artifact; 3] = [EDGE, EDGE_MIN, EDGE_SPIN];
