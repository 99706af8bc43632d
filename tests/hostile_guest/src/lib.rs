//! A component that does what no component should, for the tests of what the host makes of it.
//!
//! It is one component and not one for each attack: each would be compiled and linked anew, which takes longer than the
//! attacks themselves. The topic of the message that it is to publish names the attack, and its payload the endpoint; each attack
//! has a file of its own in `guest/`.

#![deny(missing_docs)]

/// The component: it has the exports of a publisher, and imports what `publish-signed` may import.
#[cfg(not(target_family = "wasm"))]
pub const GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));
