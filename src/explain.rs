//! What is the same on every platform about the text for people. Made last: nothing but people reads it.

use alloc::string::{String, ToString};

use crate::error::{Cause, Error};
use crate::http::TransportErrorKind;

/// The error in words, and the next step where there is one.
pub fn explain(error: &Error) -> String {
    let step = match error.cause {
        Cause::Transport(TransportErrorKind::KeptConnectionClosed) if error.attempts > 1 => Some(CLOSED_EACH_TIME),
        cause => next_step(cause),
    };
    with_step(error, step)
}

/// The error in words, and this next step.
pub fn with_step(error: &Error, step: Option<&str>) -> String {
    let mut text = error.text();
    if let Some(step) = step {
        text.push_str("; ");
        text.push_str(step);
    }
    text
}

/// By how much the local clock is wrong.
pub fn clock(ahead_ms: i64) -> String {
    // The answer was under way for a moment, and its date has whole seconds.
    let minutes = ((ahead_ms.unsigned_abs() + 30_000) / 60_000).to_string();
    let direction = if ahead_ms > 0 { " minutes ahead" } else { " minutes behind" };
    ["the clock is ", &minutes, direction].concat()
}

fn next_step(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Transport(failure) => return failure_step(failure),
        Cause::PayloadTooLarge => "at most 128 KB (131072 bytes) can be sent",
        Cause::Throttled => "send more slowly",
        Cause::ServerError | Cause::Unavailable => "try again later",
        Cause::WrongHostOrPath => "this host or path is not the platform's, check the endpoint",
        Cause::MalformedAnswer => "something other than the platform may have answered, check the endpoint",
        Cause::NotConnected => "connect, or let messages wait in the queue",
        Cause::Expired => "give it a longer message expiry, or see why it had to wait",
        Cause::QueueFull => "check why there is no connection, send less, or raise the limit of the queue",
        _ => return None,
    })
}

/// Of a message that was sent again.
const CLOSED_EACH_TIME: &str = "the server has answered others, and closes connections as requests leave: check proxies on the \
                                way, and try again later";

fn failure_step(failure: TransportErrorKind) -> Option<&'static str> {
    Some(match failure {
        TransportErrorKind::Denied => "name this host and port in the routes of the host",
        TransportErrorKind::NameResolution => "check the spelling of the endpoint, and the name service",
        TransportErrorKind::ConnectionRefused => "check the port, and that nothing blocks it",
        TransportErrorKind::Unreachable | TransportErrorKind::ConnectTimeout => {
            "check the network, and whether a firewall blocks the port"
        }
        TransportErrorKind::ConnectionLimit => "allow more connections in the host, or send fewer messages at once",
        TransportErrorKind::TlsCertificate => {
            "check that the roots in use sign this server, that the endpoint is spelled as its certificate says, \
             and that the clock is right"
        }
        TransportErrorKind::KeptConnectionClosed => {
            "the server closed a kept connection just as the request left: at least once (QoS 1) sends again"
        }
        TransportErrorKind::ConnectionReset => {
            "that is no verdict on what was sent: check the network, and what stands in between, such as a proxy or a \
             firewall"
        }
        TransportErrorKind::TlsProtocol => "check that the port speaks TLS 1.2 or later",
        TransportErrorKind::KeepAliveTimeout => {
            "the link is down, or something on the way has forgotten the connection: check the network, and where a \
             router or a firewall drops silent connections, use a shorter keep-alive"
        }
        _ => return None,
    })
}
