//! Names of errors for those who count: one for each kind, none with what is special to the case.

use super::{ConnectError, Denial, ExchangeError, LossError, Phase, TransportError};

impl TransportError {
    /// The kind of this error in one word, the same for all of its kind: the label of a metric, and `error.type` in the spans.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Denied(denial) => match denial {
                Denial::NoRoute(_) => "denied_no_route",
                Denial::NotForMqtt(_) => "denied_not_for_mqtt",
                Denial::Scheme(_) => "denied_scheme",
                Denial::Url => "denied_url",
                Denial::Authority => "denied_authority",
                Denial::Method => "denied_method",
                Denial::Withheld(_) => "withheld",
            },
            Self::Connect { error, .. } => error.error_type(),
            Self::Exchange { error, .. } => match error {
                ExchangeError::NoAnswer { .. } => "no_answer",
                ExchangeError::Closed(_) => "closed_without_answer",
                ExchangeError::Alert(_) => "alert_without_answer",
                ExchangeError::Malformed(_) => "malformed_answer",
                ExchangeError::HeadTooLarge(_) => "head_too_large",
                ExchangeError::Body(_) => "unfinished_request",
                ExchangeError::Truncated(_) => "truncated_answer",
                ExchangeError::Stalled { .. } => "stalled_answer",
                ExchangeError::Unread { .. } => "unread_answer",
            },
            Self::Lost { error, .. } => match error {
                LossError::Closed(_) => "connection_lost",
                LossError::Alert(_) => "connection_lost_alert",
                LossError::Tls(_) => "connection_lost_tls",
                LossError::Outdated => "connection_outdated",
            },
        }
    }
}

impl ConnectError {
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::LimitReached { .. } => "connection_limit",
            Self::RateLimited { .. } => "rate_limit",
            Self::DnsTimeout { .. } => "dns_timeout",
            Self::Dns(_) => "dns_failed",
            Self::Unreachable(_) => "unreachable",
            Self::OutOfDescriptors => "out_of_descriptors",
            Self::Timeout { phase: Phase::Tcp, .. } => "tcp_timeout",
            Self::Timeout { phase: Phase::Tls, .. } => "tls_timeout",
            Self::Certificate(_) => "certificate_refused",
            Self::Alert(_) => "tls_alert",
            Self::Tls(_) => "tls_failed",
            Self::Proxy { error, .. } => error.error_type(),
            Self::Closed(_) => "closed_before_request",
        }
    }
}
