//! Why there is no answer, or no connection, at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use thingpost::http::{Failure, NoAnswer};

use crate::bindings::failures as wit;

pub(crate) fn no_answer(no_answer: wit::NoAnswer) -> NoAnswer {
    let failure = match no_answer.failure {
        wit::Failure::Denied => Failure::Denied,
        wit::Failure::NameResolution => Failure::NameResolution,
        wit::Failure::ConnectionRefused => Failure::ConnectionRefused,
        wit::Failure::Unreachable => Failure::Unreachable,
        wit::Failure::ConnectTimeout => Failure::ConnectTimeout,
        wit::Failure::ConnectionLimit => Failure::ConnectionLimit,
        wit::Failure::TlsCertificate => Failure::TlsCertificate,
        wit::Failure::TlsAlert => Failure::TlsAlert,
        wit::Failure::TlsProtocol => Failure::TlsProtocol,
        wit::Failure::RequestRejected => Failure::RequestRejected,
        wit::Failure::ConnectionClosed => Failure::ConnectionClosed,
        wit::Failure::ConnectionReset => Failure::ConnectionReset,
        wit::Failure::AnswerTimeout => Failure::AnswerTimeout,
        wit::Failure::AnswerIncomplete => Failure::AnswerIncomplete,
        wit::Failure::AnswerTooLarge => Failure::AnswerTooLarge,
        wit::Failure::Protocol => Failure::Protocol,
        wit::Failure::KeepAliveTimeout => Failure::KeepAliveTimeout,
        wit::Failure::Other => Failure::Other,
    };
    NoAnswer { failure, detail: no_answer.detail }
}
