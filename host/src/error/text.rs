//! What people read: in one line what happened, to which host, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use rustls::AlertDescription;

use super::tls;
use super::{Attempt, ConnectError, Denial, ExchangeError, LossError, Phase, TransportError};
use crate::connect::resolver::is_temporary_lookup_error;
use crate::error::alert;
use crate::route::endpoint::HTTPS_PORT;

/// The innermost cause, which is the one that says something.
fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// What is told of the innermost cause. Of a connection that ends without the goodbye of TLS, rustls says a sentence with a
/// link to its manual.
fn reason(error: &(dyn StdError + 'static)) -> String {
    let text = innermost(error).to_string();
    match text.contains("without sending TLS close_notify") {
        true => "no close_notify".to_owned(),
        false => text,
    }
}

/// `10 s`, `0.5 s`
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Connect { to, error } => {
                write!(f, "not sent to {to}: {error}")?;
                match error {
                    ConnectError::Proxy { error, .. } if to.port != HTTPS_PORT && error.may_be_about_port() => f.write_str(
                        ", or use port 443, which most proxies let through: AWS has HTTPS and MQTT there as well, by ALPN",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Exchange { to, error } => write!(f, "sent to {to}, outcome unknown: {error}"),
            Self::Lost { to, error } => write!(f, "connection to {to} lost: {error}"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute(to) => {
                write!(
                    f,
                    "denied: no route to {to}; add one to the workload if it is meant to be reached, with the port if that is not \
                     usual"
                )
            }
            Self::NotForMqtt(to) => {
                write!(f, "denied: the route to {to} is for HTTPS alone; make it one for MQTT if a broker is there")
            }
            Self::Scheme(scheme) => write!(f, "denied: only https is carried, not {scheme}"),
            Self::Url => f.write_str("denied: the URL must be https://HOST[:PORT]/..., without user information"),
            Self::Authority => f.write_str("denied: what to connect to must be HOST:PORT"),
            Self::Withheld(to) => {
                write!(f, "withheld: a rehearsal sends no message, and there is a connection to {to}")
            }
            Self::Method => f.write_str("denied: CONNECT would open a tunnel past the routes; send the request itself"),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitReached { after } => {
                write!(
                    f,
                    "no free connection within {}; send fewer at a time, or raise the limits of the pool",
                    seconds(*after)
                )
            }
            Self::RateLimited { after } => {
                write!(
                    f,
                    "no turn within {} at the pace that was set; send fewer at a time, or set a higher pace",
                    seconds(*after)
                )
            }
            Self::DnsTimeout { after } => {
                write!(f, "no answer from DNS within {}; check the network", seconds(*after))
            }
            Self::Dns(error) if is_temporary_lookup_error(error) => write!(
                f,
                "no address found ({error}); check this machine's network and its name servers, and then the host name"
            ),
            Self::Dns(error) => write!(f, "no address found ({error}); check the host name"),
            Self::Unreachable(attempts) => {
                f.write_str("no address accepts a connection (")?;
                for (index, Attempt { address, error }) in attempts.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match error {
                        Some(error) => write!(f, "{comma}{address}: {error}")?,
                        None => write!(f, "{comma}{address}: no answer in time")?,
                    }
                }
                f.write_str("); check the port and the firewall")
            }
            Self::Timeout { phase, addresses, after } => {
                let (what, before) = match phase {
                    Phase::Tcp => ("no TCP connection", " to "),
                    Phase::Tls => ("no end of the TLS handshake", " with "),
                };
                f.write_str(what)?;
                for (index, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if index == 0 { before } else { ", " })?;
                }
                write!(f, " within {}; check the network, or give it more time", seconds(*after))
            }
            Self::Certificate(reason) => {
                let (what, hint) = tls::certificate(reason);
                write!(f, "the server's certificate is refused: {what}; {hint}")
            }
            Self::Alert(alert) => write!(
                f,
                "the server refused the TLS handshake with {}; {}",
                alert::name(*alert),
                alert::hint(*alert)
            ),
            Self::Tls(error) => write!(f, "the TLS handshake failed ({}); check host and port", tls::fault(error)),
            Self::OutOfDescriptors => f.write_str(
                "this machine lets this process open no more files and connections (`ulimit -n` shows its limit); raise that, or \
                 send fewer messages at a time",
            ),
            Self::Proxy { proxy, error } => write!(f, "the proxy {proxy} {error}"),
            Self::Closed(error) => write!(
                f,
                "the server closed the connection before the request ({}); check the port, the ALPN and the device certificate",
                reason(error.as_ref())
            ),
        }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer { after } => write!(f, "no answer within {}; give it more time", seconds(*after)),
            Self::Closed(error) => write!(
                f,
                "the connection closed without an answer ({}); if it always does, check that the device certificate is active",
                reason(error)
            ),
            Self::Alert(alert) => {
                write!(
                    f,
                    "the server broke the TLS connection with {}; {}",
                    alert::name(*alert),
                    after_handshake(*alert)
                )
            }
            Self::Malformed(error) => write!(f, "the answer is not HTTP/1.1 ({}); check the port", reason(error)),
            Self::HeadTooLarge(error) => write!(
                f,
                "the answer is HTTP with too many headers, or too long ones ({}); check proxies on the way",
                reason(error)
            ),
            Self::Body(error) => write!(
                f,
                "the component did not finish the request's body ({}); write as much as it announces, then finish",
                reason(error)
            ),
            Self::Truncated(error) => {
                write!(f, "the answer broke off ({}); if it always does, check proxies on the way", reason(error))
            }
            Self::Stalled { after } => {
                write!(f, "the answer stopped for {}; give it more time", seconds(*after))
            }
            Self::Unread { after } => write!(
                f,
                "the component did not read on for {}, and the connection was closed; read each answer to its end, or drop it",
                seconds(*after)
            ),
        }
    }
}

/// What to do about an alert that leaves open what was done before it.
fn after_handshake(alert: AlertDescription) -> &'static str {
    match alert::may_refuse_client(alert) {
        true => "if it always does, check that the device certificate is active there; else see the server's log",
        false => "see the server's log",
    }
}

impl fmt::Display for LossError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason();
        match self {
            Self::Closed(_) => write!(
                f,
                "the server or the network closed it ({reason}); if it always is, check what the server requires of this device"
            ),
            Self::Alert(alert) => write!(f, "the server broke it with {reason}; {}", after_handshake(*alert)),
            Self::Tls(_) => write!(f, "what came is not TLS ({reason}); check proxies on the way"),
            Self::Outdated => f.write_str("this host has a new configuration, and closed it; connect again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn where_no_name_is_answered_about_the_network_comes_before_the_name() {
        let dns = |said: &str| {
            ConnectError::Dns(io::Error::other(format!("failed to lookup address information: {said}"))).to_string()
        };
        for temporary in ["Temporary failure in name resolution", "Try again"] {
            let text = dns(temporary);
            assert!(
                text.contains("; check this machine's network and its name servers, and then the host name"),
                "{text}"
            );
        }
        assert!(dns("Name or service not known").ends_with("; check the host name"));
    }

    #[test]
    fn a_link_to_the_manual_of_a_library_is_not_shown() {
        let text = "peer closed connection without sending TLS close_notify: https://a.example/manual";
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, text);
        let closed = ConnectError::Closed(io::Error::other(error).into()).to_string();
        assert!(closed.contains("(no close_notify)") && !closed.contains("://"), "{closed}");
        let other = io::Error::new(io::ErrorKind::UnexpectedEof, "end of file before message length reached");
        assert_eq!(reason(&other), "end of file before message length reached");
    }
}
