//! What operators see of a host at work.
//!
//! A guest learns a bare code of what went wrong, and its operator, whose gateway runs a dozen of them, nothing at all:
//! whether connections are kept or made anew each time, whether messages wait for a free one, to which server requests
//! fail, and why. That is told in three ways, each for another reader: spans and events of `tracing` to whoever
//! collects those, [`Statistics`] to whoever asks from time to time, and an [`Observer`] to programs that act upon
//! what happens.
//!
//! None of them says what is in a message or where it goes: no topic, which is the path of a URL, no query, no header.

use http::StatusCode;

use crate::error::TransportError;
use crate::route::Endpoint;

mod counters;
mod handshake;
mod log;
pub(crate) mod metered;
mod observation;
pub(crate) mod span;
mod statistics;

pub(crate) use counters::Counters;
pub use handshake::Handshake;
#[cfg(feature = "incoming-handler")]
pub(crate) use log::LogLimiter;
pub(crate) use observation::Observation;
pub use statistics::Statistics;

/// What is told, as it happens, of the requests and dialed connections of a [`Transport`](crate::Transport). Each function
/// does nothing unless it is written.
///
/// They are called where things happen, often under way to the guest: what takes long, or waits, belongs elsewhere.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use thingpost_host::{Observer, Transport, TransportError};
///
/// /// Failures that leave it open whether the message has arrived.
/// #[derive(Default)]
/// struct Unknowns(AtomicU64);
///
/// impl Observer for Unknowns {
///     fn failed(&self, error: &TransportError) {
///         if matches!(error, TransportError::Exchange { .. } | TransportError::Lost { .. }) {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// fn counted(transport: Transport) -> (Transport, Arc<Unknowns>) {
///     let unknowns = Arc::<Unknowns>::default();
///     (transport.observer(unknowns.clone()), unknowns)
/// }
/// # let _ = counted;
/// ```
pub trait Observer: Send + Sync {
    /// There is a new connection, for a request or because it was dialed.
    fn connected(&self, to: &Endpoint, handshake: Handshake) {
        let _ = (to, handshake);
    }

    /// A request is handed to a connection, to be written: from here on a server may act on it.
    fn written(&self, to: &Endpoint) {
        let _ = to;
    }

    /// A request that was [handed](Self::written) to a connection has certainly not been acted on: the connection was dead, or
    /// the server has refused the handshake. It may be written again, to another connection.
    fn withdrawn(&self, to: &Endpoint) {
        let _ = to;
    }

    /// The head of an answer has come, whatever it says.
    fn answered(&self, to: &Endpoint, status: StatusCode) {
        let _ = (to, status);
    }

    /// A request has failed, before its answer or in the midst of it; or a dialed connection did not come about, or broke. The
    /// guest learns a code of it, and here is the sentence.
    fn failed(&self, error: &TransportError) {
        let _ = error;
    }
}
