//! One HTTP/1.1 connection and the task that drives it.
//!
//! Letting go of a connection is harder than it looks. hyper ends it politely, with a `close_notify`, and waits for
//! the socket to take it; a peer that stopped reading never does, and the task, the socket and its place under the
//! limit would be gone for good. So the driver notices when its handle is dropped, and allows a moment for manners.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use crate::clock::later;
use crate::connect::beside::Beside;
use crate::connect::tls::ends_handshake_early;
use crate::connect::{ConnectDeadline, Connector, Hops};
use crate::error::ConnectError;
use crate::observe::Handshake;
use crate::pool::Place;
use crate::transport::body::RequestBody;
use crate::transport::wire::{Wire, WriteBacklog};

/// The time for the `close_notify` of a connection that was let go of.
const CLOSING: Duration = Duration::from_secs(1);

/// How long a connection that has given its answer may take to be ready again. It takes microseconds, unless the
/// server answered before the request was fully sent; then waiting for the rest is not worth it.
const TURNAROUND: Duration = Duration::from_millis(100);

/// An open connection. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct HttpConnection {
    sender: SendRequest<RequestBody>,
    driver: JoinHandle<hyper::Result<()>>,
    backlog: WriteBacklog,
    /// Whether it has given an answer before.
    answered: bool,
    /// Whether the handshake is over for this side before the server has looked at the client's certificate.
    ends_handshake_early: bool,
    handshake: Handshake,
    _handle: oneshot::Sender<()>,
}

/// Why a request got no answer.
pub(crate) enum SendError {
    /// It never reached the connection, and can go on another one.
    Unsent(Box<Request<RequestBody>>, hyper::Error),
    /// It did, at least in part.
    Unanswered(hyper::Error),
}

impl HttpConnection {
    /// Connects. The place is held as long as the socket is open, be it in use, idle or closing.
    pub(crate) async fn open(
        connector: &Connector,
        hops: &Hops,
        server: &ServerName<'static>,
        config: &Arc<ClientConfig>,
        deadline: ConnectDeadline,
        place: Place,
        beside: Beside,
    ) -> Result<Self, ConnectError> {
        let stream = connector.connect(hops, server, config, deadline, beside).await?;
        let ends_handshake_early = ends_handshake_early(stream.get_ref().1);
        let handshake = Handshake::of(stream.get_ref().1);
        let (wire, backlog) = Wire::new(stream);
        let (sender, connection) = http1::handshake(wire).await.map_err(|error| ConnectError::Closed(error.into()))?;
        let (handle, dropped) = oneshot::channel();
        let driver = tokio::spawn(async move {
            let _place = place;
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                ended = &mut connection => ended,
                _ = dropped => timeout(CLOSING, connection).await.unwrap_or(Ok(())),
            }
        });
        Ok(Self { sender, driver, backlog, answered: false, ends_handshake_early, handshake, _handle: handle })
    }

    /// Whether it may serve another request, as far as is known: the peer has not closed it, and has taken all of the
    /// request before.
    pub(crate) fn is_reusable(&self) -> bool {
        !self.sender.is_closed() && !self.backlog.is_present()
    }

    /// How it began.
    pub(crate) fn handshake(&self) -> Handshake {
        self.handshake
    }

    /// Whether it has given an answer before.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered
    }

    /// Whether the server may still refuse the handshake.
    pub(crate) fn may_be_refused(&self) -> bool {
        !self.answered && self.ends_handshake_early
    }

    /// Waits until the exchange before is entirely over; false if the connection is of no more use.
    pub(crate) async fn is_ready(&mut self, deadline: ConnectDeadline) -> bool {
        matches!(timeout_at(deadline.at.min(later(TURNAROUND)), self.sender.ready()).await, Ok(Ok(())))
    }

    /// Sends a request and waits for the head of its answer. Given up midway, the connection closes itself.
    pub(crate) async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Incoming>, SendError> {
        match self.sender.try_send_request(request).await {
            Ok(response) => {
                self.answered = true;
                Ok(response)
            }
            Err(mut error) => match error.take_message() {
                Some(request) => {
                    let error = self.last_words().await.unwrap_or(error.into_error());
                    Err(SendError::Unsent(Box::new(request), error))
                }
                None => Err(SendError::Unanswered(error.into_error())),
            },
        }
    }

    /// The error that ended the connection between two requests, when there was no request to fail: a TLS alert above all.
    async fn last_words(&mut self) -> Option<hyper::Error> {
        match timeout(TURNAROUND, &mut self.driver).await {
            Ok(Ok(Err(error))) => Some(error),
            _ => None,
        }
    }
}
