//! What the error codes of `wasi:http` mean for a message. The question behind every one: can the request have
//! reached the platform? Where a code leaves it open, it can.

use wasip2::http::types::ErrorCode;

use crate::http::{TransportError, TransportErrorKind};

pub(super) fn transport_error(code: ErrorCode) -> TransportError {
    let (kind, detail) = match code {
        ErrorCode::DnsError(payload) => (TransportErrorKind::NameResolution, payload.rcode),
        ErrorCode::TlsAlertReceived(payload) => (TransportErrorKind::TlsAlert, payload.alert_message),
        ErrorCode::InternalError(detail) => (TransportErrorKind::Other, detail),
        code => (kind(&code), None),
    };
    TransportError { kind, detail }
}

fn kind(code: &ErrorCode) -> TransportErrorKind {
    match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            TransportErrorKind::NameResolution
        }
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => TransportErrorKind::Unreachable,
        ErrorCode::ConnectionRefused => TransportErrorKind::ConnectionRefused,
        ErrorCode::ConnectionTimeout => TransportErrorKind::ConnectTimeout,
        ErrorCode::ConnectionLimitReached => TransportErrorKind::ConnectionLimit,
        ErrorCode::TlsProtocolError => TransportErrorKind::TlsProtocol,
        ErrorCode::TlsCertificateError => TransportErrorKind::TlsCertificate,
        ErrorCode::TlsAlertReceived(_) => TransportErrorKind::TlsAlert,
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => TransportErrorKind::Denied,

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
        | ErrorCode::ConfigurationError => TransportErrorKind::RequestRejected,

        ErrorCode::ConnectionTerminated => TransportErrorKind::ConnectionClosed,
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            TransportErrorKind::AnswerTimeout
        }
        ErrorCode::HttpResponseIncomplete => TransportErrorKind::AnswerIncomplete,
        ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_) => TransportErrorKind::AnswerTooLarge,
        ErrorCode::HttpProtocolError
        | ErrorCode::HttpUpgradeFailed
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_) => TransportErrorKind::Protocol,
        ErrorCode::InternalError(_) => TransportErrorKind::Other,
    }
}
