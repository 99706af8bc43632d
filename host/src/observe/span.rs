//! Spans of `tracing`, with the names that OpenTelemetry has for clients
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>).
//!
//! A span covers a request up to the head of its answer, or a dialing up to its connection. What is made on the way and
//! outlives it, the task that drives a connection above all, is not in it: the span of the first request over a kept connection would
//! otherwise end with the connection.

use http::{Request, Response};
use tracing::Span;
use tracing::field::{Empty, display};

use crate::error::TransportError;
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
    span.record("error.type", display(error.error_type()));
    span.record("otel.status_code", "ERROR");
}
