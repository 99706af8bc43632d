//! Bodies: that of a request with whatever its sender calls an error, and that of an answer with its timeout, its errors,
//! and the connection under it.
//!
//! A connection is free again when the last byte of the answer has been read, and a component that has read as much as
//! `content-length` promised may never ask for the end. So the connection is given back with the last frame, not with
//! the end of the stream; and when the answer is not read, the pool takes it back.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep_until};

use crate::clock::later;
use crate::error::{ExchangeError, TransportError};
use crate::observe::Observation;
use crate::pool::{Lease, UnderAnswer};
use crate::route::Endpoint;
use crate::transport::live_config::LiveTarget;

/// The body of a request as the pooled connections take it: one type for all, since they serve all.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// What the sender of a request says of its own body. A type of its own, so that it is found again among the errors of
/// the connection.
#[derive(Debug)]
pub(crate) struct BodyError(Box<dyn StdError + Send + Sync>);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for BodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// The body of a request, whatever it was.
pub(crate) fn request_body<B>(body: B) -> RequestBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    body.map_err(|error| BodyError(error.into())).boxed_unsync()
}

/// The body of an answer. Holds the connection that it comes over, and gives it back with the last byte.
pub struct AnswerBody {
    incoming: Incoming,
    /// Where it comes from.
    live: LiveTarget,
    /// Until the answer is over.
    under: Option<UnderAnswer>,
    silence: Pin<Box<Sleep>>,
    between_bytes: Duration,
    observation: Observation,
}

impl AnswerBody {
    pub(crate) fn new(
        incoming: Incoming,
        live: LiveTarget,
        lease: Lease,
        between_bytes: Duration,
        observation: Observation,
    ) -> Self {
        let until = later(between_bytes);
        let under = match incoming.is_end_stream() {
            true => {
                lease.give_back(&live);
                None
            }
            false => Some(lease.under_answer(until)),
        };
        Self { incoming, live, under, silence: Box::pin(sleep_until(until)), between_bytes, observation }
    }

    /// Whose answer it is.
    pub(crate) fn from(&self) -> &Endpoint {
        &self.live.target.to
    }

    /// Something came. If it was the last, the connection is free again.
    fn advance(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
            return;
        }
        let until = later(self.between_bytes);
        self.silence.as_mut().reset(until);
        if let Some(under) = &self.under {
            under.keep(until);
        }
    }

    /// False if the pool has closed it, because the answer was not read.
    fn give_back(&mut self) -> bool {
        let Some(under) = self.under.take() else { return true };
        under.end().map(|lease| lease.give_back(&self.live)).is_some()
    }

    /// The answer ends before its end, for this reason or because it was not read for too long.
    fn fail(&mut self, error: ExchangeError) -> TransportError {
        let is_closed = self.under.take().is_some_and(|under| under.end().is_none());
        let error = if is_closed { ExchangeError::Unread { after: self.between_bytes } } else { error };
        let error = TransportError::Exchange { to: self.live.target.to.clone(), error };
        self.observation.log(&error);
        self.observation.answer_broke(&error);
        error
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.advance();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(self.fail(ExchangeError::Truncated(error))))),
            Poll::Ready(None) if self.give_back() => Poll::Ready(None),
            // When its connection is closed from here, it ends as if it were complete.
            Poll::Ready(None) => {
                let after = self.between_bytes;
                Poll::Ready(Some(Err(self.fail(ExchangeError::Unread { after }))))
            }
            Poll::Pending => {
                ready!(self.silence.as_mut().poll(cx));
                let after = self.between_bytes;
                Poll::Ready(Some(Err(self.fail(ExchangeError::Stalled { after }))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").field("from", &self.live.target.to).finish_non_exhaustive()
    }
}

/// An answer of which only the status mattered: hyper reads over a rest that is already there and closes otherwise, and
/// the next request finds out which.
impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.give_back();
    }
}
