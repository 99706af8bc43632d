//! What operators see of the instances.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::end::{Ended, Why};

/// How it goes with the instances of a component, at one moment and since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestStatistics {
    /// Requests that guests are handling.
    pub busy: usize,
    /// Instances that are kept for the next request.
    pub idle: usize,
    /// Requests that wait for an instance.
    pub waiting: usize,
    /// Instances that were started.
    pub started: u64,
    /// Requests for which there was an instance already.
    pub reused: u64,
    /// Requests that were sent away before a guest saw them.
    pub refused: u64,
    /// Guests that were stopped, as they took too long or too much.
    pub stopped: u64,
    /// Guests that have trapped.
    pub trapped: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    started: AtomicU64,
    reused: AtomicU64,
    refused: AtomicU64,
    stopped: AtomicU64,
    trapped: AtomicU64,
}

impl Counters {
    pub fn started(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    pub fn reused(&self) {
        self.reused.fetch_add(1, Relaxed);
    }

    pub fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub fn ended(&self, ended: &Ended) {
        match ended.why {
            Why::Stopped(_) => self.stopped.fetch_add(1, Relaxed),
            Why::Trapped => self.trapped.fetch_add(1, Relaxed),
            Why::Returned | Why::NotStarted | Why::ShutDown | Why::Panicked => return,
        };
    }

    pub fn read(&self, busy: usize, idle: usize, waiting: usize) -> GuestStatistics {
        let Self { started, reused, refused, stopped, trapped } = self;
        let [started, reused, refused, stopped, trapped] =
            [started, reused, refused, stopped, trapped].map(|counter| counter.load(Relaxed));
        GuestStatistics { busy, idle, waiting, started, reused, refused, stopped, trapped }
    }
}
