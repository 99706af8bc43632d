//! The last and lossy step: one of the some forty codes of `wasi:http`, which is all that a guest sees.

use std::io;

use wasmtime_wasi_http::Error as WasiError;

use super::{Attempt, ConnectError, Denial, ExchangeError, TransportError, find};
use crate::connect::proxy::ProxyError;
use crate::error::alert;

impl TransportError {
    /// The code that the guest sees.
    pub fn to_wasi(&self) -> WasiError {
        match self {
            Self::Denied(Denial::NoRoute(_) | Denial::NotForMqtt(_) | Denial::Scheme(_) | Denial::Withheld(_)) => {
                WasiError::HttpRequestDenied
            }
            Self::Denied(Denial::Url | Denial::Authority) => WasiError::HttpRequestUriInvalid,
            Self::Denied(Denial::Method) => WasiError::HttpRequestMethodInvalid,
            Self::Connect { error, .. } => error.to_wasi(),
            Self::Exchange { error, .. } => error.to_wasi(),
            Self::Lost { .. } => WasiError::ConnectionTerminated,
        }
    }
}

impl ConnectError {
    fn to_wasi(&self) -> WasiError {
        match self {
            Self::LimitReached { .. } | Self::RateLimited { .. } | Self::OutOfDescriptors => {
                WasiError::ConnectionLimitReached
            }
            Self::DnsTimeout { .. } => WasiError::DnsTimeout,
            Self::Dns(error) => WasiError::DnsError { rcode: Some(error.to_string()), info_code: None },
            Self::Unreachable(attempts) => unreachable_to_wasi(attempts),
            Self::Timeout { .. } => WasiError::ConnectionTimeout,
            Self::Certificate(_) => WasiError::TlsCertificateError,
            Self::Alert(alert) => WasiError::TlsAlertReceived {
                alert_id: Some(u8::from(*alert)),
                alert_message: Some(alert::name(*alert)),
            },
            // What is wrong is set on this side, and an account that is tried again and again gets locked.
            Self::Proxy { error: ProxyError::Credentials { .. } | ProxyError::Destination, .. } => {
                WasiError::ConfigurationError
            }
            Self::Proxy { error, .. } if error.is_timeout() => WasiError::ConnectionTimeout,
            Self::Proxy { error: ProxyError::NoTls(_), .. } => WasiError::TlsProtocolError,
            Self::Proxy { .. } => WasiError::DestinationUnavailable,
            // Not "connection terminated": the guest would have to take that for "perhaps delivered".
            Self::Tls(_) | Self::Closed(_) => WasiError::TlsProtocolError,
        }
    }
}

fn unreachable_to_wasi(attempts: &[Attempt]) -> WasiError {
    match Attempt::furthest(attempts) {
        Some(io::ErrorKind::ConnectionRefused) => WasiError::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => WasiError::ConnectionTimeout,
        Some(io::ErrorKind::NetworkUnreachable) => WasiError::DestinationIpUnroutable,
        _ => WasiError::DestinationUnavailable,
    }
}

impl ExchangeError {
    fn to_wasi(&self) -> WasiError {
        match self {
            Self::NoAnswer { .. } => WasiError::HttpResponseTimeout,
            Self::Closed(_) | Self::Alert(_) => WasiError::ConnectionTerminated,
            Self::Malformed(_) => WasiError::HttpProtocolError,
            Self::HeadTooLarge(_) => WasiError::HttpResponseHeaderSectionSize(None),
            // A body of the wrong length cannot have been a complete request; anything else may have been.
            Self::Body(error) => match find(error) {
                Some(WasiError::HttpRequestBodySize(size)) => WasiError::HttpRequestBodySize(*size),
                _ => WasiError::HttpProtocolError,
            },
            Self::Truncated(_) => WasiError::HttpResponseIncomplete,
            Self::Stalled { .. } | Self::Unread { .. } => WasiError::ConnectionReadTimeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::SocketAddr;

    use super::*;

    fn tried(outcomes: &[Option<ErrorKind>]) -> WasiError {
        let address = SocketAddr::from(([192, 0, 2, 1], 443));
        let attempts = outcomes.iter().map(|outcome| Attempt { address, error: outcome.map(io::Error::from) });
        ConnectError::Unreachable(attempts.collect()).to_wasi()
    }

    #[test]
    fn of_several_addresses_the_one_that_got_furthest_speaks() {
        let no_ipv6 = Some(ErrorKind::NetworkUnreachable);
        let refused = Some(ErrorKind::ConnectionRefused);
        assert!(matches!(tried(&[no_ipv6, refused]), WasiError::ConnectionRefused));
        assert!(matches!(tried(&[no_ipv6, None]), WasiError::ConnectionTimeout));
        assert!(matches!(tried(&[no_ipv6]), WasiError::DestinationIpUnroutable));
        assert!(matches!(tried(&[Some(ErrorKind::HostUnreachable)]), WasiError::DestinationUnavailable));
    }
}
