//! A retry after a lost answer doubles the message; no retry loses it. Only the caller knows which is worse, and only
//! if it is told the truth. These are the words for it.

use alloc::string::String;
use core::fmt;

/// The platform has accepted the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Aliyun's number for the message. Above 2^53, so never a float.
    pub message_id: Option<u64>,
    /// What the platform's support asks for.
    pub trace_id: Option<String>,
    /// How many attempts were made to send it.
    pub attempts: u32,
}

/// Where a message stands that was not delivered. The order is from harmless to grave: of several attempts the
/// gravest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// It did not reach the platform.
    NotSent,
    /// The platform answered that it does not take it, or nothing from this device.
    Refused,
    /// It was sent, and there is no telling answer.
    Unknown,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "not sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        })
    }
}

/// Whether sending the same message once more can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It fails again until something is changed.
    Never,
    /// It may succeed after this many milliseconds.
    AfterMs(u64),
    /// It may succeed with a new token.
    AfterAuthentication,
}

/// What the platform answered, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// AWS: the error type. Aliyun: the result code.
    pub code: Option<String>,
    /// The platform's own words.
    pub message: Option<String>,
    /// What the platform's support asks for.
    pub trace_id: Option<String>,
    /// How far the local clock is ahead of the platform's, as its `date` tells.
    pub clock_ahead_ms: Option<i64>,
}
