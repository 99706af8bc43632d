//! There is no listener, and a hundred thousand lines wait: to try each of them for as long as the first would take days. When nothing
//! got through for all the time that a message has, the lines that are there share the fate of those that were tried.

use std::time::Duration;

use thingpost_host::runtime::types::{Cause, Delivery, Error, Receipt, TransportErrorKind};
use tokio::time::Instant;

use crate::error::CliError;
use crate::lines::recorder::{OutcomeRecorder, unreadable};
use crate::lines::source::Source;
use crate::terminal::interrupt::Interruptions;

/// How long the lines of a pipe that never ends are settled so before one is tried again.
const UNTRIED: Duration = Duration::from_secs(1);

/// Why nothing got through, if that is what these outcomes say: no answer to any of them, and at least one that was tried until
/// its end and never sent.
pub fn reason(outcomes: &[Result<Receipt, Error>]) -> Option<Error> {
    let is_unanswered = |outcome: &Result<Receipt, Error>| match outcome {
        Ok(_) => false,
        // What was wrong before anything was sent says nothing of the network.
        Err(error) => error.answer.is_none() && (is_transport(error) || error.delivery == Delivery::NotSent),
    };
    if !outcomes.iter().all(is_unanswered) {
        return None;
    }
    let unsent = |error: &&Error| error.delivery == Delivery::NotSent && is_transport(error);
    let error = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).rfind(unsent)?;
    Some(Error { attempts: 0, ..error.clone() })
}

fn is_transport(error: &Error) -> bool {
    matches!(error.cause, Cause::Transport(failure) if failure != TransportErrorKind::RequestRejected)
}

/// Settles what is there: of a file all of it, and the run is over; of a pipe what is in it, as what comes later may find the
/// way. True if that was all.
pub async fn settle_meanwhile(
    recorder: &mut OutcomeRecorder,
    source: &mut Source,
    error: &Error,
    interruptions: &Interruptions,
) -> Result<bool, CliError> {
    if source.total_bytes.is_some() {
        recorder.refuse_rest(source, error, interruptions).await?;
        return Ok(true);
    }
    let begin = Instant::now();
    while begin.elapsed() < UNTRIED {
        match source.next_soon().await {
            (None, is_over) => return Ok(is_over),
            (Some(Err(error)), _) => return Err(unreadable(error)),
            (Some(Ok(line)), _) if line.is_empty() => {}
            (Some(Ok(line)), _) => recorder.refuse(&line, error),
        }
    }
    recorder.flush();
    Ok(false)
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "outcomes as the component gives them")]
mod tests {
    use thingpost_host::runtime::types::{Answer, Retry, Stage};

    use super::*;

    fn error(cause: Cause, delivery: Delivery) -> Result<Receipt, Error> {
        Err(Error {
            cause,
            stage: Stage::Publication,
            delivery,
            retry: Retry::AfterMs(0),
            attempts: 7,
            answer: None,
            explanation: String::new(),
        })
    }

    #[test]
    fn an_outage_is_when_nothing_was_answered_and_something_never_left() {
        let unsent = || error(Cause::Transport(TransportErrorKind::ConnectionRefused), Delivery::NotSent);
        let unknown = || error(Cause::Transport(TransportErrorKind::ConnectionClosed), Delivery::Unknown);
        let large = || error(Cause::PayloadTooLarge, Delivery::NotSent);
        let delivered = || Ok(Receipt { message_id: None, trace_id: None, attempts: 1 });
        let mut refused = error(Cause::Forbidden, Delivery::Refused);
        if let Err(error) = &mut refused {
            error.answer =
                Some(Answer { status: 403, code: None, message: None, trace_id: None, clock_ahead_ms: None });
        }
        assert!(reason(&[unsent(), unknown(), large()]).is_some_and(|error| error.attempts == 0));
        assert!(reason(&[unknown()]).is_none(), "one connection that was closed is no outage");
        assert!(reason(&[large()]).is_none());
        assert!(reason(&[unsent(), delivered()]).is_none());
        assert!(reason(&[unsent(), refused]).is_none());
        assert!(reason(&[]).is_none());
    }
}
