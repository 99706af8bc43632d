//! The body of a request, on its way to a guest. A guest that waits for bytes which never come would hold an instance for as
//! long as its caller likes.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::FrontLimits;

/// A body that ends in an error when it is too long, or takes too long.
pub struct RequestBody {
    body: Incoming,
    bytes_left: u64,
    stall_timeout: Duration,
    body_timeout: Duration,
    /// When all of it has to be there: from when it is read first. Before that it is not the client that is slow: hyper asks for no
    /// byte, and sends no `100 Continue`, of a body that is not read.
    deadline: Option<Instant>,
    /// While the next piece is waited for: the end of patience with it.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// The reason why a body did not come to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestBodyError {
    /// It is longer than [`FrontLimits::body_bytes`].
    TooLarge,
    /// It took too long: [`FrontLimits::stall_timeout`], [`FrontLimits::body_timeout`].
    TooSlow,
    /// The connection ended before it, or it is no HTTP.
    Incomplete(hyper::Error),
}

impl RequestBody {
    pub(super) fn new(body: Incoming, limits: &FrontLimits) -> Self {
        let FrontLimits { body_bytes, stall_timeout, body_timeout, .. } = *limits;
        Self { body, bytes_left: body_bytes, stall_timeout, body_timeout, deadline: None, stalled: None }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let now = Instant::now();
        let timeout = self.body_timeout;
        let deadline = *self.deadline.get_or_insert_with(|| now + timeout);
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            let until = deadline.min(now + self.stall_timeout);
            let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(until)));
            ready!(stalled.as_mut().poll(cx));
            return Poll::Ready(Some(Err(RequestBodyError::TooSlow)));
        };
        self.stalled = None;
        let Some(frame) = frame else { return Poll::Ready(None) };
        let frame = frame.map_err(RequestBodyError::Incomplete)?;
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        let Some(left) = self.bytes_left.checked_sub(length) else {
            return Poll::Ready(Some(Err(RequestBodyError::TooLarge)));
        };
        self.bytes_left = left;
        if now > deadline {
            return Poll::Ready(Some(Err(RequestBodyError::TooSlow)));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Display for RequestBodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the body of the request is longer than this server takes"),
            Self::TooSlow => f.write_str("the body of the request did not come in time"),
            Self::Incomplete(_) => f.write_str("the body of the request did not come to its end"),
        }
    }
}

impl StdError for RequestBodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Incomplete(error) => Some(error),
            Self::TooLarge | Self::TooSlow => None,
        }
    }
}
