//! What went wrong between the component and the server, and whether the server may have acted.
//!
//! A guest decides by the error, of which it gets a code, whether a message may be sent again. A code that
//! claims too little doubles messages, one that claims too much loses them. The line runs between [`ConnectError`],
//! which happens while not one byte of the request can have been processed, and [`ExchangeError`], after which nobody
//! on this side can know. Errors stay whole, with their sources, until `TransportError::to_wasi` makes the code
//! of WASI, of which there are some forty.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::connect::proxy::{Proxy, ProxyError};
use crate::route::Endpoint;
use crate::transport::body::BodyError;

mod alert;
mod error_type;
mod text;
pub(crate) mod tls;
mod untrusted;
#[cfg(feature = "hooks")]
mod wasi;

pub(crate) use text::seconds;
pub use untrusted::UntrustedCertificate;

/// The reason why a request has no answer, or why a dialed connection has ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// The request was not even tried.
    Denied(Denial),
    /// There was no usable connection. The server has not acted on the request.
    Connect {
        /// Where to.
        to: Endpoint,
        /// Why.
        error: ConnectError,
    },
    /// The request, or a part of it, was sent. The server may have acted on it.
    Exchange {
        /// Where to.
        to: Endpoint,
        /// Why.
        error: ExchangeError,
    },
    /// A connection that was [dialed](crate::Transport::dial) broke. What was said last may have been heard.
    Lost {
        /// Where to.
        to: Endpoint,
        /// Why.
        error: LossError,
    },
}

/// The reason why a request was not tried.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// No route names this destination.
    NoRoute(Endpoint),
    /// The route to this destination is for HTTPS alone.
    NotForMqtt(Endpoint),
    /// Only https is carried.
    Scheme(String),
    /// The URL has no host, or user information in front of it.
    Url,
    /// What is to be dialed is not a host and a port.
    Authority,
    /// `CONNECT` would open a tunnel past the routes.
    Method,
    /// This is a [rehearsal](crate::Transport::permit_only), and there is a connection.
    Withheld(Endpoint),
}

/// The reason why there is no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// As many connections as allowed were busy for all of the connect timeout.
    LimitReached {
        /// The connect timeout.
        after: Duration,
    },
    /// So many requests wait for their turn at the pace of this route that this one's would not come in time.
    RateLimited {
        /// The connect timeout.
        after: Duration,
    },
    /// The resolver did not answer in time.
    DnsTimeout {
        /// The connect timeout.
        after: Duration,
    },
    /// The resolver has no address for the host.
    Dns(io::Error),
    /// No address accepted a connection.
    Unreachable(Vec<Attempt>),
    /// This process may open no more files and sockets, or this machine cannot. Nothing has left it.
    OutOfDescriptors,
    /// TCP or TLS took too long.
    Timeout {
        /// What it took too long over.
        phase: Phase,
        /// The addresses that were waited for.
        addresses: Vec<SocketAddr>,
        /// The connect timeout.
        after: Duration,
    },
    /// The proxy gives no way to the server.
    Proxy {
        /// Which one.
        proxy: Proxy,
        /// Why.
        error: ProxyError,
    },
    /// The server's certificate is not acceptable.
    Certificate(CertificateError),
    /// The server refused the handshake and said why.
    Alert(AlertDescription),
    /// The handshake failed on this side.
    Tls(rustls::Error),
    /// The server closed the connection during the handshake, or right after it and before the request.
    Closed(Box<dyn StdError + Send + Sync>),
}

/// An address that was tried.
#[derive(Debug)]
pub struct Attempt {
    /// The address.
    pub address: SocketAddr,
    /// What came of it; no error means that there was no answer in time.
    pub error: Option<io::Error>,
}

