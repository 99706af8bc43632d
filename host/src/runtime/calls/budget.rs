//! How long a call may take.

use std::time::Duration;

/// What one call of a guest may take of a thread, and of a day.
///
/// Both count from the beginning of each call. Who exceeds one of them ends with a [`CallError`](super::CallError), and its
/// instance is of no more use; the host and all other instances go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallBudget {
    /// For how long a call may compute, the host's functions that it calls included. Waiting does not count: not for the
    /// network, not for a timer. The clock is that of the machine, so on a busy one it counts what other threads took
    /// meanwhile. Default 5 minutes: the largest batch takes seconds, and every 10 ms the guest gives way to others in any case.
    pub cpu: Duration,
    /// After how long a call ends in any case, waiting included; to a call that is told how long to wait it is added. By
    /// default never, as a publish may wait for minutes, within the timeouts of its options.
    pub deadline: Option<Duration>,
}

impl Default for CallBudget {
    fn default() -> Self {
        Self { cpu: Duration::from_secs(300), deadline: None }
    }
}

impl CallBudget {
    /// Sets [`cpu`](Self::cpu).
    #[must_use]
    pub fn cpu(mut self, cpu: Duration) -> Self {
        self.cpu = cpu;
        self
    }

    /// Sets [`deadline`](Self::deadline).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}
