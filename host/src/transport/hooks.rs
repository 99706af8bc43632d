//! The transport as wasmtime's `wasi:http` sees it.

use std::sync::Arc;

use http::uri::Scheme;
use http::{HeaderName, Request, Response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error as WasiError, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

use crate::transport::{RequestTimeouts, Transport};

/// `wasi:http/outgoing-handler` over a [`Transport`]. One per store.
pub struct TransportHooks {
    transport: Transport,
    forbidden: ForbiddenHeaderFilter,
}

impl TransportHooks {
    /// Hooks for a store whose requests go through `transport`.
    pub fn new(transport: Transport) -> Self {
        Self { transport, forbidden: Arc::new(is_forbidden) }
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

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), WasiError>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let transport = self.transport.clone();
        Box::new(async move {
            match transport.send_within(request, options.unwrap_or_default().into()).await {
                Ok(answer) => {
                    let answer = answer.map(|body| body.map_err(|error| error.to_wasi()).boxed_unsync());
                    // The pool drives the connection, so nothing is left to be awaited here.
                    Ok((answer, Box::new(async { Ok(()) }) as Box<_>))
                }
                Err(error) => {
                    // The guest sees a bare code; this is the sentence that goes with it.
                    tracing::warn!("{error}");
                    Err(error.to_wasi())
                }
            }
        })
    }
}
