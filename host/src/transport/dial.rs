//! Connections for protocols that are not HTTP.
//!
//! A guest that got a socket could go anywhere and would have to bring its own TLS, and with it the key. Here it names a
//! destination, as it does in a URL, and gets what a request would have got: the same routes, addresses, identity,
//! roots and verification, the same errors and the same observer. The difference is that the connection is its own.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::Instrument;
#[cfg(feature = "mqtt")]
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::connect::ConnectDeadline;
use crate::connect::alpn::Protocol;
use crate::error::{Denial, TransportError};
use crate::observe::{Observation, span};
use crate::pool::Dialed;
use crate::route::Endpoint;
#[cfg(feature = "mqtt")]
use crate::streams;
use crate::transport::Transport;

/// An open connection, its dialer's alone. Dropping it closes it.
///
/// It reads and writes as any stream of tokio does. An error of reading has a [`TransportError`] inside, which says
/// more than the kind of an [`io::Error`] can.
pub struct DialedConnection {
    to: Endpoint,
    dialed: Dialed,
    /// Whether anything has come.
    has_answered: bool,
    observation: Observation,
}

impl Transport {
    /// Connects to `authority`, which is `HOST:PORT`, for MQTT: with the identity, the roots and the
    /// [ALPN](crate::Route::mqtt_alpn) of its route. The timeout covers all of it, up to the end of the TLS handshake, and
    /// the wait for a place under the [limits](crate::PoolLimits) too; of more than
    /// [`maximum_connect`](crate::Timeouts::maximum_connect) it gets that.
    ///
    /// # Errors
    ///
    /// [`TransportError::Denied`] and [`TransportError::Connect`], as for a request.
    pub async fn dial(&self, authority: &str, timeout: Duration) -> Result<DialedConnection, TransportError> {
        let under_way = self.observation.dial();
        let to = Endpoint::of_authority(authority, None);
        let span = span::dial(to.as_ref());
        let dialed = self.dial_unobserved(to, timeout).instrument(span.clone()).await;
        under_way.ended();
        let _ = dialed.as_ref().inspect_err(|error| span::record_error(&span, error));
        self.observation.dial_ended(&dialed);
        dialed
    }

    /// Connects for a guest, which learns a code.
    #[cfg(all(feature = "mqtt", feature = "runtime"))]
    pub(crate) async fn dial_for_guest(
        &self,
        authority: &str,
        timeout: Duration,
    ) -> Result<DialedConnection, TransportError> {
        let dialed = self.dial(authority, timeout).await;
        dialed.inspect_err(|error| self.observation.log(error))
    }

    async fn dial_unobserved(
        &self,
        to: Option<Endpoint>,
        timeout: Duration,
    ) -> Result<DialedConnection, TransportError> {
        let to = to.ok_or(TransportError::Denied(Denial::Authority))?;
        let mut live = self.config.target(Protocol::Mqtt, to.clone()).map_err(TransportError::Denied)?;
        let deadline = ConnectDeadline::begin(timeout.min(self.timeouts.longest_connect()));
        let unconnected = |error| TransportError::Connect { to: to.clone(), error };
        if let Some(rate_limiter) = &live.target.route.rate_limiter {
            rate_limiter.turn(deadline).await.map_err(unconnected)?;
        }
        let connection = loop {
            let (target, outdated) = live.while_current();
            tokio::select! {
                biased;
                () = outdated => {}
                connection = self.pool.dial(target, deadline) => break connection.map_err(unconnected)?,
            }
            live.find_again().map_err(TransportError::Denied)?;
        };
        self.observation.connected(&to, connection.handshake());
        let dialed = Dialed::new(connection, Box::pin(self.config.closing(live)));
        Ok(DialedConnection { to, dialed, has_answered: false, observation: self.observation.clone() })
    }
}

impl DialedConnection {
    /// What the server has chosen of the protocols that the route offers.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.dialed.stream.get_ref().1.alpn_protocol()
    }

    fn may_be_refused(&self) -> bool {
        !self.has_answered && self.dialed.ends_handshake_early()
    }

    /// The two directions, as `wasi:io` has them. The connection closes when both are dropped.
    ///
    /// They belong to one store, whose guest waits for one thing at a time, or for both with one `poll`. Two tasks that
    /// wait for one each may not be woken.
    #[cfg(feature = "mqtt")]
    pub fn into_streams(self) -> (DynInputStream, DynOutputStream) {
        streams::new(self.to, self.dialed, self.observation)
    }
}

impl AsyncRead for DialedConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let (kind, error) = match Pin::new(&mut self.dialed.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                self.has_answered |= buffer.filled().len() > before;
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(Err(error)) => {
                (error.kind(), TransportError::lost(self.to.clone(), error, self.may_be_refused()))
            }
            Poll::Pending => {
                ready!(self.dialed.poll_closing(cx));
                (io::ErrorKind::ConnectionAborted, TransportError::outdated(self.to.clone()))
            }
        };
        self.observation.lost(&error);
        Poll::Ready(Err(io::Error::new(kind, error)))
    }
}

/// An error of writing knows nothing but "broken pipe": what the server has said of it is there to be read.
impl AsyncWrite for DialedConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.dialed.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.dialed.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.dialed.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for DialedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialedConnection").field("to", &self.to).finish_non_exhaustive()
    }
}