impl Attempt {
    /// What there is to say of several addresses: the one that got furthest speaks. An answer, even "refused", says more than silence,
    /// which is [`TimedOut`](io::ErrorKind::TimedOut) here, and silence more than a missing route: a machine without IPv6 fails so on half
    /// of all hosts. None where all that happened says less than these.
    pub fn furthest(attempts: &[Self]) -> Option<io::ErrorKind> {
        let kind = |attempt: &Self| attempt.error.as_ref().map_or(io::ErrorKind::TimedOut, io::Error::kind);
        let order = [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::NetworkUnreachable];
        order.into_iter().find(|wanted| attempts.iter().any(|attempt| kind(attempt) == *wanted))
    }
}

/// The part of connecting during which the connect timeout struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the TCP connection.
    Tcp,
    /// Waiting for the TLS handshake.
    Tls,
}

/// The reason why there is no answer, or only a part of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExchangeError {
    /// No answer in time.
    NoAnswer {
        /// The first-byte timeout.
        after: Duration,
    },
    /// The connection broke before an answer.
    Closed(hyper::Error),
    /// An alert that says nothing about the request.
    Alert(AlertDescription),
    /// What came is not HTTP.
    Malformed(hyper::Error),
    /// It is HTTP, with more in its head than is taken.
    HeadTooLarge(hyper::Error),
    /// The guest did not finish the request's body.
    Body(hyper::Error),
    /// The answer began, and broke off.
    Truncated(hyper::Error),
    /// The answer began, and then nothing more came.
    Stalled {
        /// The between-bytes timeout.
        after: Duration,
    },
    /// The answer began, and the guest did not read on. Its connection was closed, and what had not come by then is lost.
    Unread {
        /// The between-bytes timeout.
        after: Duration,
    },
}

/// The reason why a dialed connection broke.
#[derive(Debug)]
#[non_exhaustive]
pub enum LossError {
    /// The server closed it without the goodbye of TLS, or reset it; or the network did.
    Closed(io::Error),
    /// The server broke the TLS connection and said why.
    Alert(AlertDescription),
    /// What came is not TLS, or was changed on its way.
    Tls(rustls::Error),
    /// This host has [closed](crate::Transport::close_outdated) it, as it has another identity, other roots or another route by now.
    Outdated,
}

impl LossError {
    /// Whether the server has closed the connection, as far as can be told from here: with or without `close_notify`.
    pub fn is_close(&self) -> bool {
        match self {
            Self::Closed(error) => error.kind() == io::ErrorKind::UnexpectedEof,
            Self::Alert(_) => true,
            Self::Tls(_) | Self::Outdated => false,
        }
    }

    /// The reason alone.
    pub(crate) fn reason(&self) -> String {
        match self {
            // rustls has a link to its manual here.
            Self::Closed(error) if error.kind() == io::ErrorKind::UnexpectedEof => "no close_notify".to_owned(),
            Self::Closed(error) => error.to_string(),
            Self::Alert(alert) => alert::name(*alert),
            Self::Tls(error) => tls::fault(error),
            Self::Outdated => "the host has a new configuration".to_owned(),
        }
    }
}

impl ConnectError {
    /// The certificate that leads to no authority that is trusted, if that is why.
    pub fn untrusted(&self) -> Option<&UntrustedCertificate> {
        match self {
            Self::Certificate(error) => UntrustedCertificate::within(error),
            _ => None,
        }
    }

    /// The reason why a handshake failed, in which rustls speaks through [`io::Error`].
    pub fn from_handshake(error: io::Error) -> Self {
        match find::<rustls::Error>(&error).cloned() {
            Some(rustls::Error::InvalidCertificate(reason)) => Self::Certificate(reason),
            Some(rustls::Error::AlertReceived(alert)) => Self::Alert(alert),
            Some(other) => Self::Tls(other),
            None => Self::Closed(error.into()),
        }
    }
}

