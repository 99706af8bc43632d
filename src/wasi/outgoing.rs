//! The way out: a request in pieces.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use alloc::sync::Arc;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme as WasiScheme,
};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{OutputStream, StreamError};

use super::NS_PER_MS;
use super::transport_error::transport_error;
use crate::exchange::Outgoing;
use crate::http::{Request, Scheme, TransportError, TransportErrorKind};

/// Hands the head of a request to the host. What remains is to write its body.
pub(super) fn begin(
    outgoing: Outgoing,
    scheme: Scheme,
) -> Result<(FutureIncomingResponse, BodyWriter), TransportError> {
    let Outgoing { request, connect_timeout_ms, timeout_ms, .. } = outgoing;
    let (head, body) = head(&request, scheme)?;
    let options = RequestOptions::new();
    let ns = |ms: u32| Some(u64::from(ms) * NS_PER_MS);
    // A host that does not know timeouts says so; our own deadline stands behind them.
    let _ = options.set_connect_timeout(ns(connect_timeout_ms));
    let _ = options.set_first_byte_timeout(ns(timeout_ms));
    let _ = options.set_between_bytes_timeout(ns(timeout_ms));
    let answer = handle(head, Some(options)).map_err(transport_error)?;
    Ok((answer, BodyWriter::new(body, request.body)?))
}

fn head(request: &Request, scheme: Scheme) -> Result<(OutgoingRequest, OutgoingBody), TransportError> {
    let headers: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| (name.as_ref().to_owned(), value.as_bytes().to_vec())).collect();
    let headers = Fields::from_list(&headers).map_err(|_| rejected("a header"))?;
    let head = OutgoingRequest::new(headers);
    let method = match request.method {
        "POST" => Method::Post,
        "GET" => Method::Get,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    };
    head.set_method(&method).map_err(|()| rejected("the method"))?;
    let scheme = match scheme {
        Scheme::Https => WasiScheme::Https,
        Scheme::Http => WasiScheme::Http,
    };
    head.set_scheme(Some(&scheme)).map_err(|()| rejected("the scheme"))?;
    head.set_authority(Some(&request.authority)).map_err(|()| rejected("the authority"))?;
    head.set_path_with_query(Some(&request.path_with_query)).map_err(|()| rejected("the path"))?;
    let body = head.body().map_err(|()| rejected("the body"))?;
    Ok((head, body))
}

fn rejected(part: &str) -> TransportError {
    TransportError { kind: TransportErrorKind::RequestRejected, detail: Some(part.to_owned()) }
}

/// A body on its way. A host guarantees to take 4 KB at a time, no more, so 128 KB are written as it allows.
///
/// The order of the fields is the order in which they are dropped: a child resource must go before its parent.
pub(super) struct BodyWriter {
    /// Only of a host that did not take everything at once: most take a small body as it comes.
    writable: Option<Pollable>,
    stream: OutputStream,
    body: OutgoingBody,
    bytes: Arc<[u8]>,
    written: usize,
}

/// How far a body has come.
pub(super) enum Written {
    /// The host takes no more for now.
    Blocked(BodyWriter),
    /// All of it is with the host.
    Complete,
    /// The host takes no more at all. Why, the answer will tell.
    Abandoned,
}

impl BodyWriter {
    pub fn new(body: OutgoingBody, bytes: Arc<[u8]>) -> Result<Self, TransportError> {
        let stream = body.write().map_err(|()| rejected("the body"))?;
        Ok(Self { writable: None, stream, body, bytes, written: 0 })
    }

    pub fn writable(&self) -> Option<&Pollable> {
        self.writable.as_ref()
    }

    /// Writes as much as the host takes, and tells it when that was all.
    pub fn write(mut self) -> Written {
        match self.try_write() {
            Ok(true) => {
                self.finish();
                Written::Complete
            }
            Ok(false) => {
                self.writable.get_or_insert_with(|| self.stream.subscribe());
                Written::Blocked(self)
            }
            Err(_) => Written::Abandoned,
        }
    }

    fn try_write(&mut self) -> Result<bool, StreamError> {
        while self.written < self.bytes.len() {
            let allowed = usize::try_from(self.stream.check_write()?).unwrap_or(usize::MAX);
            if allowed == 0 {
                return Ok(false);
            }
            let rest = &self.bytes[self.written..];
            let piece = allowed.min(rest.len());
            self.stream.write(&rest[..piece])?;
            self.written += piece;
        }
        // Asked for and not waited for: what was written is the host's, and the answer tells what became of it.
        self.stream.flush()?;
        Ok(true)
    }

    fn finish(self) {
        let Self { writable, stream, body, .. } = self;
        drop(writable);
        drop(stream);
        // It fails when the length does not fit the header, which cannot be, or when the connection is gone, which
        // the answer tells.
        let _ = OutgoingBody::finish(body, None);
    }
}
