//! A message is tried until its time is over, half a minute by default, and a user who has mistyped a port sees nothing meanwhile.
//! So when nothing got through for a while, it is said once: why, and for how long it is tried.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::report::LastFailure;
use crate::error::one_line;

/// How long nothing is said. A network that is only slow has answered by then.
pub const SILENCE: Duration = Duration::from_secs(2);

/// Of a run that is over sooner it is not worth the words.
const SHORT: Duration = Duration::from_secs(5);

/// Watches what the host notes.
pub struct StillTrying {
    last_failure: LastFailure,
    timeout: Duration,
    begin: Instant,
}

impl StillTrying {
    /// From now on.
    pub fn new(last_failure: LastFailure, timeout: Duration) -> Self {
        let begin = Instant::now();
        Self { last_failure, timeout, begin }
    }

    /// Says it when it is time. Never ends: what waits for something else drops it.
    pub async fn say(self, say: impl FnOnce(String)) -> Infallible {
        let mut next = self.begin + SILENCE;
        loop {
            sleep_until(next).await;
            let silent_since = self.last_failure.answered_at().map_or(self.begin, |at| at.max(self.begin));
            if let Some(line) = self.line(silent_since) {
                say(line);
                return std::future::pending().await;
            }
            next = (silent_since + SILENCE).max(Instant::now() + SILENCE / 4);
        }
    }

    /// What is to be said, if anything.
    fn line(&self, silent_since: Instant) -> Option<String> {
        let silence = silent_since.elapsed();
        if silence < SILENCE || self.timeout <= SHORT {
            return None;
        }
        let reason = self.last_failure.since(silent_since)?;
        let left = self.timeout.checked_sub(silence)?.as_secs_f64().ceil();
        Some(one_line(&format!("still trying, for {left} s more: {reason}")))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use thingpost_host::{Denial, TransportError};
    use tokio::time::{advance, timeout};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    fn failure() -> TransportError {
        TransportError::Denied(Denial::Method)
    }

    /// What is said within 20 s, and when, while this happens.
    async fn said(happens: impl AsyncFnOnce(&LastFailure)) -> Vec<(u64, String)> {
        let (said, begin, noted) = (RefCell::new(Vec::new()), Instant::now(), LastFailure::default());
        let still_trying = StillTrying::new(noted.clone(), TIMEOUT);
        let says = timeout(Duration::from_secs(20), async {
            match still_trying.say(|line| said.borrow_mut().push((begin.elapsed().as_secs(), line))).await {}
        });
        let (ended, ()) = tokio::join!(says, happens(&noted));
        assert!(ended.is_err());
        said.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn after_two_seconds_it_is_said_once_why_and_for_how_long() {
        let said = said(async |noted| {
            for _ in 0..10 {
                noted.note(&failure());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
        .await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].0, 2);
        assert!(said[0].1.starts_with("still trying, for 28 s more: "), "{said:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_while_something_gets_through_or_nothing_is_known() {
        let quiet = said(async |_| ()).await;
        assert!(quiet.is_empty(), "{quiet:?}");
        let mixed = said(async |noted| {
            for _ in 0..18 {
                noted.note(&failure());
                noted.note_answer();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
        .await;
        assert!(mixed.is_empty(), "{mixed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn of_an_outage_that_begins_later_it_is_said_later() {
        let said = said(async |noted| {
            advance(Duration::from_secs(5)).await;
            noted.note_answer();
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                noted.note(&failure());
            }
        })
        .await;
        assert_eq!((said.len(), said[0].0), (1, 7), "{said:?}");
    }
}
