//! Instances without a request, kept for the next one: starting one costs more than half of a small request.
//!
//! The one that was used last is taken first, so that those that are not needed grow old.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Whatever is kept. Each is of a generation, and only those of the newest are.
pub(super) struct Idle<T>(Mutex<Kept<T>>);

struct Kept<T> {
    generation: u64,
    timeout: Duration,
    /// Of what came first the time is over first.
    instances: VecDeque<(T, Instant)>,
    /// Whether a task looks after them.
    is_watched: bool,
    is_closed: bool,
}

impl<T: Send + 'static> Idle<T> {
    pub fn new(timeout: Duration) -> Arc<Self> {
        let kept = Kept { generation: 0, timeout, instances: VecDeque::new(), is_watched: false, is_closed: false };
        Arc::new(Self(Mutex::new(kept)))
    }

    pub fn take(&self) -> Option<T> {
        self.kept().instances.pop_back().map(|(instance, _)| instance)
    }

    /// Keeps an instance, unless it is of an earlier generation.
    pub fn keep(self: &Arc<Self>, instance: T, generation: u64) {
        let mut kept = self.kept();
        if kept.is_closed || kept.generation != generation {
            drop(kept);
            drop(instance);
            return;
        }
        let until = Instant::now() + kept.timeout;
        kept.instances.push_back((instance, until));
        if !std::mem::replace(&mut kept.is_watched, true) {
            tokio::spawn(watch(Arc::downgrade(self), until));
        }
    }

    pub fn count(&self) -> usize {
        self.kept().instances.len()
    }

    /// Begins the next generation: what is kept ends, and what is in use is not kept.
    pub fn next_generation(&self, timeout: Duration) -> u64 {
        let mut kept = self.kept();
        kept.generation += 1;
        kept.timeout = timeout;
        let (ended, generation) = (std::mem::take(&mut kept.instances), kept.generation);
        drop(kept);
        drop(ended);
        generation
    }

    /// Keeps nothing any more.
    pub fn close(&self) {
        let mut kept = self.kept();
        kept.is_closed = true;
        let ended = std::mem::take(&mut kept.instances);
        drop(kept);
        drop(ended);
    }

    /// Ends those whose time is over. When the next one's will be.
    fn end_old(&self) -> Option<Instant> {
        let mut kept = self.kept();
        let now = Instant::now();
        let over = kept.instances.iter().take_while(|(_, until)| *until <= now).count();
        let ended: Vec<_> = kept.instances.drain(..over).collect();
        let next = kept.instances.front().map(|(_, until)| *until);
        kept.is_watched = next.is_some();
        drop(kept);
        drop(ended);
        next
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds nothing while it waits, so that no end is held up by it.
async fn watch<T: Send + 'static>(idle: Weak<Idle<T>>, mut next: Instant) {
    loop {
        sleep_until(next).await;
        let Some(idle) = idle.upgrade() else { return };
        match idle.end_old() {
            Some(later) => next = later,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn the_one_that_was_used_last_is_taken_first_and_the_others_grow_old() {
        let idle = Idle::new(TIMEOUT);
        idle.keep("first", 0);
        sleep(TIMEOUT / 2).await;
        idle.keep("second", 0);
        assert_eq!(idle.take(), Some("second"));
        idle.keep("second", 0);
        sleep(TIMEOUT * 3 / 4).await;
        assert_eq!((idle.count(), idle.take()), (1, Some("second")));
        idle.keep("third", 0);
        sleep(TIMEOUT * 2).await;
        assert_eq!(idle.count(), 0, "it is looked after again");
    }

    #[tokio::test]
    async fn an_earlier_generation_is_not_kept() {
        let idle = Idle::new(TIMEOUT);
        idle.keep("old", 0);
        assert_eq!(idle.next_generation(TIMEOUT), 1);
        assert_eq!(idle.take(), None);
        idle.keep("old and in use", 0);
        assert_eq!(idle.take(), None);
        idle.keep("new", 1);
        assert_eq!(idle.take(), Some("new"));
    }

    #[tokio::test]
    async fn nothing_is_kept_after_the_end() {
        let idle = Idle::new(TIMEOUT);
        idle.keep("one", 0);
        idle.close();
        idle.keep("other", 0);
        assert_eq!(idle.count(), 0);
    }
}
