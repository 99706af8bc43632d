//! Answers that nobody reads. The timeout between the pieces of an answer runs where the answer is read, so one that its guest
//! leaves lying would have its connection for as long as the guest likes, and with as many of them as it may have connections
//! it would have all of those. So the pool keeps the connection of each answer that is not over, and closes those whose time is.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Lease, Pool};

/// The timer of whoever waits for the next piece strikes first, and its error says more.
const GRACE: Duration = Duration::from_secs(1);

/// The connections of answers that are not over, by their numbers.
#[derive(Default)]
pub(super) struct OpenAnswers(BTreeMap<u64, OpenAnswer>);

struct OpenAnswer {
    lease: Lease,
    /// When it is to have been read further.
    until: Instant,
}

impl OpenAnswers {
    /// When the first of them is to be closed.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.0.values().map(|answer| answer.until + GRACE).min()
    }

    /// Those whose time is over.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<Lease> {
        let overdue = self.0.extract_if(.., |_, answer| answer.until + GRACE <= now);
        overdue.map(|(_, answer)| answer.lease).collect()
    }
}

/// The connection under an answer, which the pool keeps until the answer is over.
pub(crate) struct UnderAnswer {
    pool: Pool,
    number: u64,
}

impl Lease {
    /// Keeps the connection until then, while an answer is read.
    pub(crate) fn under_answer(self, until: Instant) -> UnderAnswer {
        let pool = self.pool.clone();
        let mut state = pool.shared.state();
        let number = state.next_number();
        if state.sweeps_at.is_some_and(|at| at > until + GRACE) {
            pool.shared.sweep_sooner.notify_one();
        }
        state.answers.0.insert(number, OpenAnswer { lease: self, until });
        drop(state);
        UnderAnswer { pool, number }
    }
}

impl UnderAnswer {
    /// Keeps it until then.
    pub(crate) fn keep(&self, until: Instant) {
        if let Some(answer) = self.pool.shared.state().answers.0.get_mut(&self.number) {
            answer.until = until;
        }
    }

    /// The connection, unless it was closed because nobody read the answer.
    pub(crate) fn end(self) -> Option<Lease> {
        let answer = self.pool.shared.state().answers.0.remove(&self.number);
        answer.map(|answer| answer.lease)
    }
}