impl TransportError {
    /// hyper gave the request back: it never reached the connection.
    pub(crate) fn unsent(to: Endpoint, error: hyper::Error) -> Self {
        let error = match find::<rustls::Error>(&error).cloned() {
            Some(rustls::Error::AlertReceived(alert)) => ConnectError::Alert(alert),
            Some(other) => ConnectError::Tls(other),
            None => ConnectError::Closed(error.into()),
        };
        Self::Connect { to, error }
    }

    /// hyper kept the request: some of it may have been sent. `may_be_refused` says that nothing came over this connection
    /// before and that it is one of TLS 1.3, so that an alert can still be about the handshake.
    pub(crate) fn unanswered(to: Endpoint, error: hyper::Error, may_be_refused: bool) -> Self {
        if let Some(rustls::Error::AlertReceived(alert)) = find(&error) {
            let alert = *alert;
            return if may_be_refused && alert::refuses_client(alert) {
                Self::Connect { to, error: ConnectError::Alert(alert) }
            } else {
                Self::Exchange { to, error: ExchangeError::Alert(alert) }
            };
        }
        let error = if error.is_parse_too_large() {
            ExchangeError::HeadTooLarge(error)
        } else if error.is_parse() {
            ExchangeError::Malformed(error)
        } else if error.is_body_write_aborted() || find::<BodyError>(&error).is_some() {
            ExchangeError::Body(error)
        } else {
            ExchangeError::Closed(error)
        };
        Self::Exchange { to, error }
    }

    /// A dialed connection broke. `may_be_refused` is as for [`unanswered`](Self::unanswered).
    pub(crate) fn lost(to: Endpoint, error: io::Error, may_be_refused: bool) -> Self {
        let error = match find::<rustls::Error>(&error).cloned() {
            Some(rustls::Error::AlertReceived(alert)) if may_be_refused && alert::refuses_client(alert) => {
                return Self::Connect { to, error: ConnectError::Alert(alert) };
            }
            Some(rustls::Error::AlertReceived(alert)) => LossError::Alert(alert),
            Some(other) => LossError::Tls(other),
            None => LossError::Closed(error),
        };
        Self::Lost { to, error }
    }

    /// A dialed connection was closed from this side.
    pub(crate) fn outdated(to: Endpoint) -> Self {
        Self::Lost { to, error: LossError::Outdated }
    }
}

/// The first error of type `E` in the chain. `io::Error` hides what it wraps from `source()`, so that is looked into.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

impl StdError for Denial {}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::Connect { error, .. } => Some(error),
            Self::Exchange { error, .. } => Some(error),
            Self::Lost { error, .. } => Some(error),
        }
    }
}

impl StdError for LossError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Closed(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::Alert(_) | Self::Outdated => None,
        }
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Dns(error) => Some(error),
            Self::Unreachable(attempts) => {
                attempts.iter().find_map(|attempt| attempt.error.as_ref()).map(|error| error as _)
            }
            Self::Proxy { error, .. } => Some(error),
            Self::Tls(error) => Some(error),
            Self::Closed(error) => Some(error.as_ref()),
            Self::LimitReached { .. }
            | Self::RateLimited { .. }
            | Self::DnsTimeout { .. }
            | Self::Timeout { .. }
            | Self::OutOfDescriptors
            | Self::Certificate(_)
            | Self::Alert(_) => None,
        }
    }
}

impl StdError for ExchangeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Closed(error)
            | Self::Malformed(error)
            | Self::HeadTooLarge(error)
            | Self::Body(error)
            | Self::Truncated(error) => Some(error),
            Self::NoAnswer { .. } | Self::Alert(_) | Self::Stalled { .. } | Self::Unread { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn a_cause_is_found_inside_an_io_error() {
        let alert = rustls::Error::AlertReceived(AlertDescription::UnknownCA);
        let error = io::Error::new(ErrorKind::InvalidData, alert);
        assert!(matches!(ConnectError::from_handshake(error), ConnectError::Alert(AlertDescription::UnknownCA)));
    }
}
