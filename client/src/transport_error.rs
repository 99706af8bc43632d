//! From the errors of the host's transport to those of the core. A component learns them as codes of WASI; here nothing is lost on
//! the way. The question behind each is the same: can the request have reached the platform?

use std::io;

use thingpost::http::{TransportError, TransportErrorKind as Kind};
use thingpost_host::{Attempt, ConnectError, Denial, ExchangeError, ProxyError, TransportError as HostError};

/// Why there is no answer, or no connection.
pub(crate) fn transport_error(error: &HostError) -> TransportError {
    let (kind, detail) = match error {
        HostError::Denied(Denial::Url | Denial::Authority | Denial::Method) => (Kind::RequestRejected, None),
        HostError::Denied(_) => (Kind::Denied, None),
        HostError::Connect { error, .. } => (connect(error), Some(error.to_string())),
        HostError::Exchange { error, .. } => (exchange(error), Some(error.to_string())),
        HostError::Lost { error, .. } if error.is_close() => (Kind::ConnectionClosed, Some(error.to_string())),
        HostError::Lost { error, .. } => (Kind::ConnectionReset, Some(error.to_string())),
        // Whatever comes to be told apart later: that nothing was sent is known of none of them.
        _ => (Kind::Other, Some(error.to_string())),
    };
    TransportError { kind, detail }
}

fn connect(error: &ConnectError) -> Kind {
    match error {
        ConnectError::LimitReached { .. } | ConnectError::RateLimited { .. } | ConnectError::OutOfDescriptors => {
            Kind::ConnectionLimit
        }
        ConnectError::DnsTimeout { .. } | ConnectError::Dns(_) => Kind::NameResolution,
        ConnectError::Unreachable(attempts) => match Attempt::furthest(attempts) {
            Some(io::ErrorKind::ConnectionRefused) => Kind::ConnectionRefused,
            Some(io::ErrorKind::TimedOut) => Kind::ConnectTimeout,
            _ => Kind::Unreachable,
        },
        ConnectError::Timeout { .. } => Kind::ConnectTimeout,
        ConnectError::Certificate(_) => Kind::TlsCertificate,
        ConnectError::Alert(_) => Kind::TlsAlert,
        // What is wrong is set on this side, and an account that is tried again and again gets locked.
        ConnectError::Proxy { error: ProxyError::Credentials { .. } | ProxyError::Destination, .. } => {
            Kind::RequestRejected
        }
        ConnectError::Proxy { error, .. } if error.is_timeout() => Kind::ConnectTimeout,
        ConnectError::Proxy { .. } => Kind::Unreachable,
        // All of them are from before the request.
        _ => Kind::TlsProtocol,
    }
}

fn exchange(error: &ExchangeError) -> Kind {
    match error {
        ExchangeError::NoAnswer { .. } => Kind::AnswerTimeout,
        ExchangeError::Closed(_) | ExchangeError::Alert(_) => Kind::ConnectionClosed,
        ExchangeError::Malformed(_) | ExchangeError::Body(_) => Kind::Protocol,
        ExchangeError::HeadTooLarge(_) => Kind::AnswerTooLarge,
        ExchangeError::Truncated(_) => Kind::AnswerIncomplete,
        ExchangeError::Stalled { .. } | ExchangeError::Unread { .. } => Kind::AnswerTimeout,
        _ => Kind::Other,
    }
}
