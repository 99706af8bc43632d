//! `dialer` as a guest sees it: a connection on its way, and the two streams that come of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::JoinHandle;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime::{Error, Result};
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::bindings::mqtt::thingpost::iot::dialer::{Host, HostDialing};
use super::bindings::types::{TransportError as GuestError, TransportErrorKind};
use crate::error::TransportError;
use crate::transport::Transport;
use crate::transport::dial::DialedConnection;

/// How many connections one guest may have on their way. It needs one. The pool bounds connections, but not those who
/// wait for one, each of which is a task.
const ON_THEIR_WAY: usize = 16;

/// Dials for one guest.
pub(super) struct Dialer {
    transport: Transport,
    /// One more for each [`Dialing`] that there is.
    count: Arc<()>,
}

/// What the functions of the interface need of a store.
pub(super) struct DialerView<'a> {
    pub dialer: &'a Dialer,
    pub table: &'a mut ResourceTable,
}

/// A connection on its way. Dropping it gives it up.
pub struct Dialing {
    progress: Progress,
    _counted: Arc<()>,
}

enum Progress {
    /// A task, because the server's side of a handshake does not wait for a guest to wait.
    OnItsWay(JoinHandle<Result<DialedConnection, TransportError>>),
    Ended(Result<Box<DialedConnection>, GuestError>),
    /// The task has panicked.
    Broken(Error),
    HandedOver,
}

impl Dialer {
    pub fn new(transport: Transport) -> Self {
        Self { transport, count: Arc::default() }
    }

    fn dial(&self, authority: String, timeout: Duration) -> Dialing {
        let counted = Arc::clone(&self.count);
        // The two are this dialer's own and the new one's.
        if Arc::strong_count(&counted) - 2 >= ON_THEIR_WAY {
            let detail = format!("{ON_THEIR_WAY} connections are on their way already");
            let refused = GuestError { kind: TransportErrorKind::ConnectionLimit, detail: Some(detail) };
            return Dialing { progress: Progress::Ended(Err(refused)), _counted: counted };
        }
        let transport = self.transport.clone();
        // A store that is driven by something else than tokio has what the rest of WASI has there: wasmtime's own runtime.
        let dial = async move { transport.dial_for_guest(&authority, timeout).await };
        let task = with_ambient_tokio_runtime(|| tokio::spawn(dial));
        Dialing { progress: Progress::OnItsWay(task), _counted: counted }
    }
}

impl Dialing {
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Progress::OnItsWay(task) = &mut self.progress else { return Poll::Ready(()) };
        let Poll::Ready(ended) = Pin::new(task).poll(cx) else { return Poll::Pending };
        self.progress = match ended {
            Ok(Ok(connection)) => Progress::Ended(Ok(Box::new(connection))),
            Ok(Err(error)) => Progress::Ended(Err(GuestError::from(&error))),
            Err(panic) => Progress::Broken(panic.into()),
        };
        Poll::Ready(())
    }

    fn finish(&mut self) -> Result<Option<Result<Box<DialedConnection>, GuestError>>> {
        if self.poll_ended(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Ok(None);
        }
        match std::mem::replace(&mut self.progress, Progress::HandedOver) {
            Progress::Ended(outcome) => Ok(Some(outcome)),
            Progress::Broken(panic) => Err(panic),
            Progress::OnItsWay(_) | Progress::HandedOver => Ok(None),
        }
    }
}

impl Drop for Dialing {
    fn drop(&mut self) {
        if let Progress::OnItsWay(task) = &self.progress {
            task.abort();
        }
    }
}

#[async_trait]
impl Pollable for Dialing {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.poll_ended(cx)).await;
    }
}

impl Host for DialerView<'_> {
    fn dial(&mut self, authority: String, timeout_ms: u32) -> Result<Resource<Dialing>> {
        let dialing = self.dialer.dial(authority, Duration::from_millis(timeout_ms.into()));
        Ok(self.table.push(dialing)?)
    }

    fn failure(&mut self, error: Resource<Error>) -> Result<Option<GuestError>> {
        Ok(TransportError::from_stream(self.table.get(&error)?).map(GuestError::from))
    }
}

/// Both directions, in a store.
type Streams = (Resource<DynInputStream>, Resource<DynOutputStream>);

impl HostDialing for DialerView<'_> {
    fn subscribe(&mut self, dialing: Resource<Dialing>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, dialing)
    }

    fn finish(&mut self, dialing: Resource<Dialing>) -> Result<Option<Result<Streams, GuestError>>> {
        match self.table.get_mut(&dialing)?.finish()? {
            None => Ok(None),
            Some(Err(error)) => Ok(Some(Err(error))),
            Some(Ok(connection)) => {
                let (input, output) = connection.into_streams();
                Ok(Some(Ok((self.table.push(input)?, self.table.push(output)?))))
            }
        }
    }

    fn drop(&mut self, dialing: Resource<Dialing>) -> Result<()> {
        self.table.delete(dialing)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
