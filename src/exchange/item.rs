//! One message on its way through an exchange.

use super::kind::{Kind, more_telling};
use crate::error::Error;
use crate::http::Request;
use crate::message::Qos;
use crate::outcome::Receipt;

/// A message, what happened to it so far, and its outcome once it has one.
#[derive(Debug)]
pub(super) struct Item {
    pub request: Request,
    qos: Qos,
    attempts: u32,
    /// Of those, the ones that may have arrived.
    unknown: u32,
    /// On the monotonic clock; set when it is first sent.
    deadline_ms: Option<u64>,
    /// What is told when its time is over: how the last attempt failed, or one that says more. Its delivery is the
    /// gravest of all attempts: if one of them may have arrived, the message may have arrived, whatever became of the
    /// later ones.
    error: Option<Error>,
}

/// What to do with a message after an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has its outcome.
    Final,
    /// Send it again as soon as there is another token.
    WithNewToken,
    /// Send it again after a pause.
    Later,
}

impl Item {
    pub fn new(request: Request, qos: Qos) -> Self {
        Self { request, qos, attempts: 0, unknown: 0, deadline_ms: None, error: None }
    }

    /// Counts one more attempt, which must be over in so many milliseconds.
    pub fn begin_attempt(&mut self, now_ms: u64, timeout_ms: u32) -> u32 {
        self.attempts += 1;
        let deadline = *self.deadline_ms.get_or_insert(now_ms.saturating_add(timeout_ms.into()));
        u32::try_from(deadline.saturating_sub(now_ms)).unwrap_or(u32::MAX).max(1)
    }

    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many of them may have arrived. Nothing else counts against the maximum.
    pub fn unknown_attempts(&self) -> u32 {
        self.unknown
    }

    pub fn delivered(&self, receipt: Receipt) -> Receipt {
        Receipt { attempts: self.attempts, ..receipt }
    }

    /// Judges an attempt that failed at this time.
    pub fn failed(&mut self, now_ms: u64, error: Error, max_attempts: u32) -> Verdict {
        let kind = Kind::of(&error);
        self.unknown += u32::from(kind == Kind::Unknown);
        let verdict = match kind {
            Kind::TokenRejected => Verdict::WithNewToken,
            Kind::NotSent | Kind::RefusedForNow => Verdict::Later,
            Kind::Unknown if self.qos == Qos::AtLeastOnce && self.unknown < max_attempts => Verdict::Later,
            Kind::Unknown | Kind::Final => Verdict::Final,
        };
        let is_cut_short = self.deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms);
        let delivery = self.account(error.clone()).delivery;
        let error = more_telling(self.error.take(), error, is_cut_short);
        self.error = Some(Error { delivery, ..error });
        verdict
    }

    /// The error of this message when it ends with this one: with the attempts and the gravest delivery of all.
    pub fn account(&self, error: Error) -> Error {
        let before = self.error.as_ref().map(|error| error.delivery);
        let delivery = before.map_or(error.delivery, |before| before.max(error.delivery));
        Error { attempts: self.attempts, delivery, ..error }
    }

    /// When its time is over. The time of one that was never sent has not begun.
    pub fn deadline_ms(&self) -> u64 {
        self.deadline_ms.unwrap_or(u64::MAX)
    }

    /// What it ends with when its time is over.
    pub fn error(&self) -> Option<Error> {
        self.error.clone().map(|error| self.account(error))
    }
}
