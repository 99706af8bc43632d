//! wasmtime asks how the body of a request was sent, apart from what its answer is: the interface `wasi:http` 0.3 hands that to the
//! guest. A future that is ready at once says "sent" of a body that may still break off.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::Request;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use wasmtime_wasi_http::Error as WasiError;

/// The request with a body that tells what becomes of it, and what does: an error, if it has failed or was dropped before its end.
pub(super) fn observed<B>(
    request: Request<B>,
) -> (Request<ObservedBody<B>>, impl Future<Output = Result<(), WasiError>> + Send)
where
    B: Body<Data = Bytes, Error = WasiError> + Unpin,
{
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let (sender, receiver) = oneshot::channel();
    let request = request.map(|body| {
        let mut body = ObservedBody { body, left: length, over: Some(sender) };
        body.note_end();
        body
    });
    let transmitted = async { receiver.await.unwrap_or(Err(WasiError::ConnectionTerminated)) };
    (request, transmitted)
}

/// A body that tells what becomes of it.
pub(super) struct ObservedBody<B> {
    body: B,
    /// What is to come of a body of known length: once all is there, it may be asked no more.
    left: Option<u64>,
    over: Option<oneshot::Sender<Result<(), WasiError>>>,
}

impl<B> ObservedBody<B> {
    fn end(&mut self, result: Result<(), WasiError>) {
        if let Some(over) = self.over.take() {
            // Perhaps it interests nobody.
            let _ = over.send(result);
        }
    }

    fn note_end(&mut self)
    where
        B: Body,
    {
        if self.left == Some(0) || self.body.is_end_stream() {
            self.end(Ok(()));
        }
    }
}

impl<B: Body<Data = Bytes, Error = WasiError> + Unpin> Body for ObservedBody<B> {
    type Data = Bytes;
    type Error = WasiError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let taken = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                self.left = self.left.map(|left| left.saturating_sub(taken));
                self.note_end();
            }
            Poll::Ready(Some(Err(error))) => self.end(Err(copy(error))),
            Poll::Ready(None) => self.end(Ok(())),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for ObservedBody<B> {
    fn drop(&mut self) {
        self.end(Err(WasiError::ConnectionTerminated));
    }
}

/// The error goes to the transport as well. wasmtime's cannot be cloned.
fn copy(error: &WasiError) -> WasiError {
    match error {
        WasiError::HttpRequestBodySize(bytes) => WasiError::HttpRequestBodySize(*bytes),
        error => WasiError::InternalError(Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::stream;
    use http_body_util::{BodyExt, Empty, StreamBody};
    use wasmtime_wasi_http::WasiBody;

    use super::*;

    fn frames(frames: Vec<Result<Frame<Bytes>, WasiError>>) -> WasiBody {
        StreamBody::new(stream::iter(frames)).boxed_unsync()
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, WasiError> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    #[tokio::test]
    async fn a_body_is_transmitted_when_its_end_was_taken_and_not_before() {
        let (request, transmitted) = observed(Request::new(frames(vec![data("a"), data("b")])));
        let mut transmitted = Box::pin(transmitted);
        let mut body = request.into_body();
        for _ in 0..2 {
            body.frame().await.unwrap().unwrap();
            assert!(transmitted.as_mut().now_or_never().is_none());
        }
        assert!(body.frame().await.is_none());
        assert!(matches!(transmitted.await, Ok(())));
    }

    #[tokio::test]
    async fn a_body_of_known_length_is_transmitted_with_its_last_byte() {
        let request = Request::builder().header(CONTENT_LENGTH, "2").body(frames(vec![data("a"), data("b")])).unwrap();
        let (request, transmitted) = observed(request);
        let mut body = request.into_body();
        for _ in 0..2 {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        assert!(matches!(transmitted.await, Ok(())));
    }

    #[tokio::test]
    async fn an_empty_body_is_transmitted_at_once() {
        let empty = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let (request, transmitted) = observed(Request::new(empty));
        drop(request);
        assert!(matches!(transmitted.await, Ok(())));
    }

    #[tokio::test]
    async fn a_body_that_fails_is_not_transmitted_and_says_why() {
        let failed = Err(WasiError::HttpRequestBodySize(Some(7)));
        let (request, transmitted) = observed(Request::new(frames(vec![data("a"), failed])));
        assert!(request.into_body().collect().await.is_err());
        assert!(matches!(transmitted.await, Err(WasiError::HttpRequestBodySize(Some(7)))));
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_in_the_middle_is_not_transmitted() {
        let (request, transmitted) = observed(Request::new(frames(vec![data("a"), data("b")])));
        let mut body = request.into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert!(matches!(transmitted.await, Err(WasiError::ConnectionTerminated)));
    }
}
