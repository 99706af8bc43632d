//! What is counted, where it happens. The numbers order nothing else, so each is a relaxed atomic.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{Handshake, Statistics};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn increment(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The numbers of a pool, for all transports over it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    waiting: AtomicUsize,
    full_handshakes: Counter,
    resumed_handshakes: Counter,
    pub(super) bytes_sent: Counter,
    pub(super) bytes_received: Counter,
    pub(super) requests: Counter,
    pub(super) answered: Counter,
    pub(super) denied: Counter,
    pub(super) not_sent: Counter,
    pub(super) unknown: Counter,
    pub(super) abandoned: Counter,
    pub(super) broken_answers: Counter,
    pub(super) dials: Counter,
    pub(super) dialed: Counter,
    pub(super) failed_dials: Counter,
    pub(super) abandoned_dials: Counter,
    pub(super) lost: Counter,
}

impl Counters {
    /// Counts as waiting until what is returned is dropped.
    pub(crate) fn wait(&self) -> WaitingCount<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        WaitingCount(self)
    }

    /// A handshake has succeeded.
    pub(crate) fn handshake(&self, handshake: Handshake) {
        match handshake {
            Handshake::Full => self.full_handshakes.increment(),
            Handshake::Resumed => self.resumed_handshakes.increment(),
        }
    }

    /// All of them, beside what the pool knows of its connections.
    pub(crate) fn snapshot(&self, open: usize, idle: usize) -> Statistics {
        Statistics {
            open,
            idle,
            waiting: self.waiting.load(Ordering::Relaxed),
            full_handshakes: self.full_handshakes.get(),
            resumed_handshakes: self.resumed_handshakes.get(),
            bytes_sent: self.bytes_sent.get(),
            bytes_received: self.bytes_received.get(),
            requests: self.requests.get(),
            answered: self.answered.get(),
            denied: self.denied.get(),
            not_sent: self.not_sent.get(),
            unknown: self.unknown.get(),
            abandoned: self.abandoned.get(),
            broken_answers: self.broken_answers.get(),
            dials: self.dials.get(),
            dialed: self.dialed.get(),
            failed_dials: self.failed_dials.get(),
            abandoned_dials: self.abandoned_dials.get(),
            lost: self.lost.get(),
        }
    }
}

/// A request or a dialing that waits; counted even if it is given up.
pub(crate) struct WaitingCount<'a>(&'a Counters);

impl Drop for WaitingCount<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
