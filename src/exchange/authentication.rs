//! Many messages, one token. No client in any language gets this right: each sender authenticates for itself and the
//! platform throttles, or the first expired token loses the message. Here everybody waits for the one authentication
//! under way, and a token that was rejected is replaced once, however many messages come back with it.

use alloc::string::String;
use alloc::vec::Vec;

use super::backoff::Backoff;
use super::options::Options;
use crate::aliyun::Signing;
use crate::error::{Cause, Error, Stage};
use crate::http::{NoAnswer, Request, Response};
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};
use crate::platform::{Platform, Session};

/// Counts tokens, so that a rejection of an old one does not throw away its successor.
pub(super) type Epoch = u32;

/// The token of a device and the way to the next one.
#[derive(Debug)]
pub(super) struct Authentication {
    session: Option<Session>,
    /// Those before it.
    spent: Vec<Session>,
    epoch: Epoch,
    state: State,
    attempts: u32,
    deadline_ms: u64,
    /// Whether the one under way began while there was a token.
    is_renewal: bool,
    /// Tokens obtained here that were rejected before anything was accepted with them, one after the other.
    in_vain: u32,
    /// Tokens obtained here that were rejected, accepted before or not.
    taken_away: u32,
    /// How far our clock is ahead, once the platform has refused a timestamp.
    ahead_ms: Option<i64>,
}

/// A platform that hands out tokens and rejects every one of them (a disabled device, another instance) is asked so
/// often, and then no more. One or two may be due to somebody else who authenticates as the same device.
const MAX_IN_VAIN: u32 = 3;

/// A renewal ahead of time delays nobody but the end of the exchange, and that not for long.
const RENEWAL_MS: u32 = 5_000;

/// Below this the clock is not why a timestamp was refused.
const TOLERATED_MS: u64 = 60_000;

#[derive(Debug)]
enum State {
    Idle,
    /// A token obtained here was taken away. Where each new token ends the older ones, somebody else who authenticates as
    /// the same device has done that; whoever answers at once ends his in turn, and both do nothing else any more. So
    /// it is his turn first, and longer each time.
    Resting {
        until_ms: u64,
    },
    /// Somebody else signs.
    Signing(Signing),
    /// What was signed for it.
    UnderWay(Option<Signing>),
    Pausing {
        until_ms: u64,
    },
    Failed(Error),
}

/// Whether a message can be sent now.
pub(super) enum Access {
    /// With the token of this epoch.
    Granted(Epoch),
    /// Send this request first.
    Request { request: Request, timeout_ms: u32 },
    /// Have this signed first.
    Sign(Signing),
    /// Wait for the authentication under way, or until a time.
    Wait { until_ms: Option<u64> },
    /// There is no token to be had in this exchange.
    Failed(Error),
}

impl Authentication {
    pub fn new(session: Option<Session>) -> Self {
        Self {
            session,
            spent: Vec::new(),
            epoch: 0,
            state: State::Idle,
            attempts: 0,
            deadline_ms: 0,
            is_renewal: false,
            in_vain: 0,
            taken_away: 0,
            ahead_ms: None,
        }
    }

    pub fn access(&mut self, now: Moment, platform: &Platform, options: &Options) -> Access {
        match (&self.session, &self.state) {
            (Some(session), State::Idle) if !self.is_own() && session.is_near_its_end(now) => {
                self.begin(now, platform, options.timeout_ms.min(RENEWAL_MS))
            }
            // Also while it is renewed ahead of time, and when that has failed: it was not rejected.
            (Some(_), _) => Access::Granted(self.epoch),
            (None, State::Failed(error)) => Access::Failed(error.clone()),
            (None, State::UnderWay(_) | State::Signing(_)) => Access::Wait { until_ms: None },
            (None, State::Pausing { until_ms } | State::Resting { until_ms }) if now.monotonic_ms < *until_ms => {
                Access::Wait { until_ms: Some(*until_ms) }
            }
            (None, State::Idle | State::Resting { .. }) => self.begin(now, platform, options.timeout_ms),
            (None, State::Pausing { .. }) => self.attempt(now, platform),
        }
    }

    /// Whether a token is renewed that still serves.
    pub fn is_renewing(&self) -> bool {
        self.session.is_some() && matches!(self.state, State::UnderWay(_) | State::Signing(_))
    }

    /// Whether the token was obtained here. Such a one is renewed only when it is rejected: to a clock that is years
    /// ahead every token is near its end, and we would never do anything but authenticate.
    fn is_own(&self) -> bool {
        self.epoch > 0
    }

    fn begin(&mut self, now: Moment, platform: &Platform, timeout_ms: u32) -> Access {
        self.attempts = 0;
        self.is_renewal = self.session.is_some();
        self.deadline_ms = now.monotonic_ms.saturating_add(timeout_ms.into());
        self.attempt(now, platform)
    }

    fn attempt(&mut self, now: Moment, platform: &Platform) -> Access {
        self.attempts += 1;
        let now_unix_ms = now.unix_ms.saturating_sub_signed(self.ahead_ms.unwrap_or_default());
        let Some(mut signing) = platform.signing(now_unix_ms) else { return self.send(now, platform, None) };
        if self.ahead_ms.is_some() {
            signing = signing.by_the_platforms_clock();
        }
        match platform.sign(&signing) {
            Some(signature) => self.send(now, platform, Some((signing, signature))),
            None => {
                self.state = State::Signing(signing.clone());
                Access::Sign(signing)
            }
        }
    }

