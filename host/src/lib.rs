//! The host's half of thingpost: everything that must not be in a sandbox.
//!
//! A component publishes through `wasi:http/outgoing-handler` and knows topics, tokens and answers; this crate holds
//! the certificates, private keys, trust roots and sockets, and decides by the destination alone which of them a
//! request gets. It knows nothing of any platform but one ALPN name, and any wasmtime embedder can use it for any
//! component: give a store [`TransportHooks`] and leave the rest.
//!
//! ```no_run
//! use std::path::Path;
//! use thingpost_host::{Identity, Pool, WorkloadConfig, Route, RouteTable, Transport, TransportHooks, TrustRoots};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Identity::from_pem_files(Path::new("device.pem.crt"), Path::new("device.pem.key"))?;
//! let host = "a3k7odshaiipe8-ats.iot.us-west-2.amazonaws.com";
//! let routes = RouteTable::new(vec![Route::new(host, TrustRoots::system_or_webpki()?).identity(device)])?;
//! let workload = WorkloadConfig::new("thermometer", routes);
//! let hooks = TransportHooks::new(Transport::new(Pool::default(), workload));
//! # Ok(())
//! # }
//! ```
//!
//! Protocols that are not HTTP have [`Transport::dial`]: a connection under the same rules, whose two streams a guest
//! may have.
//!
//! [`runtime`] runs the components over such a transport, for those who have no wasmtime host of their own.
//!
//! The rooms, from the outside in: [`hooks`](TransportHooks) and [`Transport`] take a request; the [`RouteTable`] says
//! whether and as whom it may go; the [`Pool`] finds or opens a connection; [`TransportError`] says what went wrong,
//! and on which side of the line between *not sent* and *unknown*.

#![deny(unsafe_code)]
#![deny(missing_docs)]

mod addresses;
mod alert;
mod algorithm;
mod alpn;
mod body;
mod certificate;
mod clock;
mod connect;
mod connect_to;
mod der;
mod dial;
mod encoding;
mod error;
mod hooks;
mod http_connection;
mod identity;
mod key;
mod path;
mod pem;
mod pool;
mod rate_limiter;
mod roots;
mod route;
pub mod runtime;
mod streams;
mod tls;
mod transport;
mod validity;
mod verify;
mod wire;

pub use alpn::{AWS_HTTPS_WITH_CERTIFICATE, AWS_MQTT_WITH_AUTHORIZER, AWS_MQTT_WITH_CERTIFICATE, Alpn};
pub use certificate::CertificateFormatError;
pub use connect_to::{ConnectTo, ConnectToError, ConnectToReason};
pub use dial::DialedConnection;
pub use encoding::Encoding;
pub use error::{Attempt, ConnectError, Denial, ExchangeError, LossError, Phase, TransportError, UntrustedCertificate};
pub use hooks::TransportHooks;
pub use identity::{Identity, IdentityError};
pub use key::PrivateKeyError;
pub use path::{is_out_of_descriptors, way_out};
pub use pem::{PemContents, PemError, PemSource};
pub use pool::{Pool, PoolLimits};
pub use roots::{LeftOut, RootsError, TrustRoots};
pub use route::{Endpoint, MinimumTls, Route, RouteError, RouteTable};
pub use transport::{AnswerObserver, FailureObserver, Timeouts, Transport, WorkloadConfig};
pub use validity::OutsideValidity;
