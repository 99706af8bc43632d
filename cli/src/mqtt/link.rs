//! What is said of the connection. It belongs on standard error and in one line: a loss that heals itself is no failure, but
//! whoever looks on wants to know why nothing moves.

use thingpost_host::runtime::MqttSession;
use thingpost_host::runtime::types::Error;
use thingpost_host::runtime::types::mqtt::Disconnection;

use super::trapped;
use crate::interrupt::Interruptions;
use crate::problem::{Problem, one_line};
use crate::report::{self, LastFailure};
use crate::terminal::complain;

/// How the first connection came out.
pub enum First {
    Made,
    Failed(Error),
    Interrupted,
}

/// Connects, once. After an interruption the session is of no more use.
pub async fn connect(session: &mut MqttSession, interruptions: &Interruptions) -> Result<First, Problem> {
    tokio::select! {
        connected = session.connect() => match connected.map_err(trapped)? {
            Ok(_) => Ok(First::Made),
            Err(error) => Ok(First::Failed(error)),
        },
        () = interruptions.reached(1) => Ok(First::Interrupted),
    }
}

/// The connection after the first.
pub struct Link {
    pub is_up: bool,
    /// Why there is none, as it was said last: the same is not said at each attempt.
    said: Option<String>,
    last_failure: LastFailure,
}

impl Link {
    /// It is there.
    pub fn new(last_failure: LastFailure) -> Self {
        last_failure.clear();
        Self { is_up: true, said: None, last_failure }
    }

    /// It is there again.
    pub fn connected(&mut self) {
        if !self.is_up {
            complain("connected again");
        }
        self.is_up = true;
        self.said = None;
        self.last_failure.clear();
    }

    /// It is gone, or did not come back.
    pub fn disconnected(&mut self, disconnection: &Disconnection) {
        let (what, reason) = match self.is_up {
            // What the host knows of it stands in the explanation.
            true => ("connection lost", report::explained(&disconnection.error, &LastFailure::default())),
            false => ("no connection yet", report::explained(&disconnection.error, &self.last_failure)),
        };
        self.is_up = false;
        if self.said.as_ref() == Some(&reason) {
            return;
        }
        let next = match disconnection.retry_ms {
            Some(ms) => format!("; next attempt in {}.{} s", ms / 1000, ms % 1000 / 100),
            None => String::new(),
        };
        complain(one_line(&format!("{what}: {reason}{next}")));
        self.said = Some(reason);
    }
}
