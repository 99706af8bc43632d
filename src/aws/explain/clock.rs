//! A signature is good for five minutes around its time, and an edge box whose clock has stopped is told "signature
//! expired" at best. The `date` of the answer tells by how much.

use alloc::string::String;

use super::Known;
use crate::aws::clock::{TOLERATED_MS, is_corrected, names_the_clock};
use crate::explain::clock;

impl Known<'_> {
    /// By how much the clock is wrong, where that explains the refusal.
    pub(super) fn clock_step(&self) -> Option<String> {
        if is_corrected(self.error) {
            return None;
        }
        let ahead_ms = self.error.answer.as_ref().and_then(|answer| answer.clock_ahead_ms).unwrap_or_default();
        if ahead_ms.unsigned_abs() <= TOLERATED_MS {
            let step =
                "the clock is more than 5 minutes off, or the request was under way for that long: set the clock";
            return names_the_clock(self.message).then(|| step.into());
        }
        Some([&clock(ahead_ms), ", and a signature is good for 5: set the clock"].concat())
    }
}
