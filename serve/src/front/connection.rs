//! One connection, from its handshake to the last byte that its client sends.

use std::convert::Infallible;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::body::RequestBody;
use super::limits::FrontLimits;
use super::places::Place;
use super::stall::Stalling;
use super::stop::Stop;
use super::tls::ServerTls;
use super::{Handler, Peer};
use crate::problem::{AnswerBody, BoxError, Problem};

/// How long a client may go on sending when it has its answer already. A socket that is closed with something unread resets the
/// connection, and the reset may overtake the answer: a device that sends too much would learn nothing.
const LINGER: Duration = Duration::from_secs(2);

/// How long a connection may still begin a request when the end was asked for. On a machine whose cores are all busy its task may be
/// late.
pub(super) const LAST_LOOK: Duration = Duration::from_millis(200);

/// The most that is read of what is of no use.
const LINGER_BYTES: u64 = 4 * 1024 * 1024;

/// Serves one connection to its end.
pub(super) async fn serve<H: Handler>(
    stream: TcpStream,
    tls: Option<ServerTls>,
    peer: Peer,
    place: Place,
    limits: FrontLimits,
    handler: Arc<H>,
    stop: Stop,
) {
    // An answer is one piece, and nothing is to be gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let place = Arc::new(place);
    let served = async {
        match tls {
            None => requests(stream, peer, &place, limits, handler, stop).await,
            Some(tls) => {
                let handshake = TlsAcceptor::from(tls.config()).accept(stream);
                match timeout(limits.header_timeout, handshake).await {
                    Ok(Ok(stream)) => requests(stream, peer, &place, limits, handler, stop).await,
                    Ok(Err(error)) => tracing::debug!(%peer, "a client does not get through the handshake: {error}"),
                    Err(_) => tracing::debug!(%peer, "a client does not come to an end with its handshake"),
                }
            }
        }
    };
    tokio::select! {
        () = served => {}
        () = place.evicted() => tracing::debug!(%peer, "a connection without a request had to make room"),
    }
}

async fn requests<S, H>(stream: S, peer: Peer, place: &Arc<Place>, limits: FrontLimits, handler: Arc<H>, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let service = service_fn(|request: Request<Incoming>| {
        let begins = place.begins();
        // Before anything is awaited: a client that leaves early ends it too.
        let request_guard = RequestGuard(Arc::clone(place));
        let handler = Arc::clone(&handler);
        async move {
            let answer = if !begins {
                overloaded()
            } else if !has_one_host(&request) {
                without_host()
            } else if announces_too_much(&request, &limits) {
                too_large()
            } else {
                let mut request = request.map(|body| RequestBody::new(body, &limits));
                request.extensions_mut().insert(peer);
                handler.handle(request).await
            };
            Ok::<_, Infallible>(answer.map(|body| GuardedBody { body, _request: request_guard }))
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes.max(8192))
        .serve_connection(TokioIo::new(Stalling::new(stream, Arc::clone(place), limits.stall_timeout)), service);
    let ended = tokio::select! {
        // Of a process that was late, it has what had come before it is told to end.
        biased;
        ended = &mut connection => ended,
        () = asked(&mut stop) => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    match ended {
        Ok(()) => linger(connection.into_parts().io.into_inner()).await,
        Err(error) => {
            tracing::debug!(%peer, "a connection ends: {error}");
            // What cannot be read as HTTP has been answered too.
            if error.is_parse() {
                linger(connection.into_parts().io.into_inner()).await;
            }
        }
    }
}

/// The end was asked for, and what had come by then is read: hyper closes a connection of which it has read nothing, and the request
/// that lies there would be reset.
async fn asked(stop: &mut Stop) {
    stop.asked().await;
    sleep(LAST_LOOK).await;
}

/// HTTP/1.1 demands it, and a request that two servers read differently is how others are smuggled past the first.
fn has_one_host(request: &Request<Incoming>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() != Version::HTTP_11,
        count => count == 1,
    }
}

/// Its place is that of another connection by now.
fn overloaded() -> Response<AnswerBody> {
    let detail = "this server has as many connections as it may";
    let problem = Problem::not_sent(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail);
    problem.retry_after_seconds(1).answer()
}

fn without_host() -> Response<AnswerBody> {
    Problem::not_sent(
        StatusCode::BAD_REQUEST,
        "host-missing",
        "the request has not one `Host` header, which HTTP/1.1 demands",
    )
    .answer()
}

fn announces_too_much(request: &Request<Incoming>, limits: &FrontLimits) -> bool {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > limits.body_bytes)
}

fn too_large() -> Response<AnswerBody> {
    let mut answer = Problem::not_sent(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload-too-large",
        "the body of the request is longer than this server takes",
    )
    .answer();
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Reads on, so that the client sees its answer, until it closes too.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let until_closed = async {
        let _ = stream.shutdown().await;
        let mut rest = pin!(stream.take(LINGER_BYTES));
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(1..) = rest.read(&mut buffer).await {}
    };
    let _ = timeout(LINGER, until_closed).await;
}

/// A full server has one word for all, and does not wait until it was heard.
pub(super) async fn turn_away(mut stream: TcpStream) {
    let body = concat!(
        r#"{"type":"urn:thingpost:problem:overloaded","title":"Service Unavailable","status":503,"#,
        r#""detail":"this server has as many connections as it may","outcome":"not-sent","cause":"overloaded","#,
        r#""retryAfterMs":1000}"#
    );
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
                cache-control: no-store\r\nconnection: close\r\ncontent-length: ";
    let answer = format!("{head}{}\r\n\r\n{body}", body.len());
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        linger(stream).await;
        Ok::<_, std::io::Error>(())
    };
    let _ = timeout(LINGER, said).await;
}

/// Until it is dropped, the request has no answer, or not all of it.
struct RequestGuard(Arc<Place>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.is_answered();
    }
}

/// The answer is made when its body was taken to its end; when it has left, the stream says.
struct GuardedBody {
    body: AnswerBody,
    _request: RequestGuard,
}

/// The reason why an answer breaks off, in a type of its own: a task cannot hold a connection whose bodies fail with a boxed one.
#[derive(Debug)]
struct AnswerError(BoxError);

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AnswerError {}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        Pin::new(&mut self.body).poll_frame(cx).map_err(AnswerError)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
