//! Errors of the transport as a guest gets to know them.
//!
//! With `wasi:http` it learns a code of WASI and makes a [`TransportErrorKind`] of it. A device that changes from HTTPS to MQTT must
//! not find other names for the same trouble, so here the way leads over the same codes.

use wasmtime_wasi_http::Error as WasiError;

use super::bindings::types::{TransportError as GuestError, TransportErrorKind};
use crate::error::TransportError;

impl From<&TransportError> for GuestError {
    fn from(error: &TransportError) -> Self {
        let (kind, detail) = match error.to_wasi() {
            WasiError::HttpRequestDenied => (TransportErrorKind::Denied, None),
            WasiError::HttpRequestUriInvalid | WasiError::HttpRequestMethodInvalid | WasiError::ConfigurationError => {
                (TransportErrorKind::RequestRejected, None)
            }
            WasiError::DnsTimeout => (TransportErrorKind::NameResolution, None),
            WasiError::DnsError { rcode, .. } => (TransportErrorKind::NameResolution, rcode),
            WasiError::ConnectionRefused => (TransportErrorKind::ConnectionRefused, None),
            WasiError::DestinationUnavailable | WasiError::DestinationIpUnroutable => {
                (TransportErrorKind::Unreachable, None)
            }
            WasiError::ConnectionTimeout => (TransportErrorKind::ConnectTimeout, None),
            WasiError::ConnectionLimitReached => (TransportErrorKind::ConnectionLimit, None),
            WasiError::TlsCertificateError => (TransportErrorKind::TlsCertificate, None),
            WasiError::TlsAlertReceived { alert_message, .. } => (TransportErrorKind::TlsAlert, alert_message),
            WasiError::TlsProtocolError => (TransportErrorKind::TlsProtocol, None),
            WasiError::ConnectionTerminated => ending(error),
            // Of answers, which are not waited for here.
            _ => (TransportErrorKind::Other, None),
        };
        Self { kind, detail }
    }
}

/// There is no code of WASI for it that says more. A server that closes without the goodbye of TLS has closed all the same, and
/// so has one that gives its reason as an alert; a reset may come from anything on the way.
fn ending(error: &TransportError) -> (TransportErrorKind, Option<String>) {
    match error {
        TransportError::Lost { error, .. } => {
            let kind = if error.is_close() {
                TransportErrorKind::ConnectionClosed
            } else {
                TransportErrorKind::ConnectionReset
            };
            (kind, Some(error.reason()))
        }
        _ => (TransportErrorKind::ConnectionClosed, None),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use rustls::{AlertDescription, CertificateError};

    use super::*;
    use crate::connect::proxy::{Proxy, ProxyError};
    use crate::error::{ConnectError, Denial, LossError, Phase};
    use crate::route::Endpoint;

    fn to() -> Endpoint {
        Endpoint::new("a.example", 8883)
    }

    fn by_proxy(error: ProxyError) -> ConnectError {
        ConnectError::Proxy { proxy: Proxy::http("proxy.example", 3128), error }
    }

    fn guest_error(error: TransportError) -> (TransportErrorKind, Option<String>) {
        let GuestError { kind, detail } = GuestError::from(&error);
        (kind, detail)
    }

    #[test]
    fn what_keeps_from_connecting_has_the_names_that_it_has_for_a_request() {
        let after = Duration::from_secs(1);
        for (error, failure) in [
            (ConnectError::LimitReached { after }, TransportErrorKind::ConnectionLimit),
            (ConnectError::RateLimited { after }, TransportErrorKind::ConnectionLimit),
            (ConnectError::DnsTimeout { after }, TransportErrorKind::NameResolution),
            (
                ConnectError::Timeout { phase: Phase::Tls, addresses: Vec::new(), after },
                TransportErrorKind::ConnectTimeout,
            ),
            (ConnectError::Certificate(CertificateError::Expired), TransportErrorKind::TlsCertificate),
            (ConnectError::Tls(rustls::Error::DecryptError), TransportErrorKind::TlsProtocol),
            (ConnectError::Closed("reset".into()), TransportErrorKind::TlsProtocol),
            (ConnectError::Unreachable(Vec::new()), TransportErrorKind::Unreachable),
            (by_proxy(ProxyError::TooLarge), TransportErrorKind::Unreachable),
            (by_proxy(ProxyError::Timeout { after }), TransportErrorKind::ConnectTimeout),
            (
                by_proxy(ProxyError::NoTls(Box::new(ConnectError::Closed(Box::new(io::Error::other("gone")))))),
                TransportErrorKind::TlsProtocol,
            ),
            (
                by_proxy(ProxyError::Credentials { given: true, status: Some(407), schemes: None }),
                TransportErrorKind::RequestRejected,
            ),
        ] {
            assert_eq!(guest_error(TransportError::Connect { to: to(), error }), (failure, None));
        }
        assert_eq!(guest_error(TransportError::Denied(Denial::NoRoute(to()))), (TransportErrorKind::Denied, None));
        assert_eq!(guest_error(TransportError::Denied(Denial::Authority)), (TransportErrorKind::RequestRejected, None));
    }

    #[test]
    fn a_refused_certificate_comes_with_the_name_of_the_alert() {
        let error = ConnectError::Alert(AlertDescription::CertificateRevoked);
        let error = guest_error(TransportError::Connect { to: to(), error });
        assert_eq!(error, (TransportErrorKind::TlsAlert, Some("certificate_revoked".to_owned())));
    }

    #[test]
    fn an_alert_in_mid_connection_is_no_refusal_of_the_handshake() {
        let alert = || io::Error::other(rustls::Error::AlertReceived(AlertDescription::AccessDenied));
        let closed = (TransportErrorKind::ConnectionClosed, Some("access_denied".to_owned()));
        assert_eq!(guest_error(TransportError::lost(to(), alert(), false)), closed);
        assert_eq!(guest_error(TransportError::lost(to(), alert(), true)), closed, "a proxy may say so later as well");
        let about_certificate = io::Error::other(rustls::Error::AlertReceived(AlertDescription::UnknownCA));
        assert_eq!(guest_error(TransportError::lost(to(), about_certificate, true)).0, TransportErrorKind::TlsAlert);
        let error = LossError::Closed(io::ErrorKind::ConnectionReset.into());
        let reset = (TransportErrorKind::ConnectionReset, Some("connection reset".to_owned()));
        assert_eq!(guest_error(TransportError::Lost { to: to(), error }), reset);
    }

    #[test]
    fn a_reset_is_no_close_and_a_close_without_goodbye_is_one() {
        let failure = |error: LossError| guest_error(TransportError::Lost { to: to(), error }).0;
        let broke = |kind: io::ErrorKind| failure(LossError::Closed(kind.into()));
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::TimedOut] {
            assert_eq!(broke(kind), TransportErrorKind::ConnectionReset, "{kind}");
        }
        assert_eq!(broke(io::ErrorKind::UnexpectedEof), TransportErrorKind::ConnectionClosed);
        assert_eq!(failure(LossError::Alert(AlertDescription::InternalError)), TransportErrorKind::ConnectionClosed);
        assert_eq!(failure(LossError::Tls(rustls::Error::DecryptError)), TransportErrorKind::ConnectionReset);
    }
}
