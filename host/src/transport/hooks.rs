//! The transport as wasmtime's `wasi:http` sees it.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderName, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error as WasiError, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

use crate::limits::GuestLimits;
use crate::transport::{RequestTimeouts, Transport, transmission};

/// `wasi:http/outgoing-handler` over a [`Transport`]. One per store, and for WASI 0.2 only: nothing of WASI 0.3 (`p3`), which
/// wasmtime-wasi-http 48 calls experimental, is linked or tried here.
///
/// In the state of the store they stand before the `ResourceTable`, as fields are dropped in their order. The body of a
/// request of which a guest has not announced the length ends for `wasmtime-wasi-http` when the table is dropped, as if
/// all of it had been written; that it is not so is known from these hooks being gone.
///
/// The hooks bound what a guest has under way, and the pieces of its bodies. What it takes of the host otherwise, wasmtime has
/// to be told in other places; [`GuestLimits`] has them all.
pub struct TransportHooks {
    transport: Transport,
    forbidden: ForbiddenHeaderFilter,
    body_chunk_bytes: usize,
    /// A permit for each request that is not over.
    in_flight: Arc<Semaphore>,
    /// There as long as the store.
    store: Arc<()>,
    /// What the guest has handed over, sent or not.
    requests_sent: u64,
}

impl TransportHooks {
    /// Hooks for a store whose requests go through `transport`.
    pub fn new(transport: Transport) -> Self {
        let GuestLimits { body_chunk_bytes, requests_in_flight, .. } = GuestLimits::default();
        Self {
            transport,
            forbidden: Arc::new(is_forbidden),
            body_chunk_bytes,
            in_flight: Arc::new(Semaphore::new(requests_in_flight)),
            store: Arc::default(),
            requests_sent: 0,
        }
    }

    /// Requests that the guest has handed over so far, those that were not sent after all included.
    #[cfg(feature = "incoming-handler")]
    pub(crate) fn requests_sent(&self) -> u64 {
        self.requests_sent
    }

    /// Sets [`body_chunk_bytes`](GuestLimits::body_chunk_bytes) and
    /// [`requests_in_flight`](GuestLimits::requests_in_flight) in place of the defaults, before the first request.
    #[must_use]
    pub fn limits(mut self, limits: &GuestLimits) -> Self {
        self.body_chunk_bytes = limits.body_chunk_bytes;
        self.in_flight = Arc::new(Semaphore::new(limits.requests_in_flight.min(Semaphore::MAX_PERMITS)));
        self
    }
}

impl From<RequestOptions> for RequestTimeouts {
    fn from(options: RequestOptions) -> Self {
        Self {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        }
    }
}

/// Headers that would reach past one request to the connection under it, or to another host on it. Everything else is
/// the guest's: `content-length`, which AWS wants, `authorization`, the tokens of custom authorizers.
fn is_forbidden(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
}

/// The body of a guest's request, which ends in an error when its guest is gone. An end like any other would make half a message a
/// whole one.
struct GuestBody {
    body: WasiBody,
    store: Weak<()>,
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = WasiError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let is_cut_off = frame.is_none() && self.store.strong_count() == 0;
        Poll::Ready(if is_cut_off { Some(Err(WasiError::HttpProtocolError)) } else { frame })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The outcome of the guest's request; see [`WasiHttpHooks::send_request`].
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), WasiError>> + Send>), WasiError>;

impl WasiHttpHooks for TransportHooks {
    /// This one and not `is_forbidden_header`: since GHSA-jxcf-8qw5-5c33 all checks come through here.
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::clone(&self.forbidden)
    }

    /// Any, so that the transport can deny what is not https. Refused here, it would reach the guest as "HTTP protocol
    /// error", which also stands for a garbled answer and must be taken for "perhaps delivered".
    fn is_supported_scheme(&mut self, _scheme: &Scheme) -> bool {
        true
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        self.body_chunk_bytes
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), WasiError>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        self.requests_sent = self.requests_sent.saturating_add(1);
        let transport = self.transport.clone();
        let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            tracing::debug!("a guest has as many requests under way as it may; one more is not sent");
            return Box::new(async { Err(WasiError::ConnectionLimitReached) });
        };
        let store = Arc::downgrade(&self.store);
        let (request, transmitted) = transmission::observed(request.map(|body| GuestBody { body, store }));
        Box::new(async move {
            match transport.send_within(request, options.unwrap_or_default().into()).await {
                Ok(answer) => {
                    let answer = answer.map(|body| {
                        let translated = body.map_err(move |error| {
                            // The request is over when its answer is dropped.
                            let _ = &permit;
                            error.to_wasi()
                        });
                        translated.boxed_unsync()
                    });
                    Ok((answer, Box::new(transmitted) as Box<_>))
                }
                Err(error) => {
                    transport.observation.log(&error);
                    Err(error.to_wasi())
                }
            }
        })
    }
}
