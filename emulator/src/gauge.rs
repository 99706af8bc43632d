//! "One at a time" is a promise that an answer cannot show: a client that waits for one does not see the others. The
//! server does, so it counts what it is busy with at the same time, and remembers the most there ever was.

use std::sync::{Arc, Mutex, MutexGuard};

/// How much of one kind is under way. Clones share the same count.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Mutex<Reading>>);

#[derive(Default)]
struct Reading {
    now: usize,
    most: usize,
}

/// Something that is under way until this is dropped.
pub(crate) struct Turn(Gauge);

impl Gauge {
    pub(crate) fn enter(&self) -> Turn {
        let mut reading = self.reading();
        reading.now += 1;
        reading.most = reading.most.max(reading.now);
        Turn(self.clone())
    }

    /// The most there was at once.
    pub(crate) fn most(&self) -> usize {
        self.reading().most
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().expect("nothing panics while it holds the reading")
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.reading().now -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_at_once_is_remembered_and_not_the_sum() {
        let gauge = Gauge::default();
        for _ in 0..3 {
            drop(gauge.enter());
        }
        assert_eq!(gauge.most(), 1);
        let two = [gauge.enter(), gauge.enter()];
        drop(two);
        let _one = gauge.enter();
        assert_eq!(gauge.most(), 2);
    }
}
