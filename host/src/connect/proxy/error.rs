//! Why a proxy gives no way, told so that the user knows whom to ask: himself about a password, the administrator of the proxy
//! about a policy, or the owner of the server behind it.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use super::ProxyProtocol;
use crate::error::{ConnectError, seconds};

/// The reason why there is no way through a proxy. The server behind it has not heard of the request.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// There is no connection to the proxy itself.
    Unreachable(Box<ConnectError>),
    /// The proxy has not opened the way in time.
    Timeout {
        /// The connect timeout.
        after: Duration,
    },
    /// The proxy wants to know who asks, or does not accept who does.
    Credentials {
        /// Whether it was told a user and a password.
        given: bool,
        /// The status of its answer, 407 or 401. SOCKS5 has none.
        status: Option<u16>,
        /// The ways to authenticate that it offers, if Basic is none of them.
        schemes: Option<String>,
    },
    /// The proxy refuses.
    Refused(ProxyRefusal),
    /// The connection to the proxy ended before it had answered.
    Closed(io::Error),
    /// What it answers is not what a proxy of this kind answers.
    Malformed(ProxyProtocol),
    /// What it answers has no end.
    TooLarge,
    /// What is asked for is no host name.
    Destination,
    /// The proxy has opened a way, and it is none to a server of TLS: what comes over it is something else, such as a page of the
    /// proxy itself, or it is closed or stays silent in the handshake.
    NoTls(Box<ConnectError>),
}

/// The refusal of a proxy, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyRefusal {
    /// By CONNECT.
    Http {
        /// The status, which is not one of success.
        status: u16,
        /// The words that go with it, without control characters. May be empty.
        text: String,
    },
    /// By SOCKS5, with this code of reply.
    Socks5(u8),
}

impl ProxyError {
    /// Whether the time to connect was over.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Unreachable(error) | Self::NoTls(error) => {
                matches!(**error, ConnectError::Timeout { .. } | ConnectError::DnsTimeout { .. })
            }
            _ => false,
        }
    }

    /// Its kind in one word.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "proxy_unreachable",
            Self::Timeout { .. } => "proxy_timeout",
            Self::Credentials { .. } => "proxy_credentials",
            Self::Refused(_) => "proxy_refused",
            Self::Closed(_) => "proxy_closed",
            Self::Malformed(_) | Self::TooLarge => "proxy_malformed",
            Self::Destination => "proxy_destination",
            Self::NoTls(_) => "proxy_no_tls",
        }
    }

    /// Whether the proxy may let another port through.
    pub(crate) fn may_be_about_port(&self) -> bool {
        match self {
            Self::Refused(ProxyRefusal::Http { status, .. }) => !matches!(status, 405 | 429 | 501),
            Self::Refused(ProxyRefusal::Socks5(code)) => matches!(code, 1 | 2 | 5),
            Self::Timeout { .. } | Self::NoTls(_) => true,
            Self::Unreachable(_)
            | Self::Credentials { .. }
            | Self::Closed(_)
            | Self::Malformed(_)
            | Self::TooLarge
            | Self::Destination => false,
        }
    }
}

impl fmt::Display for ProxyError {
    /// Goes on where the proxy has been named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "cannot be reached: {error}"),
            Self::Timeout { after } => write!(
                f,
                "has not opened a way to the destination within {}; check its port and its kind, and that it can reach the destination, or give \
                 it more time",
                seconds(*after)
            ),
            Self::Credentials { schemes: Some(schemes), status, .. } => write!(
                f,
                "wants to be authenticated to by {schemes}{}, and all that is known here is Basic; ask who runs it for an account \
                 with Basic, or for this host to be let through",
                in_brackets(*status)
            ),
            Self::Credentials { given: true, schemes: None, status } => write!(
                f,
                "does not accept this user and password{}; check both: the file of --proxy-user-file has them as they are, and in a \
                 URL what is special in them is percent-encoded (%40 for @)",
                in_brackets(*status)
            ),
            Self::Credentials { given: false, schemes: None, status } => write!(
                f,
                "wants a user and a password{}; write USER:PASSWORD to a file that only you can read, and give that as \
                 --proxy-user-file",
                in_brackets(*status)
            ),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Closed(error) => {
                write!(
                    f,
                    "closed the connection without an answer ({error}); check its port, and whether it is a proxy"
                )
            }
            Self::Malformed(ProxyProtocol::Http) => f.write_str(
                "does not answer as an HTTP proxy does; check its port, or whether it is one for socks5h://",
            ),
            Self::Malformed(ProxyProtocol::Socks5) => {
                f.write_str("does not answer as a SOCKS5 proxy does; check its port, or whether it is one for http://")
            }
            Self::TooLarge => {
                f.write_str("answers with a head that does not end; check its port, and whether it is a proxy")
            }
            Self::Destination => f.write_str("is not asked: the destination is no host name; check --connect-to"),
            Self::NoTls(error) => write!(
                f,
                "has opened a way, and there is no TLS over it ({}); ask who runs it to let this host and port through as they are",
                without_advice(error)
            ),
        }
    }
}

/// What happened, without what would be done about it if there were no proxy.
fn without_advice(error: &ConnectError) -> String {
    let text = error.to_string();
    text.split_once("; ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// ` (407)`, or nothing.
fn in_brackets(status: Option<u16>) -> String {
    status.map(|status| format!(" ({status})")).unwrap_or_default()
}

impl fmt::Display for ProxyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { status, text } => {
                let space = if text.is_empty() { "" } else { " " };
                let step = match status {
                    403 | 451 => "ask who runs it to allow this host and port",
                    405 | 501 => "it takes no CONNECT; check that this is a proxy for HTTPS",
                    404 | 500 | 502..=504 => "it cannot reach the destination; check host and port, and its way out",
                    429 => "it is asked too often; send fewer at a time",
                    _ => "see the log of the proxy",
                };
                write!(f, "refuses with {status}{space}{text}; {step}")
            }
            Self::Socks5(code) => {
                let (name, step) = match code {
                    1 => ("general failure", "check host and port, and the log of the proxy"),
                    2 => ("not allowed by its rules", "ask who runs it to allow this host and port"),
                    3 => ("network unreachable", "check the way out that it has"),
                    4 => ("host unreachable", "check the host name, and the way out that it has"),
                    5 => ("connection refused", "check host and port"),
                    6 => ("time to live expired", "check the way out that it has"),
                    7 => ("command not supported", "it makes no connections for others; give another proxy"),
                    8 => (
                        "address type not supported",
                        "it takes no names, or no addresses of this kind; give another proxy",
                    ),
                    _ => ("no known reason", "see the log of the proxy"),
                };
                write!(f, "refuses with reply {code}, {name}; {step}")
            }
        }
    }
}

impl StdError for ProxyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unreachable(error) | Self::NoTls(error) => Some(error.as_ref()),
            Self::Closed(error) => Some(error),
            Self::Timeout { .. }
            | Self::Credentials { .. }
            | Self::Refused(_)
            | Self::Malformed(_)
            | Self::TooLarge
            | Self::Destination => None,
        }
    }
}
