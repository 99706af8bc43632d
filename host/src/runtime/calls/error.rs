//! Why the host has ended a call, or makes none any more.

use std::fmt;
use std::time::Duration;

use crate::error::seconds;

/// The reason why the host has ended a call of a guest, or does not begin one.
///
/// It is inside the [`wasmtime::Error`] of the call, where `downcast_ref` finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The guest has computed for longer than [`CallBudget::cpu`](super::CallBudget::cpu).
    CpuBudget {
        /// What it had.
        budget: Duration,
    },
    /// The call took longer than [`CallBudget::deadline`](super::CallBudget::deadline).
    Deadline {
        /// What it had, with what it was asked to wait.
        after: Duration,
    },
    /// An earlier call of this instance was cut short, so the instance is in the middle of something for ever.
    Lost {
        /// What has cut it short.
        reason: String,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CpuBudget { budget } => {
                write!(f, "the guest was stopped: it has computed for more than {}", seconds(*budget))
            }
            Self::Deadline { after } => write!(f, "the guest was stopped: its call took more than {}", seconds(*after)),
            Self::Lost { reason } => write!(f, "this instance is of no more use, open a new one: {reason}"),
        }
    }
}

impl std::error::Error for CallError {}
