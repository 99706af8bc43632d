//! What is said of the connection. It belongs on standard error and in one line: a loss that heals itself is no failure, but
//! a user who looks on wants to know why nothing moves.

use thingpost_host::runtime::types::mqtt::Disconnection;
use thingpost_host::runtime::types::{Cause, Error, Retry, TransportErrorKind};
use tokio::time::Instant;

use crate::error::one_line;
use crate::output::report::{self, LastFailure};
use crate::output::still_trying::SILENCE;
use crate::terminal::complain;

pub struct ConnectionLog {
    pub is_up: bool,
    /// Whether there was one.
    pub was_up: bool,
    since: Instant,
    /// Why there is none, as long as there was none.
    error: Option<Error>,
    /// The error as it was said last: it is not said at each attempt.
    said: Option<String>,
    last_failure: LastFailure,
}

impl ConnectionLog {
    /// It is on its way.
    pub fn new(last_failure: LastFailure) -> Self {
        last_failure.clear();
        let since = Instant::now();
        Self { is_up: false, was_up: false, since, error: None, said: None, last_failure }
    }

    /// It is there.
    pub fn connected(&mut self) {
        if !self.is_up && self.was_up {
            complain("connected again");
        } else if !self.is_up && self.said.is_some() {
            complain("connected");
        }
        self.is_up = true;
        self.was_up = true;
        self.said = None;
        self.error = None;
        self.last_failure.clear();
    }

    /// It is gone, or did not come back. Until `deadline` it is tried, if that ever ends.
    pub fn disconnected(&mut self, disconnection: &Disconnection, deadline: Option<Instant>) {
        let (what, reason) = match self.is_up {
            // What the host knows of it stands in the explanation.
            true => ("connection lost", report::explained(&disconnection.error, &LastFailure::default())),
            false => ("no connection yet", report::explained(&disconnection.error, &self.last_failure)),
        };
        self.is_up = false;
        if !self.was_up {
            self.error = Some(disconnection.error.clone());
        }
        // A first one that takes a little longer is nothing to speak of, and what ends the run is said in the end.
        let is_early = !self.was_up && self.since.elapsed() < SILENCE;
        let is_the_end = !self.was_up
            && (is_final(&disconnection.error) || deadline.is_some_and(|deadline| deadline <= Instant::now()));
        if self.said.as_ref() == Some(&reason) || is_early || is_the_end {
            return;
        }
        let next = match disconnection.retry_ms {
            Some(ms) => format!("; next attempt in {}.{} s", ms / 1000, ms % 1000 / 100),
            None => String::new(),
        };
        let left = deadline.filter(|_| !self.was_up).map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.map_or_else(String::new, |left| format!(", and so on for {:.0} s", left.as_secs_f64().ceil()));
        complain(one_line(&format!("{what}: {reason}{next}{left}")));
        self.said = Some(reason);
    }

    /// Why there was never one.
    pub fn never_up(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether another attempt would end as the last one did. Once there was a connection, every reason may go away as it has
    /// come.
    pub fn is_in_vain(&self) -> bool {
        self.error.as_ref().is_some_and(is_final)
    }
}

/// What the user has to change. All of the network is temporary, certificates and names included.
fn is_final(error: &Error) -> bool {
    match error.cause {
        Cause::Transport(failure) => {
            matches!(failure, TransportErrorKind::Denied | TransportErrorKind::RequestRejected)
        }
        _ => error.retry == Retry::Never,
    }
}

#[cfg(test)]
mod tests {
    use thingpost_host::runtime::types::{Delivery, Stage};

    use super::*;

    fn disconnection(cause: Cause, retry: Retry) -> Disconnection {
        let (stage, delivery, answer) = (Stage::Connection, Delivery::NotSent, None);
        let error = Error { cause, stage, delivery, retry, attempts: 1, answer, explanation: "why".to_owned() };
        Disconnection { error, was_connected: false, retry_ms: Some(500) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_is_not_there_yet_is_waited_for_and_said_after_two_seconds() {
        let mut connection = ConnectionLog::new(LastFailure::default());
        let refused = disconnection(Cause::Transport(TransportErrorKind::TlsCertificate), Retry::Never);
        connection.disconnected(&refused, None);
        assert!(connection.said.is_none() && connection.never_up().is_some() && !connection.is_in_vain());
        tokio::time::advance(SILENCE).await;
        connection.disconnected(&refused, None);
        assert!(connection.said.is_some());
        connection.connected();
        assert!(connection.never_up().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_for_good_is_the_end_only_before_there_was_a_connection() {
        let mut connection = ConnectionLog::new(LastFailure::default());
        let refused = disconnection(Cause::Unauthenticated, Retry::Never);
        connection.disconnected(&refused, None);
        assert!(connection.is_in_vain());
        connection.connected();
        connection.disconnected(&refused, None);
        assert!(!connection.is_in_vain());
        let mut connection = ConnectionLog::new(LastFailure::default());
        connection.disconnected(&disconnection(Cause::Unavailable, Retry::AfterMs(0)), None);
        assert!(!connection.is_in_vain());
    }
}
