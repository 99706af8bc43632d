//! Many messages, one token. No client in any language gets this right: each sender authenticates for itself and the
//! platform throttles, or the first expired token loses the message. Here everybody waits for the one authentication
//! under way, and a token that was rejected is replaced once, however many messages come back with it.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::backoff::Backoff;
use super::options::Options;
use crate::aliyun::{self, Session, Token};
use crate::error::{Error, Stage};
use crate::http::{NoAnswer, Request, Response};
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};

/// Counts tokens, so that a rejection of an old one does not throw away its successor.
pub(super) type Epoch = u32;

/// The token of a device and the way to the next one.
#[derive(Debug)]
pub(super) struct Authentication {
    config: aliyun::Config,
    session: Option<Session>,
    epoch: Epoch,
    state: State,
    attempts: u32,
    deadline_ms: u64,
}

#[derive(Debug)]
enum State {
    Idle,
    UnderWay,
    Pausing { until_ms: u64 },
    Failed(Error),
}

/// Whether a message can be sent now.
pub(super) enum Access {
    /// With this token, where the platform wants one.
    Granted { token: Option<String>, epoch: Epoch },
    /// Send this request first.
    Request { request: Request, timeout_ms: u32 },
    /// Wait for the authentication under way, or until a time.
    Wait { until_ms: Option<u64> },
    /// There is no token to be had in this exchange.
    Failed(Error),
}

impl Authentication {
    pub fn new(config: aliyun::Config, session: Option<Session>) -> Self {
        Self { config, session, epoch: 0, state: State::Idle, attempts: 0, deadline_ms: 0 }
    }

    pub fn access(&mut self, now: Moment, options: &Options) -> Access {
        match (&self.session, &self.state) {
            (Some(session), State::Idle) if self.is_own() || !session.is_near_its_end(now.unix_ms) => {
                self.grant(session)
            }
            // A renewal ahead of time that failed costs nothing as long as the old token is not rejected.
            (Some(session), State::Failed(_)) => self.grant(session),
            (None, State::Failed(error)) => Access::Failed(error.clone()),
            (_, State::UnderWay) => Access::Wait { until_ms: None },
            (_, State::Pausing { until_ms }) if now.monotonic_ms < *until_ms => {
                Access::Wait { until_ms: Some(*until_ms) }
            }
            (_, State::Idle) => {
                self.attempts = 0;
                self.deadline_ms = now.monotonic_ms.saturating_add(options.timeout_ms.into());
                self.begin(now)
            }
            (_, State::Pausing { .. }) => self.begin(now),
        }
    }

    /// Whether the token was obtained here. Such a one is renewed only when it is rejected: to a clock that is years
    /// ahead every token is near its end, and we would never do anything but authenticate.
    fn is_own(&self) -> bool {
        self.epoch > 0
    }

    fn grant(&self, session: &Session) -> Access {
        Access::Granted { token: Some(session.token().value().to_owned()), epoch: self.epoch }
    }

    fn begin(&mut self, now: Moment) -> Access {
        self.state = State::UnderWay;
        self.attempts += 1;
        let remaining = self.deadline_ms.saturating_sub(now.monotonic_ms);
        let timeout_ms = u32::try_from(remaining).unwrap_or(u32::MAX).max(1);
        Access::Request { request: self.config.auth_request(now.unix_ms), timeout_ms }
    }

    /// The authentication under way has come to this.
    pub fn answer(
        &mut self,
        now: Moment,
        answered: Result<Response, NoAnswer>,
        options: &Options,
        backoff: &mut Backoff,
    ) {
        let read = match answered {
            Ok(response) => aliyun::read_auth_response(&response),
            Err(no_answer) => Err(Error::no_answer(Stage::Authentication, no_answer)),
        };
        self.state = match read {
            Ok(token) => {
                self.renew(token, now);
                State::Idle
            }
            Err(error) => self.pause_or_fail(now, error, options, backoff),
        };
    }

    /// To authenticate twice does no harm, so other than with a message it does not matter whether the request
    /// arrived.
    fn pause_or_fail(&self, now: Moment, error: Error, options: &Options, backoff: &mut Backoff) -> State {
        if let Retry::AfterMs(at_least_ms) = error.retry
            && self.attempts < options.max_attempts
        {
            let pause = backoff.pause_ms(self.attempts).max(at_least_ms);
            let until_ms = now.monotonic_ms.saturating_add(pause);
            if until_ms < self.deadline_ms {
                return State::Pausing { until_ms };
            }
        }
        // A platform that refuses the device refuses its messages; whatever else went wrong, they have not left.
        let delivery = match error.delivery {
            Delivery::Refused => Delivery::Refused,
            Delivery::NotSent | Delivery::Unknown => Delivery::NotSent,
        };
        State::Failed(Error { delivery, attempts: 0, ..error })
    }

    fn renew(&mut self, token: Token, now: Moment) {
        self.session = Some(Session::new(token, now.unix_ms));
        self.epoch += 1;
    }

    /// A message came back: the token of this epoch is not accepted.
    pub fn reject(&mut self, epoch: Epoch) {
        if epoch == self.epoch {
            self.session = None;
        }
    }

    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }
}
