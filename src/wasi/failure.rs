//! What the error codes of `wasi:http` mean for a message. The question behind every one: can the request have
//! reached the platform? Where a code leaves it open, it can.

use wasip2::http::types::ErrorCode;

use crate::http::{Failure, NoAnswer};

pub(super) fn no_answer(code: ErrorCode) -> NoAnswer {
    let (failure, detail) = match code {
        ErrorCode::DnsError(payload) => (Failure::NameResolution, payload.rcode),
        ErrorCode::TlsAlertReceived(payload) => (Failure::TlsAlert, payload.alert_message),
        ErrorCode::InternalError(detail) => (Failure::Other, detail),
        code => (failure(&code), None),
    };
    NoAnswer { failure, detail }
}

fn failure(code: &ErrorCode) -> Failure {
    match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => Failure::NameResolution,
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => Failure::Unreachable,
        ErrorCode::ConnectionRefused => Failure::ConnectionRefused,
        ErrorCode::ConnectionTimeout => Failure::ConnectTimeout,
        ErrorCode::ConnectionLimitReached => Failure::ConnectionLimit,
        ErrorCode::TlsProtocolError => Failure::TlsProtocol,
        ErrorCode::TlsCertificateError => Failure::TlsCertificate,
        ErrorCode::TlsAlertReceived(_) => Failure::TlsAlert,
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Failure::Denied,

        ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::LoopDetected
        | ErrorCode::ConfigurationError => Failure::RequestRejected,

        ErrorCode::ConnectionTerminated => Failure::ConnectionClosed,
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            Failure::AnswerTimeout
        }
        ErrorCode::HttpResponseIncomplete => Failure::AnswerIncomplete,
        ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_) => Failure::AnswerTooLarge,
        ErrorCode::HttpProtocolError
        | ErrorCode::HttpUpgradeFailed
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_) => Failure::Protocol,
        ErrorCode::InternalError(_) => Failure::Other,
    }
}
