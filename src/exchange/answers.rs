//! What becomes of a message with each answer, or with none.

use super::authenticator::{Authenticator, Epoch};
use super::clock::Clock;
use super::item::Verdict;
use super::kind::Kind;
use super::{ErrorContext, Exchange, InFlight, RequestId, RequestKind};
use crate::error::{Cause, Error, Stage};
use crate::http::{MAX_REPLY_BODY, Response, TransportError, TransportErrorKind};
use crate::moment::Moment;
use crate::outcome::{Receipt, Retry};

impl Exchange {
    /// Takes what came of a request: an answer, or why there is none. Ids that are not under way are ignored.
    pub fn handle_response(&mut self, now: Moment, id: RequestId, answered: Result<Response, TransportError>) {
        let Some(position) = self.under_way.iter().position(|request| request.id == id) else { return };
        let request = self.under_way.swap_remove(position);
        match &answered {
            Ok(_) => self.outage.heard(),
            Err(TransportError { kind: TransportErrorKind::ConnectTimeout, .. }) => {
                self.outage.connected_too_slowly(request.connect_timeout_ms);
            }
            Err(_) => {}
        }
        match request.kind {
            RequestKind::Authentication => self.authenticated(now, &request, answered),
            RequestKind::Publication { item, epoch, clock } => {
                self.published(now, &request, item, epoch, clock, answered);
            }
        }
    }

    fn authenticated(&mut self, now: Moment, request: &InFlight, answered: Result<Response, TransportError>) {
        let Some(authentication) = &mut self.authentication else { return };
        // While an older token serves, it is the messages that show whether anything gets through.
        let is_urgent = authentication.credential().is_none();
        if let Err(transport_error) = &answered {
            let pause_ms = self.backoff.pause_ms(self.outage.failures().saturating_add(1), 0);
            let is_telling = is_urgent && transport_error.kind.is_transient();
            self.outage.failed(now.monotonic_ms, request.id, pause_ms, is_telling);
        }
        authentication.handle_response(now, &*self.platform, answered, &mut self.backoff, &mut self.clock);
    }

    fn published(
        &mut self,
        now: Moment,
        request: &InFlight,
        index: usize,
        epoch: Epoch,
        clock: Clock,
        answered: Result<Response, TransportError>,
    ) {
        self.has_been_answered |= answered.is_ok();
        let wish_ms = answered.as_ref().ok().and_then(Response::retry_after_ms);
        let read = match answered {
            Ok(response) => self.read(index, &response).map_err(|error| error.at(now.unix_ms, &response)),
            Err(transport_error) => Err(Error::transport(Stage::Publication, self.after_answers(transport_error))),
        };
        let error = match read {
            Ok(receipt) => return self.accepted(now, index, epoch, receipt),
            Err(error) => {
                self.platform.redact(error).without(self.authentication.iter().flat_map(Authenticator::secrets))
            }
        };
        let max_attempts = self.options.max_attempts;
        if self.learns_the_time(&error, clock) {
            self.item(index).failed(now.monotonic_ms, error, max_attempts);
            return self.put_back(index);
        }
        let error = match clock.ahead_ms() {
            0 => error,
            ahead_ms => self.platform.by_platform_clock(error, ahead_ms),
        };
        let kind = Kind::of(&error);
        match kind {
            Kind::Final if error.answer.is_some() => self.outage.taken(now.monotonic_ms),
            Kind::Final => {}
            _ => {
                let is_cut_short = self.item(index).deadline_ms() <= now.monotonic_ms;
                self.outage.not_taken(request.sent_ms, &error, is_cut_short);
            }
        }
        if kind == Kind::TokenRejected
            && let Some(authentication) = &mut self.authentication
        {
            authentication.reject(now, epoch, self.options.timeout_ms, &mut self.backoff);
        }
        let verdict = self.item(index).failed(now.monotonic_ms, error.clone(), max_attempts);
        let pause_ms = self.pause_ms(now, index, &error);
        if let (Kind::RefusedForNow, Retry::AfterMs(at_least_ms)) = (kind, error.retry) {
            let quiet_ms = self.backoff.pause_ms(self.window.quieted().saturating_add(1), 0).max(at_least_ms);
            self.window.refused(now.monotonic_ms, quiet_ms);
        }
        if error.answer.is_none() {
            self.outage.failed(now.monotonic_ms, request.id, pause_ms, kind != Kind::Final);
        }
        match verdict {
            Verdict::Final => self.give_up(index),
            Verdict::WithNewToken => self.put_back(index),
            Verdict::Later => self.pause(now, index, pause_ms, wish_ms.unwrap_or_default()),
        }
    }

