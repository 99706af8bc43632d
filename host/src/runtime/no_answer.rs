//! Failures of the transport as a guest gets to know them.
//!
//! With `wasi:http` it learns a code of WASI and makes a [`Failure`] of it. A device that changes from HTTPS to MQTT must
//! not find other names for the same trouble, so here the way leads over the same codes.

use wasmtime_wasi_http::Error as WasiError;

use super::bindings::exports::thingpost::iot::types::{Failure, NoAnswer};
use crate::error::TransportError;

impl From<&TransportError> for NoAnswer {
    fn from(error: &TransportError) -> Self {
        let (failure, detail) = match error.to_wasi() {
            WasiError::HttpRequestDenied => (Failure::Denied, None),
            WasiError::HttpRequestUriInvalid | WasiError::HttpRequestMethodInvalid => (Failure::RequestRejected, None),
            WasiError::DnsTimeout => (Failure::NameResolution, None),
            WasiError::DnsError { rcode, .. } => (Failure::NameResolution, rcode),
            WasiError::ConnectionRefused => (Failure::ConnectionRefused, None),
            WasiError::DestinationUnavailable | WasiError::DestinationIpUnroutable => (Failure::Unreachable, None),
            WasiError::ConnectionTimeout => (Failure::ConnectTimeout, None),
            WasiError::ConnectionLimitReached => (Failure::ConnectionLimit, None),
            WasiError::TlsCertificateError => (Failure::TlsCertificate, None),
            WasiError::TlsAlertReceived { alert_message, .. } => (Failure::TlsAlert, alert_message),
            WasiError::TlsProtocolError => (Failure::TlsProtocol, None),
            WasiError::ConnectionTerminated => (Failure::ConnectionClosed, loss(error)),
            // Of answers, which nobody here waits for.
            _ => (Failure::Other, None),
        };
        Self { failure, detail }
    }
}

/// There is no code of WASI for it that says more.
fn loss(error: &TransportError) -> Option<String> {
    match error {
        TransportError::Lost { error, .. } => Some(error.reason()),
        _ => None,
    }
}
