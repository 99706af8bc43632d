//! The answer of a guest, which comes while the guest goes on.
//!
//! A body that a guest does not write to its end, because it has trapped, was stopped or has just returned, ends for
//! `wasmtime-wasi-http` as if it were whole, or not at all. A client would take half of an answer for all of it, or wait for ever.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use wasmtime_wasi_http::Error as WasiError;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

/// What a guest has answered: a response, whose body it may still be writing, or the reason why it has none.
pub type HandlerAnswer = Result<Response<HandlerBody>, WasiError>;

/// The body of a guest's answer.
pub struct HandlerBody {
    body: HyperOutgoingBody,
    end: End,
}

/// What is known of the guest that writes the body.
enum End {
    /// Says when it has come back from the request, and goes away without a word when it was cut short.
    Open(oneshot::Receiver<()>),
    Returned,
    CutShort,
}

/// The reason why the body of an answer ends before its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnswerCutShort {
    /// The guest has trapped or was stopped, or it has come back without having written its answer to the end.
    Unfinished,
    /// The guest says so itself.
    Guest(WasiError),
}

impl fmt::Display for AnswerCutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("the guest has not written its answer to the end"),
            Self::Guest(error) => write!(f, "the guest has given up on its answer: {error}"),
        }
    }
}

impl std::error::Error for AnswerCutShort {}

/// The answer, unless it announces a body and has none. A client would wait for bytes that do not come, or take the head of the next
/// answer for them. What is written of a body, wasmtime counts.
pub(super) fn announced(
    mut answer: Response<HyperOutgoingBody>,
    is_head: bool,
) -> Result<Response<HyperOutgoingBody>, WasiError> {
    let length = answer.headers().get(header::CONTENT_LENGTH);
    let is_empty = length.is_none_or(|length| length.as_bytes().iter().all(|digit| *digit == b'0'));
    if is_empty || is_head || !answer.body().is_end_stream() {
        return Ok(answer);
    }
    match answer.status() {
        // The length of what the client has already.
        StatusCode::NOT_MODIFIED => {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            Ok(answer)
        }
        _ => Err(WasiError::HttpResponseBodySize(Some(0))),
    }
}

impl HandlerBody {
    pub(super) fn new(body: HyperOutgoingBody, returned: oneshot::Receiver<()>) -> Self {
        Self { body, end: End::Open(returned) }
    }

    /// Looks whether the guest still writes. True if it no longer does, and did so until now.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> bool {
        let End::Open(returned) = &mut self.end else { return false };
        match Pin::new(returned).poll(cx) {
            Poll::Pending => false,
            Poll::Ready(returned) => {
                self.end = if returned.is_ok() { End::Returned } else { End::CutShort };
                true
            }
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // What was written between the two looks is to be seen.
        match polled.is_pending() && self.poll_end(cx) {
            true => Pin::new(&mut self.body).poll_frame(cx),
            false => polled,
        }
    }
}

impl Body for HandlerBody {
    type Data = Bytes;
    type Error = AnswerCutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerCutShort>>> {
        match self.poll_body(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(AnswerCutShort::Guest(error)))),
            Poll::Ready(None) => {
                // The store outlives its end's being known, so an end that came before that is the guest's own.
                self.poll_end(cx);
                match self.end {
                    End::CutShort => Poll::Ready(Some(Err(AnswerCutShort::Unfinished))),
                    End::Open(_) | End::Returned => Poll::Ready(None),
                }
            }
            Poll::Pending => match self.end {
                End::Open(_) => Poll::Pending,
                End::Returned | End::CutShort => Poll::Ready(Some(Err(AnswerCutShort::Unfinished))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for HandlerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerBody").finish_non_exhaustive()
    }
}
