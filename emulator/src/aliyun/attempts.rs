//! A client with many messages and one token has to ask for the next token once, not once for each message. Whether it
//! did can only be told from how often, and how often at once, a device came to `/auth`.

use std::collections::HashMap;

use super::registry::DeviceName;
use crate::gauge::{Gauge, Turn};

/// The requests to `/auth` that named a device, whether or not they were signed by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AliyunAuthentications {
    /// How many the platform has decided about. One that a fault ended before does not count.
    pub decided: usize,
    /// How many of them got a token.
    pub succeeded: usize,
    /// The most that were under way at once, from the moment a request was read to the moment its answer was about to
    /// be complete. Without delay that is next to no time: a test that wants two to meet slows the answers down with
    /// [`AnswerFault::SlowBytes`](crate::AnswerFault::SlowBytes).
    pub most_at_once: usize,
}

#[derive(Default)]
pub(super) struct Attempts(HashMap<DeviceName, Attempt>);

#[derive(Default)]
struct Attempt {
    decided: usize,
    succeeded: usize,
    under_way: Gauge,
}

impl Attempts {
    pub(super) fn enter(&mut self, device: DeviceName) -> Turn {
        self.0.entry(device).or_default().under_way.enter()
    }

    pub(super) fn decided(&mut self, device: DeviceName, succeeded: bool) {
        let attempt = self.0.entry(device).or_default();
        attempt.decided += 1;
        attempt.succeeded += usize::from(succeeded);
    }

    pub(super) fn of(&self, device: &DeviceName) -> AliyunAuthentications {
        let count = |attempt: &Attempt| AliyunAuthentications {
            decided: attempt.decided,
            succeeded: attempt.succeeded,
            most_at_once: attempt.under_way.most(),
        };
        self.0.get(device).map(count).unwrap_or_default()
    }
}
