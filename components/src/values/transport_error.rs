//! Why there is no answer, or no connection, as the host says it.

use thingpost::http::{Failure, NoAnswer};

use crate::bindings::of_host as wit;

pub fn transport_error(error: wit::TransportError) -> NoAnswer {
    let failure = match error.kind {
        wit::TransportErrorKind::Denied => Failure::Denied,
        wit::TransportErrorKind::NameResolution => Failure::NameResolution,
        wit::TransportErrorKind::ConnectionRefused => Failure::ConnectionRefused,
        wit::TransportErrorKind::Unreachable => Failure::Unreachable,
        wit::TransportErrorKind::ConnectTimeout => Failure::ConnectTimeout,
        wit::TransportErrorKind::ConnectionLimit => Failure::ConnectionLimit,
        wit::TransportErrorKind::TlsCertificate => Failure::TlsCertificate,
        wit::TransportErrorKind::TlsAlert => Failure::TlsAlert,
        wit::TransportErrorKind::TlsProtocol => Failure::TlsProtocol,
        wit::TransportErrorKind::RequestRejected => Failure::RequestRejected,
        wit::TransportErrorKind::ConnectionClosed => Failure::ConnectionClosed,
        wit::TransportErrorKind::ConnectionReset => Failure::ConnectionReset,
        wit::TransportErrorKind::AnswerTimeout => Failure::AnswerTimeout,
        wit::TransportErrorKind::AnswerIncomplete => Failure::AnswerIncomplete,
        wit::TransportErrorKind::AnswerTooLarge => Failure::AnswerTooLarge,
        wit::TransportErrorKind::Protocol => Failure::Protocol,
        wit::TransportErrorKind::KeepAliveTimeout => Failure::KeepAliveTimeout,
        wit::TransportErrorKind::Other => Failure::Other,
    };
    NoAnswer { failure, detail: error.detail }
}
