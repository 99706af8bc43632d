//! What is said of what was interrupted before it had its outcome. The component says nothing of it any more, but the host knows
//! whether anything has left it: a user who ends a run that never got a connection is not to wonder whether the message arrived.

use thingpost_host::runtime::types::Delivery;

use super::names;
use super::report::LastFailure;
use crate::exit::Exit;
use crate::terminal::complain;

/// What has happened until now, to be compared with what happens later.
pub struct Departures {
    last_failure: LastFailure,
    before: u64,
}

impl Departures {
    /// Begins to look at what leaves the host.
    pub fn watch(last_failure: &LastFailure) -> Self {
        Self { last_failure: last_failure.clone(), before: last_failure.sent() }
    }

    /// What has become of what was to be sent since then. A request for a token counts as well: which of them it was the host does not
    /// know.
    pub fn delivery(&self) -> Delivery {
        if self.last_failure.sent() > self.before { Delivery::Unknown } else { Delivery::NotSent }
    }
}

/// Says of a question what became of it.
pub fn give_up_question(delivery: Delivery) -> Exit {
    let (reason, exit) = match delivery {
        Delivery::NotSent => ("interrupted before it was sent", Exit::NotSent),
        Delivery::Refused | Delivery::Unknown => ("interrupted before the answer came", Exit::Unknown),
    };
    complain(format_args!("{}: {reason}", names::delivery(delivery)));
    exit
}
