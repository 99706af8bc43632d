//! The messages that are not under way, and whose turn it is.

use alloc::collections::{BinaryHeap, VecDeque};
use core::cmp::Reverse;

/// Messages by their place in the exchange.
#[derive(Debug)]
pub(super) struct Queue {
    /// To send again, by the end of their time. It is running, so they go before all others.
    returned: BinaryHeap<Reverse<(u64, usize)>>,
    /// Never sent, in the order of the messages.
    fresh: VecDeque<usize>,
    /// By the time they wake, with the end of their time.
    pausing: BinaryHeap<Reverse<(u64, u64, usize)>>,
}

impl Queue {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { returned: BinaryHeap::new(), fresh: VecDeque::with_capacity(capacity), pausing: BinaryHeap::new() }
    }

    /// A message that was never sent.
    pub fn add(&mut self, index: usize) {
        self.fresh.push_back(index);
    }

    /// A message that was sent before. The one whose time ends first goes first.
    pub fn put_back(&mut self, index: usize, deadline_ms: u64) {
        self.returned.push(Reverse((deadline_ms, index)));
    }

    /// A message that was sent before, after a pause.
    pub fn pause(&mut self, index: usize, wakes_ms: u64, deadline_ms: u64) {
        self.pausing.push(Reverse((wakes_ms, deadline_ms, index)));
    }

    /// Ends the pauses that are over.
    pub fn wake(&mut self, now_ms: u64) {
        while let Some(Reverse((wakes_ms, deadline_ms, index))) = self.pausing.peek().copied()
            && wakes_ms <= now_ms
        {
            self.pausing.pop();
            self.put_back(index, deadline_ms);
        }
    }

    /// When the next pause is over.
    pub fn wakes_ms(&self) -> Option<u64> {
        self.pausing.peek().map(|Reverse((wakes_ms, _, _))| *wakes_ms)
    }

    /// Whether a message could be sent.
    pub fn is_any_ready(&self) -> bool {
        !self.returned.is_empty() || !self.fresh.is_empty()
    }

    /// Takes the message whose turn it is.
    pub fn pop(&mut self) -> Option<usize> {
        match self.returned.pop() {
            Some(Reverse((_, index))) => Some(index),
            None => self.fresh.pop_front(),
        }
    }

    /// Takes a message whose time is over.
    pub fn pop_overdue(&mut self, now_ms: u64) -> Option<usize> {
        self.returned.peek().filter(|Reverse((deadline_ms, _))| *deadline_ms <= now_ms)?;
        self.returned.pop().map(|Reverse((_, index))| index)
    }

    /// When the time of the first that waits is over.
    pub fn overdue_ms(&self) -> Option<u64> {
        self.returned.peek().map(|Reverse((deadline_ms, _))| *deadline_ms)
    }

    /// Takes a message that was never sent.
    pub fn pop_fresh(&mut self) -> Option<usize> {
        self.fresh.pop_front()
    }

    /// Whether there is one that was never sent.
    pub fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }
}
