//! The connection to a broker, or the way to it, as the session of the core wants it driven.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use thingpost::http::{TransportError, TransportErrorKind};
use thingpost::mqtt::Session;
use thingpost_host::{DialedConnection, Transport, TransportError as HostError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::monotonic_ms;
use crate::transport_error::transport_error;

/// The largest record of TLS, four times.
const READ: usize = 64 * 1024;

type Dialing = Pin<Box<dyn Future<Output = Result<DialedConnection, HostError>> + Send>>;

/// At most one connection, or the attempt to get it.
pub(super) struct Link {
    state: State,
    input: Box<[u8]>,
}

enum State {
    Closed,
    Dialing(Dialing),
    Open(Box<DialedConnection>),
}

impl Link {
    pub fn new() -> Self {
        Self { state: State::Closed, input: vec![0; READ].into() }
    }

    pub fn dial(&mut self, transport: &Transport, authority: String, timeout: Duration) {
        let transport = transport.clone();
        self.state = State::Dialing(Box::pin(async move { transport.dial(&authority, timeout).await }));
    }

    /// Closes it, or gives it up.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// Waits until something has moved.
    pub async fn moved(&mut self, session: &mut Session) {
        poll_fn(|cx| self.poll(cx, session)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>, session: &mut Session) -> Poll<()> {
        let failed = match &mut self.state {
            State::Closed => return Poll::Pending,
            State::Dialing(dialing) => match dialing.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(connection)) => {
                    self.state = State::Open(Box::new(connection));
                    session.handle_dialed();
                    return Poll::Ready(());
                }
                Poll::Ready(Err(error)) => transport_error(&error),
            },
            State::Open(connection) => {
                let written = write(connection, cx, session);
                // What the broker says on its way out explains more than that it does not listen.
                let read = read(connection, &mut self.input, cx, session);
                match (written, read) {
                    (_, Err(error)) | (Err(error), _) => error,
                    (Ok(false), Ok(false)) => return Poll::Pending,
                    (Ok(_), Ok(_)) => return Poll::Ready(()),
                }
            }
        };
        self.state = State::Closed;
        session.handle_transport_error(monotonic_ms(), failed);
        Poll::Ready(())
    }
}

/// Writes as much as the connection takes. False if that was nothing.
fn write(
    connection: &mut DialedConnection,
    cx: &mut Context<'_>,
    session: &mut Session,
) -> Result<bool, TransportError> {
    let mut has_written = false;
    while !session.output().is_empty() {
        match Pin::new(&mut *connection).poll_write(cx, session.output()) {
            Poll::Ready(Ok(count)) => session.handle_written(monotonic_ms(), count),
            Poll::Ready(Err(error)) => return Err(failure(&error)),
            Poll::Pending => break,
        }
        has_written = true;
    }
    match Pin::new(connection).poll_flush(cx) {
        Poll::Ready(Err(error)) => Err(failure(&error)),
        _ => Ok(has_written),
    }
}

/// Reads what is there, if the session wants more. False if that was nothing.
fn read(
    connection: &mut DialedConnection,
    buffer: &mut [u8],
    cx: &mut Context<'_>,
    session: &mut Session,
) -> Result<bool, TransportError> {
    if !session.wants_input() {
        return Ok(false);
    }
    let mut input = ReadBuf::new(buffer);
    match Pin::new(connection).poll_read(cx, &mut input) {
        Poll::Pending => Ok(false),
        Poll::Ready(Err(error)) => Err(failure(&error)),
        Poll::Ready(Ok(())) if input.filled().is_empty() => Err(TransportErrorKind::ConnectionClosed.into()),
        Poll::Ready(Ok(())) => {
            session.handle_input(monotonic_ms(), input.filled());
            Ok(true)
        }
    }
}

/// What the host has put into an error of its stream.
fn failure(error: &io::Error) -> TransportError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<HostError>()) {
        Some(error) => transport_error(error),
        None => TransportError { kind: TransportErrorKind::ConnectionReset, detail: Some(error.to_string()) },
    }
}
