//! Components that do what no component should, for the tests of what the host makes of it: one that publishes, one that dials, and
//! one that serves HTTP.
//!
//! Of each there is one, and not one for each attack: each would be compiled and linked anew, which takes longer than the
//! attacks themselves. The topic of the message that it is to publish names the attack, and its payload the endpoint; each attack
//! has a file of its own in `guest/`.

#![deny(missing_docs)]

/// The component: it has the exports of a publisher, and imports what `publish-signed` may import.
#[cfg(not(target_family = "wasm"))]
pub const GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

/// The component that dials: it has the exports of a device on a broker, and imports what world `mqtt` may import. The topic of the
/// message that it is to publish names the attack, and its payload the destination.
#[cfg(not(target_family = "wasm"))]
pub const DIALER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/dialer.wasm"));

/// The component that serves HTTP, well or badly: the path of a request says how. It also imports `thingpost:probe/gate@0.1.0`, an
/// interface of one function, `wait`, which returns when the test likes.
#[cfg(not(target_family = "wasm"))]
pub const HANDLER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/handler.wasm"));

/// The component that serves HTTP, and uses `wasi:config`, `wasi:keyvalue` and `wasi:logging`, as the path of a request says.
#[cfg(not(target_family = "wasm"))]
pub const GRANTED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/granted.wasm"));
