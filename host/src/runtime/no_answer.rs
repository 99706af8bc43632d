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
            WasiError::ConnectionTerminated => ending(error),
            // Of answers, which nobody here waits for.
            _ => (Failure::Other, None),
        };
        Self { failure, detail }
    }
}

/// There is no code of WASI for it that says more. A server that closes without the goodbye of TLS has closed all the same, and
/// so has one that gives its reason as an alert; a reset may come from anything on the way.
fn ending(error: &TransportError) -> (Failure, Option<String>) {
    match error {
        TransportError::Lost { error, .. } => {
            let failure = if error.is_close() { Failure::ConnectionClosed } else { Failure::ConnectionReset };
            (failure, Some(error.reason()))
        }
        _ => (Failure::ConnectionClosed, None),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use rustls::{AlertDescription, CertificateError};

    use super::*;
    use crate::error::{ConnectError, Denial, LossError, Phase};
    use crate::route::Endpoint;

    fn to() -> Endpoint {
        Endpoint::new("a.example", 8883)
    }

    fn no_answer(error: TransportError) -> (Failure, Option<String>) {
        let NoAnswer { failure, detail } = NoAnswer::from(&error);
        (failure, detail)
    }

    #[test]
    fn what_keeps_from_connecting_has_the_names_that_it_has_for_a_request() {
        let after = Duration::from_secs(1);
        for (error, failure) in [
            (ConnectError::LimitReached { after }, Failure::ConnectionLimit),
            (ConnectError::RateLimited { after }, Failure::ConnectionLimit),
            (ConnectError::DnsTimeout { after }, Failure::NameResolution),
            (ConnectError::Timeout { phase: Phase::Tls, after }, Failure::ConnectTimeout),
            (ConnectError::Certificate(CertificateError::Expired), Failure::TlsCertificate),
            (ConnectError::Tls(rustls::Error::DecryptError), Failure::TlsProtocol),
            (ConnectError::Closed("reset".into()), Failure::TlsProtocol),
            (ConnectError::Unreachable(Vec::new()), Failure::Unreachable),
        ] {
            assert_eq!(no_answer(TransportError::Connect { to: to(), error }), (failure, None));
        }
        assert_eq!(no_answer(TransportError::Denied(Denial::NoRoute(to()))), (Failure::Denied, None));
        assert_eq!(no_answer(TransportError::Denied(Denial::Authority)), (Failure::RequestRejected, None));
    }

    #[test]
    fn a_refused_certificate_comes_with_the_name_of_the_alert() {
        let error = ConnectError::Alert(AlertDescription::CertificateRevoked);
        let no_answer = no_answer(TransportError::Connect { to: to(), error });
        assert_eq!(no_answer, (Failure::TlsAlert, Some("certificate_revoked".to_owned())));
    }

    #[test]
    fn an_alert_in_mid_connection_is_no_refusal_of_the_handshake() {
        let alert = || io::Error::other(rustls::Error::AlertReceived(AlertDescription::AccessDenied));
        let closed = (Failure::ConnectionClosed, Some("access_denied".to_owned()));
        assert_eq!(no_answer(TransportError::lost(to(), alert(), false)), closed);
        assert_eq!(no_answer(TransportError::lost(to(), alert(), true)).0, Failure::TlsAlert);
        let error = LossError::Closed(io::ErrorKind::ConnectionReset.into());
        let reset = (Failure::ConnectionReset, Some("connection reset".to_owned()));
        assert_eq!(no_answer(TransportError::Lost { to: to(), error }), reset);
    }

    #[test]
    fn a_reset_is_no_close_and_a_close_without_goodbye_is_one() {
        let failure = |error: LossError| no_answer(TransportError::Lost { to: to(), error }).0;
        let broke = |kind: io::ErrorKind| failure(LossError::Closed(kind.into()));
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::TimedOut] {
            assert_eq!(broke(kind), Failure::ConnectionReset, "{kind}");
        }
        assert_eq!(broke(io::ErrorKind::UnexpectedEof), Failure::ConnectionClosed);
        assert_eq!(failure(LossError::Alert(AlertDescription::InternalError)), Failure::ConnectionClosed);
        assert_eq!(failure(LossError::Tls(rustls::Error::DecryptError)), Failure::ConnectionReset);
    }
}