    fn send(&mut self, now: Moment, platform: &Platform, signed: Option<(Signing, String)>) -> Access {
        let signed_by = signed.as_ref().map(|(signing, signature)| (signing, signature.as_str()));
        let Some(request) = platform.session_request(signed_by) else { return Access::Granted(self.epoch) };
        self.state = State::UnderWay(signed.map(|(signing, _)| signing));
        let remaining = self.deadline_ms.saturating_sub(now.monotonic_ms);
        let timeout_ms = u32::try_from(remaining).unwrap_or(u32::MAX).max(1);
        Access::Request { request, timeout_ms }
    }

    /// Somebody else has signed, or has not. What is to be sent now, if anything.
    pub fn signed(&mut self, now: Moment, platform: &Platform, signature: Result<String, String>) -> Option<Access> {
        let State::Signing(signing) = core::mem::replace(&mut self.state, State::Idle) else { return None };
        match signature {
            Ok(signature) => Some(self.send(now, platform, Some((signing, signature)))),
            Err(problem) => {
                self.state = State::Failed(Error::not_signed(problem));
                None
            }
        }
    }

    /// The authentication under way has come to this.
    pub fn answer(
        &mut self,
        now: Moment,
        platform: &Platform,
        answered: Result<Response, NoAnswer>,
        options: &Options,
        backoff: &mut Backoff,
    ) {
        let read = match answered {
            Ok(response) => platform.read_session(&response, now).map_err(|error| error.at(now.unix_ms, &response)),
            Err(no_answer) => Err(Error::no_answer(Stage::Authentication, no_answer)),
        };
        let was = core::mem::replace(&mut self.state, State::Idle);
        match read {
            Ok(session) => {
                self.spent.extend(self.session.replace(session));
                self.epoch += 1;
            }
            Err(error) if self.learns_the_time(platform, &error) => {
                // A renewal begins anew; the token still serves meanwhile.
                if !self.is_renewal {
                    self.state = State::Pausing { until_ms: now.monotonic_ms };
                }
            }
            Err(mut error) => {
                if let (State::UnderWay(Some(signing)), true) = (was, error.answer.is_some()) {
                    error.detail.get_or_insert(signing.text());
                }
                self.state = self.pause_or_fail(now, error, options, backoff);
            }
        }
    }

    /// Whether the platform has refused a timestamp by a clock that is wrong, for the first time.
    fn learns_the_time(&mut self, platform: &Platform, error: &Error) -> bool {
        let ahead_ms = error.answer.as_ref().and_then(|answer| answer.clock_ahead_ms).unwrap_or_default();
        let does = error.cause == Cause::Unauthenticated
            && platform.corrects_clock()
            && self.ahead_ms.is_none()
            && ahead_ms.unsigned_abs() > TOLERATED_MS;
        if does {
            self.ahead_ms = Some(ahead_ms);
        }
        does
    }

    /// To authenticate twice does no harm, so other than with a message it does not matter whether the request
    /// arrived.
    fn pause_or_fail(&self, now: Moment, error: Error, options: &Options, backoff: &mut Backoff) -> State {
        let mut retry = error.retry;
        if let Retry::AfterMs(at_least_ms) = retry {
            let pause_ms = backoff.pause_ms(self.attempts, at_least_ms);
            let until_ms = now.monotonic_ms.saturating_add(pause_ms);
            if self.is_renewal && self.session.is_none() {
                // The old token was rejected meanwhile: now it is serious.
                return State::Idle;
            }
            // Ahead of time, one attempt will do.
            if !self.is_renewal && self.attempts < options.max_attempts && until_ms < self.deadline_ms {
                return State::Pausing { until_ms };
            }
            retry = Retry::AfterMs(pause_ms);
        }
        // A platform that refuses the device refuses its messages; whatever else went wrong, they have not left.
        let delivery = match error.delivery {
            Delivery::Refused => Delivery::Refused,
            Delivery::NotSent | Delivery::Unknown => Delivery::NotSent,
        };
        State::Failed(Error { delivery, retry, attempts: 0, ..error })
    }

    /// A message was accepted with the token of this epoch. If that is one obtained here, tokens are not obtained in vain,
    /// even if it was rejected meanwhile.
    pub fn accepted(&mut self, epoch: Epoch) {
        if epoch == self.epoch || epoch > 0 {
            self.in_vain = 0;
        }
    }

    /// A message came back: the token of this epoch is not accepted.
    pub fn reject(&mut self, now: Moment, epoch: Epoch, error: &Error, backoff: &mut Backoff) {
        if epoch != self.epoch {
            return;
        }
        let Some(rejected) = self.session.take() else { return };
        self.spent.push(rejected);
        if self.is_renewal && matches!(&self.state, State::Failed(error) if error.retry != Retry::Never) {
            // Ahead of time it was one attempt. Now it is serious.
            self.state = State::Idle;
        }
        if self.is_own() && !matches!(self.state, State::UnderWay(_) | State::Signing(_)) {
            self.taken_away += 1;
            let rest_ms = backoff.pause_ms(self.taken_away, 0);
            self.state = State::Resting { until_ms: now.monotonic_ms.saturating_add(rest_ms) };
        }
        self.in_vain += u32::from(self.is_own());
        if self.in_vain >= MAX_IN_VAIN {
            self.state = State::Failed(Error { stage: Stage::Authentication, attempts: 0, ..error.clone() });
        }
    }

    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// What no answer must give away: it may quote a request that was sent with another token than the present one.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.spent.iter().chain(&self.session).flat_map(Session::secrets)
    }
}
