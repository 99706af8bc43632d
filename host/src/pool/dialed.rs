//! Connections that belong to one guest until it lets go of them. They are never kept for another one, so of the pool
//! they need what it has beside its idle connections: the bound on sockets, and one TLS configuration for as long as
//! its tickets are good for something. A device that has lost its connection comes back within a second, with a full
//! handshake if the configuration went with the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;
use tokio_rustls::client::TlsStream;

use super::{BucketSettings, Key, Pool, Target};
use crate::connect::ConnectDeadline;
use crate::connect::beside::Beside;
use crate::connect::tls::ends_handshake_early;
use crate::error::ConnectError;
use crate::observe::Handshake;
use crate::observe::metered::Metered;

/// How long a TLS configuration is kept for a device that is away. A device that tries to come back does so every half
/// minute at least. The configuration holds the device's key, so it is not kept for long.
pub(super) const RESUMPTION: Duration = Duration::from_secs(300);

/// A connection of one guest, and what ends it from this side.
pub(crate) struct Dialed {
    pub(crate) stream: TlsStream<Metered>,
    /// The order to end. None once it has come.
    closing: Option<Closing>,
    _places: Places,
}

/// Comes when a dialed connection is to end.
type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection that has just been opened.
pub(crate) struct Opened {
    stream: TlsStream<Metered>,
    places: Places,
}

/// The places of a connection under the limits, which are free again when it is closed.
struct Places {
    /// Keeps the bucket in the table while in use.
    _bucket: Arc<BucketSettings>,
    _turn: OwnedSemaphorePermit,
    _socket: OwnedSemaphorePermit,
}

impl Dialed {
    /// Whether the server may still refuse the handshake, if nothing has come from it.
    pub(crate) fn ends_handshake_early(&self) -> bool {
        ends_handshake_early(self.stream.get_ref().1)
    }
}

impl Opened {
    /// How it began.
    pub(crate) fn handshake(&self) -> Handshake {
        Handshake::of(self.stream.get_ref().1)
    }
}

impl Pool {
    /// A new connection to `target`, for its guest alone.
    pub(crate) async fn dial(&self, target: &Target, deadline: ConnectDeadline) -> Result<Opened, ConnectError> {
        let (bucket, _) = self.bucket(&Key::of(target), target);
        let full = |_elapsed| ConnectError::LimitReached { after: deadline.after };
        let waiting = self.shared.counters.wait();
        let turn = timeout_at(deadline.at, Arc::clone(&bucket.turns).acquire_owned())
            .await
            .map_err(full)?
            .expect("the semaphore is never closed");
        drop(waiting);
        let socket = timeout_at(deadline.at, self.socket()).await.map_err(full)?;
        let stream = loop {
            let connector = &self.shared.connector;
            let beside = Beside::under([&bucket.turns, &self.shared.sockets]);
            match connector.connect(&target.hops, &target.route.server_name, &bucket.tls, deadline, beside).await {
                Err(ConnectError::OutOfDescriptors) => self.wait_for_descriptor(deadline).await?,
                connected => break connected?,
            }
        };
        Ok(Opened { stream, places: Places { _bucket: bucket, _turn: turn, _socket: socket } })
    }
}

impl Dialed {
    /// A connection that ends by itself, or with this.
    pub(crate) fn new(Opened { stream, places }: Opened, closing: Closing) -> Self {
        Self { stream, closing: Some(closing), _places: places }
    }

    /// Waits until it is to end.
    pub(crate) fn poll_closing(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(closing) = &mut self.closing {
            ready!(closing.as_mut().poll(cx));
            self.closing = None;
        }
        Poll::Ready(())
    }
}
