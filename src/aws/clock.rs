//! An edge box without a battery begins in 1970, and AWS refuses a signature whose time is more than 5 minutes off. The
//! `date` of the refusal tells by how much, so the message is signed once more by the platform's clock.

use super::Config;
use crate::error::{Cause, Error};
use crate::explain;
use crate::text::contains;

/// Below this AWS does not mind.
pub(super) const TOLERATED_MS: u64 = 5 * 60 * 1000;

/// Where AWS names the time as the reason: what is less than this is the way of the answer.
const NAMED_MS: u64 = 60 * 1000;

/// What an error says of a message that was signed by the platform's clock.
const BY_THE_PLATFORMS_CLOCK: &str = "signed by the platform's clock, as ";

/// How far our clock is ahead, if that is why a message was refused that was signed by one set back by so much.
pub(super) fn clock_refused(config: &Config, error: &Error, set_back_ms: i64) -> Option<i64> {
    let answer = error.answer.as_ref()?;
    let message = answer.message.as_deref().unwrap_or_default();
    let tolerated_ms = if names_the_clock(message) { NAMED_MS } else { TOLERATED_MS };
    let is_refused = config.auth_method().signs() && error.cause == Cause::Forbidden;
    let is_off = |ahead_ms: &i64| ahead_ms.saturating_sub(set_back_ms).unsigned_abs() > tolerated_ms;
    answer.clock_ahead_ms.filter(|ahead_ms| is_refused && is_off(ahead_ms))
}

/// The error of a message that was signed by the platform's clock, ours being so far ahead.
pub(super) fn by_the_platforms_clock(error: Error, ahead_ms: i64) -> Error {
    match error.detail {
        Some(_) => error,
        // It was set right meanwhile.
        None if ahead_ms.unsigned_abs() <= NAMED_MS => error,
        None => Error { detail: Some([BY_THE_PLATFORMS_CLOCK, &explain::clock(ahead_ms)].concat()), ..error },
    }
}

/// Whether the clock has nothing to do with an error any more.
pub(super) fn is_corrected(error: &Error) -> bool {
    error.detail.as_deref().is_some_and(|detail| detail.starts_with(BY_THE_PLATFORMS_CLOCK))
}

/// Whether AWS says that the time of the signature is why it refuses.
pub(super) fn names_the_clock(message: &str) -> bool {
    contains(message, "Signature expired") || contains(message, "Signature not yet current")
}
