//! From a socket to a request, within limits.
//!
//! Everything that reaches a guest costs an instance, so what can be refused is refused before: heads that do not come to an end,
//! bodies that are too long or too slow, connections that only wait. And the end of a server is part of serving: a process that is
//! told to go finishes what it has begun, within a time that it was given.

mod body;
mod connection;
mod limits;
mod places;
mod stall;
mod stop;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use body::{RequestBody, RequestBodyError};
pub use limits::FrontLimits;
use places::Places;
pub use stop::{Stop, StopHandle};
pub use tls::{ClientRootsError, ServerTls};

use crate::problem::AnswerBody;

/// Makes an answer of each request.
pub trait Handler: Send + Sync + 'static {
    /// The answer. It is dropped in the middle of its work when the client goes away.
    fn handle(&self, request: Request<RequestBody>) -> impl Future<Output = Response<AnswerBody>> + Send;
}

/// The other end of a connection, as an extension of each of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A listener with its limits.
#[derive(Debug)]
pub struct Front {
    listener: TcpListener,
    limits: FrontLimits,
    tls: Option<ServerTls>,
}

/// How a server has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were under way when the time for them was over.
    pub cut_off: usize,
}

/// The pause after a connection could not be accepted: most of the time there are no descriptors left, and one comes back when a
/// request ends.
const PAUSE: Duration = Duration::from_millis(50);

/// Clients that are being told that there is no room for them. Above that they are told nothing.
const TURNED_AWAY: usize = 64;

/// A request that was sent before the end was asked for, and that is not read yet, is one that is under way. On a machine
/// whose cores are all busy its task may be late.
const STRAGGLERS: Duration = Duration::from_millis(300);

impl Front {
    /// Listens here. Port 0 takes one that is free.
    ///
    /// # Errors
    ///
    /// The address is taken, is not one of this machine, or is not for everybody.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, limits: FrontLimits::default(), tls: None })
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: FrontLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Option<ServerTls>>) -> Self {
        self.tls = tls.into();
        self
    }

    /// The address, with the port.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is asked to stop; then takes no new connections, and comes to an end with those that it has, within
    /// [`FrontLimits::drain_timeout`].
    pub async fn serve<H: Handler>(self, handler: Arc<H>, mut stop: Stop) -> Drained {
        let Self { listener, limits, tls } = self;
        let places = Places::new(limits.connections);
        let mut connections = JoinSet::new();
        let mut turned_away = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.asked() => break,
            };
            // Those that have ended are forgotten.
            while connections.try_join_next().is_some() {}
            while turned_away.try_join_next().is_some() {}
            let (stream, peer) = match accepted {
                Ok((stream, peer)) => (stream, Peer(peer)),
                Err(error) => {
                    tracing::warn!("no connection can be accepted: {error}");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            match places.take() {
                Some(place) => {
                    let handler = Arc::clone(&handler);
                    let served = connection::serve(stream, tls.clone(), peer, place, limits, handler, stop.clone());
                    connections.spawn(served);
                }
                None => {
                    tracing::debug!(%peer, "there are as many connections as there may be, all with a request");
                    // Without a handshake it would not be understood.
                    if tls.is_none() && turned_away.len() < TURNED_AWAY {
                        turned_away.spawn(connection::turn_away(stream));
                    }
                }
            }
        }
        drop(listener);
        drain(&places, &limits).await;
        Drained { cut_off: places.busy() }
    }
}

/// Waits for the requests that are under way.
async fn drain(places: &Places, limits: &FrontLimits) {
    let all = async {
        places.quiet().await;
        if places.open() > 0 {
            sleep(STRAGGLERS).await;
            places.quiet().await;
        }
    };
    let _ = timeout(limits.drain_timeout, all).await;
}
