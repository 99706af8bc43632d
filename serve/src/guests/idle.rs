//! Instances without a request, kept for the next one: starting one costs more than half of a small request.
//!
//! The one that was used last is taken first, so that those that are not needed grow old.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Whatever is kept. Each is of a generation, and only those of the newest are.
pub(super) struct Idle<T> {
    kept: Mutex<Kept<T>>,
    /// Held while instances end. Who holds it may go on to `kept`, and not the other way round.
    ending: Mutex<()>,
}

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
        Arc::new(Self { kept: Mutex::new(kept), ending: Mutex::new(()) })
    }

    /// None: a new one can be started. There is memory for as many as there are places, so what has left the list has to have ended
    /// before another one begins in its place; that is a matter of microseconds.
    pub fn take(&self) -> Option<T> {
        let last = || self.kept().instances.pop_back().map(|(instance, _)| instance);
        last().or_else(|| {
            drop(self.ending());
            last()
        })
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
        let _ending = self.ending();
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
        let _ending = self.ending();
        let mut kept = self.kept();
        kept.is_closed = true;
        let ended = std::mem::take(&mut kept.instances);
        drop(kept);
        drop(ended);
    }

    /// Ends those whose time is over, one after the other, so that the rest may be taken meanwhile. When the next one's will be.
    fn end_old(&self) -> Option<Instant> {
        let now = Instant::now();
        loop {
            let _ending = self.ending();
            let mut kept = self.kept();
            let next = kept.instances.front().map(|(_, until)| *until);
            if next.is_none_or(|until| until > now) {
                kept.is_watched = next.is_some();
                return next;
            }
            let ended = kept.instances.pop_front();
            drop(kept);
            drop(ended);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ending(&self) -> MutexGuard<'_, ()> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

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

    /// Says that its end has begun, and waits for leave to end.
    struct Slow {
        begun: Sender<()>,
        leave: Receiver<()>,
        has_ended: Arc<AtomicBool>,
    }

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.begun.send(());
            let _ = self.leave.recv();
            self.has_ended.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn while_one_ends_another_is_taken_and_none_is_started_before_it_has_ended() {
        let idle = Idle::new(Duration::ZERO);
        let (begun, has_begun) = channel();
        let (allow, leave) = channel();
        let has_ended = Arc::new(AtomicBool::new(false));
        let slow = Slow { begun, leave, has_ended: Arc::clone(&has_ended) };
        // The runtime, which has the task that looks after them, gets no turn in this test.
        idle.keep(Some(slow), 0);
        idle.keep(None, 0);
        thread::scope(|scope| {
            // Gone with this closure, so that nothing waits when it fails.
            let allow = allow;
            scope.spawn(|| idle.end_old());
            has_begun.recv().unwrap();
            assert!(matches!(idle.take(), Some(None)), "the second is still there");
            let start = scope.spawn(|| {
                assert!(idle.take().is_none());
                has_ended.load(Ordering::SeqCst)
            });
            // Time to fail for one that does not wait. One that waits passes however slow this is.
            thread::sleep(Duration::from_millis(50));
            allow.send(()).unwrap();
            assert!(start.join().unwrap(), "there is no memory for a new one yet");
        });
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
