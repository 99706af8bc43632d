//! Where the system gives out no more descriptors.
//!
//! A container with a low `ulimit -n`, or a gateway with many files open, has fewer sockets to give than the limits of the pool
//! allow. A connection that cannot be opened for that is no trouble of the network, and the requests that have connections already
//! are about to be done with them. So the others wait for those, and the bucket does with fewer connections from then on; one less
//! than there could be, as another part of the process may want to open a file.
//!
//! But the shortage may be over: a backup has closed its files, a limit was raised. No event says so, so the bucket takes one turn back
//! after each half minute without a shortage. If that was too much, it costs one attempt to connect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{BucketSettings, Pool};
use crate::clock::later;
use crate::connect::ConnectDeadline;
use crate::error::ConnectError;

/// The pause between two looks whether there is a descriptor again, of which no event tells.
const PAUSE: Duration = Duration::from_millis(50);

/// The time without a shortage after which a turn is taken back.
const CALM: Duration = Duration::from_secs(30);

/// The turns that a shortage has taken from a bucket.
pub(super) struct Shortage(Mutex<Turns>);

struct Turns {
    /// How many there are, taken ones included.
    count: usize,
    /// How many there are without a shortage.
    most: usize,
    /// Whether there was a shortage, and its spare descriptor is still to be made.
    wants_spare: bool,
    was_met: bool,
    /// Since when there was no shortage, or since when there is one turn more.
    calm_since: Option<Instant>,
}

impl Shortage {
    /// No shortage so far.
    pub(super) fn none(turns: usize) -> Self {
        Self(Mutex::new(Turns { count: turns, most: turns, wants_spare: false, was_met: false, calm_since: None }))
    }

    /// Whether one turn more goes, with its connection, for a spare descriptor.
    pub(super) fn takes_one_more(&self) -> bool {
        let mut turns = self.turns();
        std::mem::take(&mut turns.wants_spare) && turns.take()
    }

    /// Whether a turn comes back. If it was too much, the spare descriptor went with it, and is to be made again.
    pub(super) fn gives_one_back(&self, now: Instant) -> bool {
        let mut turns = self.turns();
        let is_calm = turns.calm_since.is_some_and(|since| now.saturating_duration_since(since) >= CALM);
        if !is_calm || turns.count == turns.most {
            return false;
        }
        turns.count += 1;
        turns.calm_since = Some(now);
        turns.was_met = false;
        true
    }

    /// There is one. Whether it takes a turn away, as it does with all but the last one.
    fn meet(&self, now: Instant) -> bool {
        let mut turns = self.turns();
        turns.calm_since = Some(now);
        if !std::mem::replace(&mut turns.was_met, true) {
            turns.wants_spare = true;
        }
        turns.take()
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    /// Takes a turn away, unless it is the last one.
    fn take(&mut self) -> bool {
        let is_one_of_several = self.count > 1;
        if is_one_of_several {
            self.count -= 1;
        }
        is_one_of_several
    }
}

impl Pool {
    /// Gives this turn up and waits for that of another request, which has a connection. The last turn is kept, and
    /// waits for a descriptor.
    pub(super) async fn make_do(
        &self,
        bucket: &BucketSettings,
        turn: OwnedSemaphorePermit,
        deadline: ConnectDeadline,
    ) -> Result<OwnedSemaphorePermit, ConnectError> {
        if !bucket.shortage.meet(Instant::now()) {
            self.wait_for_descriptor(deadline).await?;
            return Ok(turn);
        }
        turn.forget();
        let next = timeout_at(deadline.at, Arc::clone(&bucket.turns).acquire_owned()).await;
        Ok(next.map_err(|_elapsed| ConnectError::OutOfDescriptors)?.expect("the semaphore is never closed"))
    }

    /// Waits a moment; whatever is idle gives way.
    pub(super) async fn wait_for_descriptor(&self, deadline: ConnectDeadline) -> Result<(), ConnectError> {
        self.shared.state().close_oldest_idle(|_| true);
        if Instant::now() >= deadline.at {
            return Err(ConnectError::OutOfDescriptors);
        }
        sleep_until(later(PAUSE).min(deadline.at)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_loses_turns_down_to_the_last_one_and_one_for_a_spare_descriptor() {
        let (shortage, now) = (Shortage::none(4), Instant::now());
        assert!(!shortage.takes_one_more(), "nothing was short");
        assert!(shortage.meet(now));
        assert!(shortage.takes_one_more() && !shortage.takes_one_more());
        assert!(shortage.meet(now) && !shortage.meet(now), "one is left");
        assert!(!shortage.takes_one_more());
    }

    #[test]
    fn a_shortage_that_is_over_is_forgotten_step_by_step() {
        let (shortage, start) = (Shortage::none(3), Instant::now());
        assert!(!shortage.gives_one_back(start + 10 * CALM), "none was taken");
        assert!(shortage.meet(start) && shortage.meet(start));
        assert!(!shortage.gives_one_back(start + CALM / 2));
        assert!(shortage.gives_one_back(start + CALM));
        assert!(!shortage.gives_one_back(start + CALM), "one at a time");
        assert!(shortage.gives_one_back(start + 2 * CALM));
        assert!(!shortage.gives_one_back(start + 9 * CALM), "all are there");
    }

    #[test]
    fn a_turn_that_came_back_too_early_goes_again_and_the_spare_descriptor_is_made_again() {
        let (shortage, start) = (Shortage::none(4), Instant::now());
        assert!(shortage.meet(start) && shortage.takes_one_more());
        assert!(shortage.gives_one_back(start + CALM));
        assert!(!shortage.takes_one_more());
        assert!(shortage.meet(start + CALM) && shortage.takes_one_more());
        assert!(!shortage.gives_one_back(start + CALM + CALM / 2), "it is not calm since then");
    }
}
