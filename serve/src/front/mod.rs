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
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

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
    /// Requests that were under way when the time for them was over, and those whose guest was stopped for it.
    pub cut_off: usize,
}

/// The pause after a connection could not be accepted: most of the time there are no descriptors left, and one comes back when a
/// request ends.
const PAUSE: Duration = Duration::from_millis(50);

/// Clients that are being told that there is no room for them. Above that they are told nothing.
const TURNED_AWAY: usize = 64;

/// With no further connection in so long the system has taken none that the server has not.
const NO_MORE: Duration = Duration::from_millis(10);

/// For requests that were begun at the last moment: twice as long as a connection may begin one.
const STRAGGLERS: Duration = connection::LAST_LOOK.saturating_mul(2);

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
        let mut open = OpenConnections {
            places: Places::new(limits.connections),
            served: JoinSet::new(),
            turned_away: JoinSet::new(),
            limits,
            tls,
            handler,
            stop: stop.clone(),
        };
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.asked() => break,
            };
            match accepted {
                Ok((stream, peer)) => open.serve(stream, Peer(peer)),
                Err(error) => {
                    tracing::warn!("no connection can be accepted: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
        // Those whose connection the system has taken already would be reset, and could not know that nothing of them was read.
        let deadline = Instant::now() + connection::LAST_LOOK;
        while Instant::now() < deadline
            && let Ok(Ok((stream, peer))) = timeout(NO_MORE, listener.accept()).await
        {
            open.serve(stream, Peer(peer));
        }
        drop(listener);
        drain(&open.places, &open.limits).await;
        Drained { cut_off: open.places.busy() }
    }
}

/// All connections of a front. They end with this.
struct OpenConnections<H> {
    places: Arc<Places>,
    served: JoinSet<()>,
    turned_away: JoinSet<()>,
    limits: FrontLimits,
    tls: Option<ServerTls>,
    handler: Arc<H>,
    stop: Stop,
}

impl<H: Handler> OpenConnections<H> {
    fn serve(&mut self, stream: TcpStream, peer: Peer) {
        // Those that have ended are forgotten.
        while self.served.try_join_next().is_some() {}
        while self.turned_away.try_join_next().is_some() {}
        let Some(place) = self.places.take() else {
            tracing::debug!(%peer, "there are as many connections as there may be, all with a request");
            // Without a handshake it would not be understood.
            if self.tls.is_none() && self.turned_away.len() < TURNED_AWAY {
                self.turned_away.spawn(connection::turn_away(stream));
            }
            return;
        };
        let (tls, handler, stop) = (self.tls.clone(), Arc::clone(&self.handler), self.stop.clone());
        self.served.spawn(connection::serve(stream, tls, peer, place, self.limits, handler, stop));
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
