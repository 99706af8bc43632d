//! Serves HTTP with a component.
//!
//! A device that can do neither mutual TLS nor HMAC sends plain HTTP to something beside it. `wasmtime serve` runs a component that
//! answers, and gives it no identity: no client certificate, no ALPN, no proxy, no store that keeps what was written. Nor does it
//! hold out for long: a thousand slow answers exhaust its pool of instances, half a request line holds a connection for
//! ever, and SIGTERM ends it in the middle of a message. Here is a server for the same components without these gaps.
//!
//! | room | what |
//! |---|---|
//! | `front/` | from a socket to a request, within limits: connections, headers, bodies, deadlines, TLS; and the end of it all, in order |
//! | `guests/` | the component: its instances, kept and bounded, and what they cost |
//! | `interfaces/` | what a guest is offered beside `wasi:http`: settings, a store, a log |
//! | `store/` | names and values that outlive the process, in SQLite |
//! | `config/` | the file that says all this, and what is wrong with it |
//! | `telemetry/` | what operators see: logs, metrics, the admin listener |
#![deny(missing_docs)]
#![deny(unsafe_code)]

mod config;
mod front;
mod guests;
mod interfaces;
mod problem;
mod server;
mod store;
mod telemetry;

pub use config::{
    Config, ConfigError, KeySource, Listen, ListenTls, Loaded, Loader, LogLevel, LogSettings, Place, Placed,
    RouteSettings, Setting, Source,
};
pub use front::{
    ClientRootsError, Drained, Front, FrontLimits, Handler, Peer, RequestBody, RequestBodyError, ServerTls, Stop,
    StopHandle,
};
pub use guests::{GuestSettings, GuestStatistics, Guests, Workload};
pub use interfaces::{Grants, GuestLog};
pub use problem::AnswerBody;
pub use server::{BuiltIn, FollowEvent, Follower, Reloaded, Server, StartError};
pub use store::{Buckets, Database, KeyPage, StoreError, StoreSettings};
pub use telemetry::{Admin, LogError, LogFormat, Measured, Metrics, MetricsError, init_log};
