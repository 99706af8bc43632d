//! One message on its way through an exchange.

use crate::error::Error;
use crate::http::Request;
use crate::message::Qos;
use crate::outcome::{Delivery, Receipt, Retry};

/// A message, what happened to it so far, and its outcome once it has one.
#[derive(Debug)]
pub(super) struct Item {
    pub request: Request,
    qos: Qos,
    attempts: u32,
    /// On the monotonic clock; set when it is first sent.
    deadline_ms: Option<u64>,
    /// Sent again once after a new token. A second rejection is final, or a broken server keeps us busy for ever.
    renewed: bool,
    /// How the last attempt failed. Its delivery is the gravest of all attempts: if one of them may have arrived, the
    /// message may have arrived, whatever became of the later ones.
    last_error: Option<Error>,
}

/// What to do with a message after an attempt that failed.
pub(super) enum Verdict {
    /// It has its outcome.
    Final(Error),
    /// Send it again as soon as there is another token.
    WithNewToken,
    /// Send it again after a pause of at least so many milliseconds.
    Later { at_least_ms: u64, error: Error },
}

impl Item {
    pub fn new(request: Request, qos: Qos) -> Self {
        Self { request, qos, attempts: 0, deadline_ms: None, renewed: false, last_error: None }
    }

    /// Counts one more attempt, which must be over in so many milliseconds.
    pub fn begin_attempt(&mut self, now_ms: u64, timeout_ms: u32) -> u32 {
        self.attempts += 1;
        let deadline = *self.deadline_ms.get_or_insert(now_ms.saturating_add(timeout_ms.into()));
        u32::try_from(deadline.saturating_sub(now_ms)).unwrap_or(u32::MAX).max(1)
    }

    /// Attempts that count against the maximum.
    pub fn counted_attempts(&self) -> u32 {
        self.attempts - u32::from(self.renewed)
    }

    pub fn delivered(&self, receipt: Receipt) -> Receipt {
        Receipt { attempts: self.attempts, ..receipt }
    }

    /// Judges a failed attempt.
    pub fn failed(&mut self, error: Error, max_attempts: u32) -> Verdict {
        let retry = error.retry;
        let certainly_not_taken = error.delivery != Delivery::Unknown;
        let error = self.account(error);
        self.last_error = Some(error.clone());
        match retry {
            Retry::AfterAuthentication if !self.renewed => {
                self.renewed = true;
                Verdict::WithNewToken
            }
            Retry::AfterMs(at_least_ms)
                if self.counted_attempts() < max_attempts && (certainly_not_taken || self.qos == Qos::AtLeastOnce) =>
            {
                Verdict::Later { at_least_ms, error }
            }
            Retry::Never | Retry::AfterMs(_) | Retry::AfterAuthentication => Verdict::Final(error),
        }
    }

    /// The error of this message when it ends with this one: with the attempts and the gravest delivery of all.
    pub fn account(&self, error: Error) -> Error {
        let before = self.last_error.as_ref().map(|error| error.delivery);
        let delivery = before.map_or(error.delivery, |before| before.max(error.delivery));
        Error { attempts: self.attempts, delivery, ..error }
    }

    /// When its time is over, once it has begun.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.deadline_ms
    }

    /// The outcome of a message whose time is over by then. The time of one that was never sent has not begun.
    pub fn overdue(&self, at_ms: u64) -> Option<Error> {
        let is_over = self.deadline_ms.is_some_and(|deadline_ms| deadline_ms <= at_ms);
        self.last_error.clone().filter(|_| is_over)
    }
}
