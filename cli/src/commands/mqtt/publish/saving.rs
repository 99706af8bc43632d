//! When the file of unfinished messages is written in the middle of a run. A process may be killed without a word, and the power
//! may fail: what waits in memory for longer than a moment ought to be somewhere else as well. But on a memory card each write
//! is wear, and a queue of an hour is rewritten as a whole: so only what waits is written, no more than once a second, and no
//! more than a fiftieth of the time is spent at it.

use std::time::Duration;

use tokio::time::Instant;

/// What is answered sooner than this is not worth a write.
pub const MOMENT: Duration = Duration::from_secs(1);

/// How many times longer than a write took the next one is put off.
const SHARE: u32 = 50;

/// What is in the file, and when it may be written again.
#[derive(Debug)]
pub struct SaveSchedule {
    /// Of the messages that are in it.
    changes: u64,
    is_empty: bool,
    not_before: Instant,
}

impl SaveSchedule {
    /// `is_empty`: an earlier run has left nothing.
    pub fn new(is_empty: bool, now: Instant) -> Self {
        Self { changes: 0, is_empty, not_before: now + MOMENT }
    }

    /// When it is to be written, with so many changes and so many messages that nothing was heard of since `quiet_since`.
    pub fn due(&self, changes: u64, messages: usize, quiet_since: Instant) -> Option<Instant> {
        let is_current = self.changes == changes || (self.is_empty && messages == 0);
        let quiet = if messages == 0 { self.not_before } else { quiet_since + MOMENT };
        (!is_current).then(|| self.not_before.max(quiet))
    }

    /// It was written.
    pub fn saved(&mut self, changes: u64, messages: usize, took: Duration, now: Instant) {
        *self = Self { changes, is_empty: messages == 0, not_before: now + MOMENT.max(took * SHARE) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waits_is_written_and_not_too_often() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut saving = SaveSchedule::new(true, start);
        assert_eq!(saving.due(0, 0, start), None);
        assert_eq!(saving.due(2, 0, start), None, "what came is answered");
        assert_eq!(saving.due(1, 1, after(5)), Some(after(6)));
        saving.saved(1, 1, Duration::from_millis(100), after(6));
        assert_eq!(saving.due(1, 1, after(5)), None, "it is in the file");
        assert_eq!(saving.due(2, 2, after(5)), Some(after(11)), "a write that takes so long is a rare one");
        assert_eq!(saving.due(3, 0, after(7)), Some(after(11)), "what was delivered goes out of the file");
        saving.saved(3, 0, Duration::ZERO, after(11));
        assert_eq!(saving.due(4, 1, after(20)), Some(after(21)));
    }

    #[test]
    fn what_an_earlier_run_has_left_goes_out_of_the_file_when_it_is_delivered() {
        let start = Instant::now();
        let saving = SaveSchedule::new(false, start);
        assert_eq!(saving.due(0, 3, start), None);
        assert_eq!(saving.due(3, 0, start), Some(start + MOMENT));
    }
}
