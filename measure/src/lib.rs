//! "A sandbox costs next to nothing" is a claim about a ratio, and a ratio needs both sides: the component in its host,
//! and the very same core, pool and TLS without WebAssembly, against the same server, in the same run.
//!
//! | Where | What |
//! |---|---|
//! | [`server`] | a process of its own that takes every message |
//! | [`Cloud`], [`Device`] | that process as its clients see it, and the devices that it knows |
//! | [`Client`] | the client that publishes: the component, or the core without WebAssembly |
//! | [`MqttDevice`] | the same device over MQTT: the core, the component, and a client that others have written |
//! | [`Codec`] | the pure functions, in a component and without one |
//! | [`Peer`] | what people use today: Python and curl |
//! | [`Work`], [`Contender`], [`compare`] | what is measured, and several of them in turns, as ratios |
//! | [`suite`] | all that is measured, and what each ratio should be |
//! | [`report`] | the result as text, as a page, as a picture |

#![deny(unsafe_code)]
#![deny(missing_docs)]

mod affinity;
mod client;
mod cloud;
mod codec;
mod device;
mod limits;
mod memory;
mod mqtt;
mod peer;
mod processor;
pub mod report;
mod rounds;
mod scratch;
pub mod server;
pub mod suite;
mod work;

pub use affinity::leave_the_last_core;
pub use client::Client;
pub use cloud::Cloud;
pub use codec::Codec;
pub use device::{Device, Way};
pub use mqtt::MqttDevice;
pub use peer::Peer;
pub use rounds::{Contender, Measured, Rounds, compare};
pub use work::{Load, Taken, Work};

/// What to say of measurements that were not compiled like a release: in `release` most of what is not on the way of a message
/// is not optimised, the core without WebAssembly among it.
pub const CAVEAT: Option<&str> = match env!("THINGPOST_OPT_LEVEL").as_bytes() {
    b"3" => None,
    _ => Some("this build is not optimised, so these numbers say nothing; build it with `--profile dist`"),
};

/// Why something could not be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
