//! A signature is good for five minutes around its time, and an edge box whose clock has stopped is told "signature
//! expired" at best. The `date` of the answer tells by how much.

use alloc::string::{String, ToString};

use super::Known;
use crate::text::contains;

/// Below this AWS does not mind.
const TOLERATED_MS: u64 = 5 * 60 * 1000;

impl Known<'_> {
    /// By how much the clock is wrong, where that explains the refusal.
    pub(super) fn clock_step(&self) -> Option<String> {
        let ahead_ms = self.error.answer.as_ref().and_then(|answer| answer.clock_ahead_ms).unwrap_or_default();
        let is_wrong = ahead_ms.unsigned_abs() > TOLERATED_MS;
        let is_named =
            contains(self.message, "Signature expired") || contains(self.message, "Signature not yet current");
        if !is_wrong {
            let step =
                "the clock is more than 5 minutes off, or the request was under way for that long: set the clock";
            return is_named.then(|| step.into());
        }
        // The answer was under way for a moment, and its date has whole seconds.
        let minutes = ((ahead_ms.unsigned_abs() + 30_000) / 60_000).to_string();
        let direction = if ahead_ms > 0 { " minutes ahead" } else { " minutes behind" };
        Some(["the clock is ", &minutes, direction, ", and a signature is good for 5: set the clock"].concat())
    }
}
