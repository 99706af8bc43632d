//! "Give up after four attempts" is the rule of most clients, and it treats a message that never left like one that may
//! have arrived twice. What a failed attempt means for the next one depends on where the message stands, and on nothing
//! else; the rules are the table in `docs/retries.md`, which a test makes from here.

use crate::error::{Cause, Error};
use crate::http::TransportErrorKind;
use crate::outcome::{Delivery, Retry};

/// What a failed attempt means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It certainly did not reach the platform, and may another time.
    NotSent,
    /// The platform did not take it, and may take it later.
    RefusedForNow,
    /// The platform did not take it because of its token.
    TokenRejected,
    /// It may have arrived.
    Unknown,
    /// Nothing changes by itself.
    Final,
}

impl Kind {
    /// The kind of an attempt that ended so.
    pub fn of(error: &Error) -> Self {
        match (error.retry, error.delivery) {
            (Retry::Never, _) => Self::Final,
            (Retry::AfterAuthentication, _) => Self::TokenRejected,
            (Retry::AfterMs(_), Delivery::NotSent) => Self::NotSent,
            (Retry::AfterMs(_), Delivery::Refused) => Self::RefusedForNow,
            (Retry::AfterMs(_), Delivery::Unknown) => Self::Unknown,
        }
    }
}

/// Which of two errors is told: the later one, unless it only says that the time was over in the midst of an attempt,
/// which hides what has gone wrong all the time before. An answer always says more than that; a failure before sending
/// only where the last attempt was not sent either.
pub(super) fn more_telling(before: Option<Error>, last: Error, is_cut_short: bool) -> Error {
    let Some(before) = before.filter(|before| is_cut_short && !is_timeout(before)) else { return last };
    match last.cause {
        Cause::Transport(TransportErrorKind::AnswerTimeout) if before.delivery == Delivery::NotSent => last,
        _ if is_timeout(&last) => before,
        _ => last,
    }
}

fn is_timeout(error: &Error) -> bool {
    matches!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout | TransportErrorKind::ConnectTimeout))
}
