//! Spans of `tracing`, with the names that OpenTelemetry has for clients
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>).
//!
//! A span covers a request up to the head of its answer, or a dialing up to its connection. What is made on the way and
//! outlives it, the task that drives a connection above all, is not in it: the span of the first request over a kept connection would
//! otherwise end with the connection.

use http::{Request, Response};
use rustls::ProtocolVersion;
use tokio_rustls::client::TlsStream;
use tracing::Span;
use tracing::field::{Empty, display};

use super::Handshake;
use super::metered::Metered;
use crate::error::{ConnectError, TransportError};
use crate::route::Endpoint;

/// For a request. The path is left out: it is the topic.
pub(crate) fn request<B>(request: &Request<B>) -> Span {
    let uri = request.uri();
    tracing::info_span!(
        "request",
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = request.method().as_str(),
        server.address = uri.host(),
        server.port = uri.port_u16().unwrap_or(443),
        network.protocol.name = "http",
        network.protocol.version = "1.1",
        http.response.status_code = Empty,
        error.type = Empty,
    )
}

/// For a connection that is dialed, if what is to be dialed is a destination.
pub(crate) fn dial(to: Option<&Endpoint>) -> Span {
    tracing::info_span!(
        "dial",
        otel.kind = "client",
        otel.status_code = Empty,
        server.address = to.map(|to| to.host.as_str()),
        server.port = to.map(|to| to.port),
        network.protocol.name = "mqtt",
        error.type = Empty,
    )
}

/// For a new connection, which belongs to the request or the dialing that waits for it.
pub(crate) fn connect(to: &Endpoint) -> Span {
    tracing::info_span!(
        "connect",
        otel.status_code = Empty,
        server.address = to.host,
        server.port = to.port,
        network.transport = "tcp",
        network.peer.address = Empty,
        network.peer.port = Empty,
        tls.protocol.version = Empty,
        tls.resumed = Empty,
        error.type = Empty,
    )
}

/// How connecting ended. The peer is that which was dialed: with a proxy it is the proxy.
pub(crate) fn record_connection(span: &Span, result: &Result<TlsStream<Metered>, ConnectError>) {
    // What is recorded costs a call of the system.
    if span.is_disabled() {
        return;
    }
    match result {
        Ok(stream) => {
            let (metered, tls) = stream.get_ref();
            if let Ok(peer) = metered.tcp().peer_addr() {
                span.record("network.peer.address", display(peer.ip())).record("network.peer.port", peer.port());
            }
            let version = match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "1.2",
                _ => "1.3",
            };
            span.record("tls.protocol.version", version);
            span.record("tls.resumed", Handshake::of(tls) == Handshake::Resumed);
        }
        Err(error) => {
            span.record("error.type", error.error_type());
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// How a request ended.
pub(crate) fn record_answer<B>(span: &Span, result: &Result<Response<B>, TransportError>) {
    match result {
        Ok(answer) => {
            let status = answer.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.record("error.type", status.as_str());
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(error) => record_error(span, error),
    }
}

/// Why there is no answer, or no connection.
pub(crate) fn record_error(span: &Span, error: &TransportError) {
    span.record("error.type", error.error_type());
    span.record("otel.status_code", "ERROR");
}
