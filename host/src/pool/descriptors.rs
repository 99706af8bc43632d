//! Where the system gives out no more descriptors.
//!
//! A container with a low `ulimit -n`, or a gateway with many files open, has fewer sockets to give than the limits of the pool
//! allow. A connection that cannot be opened for that is no trouble of the network, and the requests that have connections already
//! are about to be done with them. So the others wait for those, and the lane does with fewer connections from then on; one less
//! than there could be, as somebody else may want to open a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{LaneSettings, Pool};
use crate::clock::later;
use crate::connect::ConnectDeadline;
use crate::error::ConnectError;

/// Between two looks whether there is a descriptor again, where nobody would say so.
const PAUSE: Duration = Duration::from_millis(50);

/// How a lane takes it. Changed under the lock of the pool.
pub(super) struct Shortage {
    /// How many turns there are, taken ones included.
    turns: AtomicUsize,
    /// Whether there was one, and its spare descriptor is still to be made.
    wants_spare: AtomicBool,
    was_met: AtomicBool,
}

impl Shortage {
    /// None so far.
    pub(super) fn none(turns: usize) -> Self {
        Self { turns: AtomicUsize::new(turns), wants_spare: AtomicBool::default(), was_met: AtomicBool::default() }
    }

    /// Whether one turn more goes, with its connection, for a spare descriptor.
    pub(super) fn takes_one_more(&self) -> bool {
        self.wants_spare.swap(false, Ordering::Relaxed) && self.take()
    }

    /// Takes a turn away, unless it is the last one.
    fn take(&self) -> bool {
        let turns = self.turns.load(Ordering::Relaxed);
        if turns > 1 {
            self.turns.store(turns - 1, Ordering::Relaxed);
        }
        turns > 1
    }

    fn meet(&self) {
        if !self.was_met.swap(true, Ordering::Relaxed) {
            self.wants_spare.store(true, Ordering::Relaxed);
        }
    }
}

impl Pool {
    /// Gives this turn up for good and waits for that of another request, which has a connection. The last turn is kept, and
    /// waits for a descriptor.
    pub(super) async fn make_do(
        &self,
        lane: &LaneSettings,
        turn: OwnedSemaphorePermit,
        deadline: ConnectDeadline,
    ) -> Result<OwnedSemaphorePermit, ConnectError> {
        let is_last = {
            let _one_at_a_time = self.shared.state();
            lane.shortage.meet();
            !lane.shortage.take()
        };
        if is_last {
            self.wait_for_descriptor(deadline).await?;
            return Ok(turn);
        }
        turn.forget();
        let next = timeout_at(deadline.at, Arc::clone(&lane.turns).acquire_owned()).await;
        Ok(next.map_err(|_elapsed| ConnectError::OutOfDescriptors)?.expect("the semaphore is never closed"))
    }

    /// Waits a moment; whatever is idle gives way.
    pub(super) async fn wait_for_descriptor(&self, deadline: ConnectDeadline) -> Result<(), ConnectError> {
        self.shared.state().close_oldest_idle();
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
    fn a_lane_loses_turns_down_to_the_last_one_and_one_for_a_spare_descriptor() {
        let shortage = Shortage::none(4);
        assert!(!shortage.takes_one_more(), "nothing was short");
        shortage.meet();
        assert!(shortage.take());
        assert!(shortage.takes_one_more() && !shortage.takes_one_more());
        shortage.meet();
        assert!(shortage.take() && !shortage.take(), "one is left");
        assert!(!shortage.takes_one_more());
    }
}
