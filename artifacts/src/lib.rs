//! The components as bytes. A test that needs a component, or a host that embeds one, should not depend on a person
//! another command that was run before: the build script of this crate builds them.

#![deny(missing_docs)]

/// A component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The name of its file.
    pub name: &'static str,
    /// The component itself.
    pub bytes: &'static [u8],
}

macro_rules! artifact {
    ($file:literal) => {
        Artifact { name: $file, bytes: include_bytes!(concat!(env!("OUT_DIR"), "/", $file)) }
    };
}

/// World `codec`: pure functions.
pub const CODEC: Artifact = artifact!("codec.wasm");

/// World `mqtt`: a device on an MQTT broker.
pub const MQTT: Artifact = artifact!("mqtt.wasm");

/// World `publish`: publishes through `wasi:http`.
pub const PUBLISHER: Artifact = artifact!("publisher.wasm");

/// World `sans-io`: the state machine.
pub const SANS_IO: Artifact = artifact!("sans-io.wasm");

/// World `publish-signed`: publishes, and lets the host sign.
pub const SIGNED_PUBLISHER: Artifact = artifact!("signed-publisher.wasm");

/// All of them.
pub const ALL: [Artifact; 5] = [CODEC, MQTT, PUBLISHER, SANS_IO, SIGNED_PUBLISHER];
