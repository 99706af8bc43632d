//! How a request has ended that a guest has not answered, and what its client is told.
//!
//! A guest that was stopped may have published before, and only its transport knows whether it could have. If it has
//! handed no request to its transport, then the message was not sent, for certain. Otherwise its fate is unknown, and a status that
//! invites to send again would double it.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use thingpost_host::runtime::CallError;
use thingpost_host::{LimitExceeded, wasmtime};

use crate::problem::{Outcome, Problem};

/// How a request has ended without an answer of a guest.
pub(super) enum End {
    /// No guest has seen it.
    NotAdmitted(NotAdmitted),
    /// A guest has seen it.
    Guest(Ended),
}

/// Why a request was not given to a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    QueueFull { again_after: Duration },
    DeviceQueueFull { again_after: Duration },
    Waited { for_: Duration },
    Closed,
}

/// How a guest has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub why: Why,
    /// Whether it has handed over a request of its own.
    pub may_have_sent: bool,
}

/// Why a guest has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// By itself.
    Returned,
    /// It exceeds what it may take, and what.
    Stopped(String),
    /// It has broken off by itself. Why, is for the log: it may be words of the host.
    Trapped,
    /// There was none.
    NotStarted,
    /// The host ends.
    ShutDown,
    /// The host has made a mistake.
    Panicked,
}

impl From<&wasmtime::Error> for Why {
    fn from(error: &wasmtime::Error) -> Self {
        if let Some(error) = error.downcast_ref::<CallError>() {
            return Self::Stopped(error.to_string());
        }
        if let Some(error) = error.downcast_ref::<LimitExceeded>() {
            return Self::Stopped(error.to_string());
        }
        Self::Trapped
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Returned => "the guest has come back without an answer",
            Self::Stopped(text) => text,
            Self::Trapped => "the guest has trapped",
            Self::NotStarted => "no instance of the component could be started",
            Self::ShutDown => "the server was shut down before the guest had answered",
            Self::Panicked => "the host has failed while the guest ran",
        })
    }
}

impl Ended {
    pub fn panicked() -> Self {
        Self { why: Why::Panicked, may_have_sent: true }
    }
}

/// For what is over by itself soon.
const SOON: Duration = Duration::from_secs(1);

/// Whole seconds, and zero would be an invitation to send as fast as the line allows.
fn seconds(after: Duration) -> u32 {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

impl End {
    /// What the client of a request is told; one with a method that is safe carries no message.
    pub fn into_problem(self, is_safe: bool) -> Problem {
        match self {
            Self::NotAdmitted(not_admitted) => not_admitted.problem(),
            Self::Guest(ended) => ended.problem(is_safe),
        }
    }
}

impl NotAdmitted {
    fn problem(self) -> Problem {
        let (cause, detail, again_after) = match self {
            Self::QueueFull { again_after } => {
                ("busy", "as many requests are handled and wait as may; send again later".to_owned(), again_after)
            }
            Self::DeviceQueueFull { again_after } => (
                "device-busy",
                "of this device as many requests are handled and wait as may; send again later".to_owned(),
                again_after,
            ),
            Self::Waited { for_ } => {
                ("busy", format!("no instance was free within {} s; send again later", for_.as_secs_f64()), for_)
            }
            Self::Closed => ("shutting-down", "the server is being shut down; send again soon".to_owned(), SOON),
        };
        Problem::not_sent(StatusCode::SERVICE_UNAVAILABLE, cause, detail).retry_after_seconds(seconds(again_after))
    }
}

impl Ended {
    fn problem(self, is_safe: bool) -> Problem {
        let Self { why, may_have_sent } = self;
        let cause = match why {
            Why::Returned => "guest-without-answer",
            Why::Stopped(_) => "guest-stopped",
            Why::Trapped => "guest-trapped",
            Why::NotStarted => "guest-not-started",
            Why::ShutDown => "shutting-down",
            Why::Panicked => "host-failed",
        };
        if may_have_sent && !is_safe {
            let detail = format!("{why}; it may have published before, so sending again may double the message");
            let status = StatusCode::GATEWAY_TIMEOUT;
            return Problem {
                status,
                cause,
                detail: detail.into(),
                outcome: Outcome::Unknown,
                retry_after_seconds: None,
            };
        }
        let (status, retry_after) = match why {
            // What is in the component comes again.
            Why::Returned | Why::Trapped | Why::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, None),
            Why::Stopped(_) | Why::NotStarted | Why::ShutDown => (StatusCode::SERVICE_UNAVAILABLE, Some(SOON)),
        };
        let detail = format!("{why}; the log of the server says more");
        let retry_after_seconds = retry_after.map(seconds);
        Problem { status, cause, detail: detail.into(), outcome: Outcome::NotSent, retry_after_seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(why: Why, may_have_sent: bool, is_safe: bool) -> (u16, Outcome, bool) {
        let problem = End::Guest(Ended { why, may_have_sent }).into_problem(is_safe);
        (problem.status.as_u16(), problem.outcome, problem.retry_after_seconds.is_some())
    }

    #[test]
    fn what_may_have_been_sent_is_unknown_and_what_was_not_may_come_again() {
        let stopped = || Why::Stopped("too long".to_owned());
        assert_eq!(problem(stopped(), false, false), (503, Outcome::NotSent, true));
        assert_eq!(problem(stopped(), true, false), (504, Outcome::Unknown, false));
        assert_eq!(problem(stopped(), true, true), (503, Outcome::NotSent, true));
        assert_eq!(problem(Why::Trapped, false, false), (500, Outcome::NotSent, false));
        assert_eq!(problem(Why::Trapped, true, false), (504, Outcome::Unknown, false));
        assert_eq!(problem(Why::Returned, false, false), (500, Outcome::NotSent, false));
        assert_eq!(problem(Why::NotStarted, false, false), (503, Outcome::NotSent, true));
        assert_eq!(problem(Why::ShutDown, true, false), (504, Outcome::Unknown, false));
    }

    #[test]
    fn who_is_not_admitted_is_told_when_to_come_back() {
        let again_after = Duration::from_secs(10);
        for (not_admitted, cause) in [
            (NotAdmitted::QueueFull { again_after }, "busy"),
            (NotAdmitted::DeviceQueueFull { again_after }, "device-busy"),
            (NotAdmitted::Waited { for_: again_after }, "busy"),
            (NotAdmitted::Closed, "shutting-down"),
        ] {
            let problem = End::NotAdmitted(not_admitted).into_problem(false);
            assert_eq!((problem.status.as_u16(), problem.cause, problem.outcome), (503, cause, Outcome::NotSent));
            assert!(problem.retry_after_seconds.is_some(), "{}", problem.detail);
        }
    }
}