    /// Whom messages have been answered to is not closed upon for what he is. Only messages count: a key may come from another
    /// server than the one they go to.
    fn after_answers(&self, transport_error: TransportError) -> TransportError {
        match transport_error.kind {
            TransportErrorKind::ConnectionClosed if self.has_been_answered => {
                TransportError { kind: TransportErrorKind::KeptConnectionClosed, ..transport_error }
            }
            _ => transport_error,
        }
    }

    fn read(&mut self, index: usize, response: &Response) -> Result<Receipt, Error> {
        let ErrorContext::Operation(operation) = &self.slots[index].context else {
            return self.platform.read_receipt(response);
        };
        // A refusal is one however long its page is, but half a reply is none.
        if response.is_success() && response.body.len() > MAX_REPLY_BODY {
            return Err(Error::transport(Stage::Publication, TransportErrorKind::AnswerTooLarge.into()));
        }
        let reply = operation.read_reply(&*self.platform, response)?;
        let receipt = reply.receipt.clone();
        self.reply = Some(reply);
        Ok(receipt)
    }

    fn accepted(&mut self, now: Moment, index: usize, epoch: Epoch, receipt: Receipt) {
        self.window.accepted();
        self.outage.taken(now.monotonic_ms);
        if let Some(authentication) = &mut self.authentication {
            authentication.accepted(epoch);
        }
        let receipt = self.item(index).delivered(receipt);
        if let Some(reply) = &mut self.reply {
            reply.receipt = receipt.clone();
        }
        self.finish(index, Ok(receipt));
    }

    /// Whether the message was refused for the time in its signature, by a clock that is now known to be wrong. Then it goes
    /// once more by the platform's, and is not refused for that again.
    fn learns_the_time(&mut self, error: &Error, signed_by: Clock) -> bool {
        let refused = self.platform.clock_refused(error, signed_by.ahead_ms()).filter(|_| !signed_by.has_learned());
        if let Some(ahead_ms) = refused {
            self.clock.learn(ahead_ms);
        }
        refused.is_some()
    }

    /// How long a message rests after an attempt that failed so.
    fn pause_ms(&mut self, now: Moment, index: usize, error: &Error) -> u64 {
        let max_attempts = self.options.max_attempts;
        let has_heard = self.outage.has_heard();
        let item = self.item(index);
        let (attempts, unknown_attempts) = (item.attempts(), item.unknown_attempts());
        let left_ms = item.deadline_ms().saturating_sub(now.monotonic_ms);
        // AWS closes the connections of a device that it does not know yet, and takes half a minute to provision it: what
        // is left of the attempts is spread over what is left of the time, after one that comes soon.
        let is_closed = error.cause == Cause::Transport(TransportErrorKind::ConnectionClosed);
        if is_closed && !has_heard && unknown_attempts > 1 {
            return left_ms / u64::from(max_attempts.saturating_sub(unknown_attempts).saturating_add(1));
        }
        let failures = self.outage.failures().saturating_add(1);
        let at_least_ms = match error.retry {
            Retry::AfterMs(at_least_ms) => at_least_ms,
            Retry::AfterAuthentication | Retry::Never => 0,
        };
        self.backoff.pause_ms(attempts.max(failures), at_least_ms)
    }

    /// Lets a message rest, unless its time would be over when it wakes.
    fn pause(&mut self, now: Moment, index: usize, pause_ms: u64, wish_ms: u64) {
        let deadline_ms = self.item(index).deadline_ms();
        let left_ms = deadline_ms.saturating_sub(now.monotonic_ms);
        match self.backoff.within(pause_ms, wish_ms, left_ms) {
            Some(pause_ms) => self.queue.pause(index, now.monotonic_ms.saturating_add(pause_ms), deadline_ms),
            None => self.give_up(index),
        }
    }

    fn put_back(&mut self, index: usize) {
        let deadline_ms = self.item(index).deadline_ms();
        self.queue.put_back(index, deadline_ms);
    }

    /// Ends a message with what is known of its attempts.
    pub(super) fn give_up(&mut self, index: usize) {
        let attempts = self.item(index).attempts();
        let Some(error) = self.item(index).error() else {
            unreachable!("what was sent and is not under way has failed")
        };
        // When the caller may try again: as we would have done.
        let retry = match error.retry {
            Retry::AfterMs(at_least_ms) => Retry::AfterMs(self.backoff.pause_ms(attempts, at_least_ms)),
            retry => retry,
        };
        self.finish(index, Err(Error { retry, ..error }));
    }
}
