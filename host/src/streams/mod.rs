//! A TLS connection as the two streams that a guest gets.
//!
//! The streams of wasmtime put a task between the guest and the socket, one for each direction: a write is handed to the
//! task, and what it comes to is known when the task has run. 100 bytes there and back over loopback took 21 us that way
//! on a runtime of several threads, where each task wakes a thread, and take 8 us here; on one thread both take 8. Here a
//! write goes to the socket at once, in the guest's own call, and only what the socket does not take stays in a buffer; a
//! read takes what is there. What is left over is driven whenever the guest waits, for either direction: a guest that has
//! written and then waits for the answer must not wait for its own question.
//!
//! So nothing moves while the guest does not wait. That is how it is with everything in a sandbox.

mod closing;
mod connection;
mod input;
mod output;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, StreamError};

use connection::{End, StreamConnection};
use input::Input;
use output::Output;

use crate::error::TransportError;
use crate::observe::Observation;
use crate::pool::Dialed;
use crate::route::Endpoint;

/// Both directions of this connection.
pub(crate) fn new(to: Endpoint, dialed: Dialed, observation: Observation) -> (DynInputStream, DynOutputStream) {
    let shared = Shared(Arc::new(Mutex::new(StreamConnection::new(to, dialed, observation))));
    (Box::new(Input::new(shared.clone())), Box::new(Output::new(shared)))
}

/// The connection of two streams.
#[derive(Clone)]
struct Shared(Arc<Mutex<StreamConnection>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, StreamConnection> {
        lock(&self.0)
    }
}

fn lock(connection: &Mutex<StreamConnection>) -> MutexGuard<'_, StreamConnection> {
    // A panic of the observer, at worst, which leaves the connection as it should be.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both streams belong to one store, so no other thread drops its half meanwhile.
impl Drop for Shared {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            closing::close(&self.0);
        }
    }
}

/// The payload of an error of such a stream.
#[derive(Debug)]
struct BrokenStream(Arc<TransportError>);

impl TransportError {
    /// The reason why a stream of a [dialed connection](crate::DialedConnection) failed; none for errors of other streams.
    pub fn from_stream(error: &wasmtime::Error) -> Option<&Self> {
        error.downcast_ref::<BrokenStream>().map(|broken| &*broken.0)
    }
}

impl End {
    fn error(&self) -> StreamError {
        match self {
            Self::Closed => StreamError::Closed,
            Self::Failed(error) => StreamError::LastOperationFailed(BrokenStream(Arc::clone(error)).into()),
        }
    }
}

impl fmt::Display for BrokenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BrokenStream {}
