//! An MQTT connection is a promise with a memory: what was taken must arrive, in order, across losses that nobody
//! announces. Clients keep that promise in threads and callbacks that a sandbox does not have and a test cannot repeat.
//! Here it is a state machine: bytes and time in, bytes and events out.
//!
//! # The loop
//!
//! 1. Call [`Session::poll`] and do what it says.
//! 2. Write what is in [`Session::output`] as far as the connection takes it, and say so with [`Session::handle_written`].
//! 3. On [`Step::Wait`], wait until bytes come ([`Session::handle_input`]), the connection ends ([`Session::handle_transport_error`]), room
//!    is there for more output, or the time has come. Go to 1.
//! 4. Take the [`events`](Session::poll_event) at any time, and [`acknowledge`](Session::acknowledge) the messages among them once
//!    they are safe.
//!
//! ```
//! use thingpost::http::TransportError;
//! use thingpost::mqtt::{Event, Session, Step};
//!
//! /// What whoever drives a session has: a clock, a connection and somebody who wants to know.
//! trait Wire {
//!     fn now_ms(&self) -> u64;
//!     fn dial(&mut self, authority: &str, timeout_ms: u32) -> Result<(), TransportError>;
//!     fn write(&mut self, bytes: &[u8]) -> usize;
//!     fn read(&mut self, until_ms: Option<u64>) -> Result<Vec<u8>, TransportError>;
//!     fn close(&mut self);
//!     fn tell(&mut self, event: Event);
//! }
//!
//! fn drive(session: &mut Session, wire: &mut impl Wire) -> ! {
//!     loop {
//!         match session.poll(wire.now_ms()) {
//!             Step::Sign(_) => session.handle_signature(wire.now_ms(), Err("nothing signs here".to_owned().into())),
//!             Step::Dial { authority, timeout_ms } => match wire.dial(&authority, timeout_ms) {
//!                 Ok(()) => session.handle_dialed(),
//!                 Err(error) => session.handle_transport_error(wire.now_ms(), error),
//!             },
//!             Step::Close => wire.close(),
//!             Step::Wait(until_ms) => {
//!                 let written = wire.write(session.output());
//!                 session.handle_written(wire.now_ms(), written);
//!                 match wire.read(until_ms) {
//!                     Ok(bytes) => session.handle_input(wire.now_ms(), &bytes),
//!                     Err(error) => session.handle_transport_error(wire.now_ms(), error),
//!                 }
//!                 while let Some(event) = session.poll_event() {
//!                     wire.tell(event);
//!                 }
//!                 session.acknowledge();
//!             }
//!         }
//!     }
//! }
//! ```
//!
//! `examples/mqtt.rs` is the whole of it, over a socket of the standard library.
//!
//! # What holds
//!
//! - Each message has one outcome: as the error of [`Session::publish`], as [`Event::Published`] or as
//!   [`Event::NotPublished`].
//! - At-least-once messages stay until they are acknowledged. After a loss they are sent again, in their order, marked as
//!   duplicates, before anything newer.
//! - The messages of a topic arrive in the order in which they were taken; but others pass one that the broker refuses for now
//!   while it rests, as one that is refused for ever would hold up all of them.
//!
//! | where | what |
//! |---|---|
//! | `session/` | the state machine: the connection, the timers, what is sent next |
//! | `outbox`, `entry`, `subscriptions`, `output`, `reconnect` | what it remembers: messages, subscriptions, bytes, pauses |
//! | `packet/` | MQTT 3.1.1 and 5 as bytes |
//! | `reason` | what return and reason codes mean |
//! | `broker` | what a broker is to the session |
//! | `options`, `event`, `explain` | what goes in, what comes out, and in which words |

mod broker;
mod entry;
mod event;
mod explain;
mod options;
mod outbox;
mod output;
mod packet;
mod reason;
mod reconnect;
mod send_rate;
mod session;
mod subscriptions;

pub use broker::{Broker, Login, MAX_TEXT, check_properties};
pub use event::{AcceptedConnection, Disconnection, Event, Incoming, Unfinished};
pub use explain::{MqttErrorContext, elsewhere_step, explain, limit_step, other_version, received_step};
pub use options::{FullQueue, Options, QueueLimit};
pub use session::{Config, Session, Step};
pub use subscriptions::{RetainHandling, Subscription, SubscriptionOptions};

/// Which MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1.
    V3,
    /// 5.
    V5,
}
