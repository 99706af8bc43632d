//! Why there is no answer, or no connection, as the host says it.

use thingpost::http::{TransportError, TransportErrorKind};

use crate::bindings::of_host as wit;

pub fn transport_error(error: wit::TransportError) -> TransportError {
    let kind = match error.kind {
        wit::TransportErrorKind::Denied => TransportErrorKind::Denied,
        wit::TransportErrorKind::NameResolution => TransportErrorKind::NameResolution,
        wit::TransportErrorKind::ConnectionRefused => TransportErrorKind::ConnectionRefused,
        wit::TransportErrorKind::Unreachable => TransportErrorKind::Unreachable,
        wit::TransportErrorKind::ConnectTimeout => TransportErrorKind::ConnectTimeout,
        wit::TransportErrorKind::ConnectionLimit => TransportErrorKind::ConnectionLimit,
        wit::TransportErrorKind::TlsCertificate => TransportErrorKind::TlsCertificate,
        wit::TransportErrorKind::TlsAlert => TransportErrorKind::TlsAlert,
        wit::TransportErrorKind::TlsProtocol => TransportErrorKind::TlsProtocol,
        wit::TransportErrorKind::RequestRejected => TransportErrorKind::RequestRejected,
        wit::TransportErrorKind::ConnectionClosed => TransportErrorKind::ConnectionClosed,
        wit::TransportErrorKind::ConnectionReset => TransportErrorKind::ConnectionReset,
        wit::TransportErrorKind::AnswerTimeout => TransportErrorKind::AnswerTimeout,
        wit::TransportErrorKind::AnswerIncomplete => TransportErrorKind::AnswerIncomplete,
        wit::TransportErrorKind::AnswerTooLarge => TransportErrorKind::AnswerTooLarge,
        wit::TransportErrorKind::Protocol => TransportErrorKind::Protocol,
        wit::TransportErrorKind::KeepAliveTimeout => TransportErrorKind::KeepAliveTimeout,
        wit::TransportErrorKind::Other => TransportErrorKind::Other,
    };
    TransportError { kind, detail: error.detail }
}
