//! A thread that lets the epoch of an engine go on.
//!
//! One for an engine, and not for a store or a call: starting a thread takes longer than a publish. A device that publishes once
//! in an hour is not to be woken a hundred times a second for the rest of it, so the thread sleeps when no guest has run for
//! a while, and is woken with the next call.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How long a guest computes before others have their turn.
const TICK: Duration = Duration::from_millis(10);

/// So many ticks without a guest, and the thread goes to sleep: a second, so that publishing every now and then does not wake it
/// each time.
const IDLE_TICKS: u32 = 100;

/// Ticks while guests run. The thread ends with this, or with the engine.
pub(in crate::runtime) struct Ticker {
    activity: Arc<Activity>,
    thread: Thread,
}

#[derive(Default)]
struct Activity {
    /// Whether a guest has run since the last tick.
    is_present: AtomicBool,
    is_asleep: AtomicBool,
    is_over: AtomicBool,
}

impl Ticker {
    pub fn start(engine: &Engine) -> io::Result<Self> {
        let activity = Arc::<Activity>::default();
        let (engine, seen) = (engine.weak(), Arc::clone(&activity));
        let thread = thread::Builder::new().name("guest-epochs".to_owned()).spawn(move || tick(&engine, &seen))?;
        Ok(Self { activity, thread: thread.thread().clone() })
    }

    /// A guest is about to run.
    pub fn wake(&self) {
        self.activity.is_present.store(true, SeqCst);
        if self.activity.is_asleep.load(SeqCst) {
            self.thread.unpark();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.activity.is_over.store(true, SeqCst);
        self.thread.unpark();
    }
}

fn tick(engine: &EngineWeak, activity: &Activity) {
    let mut idle = 0;
    while !activity.is_over.load(SeqCst) {
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        drop(engine);
        idle = if activity.is_present.swap(false, SeqCst) { 0 } else { idle + 1 };
        if idle >= IDLE_TICKS {
            sleep(activity);
            idle = 0;
        }
    }
}

/// Until a guest runs, or there is nothing more to do. A guest that came before it was known that this sleeps has left its
/// mark.
fn sleep(activity: &Activity) {
    activity.is_asleep.store(true, SeqCst);
    while !activity.is_present.load(SeqCst) && !activity.is_over.load(SeqCst) {
        thread::park();
    }
    activity.is_asleep.store(false, SeqCst);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use thingpost_patience::patience;

    use super::*;

    fn wait_until(mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < patience(), "a test waits for nothing that long");
            thread::sleep(TICK);
        }
    }

    #[test]
    fn the_thread_ends_with_its_ticker_also_in_its_sleep() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        let activity = Arc::clone(&ticker.activity);
        let is_asleep = || activity.is_asleep.load(SeqCst);
        wait_until(is_asleep);
        // Once more if it has fallen asleep again before that was seen.
        wait_until(|| {
            ticker.wake();
            !is_asleep()
        });
        wait_until(is_asleep);
        drop(ticker);
        // The thread holds the other half.
        wait_until(|| Arc::strong_count(&activity) == 1);
    }

    #[test]
    fn the_thread_ends_with_the_engine() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        ticker.wake();
        drop(engine);
        wait_until(|| Arc::strong_count(&ticker.activity) == 1);
    }
}
