//! Many messages, one token. No client in any language gets this right: each sender authenticates for itself and the
//! platform throttles, or the first expired token loses the message. Here everybody waits for the one authentication
//! under way, and a token that was rejected is replaced once, however many messages come back with it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::backoff::Backoff;
use super::clock::Clock;
use super::kind::{Kind, more_telling};
use super::options::Options;
use crate::credential::Credential;
use crate::error::{Cause, Error, Stage};
use crate::http::{Request, Response, TransportError, TransportErrorKind};
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::signing::{NotSigned, Signing};

/// Counts tokens, so that a rejection of an old one does not throw away its successor.
pub(super) type Epoch = u32;

/// The token of a device and the way to the next one.
#[derive(Debug)]
pub(super) struct Authenticator {
    credential: Option<Credential>,
    /// Those before it.
    spent: Vec<Credential>,
    epoch: Epoch,
    /// When the token of this epoch was obtained.
    obtained_ms: u64,
    /// Whether anything was accepted with it.
    has_served: bool,
    /// Tokens obtained here that were rejected before anything was accepted with them, one after the other.
    in_vain: u32,
    state: State,
    attempts: u32,
    deadline_ms: u64,
    /// Whether the one under way began while there was a token.
    is_renewal: bool,
    /// What has kept us from a token since the beginning of this attempt to get one.
    trouble: Option<Error>,
}

/// A renewal ahead of time delays nothing but the end of the exchange, and that not for long.
const RENEWAL_MS: u32 = 5_000;

/// Below this the clock is not why a timestamp was refused.
const TOLERATED_MS: u64 = 60_000;

/// A token that has served for so long was not taken away by another process that wants the same.
const LONG_MS: u64 = 30_000;

#[derive(Debug)]
enum State {
    Idle,
    /// A token obtained here was taken away. Where each new token ends the older ones, another process that authenticates as
    /// the same device has done that; to answer at once ends its token in turn, and both do nothing else any more. So
    /// it is his turn first, for about twice as long as it was ours: turns grow until they are worth an authentication.
    /// A platform that ends a token after so many messages, and no other's, costs us two thirds of the time so.
    Resting {
        until_ms: u64,
    },
    /// A signature is asked for, outside.
    Signing(Signing),
    /// The signature has come from outside, and the request waits for its turn.
    Signed(Signed),
    /// What was signed for it.
    UnderWay(Option<Signed>),
    Pausing {
        until_ms: u64,
    },
    Failed(Error),
}

/// What was signed, and how. Without a timestamp a signature is good for ever.
#[derive(Clone, Debug)]
struct Signed {
    signing: Signing,
    signature: Secret,
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

impl Authenticator {
    pub fn new(credential: Option<Credential>) -> Self {
        Self {
            credential,
            spent: Vec::new(),
            epoch: 0,
            obtained_ms: 0,
            has_served: false,
            in_vain: 0,
            state: State::Idle,
            attempts: 0,
            deadline_ms: 0,
            is_renewal: false,
            trouble: None,
        }
    }

    pub fn access(&mut self, now: Moment, platform: &dyn Platform, options: &Options, clock: Clock) -> Access {
        match (&self.credential, &self.state) {
            (Some(credential), State::Idle) if !self.is_own() && credential.is_near_its_end(now) => {
                self.begin(now, platform, options.timeout_ms.min(RENEWAL_MS), clock)
            }
            (_, State::Signed(signed)) => {
                let signed = signed.clone();
                self.send(now, platform, Some(signed))
            }
            // Also while it is renewed ahead of time, and when that has failed: it was not rejected.
            (Some(_), _) => Access::Granted(self.epoch),
            (None, State::Failed(error)) => Access::Failed(error.clone()),
            (None, State::UnderWay(_) | State::Signing(_)) => Access::Wait { until_ms: None },
            (None, State::Pausing { until_ms } | State::Resting { until_ms }) if now.monotonic_ms < *until_ms => {
                Access::Wait { until_ms: Some(*until_ms) }
            }
            (None, State::Idle | State::Resting { .. }) => self.begin(now, platform, options.timeout_ms, clock),
            (None, State::Pausing { .. }) => self.attempt(now, platform, clock),
        }
    }

    /// Why there is no token to be had in this exchange.
    pub fn failure(&self) -> Option<&Error> {
        match (&self.credential, &self.state) {
            (None, State::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// Ends what waits for a signature, or for another attempt, when its time is over.
    pub fn end_overdue(&mut self, now: Moment) {
        if self.ends_ms().is_none_or(|ends_ms| now.monotonic_ms < ends_ms) {
            return;
        }
        let error = match (&self.state, self.trouble.take()) {
            // The next one may come.
            (State::Signing(_), _) => {
                Error::not_signed(NotSigned { reason: "no signature in time".to_owned(), retry: Retry::AfterMs(0) })
            }
            (_, Some(trouble)) => trouble,
            // Others were asking for all while there was no answer.
            (_, None) => Error {
                attempts: 0,
                delivery: Delivery::NotSent,
                ..Error::transport(Stage::Authentication, TransportErrorKind::AnswerTimeout.into())
            },
        };
        self.state = State::Failed(error);
    }

    /// When what waits for a signature, or for another attempt, ends. What is under way ends by its own timeout.
    pub fn ends_ms(&self) -> Option<u64> {
        matches!(self.state, State::Signing(_) | State::Signed(_) | State::Pausing { .. }).then_some(self.deadline_ms)
    }

    /// Whether a token is renewed that still serves.
    pub fn is_renewing(&self) -> bool {
        self.credential.is_some() && matches!(self.state, State::UnderWay(_) | State::Signing(_) | State::Signed(_))
    }

    /// Whether there is a signature from outside for a request that was not sent yet.
    pub fn is_signed(&self) -> bool {
        matches!(self.state, State::Signed(_))
    }

    /// The token at hand, if those before it were rejected at once and nothing was accepted with it so far.
    pub fn doubtful(&self) -> Option<Epoch> {
        (self.in_vain > 0 && !self.has_served).then_some(self.epoch)
    }

    /// Whether the token was obtained here. Such a one is renewed only when it is rejected: to a clock that is years
    /// ahead every token is near its end, and we would never do anything but authenticate.
    fn is_own(&self) -> bool {
        self.epoch > 0
    }

    fn begin(&mut self, now: Moment, platform: &dyn Platform, timeout_ms: u32, clock: Clock) -> Access {
        self.attempts = 0;
        self.trouble = None;
        self.is_renewal = self.credential.is_some();
        self.deadline_ms = now.monotonic_ms.saturating_add(timeout_ms.into());
        self.attempt(now, platform, clock)
    }

    fn attempt(&mut self, now: Moment, platform: &dyn Platform, clock: Clock) -> Access {
        self.attempts += 1;
        let Some(mut signing) = platform.signing(clock.corrected(now).unix_ms) else {
            return self.send(now, platform, None);
        };
        if clock.ahead_ms() != 0 {
            signing.is_by_platform_clock = true;
        }
        match platform.sign(&signing) {
            Some(signature) => self.send(now, platform, Some(Signed { signing, signature: Secret::new(signature) })),
            None => {
                self.state = State::Signing(signing.clone());
                Access::Sign(signing)
            }
        }
    }

    fn send(&mut self, now: Moment, platform: &dyn Platform, signed: Option<Signed>) -> Access {
        let signed_by = signed.as_ref().map(|signed| (&signed.signing, signed.signature.reveal()));
        let Some(request) = platform.credential_request(signed_by) else { return Access::Granted(self.epoch) };
        self.state = State::UnderWay(signed);
        let remaining = self.deadline_ms.saturating_sub(now.monotonic_ms);
        let timeout_ms = u32::try_from(remaining).unwrap_or(u32::MAX).max(1);
        Access::Request { request, timeout_ms }
    }

    /// The signature that was asked for, or why there is none.
    pub fn handle_signature(&mut self, now: Moment, signature: Result<String, NotSigned>) {
        let State::Signing(signing) = &self.state else { return };
        self.state = match signature {
            // It comes too late.
            Ok(_) if now.monotonic_ms >= self.deadline_ms => return,
            Ok(signature) => State::Signed(Signed { signing: signing.clone(), signature: Secret::new(signature) }),
            Err(problem) => self.ask_again_or_fail(now, problem),
        };
    }

    /// A signer that has signed too often says when it signs again, and the messages that came back with a rejected token
    /// wait for that: none of them was taken.
    fn ask_again_or_fail(&mut self, now: Moment, problem: NotSigned) -> State {
        let error = Error::not_signed(problem);
        let pause_ms = match error.retry {
            Retry::AfterMs(pause_ms) => pause_ms.max(1),
            Retry::AfterAuthentication | Retry::Never => return State::Failed(error),
        };
        let until_ms = now.monotonic_ms.saturating_add(pause_ms);
        // Ahead of time, one attempt will do.
        if self.is_renewal || until_ms >= self.deadline_ms {
            return State::Failed(error);
        }
        self.trouble = Some(error);
        State::Pausing { until_ms }
    }

    /// There is another token.
    fn obtained(&mut self, now: Moment, credential: Credential) {
        self.spent.extend(self.credential.replace(credential));
        self.epoch += 1;
        (self.obtained_ms, self.has_served) = (now.monotonic_ms, false);
    }

    /// A token that another instance of the same device has obtained. One that was rejected here is none.
    pub fn handle_credential(&mut self, now: Moment, credential: Credential) {
        if !matches!(self.state, State::Signing(_)) {
            return;
        }
        if self.credential.as_ref() == Some(&credential) || self.spent.contains(&credential) {
            self.state = State::Failed(Error::not_signed("what came was rejected before".to_owned().into()));
            return;
        }
        self.state = State::Idle;
        self.obtained(now, credential);
    }

    /// Takes a token that another instance of the same device has obtained, in place of the authentication that is
    /// about to be sent. `false` for one that was rejected here, and for one that would be renewed at once.
    pub fn recall(&mut self, now: Moment, credential: Credential) -> bool {
        let is_known = self.credential.as_ref() == Some(&credential) || self.spent.contains(&credential);
        if is_known || credential.is_near_its_end(now) || !matches!(self.state, State::UnderWay(_)) {
            return false;
        }
        self.state = State::Idle;
        self.obtained(now, credential);
        true
    }

    /// Whether it is not known yet what comes of it.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, State::Signing(_) | State::Signed(_) | State::UnderWay(_) | State::Pausing { .. })
    }

    /// The authentication under way has come to this.
    pub fn handle_response(
        &mut self,
        now: Moment,
        platform: &dyn Platform,
        answered: Result<Response, TransportError>,
        backoff: &mut Backoff,
        clock: &mut Clock,
    ) {
        let wish_ms = answered.as_ref().ok().and_then(Response::retry_after_ms);
        let read = match answered {
            Ok(response) => platform.read_credential(&response, now).map_err(|error| error.at(now.unix_ms, &response)),
            Err(transport_error) => Err(Error::transport(Stage::Authentication, transport_error)),
        };
        // The former tokens too: a host that has no answer may quote whatever it sent.
        let read = read.map_err(|error| platform.redact(error).without(self.secrets()));
        let was = core::mem::replace(&mut self.state, State::Idle);
        let signed = match was {
            State::UnderWay(signed) => signed,
            _ => None,
        };
        match read {
            Ok(credential) => self.obtained(now, credential),
            Err(error) if learns_the_time(platform, &error, clock) => {
                // A renewal begins anew; the token still serves meanwhile.
                if !self.is_renewal {
                    self.trouble = Some(Error { attempts: 0, ..error });
                    self.state = State::Pausing { until_ms: now.monotonic_ms };
                }
            }
            Err(mut error) => {
                if let Some(Signed { signing, signature }) = &signed {
                    error = error.without([signature.reveal()].into_iter());
                    if error.answer.is_some() {
                        error.detail.get_or_insert(signing.description());
                    }
                }
                self.state = self.pause_or_fail(now, error, wish_ms, backoff);
            }
        }
    }

    /// To authenticate twice does no harm, so other than with a message it does not matter whether the request
    /// arrived, and only time bounds the attempts.
    fn pause_or_fail(&mut self, now: Moment, error: Error, wish_ms: Option<u64>, backoff: &mut Backoff) -> State {
        // A platform that refuses the device refuses its messages; whatever else went wrong, they have not left.
        let delivery = match error.delivery {
            Delivery::Refused => Delivery::Refused,
            Delivery::NotSent | Delivery::Unknown => Delivery::NotSent,
        };
        let error = Error { delivery, attempts: 0, ..error };
        if Kind::of(&error) == Kind::Final {
            return State::Failed(error);
        }
        if self.is_renewal && self.credential.is_none() {
            // The old token was rejected meanwhile: now it is serious.
            return State::Idle;
        }
        let at_least_ms = match error.retry {
            Retry::AfterMs(at_least_ms) => at_least_ms,
            Retry::AfterAuthentication | Retry::Never => 0,
        };
        let pause_ms = backoff.pause_ms(self.attempts, at_least_ms);
        let retry = match error.retry {
            Retry::AfterMs(_) => Retry::AfterMs(pause_ms),
            retry => retry,
        };
        let is_silent = error.answer.is_none();
        let left_ms = self.deadline_ms.saturating_sub(now.monotonic_ms);
        let error = more_telling(self.trouble.take(), Error { retry, ..error }, left_ms == 0);
        // Ahead of time, one attempt will do.
        if self.is_renewal || left_ms == 0 {
            return State::Failed(error);
        }
        // Where there is no answer, the outage says when the next request may begin.
        let pause_ms = if is_silent { Some(0) } else { backoff.within(pause_ms, wish_ms.unwrap_or_default(), left_ms) };
        match pause_ms {
            Some(pause_ms) => {
                self.trouble = Some(error);
                State::Pausing { until_ms: now.monotonic_ms.saturating_add(pause_ms) }
            }
            None => State::Failed(error),
        }
    }

    /// A message was accepted with the token of this epoch. If that is one obtained here, tokens are not obtained in vain,
    /// even if it was rejected meanwhile.
    pub fn accepted(&mut self, epoch: Epoch) {
        self.has_served |= epoch == self.epoch;
        if epoch == self.epoch || epoch > 0 {
            self.in_vain = 0;
        }
    }

    /// A message came back: the token of this epoch is not accepted.
    pub fn reject(&mut self, now: Moment, epoch: Epoch, timeout_ms: u32, backoff: &mut Backoff) {
        if epoch != self.epoch {
            return;
        }
        let Some(rejected) = self.credential.take() else { return };
        self.spent.push(rejected);
        if self.is_renewal {
            // Ahead of time it was one attempt, with little time. Now it is serious.
            match &self.state {
                State::Failed(error) if Kind::of(error) != Kind::Final => self.state = State::Idle,
                State::Signing(_) | State::Signed(_) => {
                    let more_ms = timeout_ms.saturating_sub(RENEWAL_MS);
                    self.deadline_ms = self.deadline_ms.saturating_add(more_ms.into());
                    self.is_renewal = false;
                }
                _ => {}
            }
        }
        if !self.is_own() {
            return;
        }
        self.in_vain = if self.has_served { 0 } else { self.in_vain.saturating_add(1) };
        if !matches!(self.state, State::UnderWay(_) | State::Signing(_) | State::Signed(_)) {
            let served_ms = now.monotonic_ms.saturating_sub(self.obtained_ms);
            let rest_ms = match self.in_vain {
                0 if served_ms >= LONG_MS => backoff.pause_ms(1, 0),
                0 => backoff.pause_about_ms(served_ms.saturating_mul(2)),
                in_vain => backoff.endless_pause_ms(in_vain),
            };
            self.state = State::Resting { until_ms: now.monotonic_ms.saturating_add(rest_ms) };
        }
    }

    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// What no answer must give away: it may quote a request that was sent with another token than the present one.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.spent.iter().chain(&self.credential).flat_map(Credential::secrets)
    }
}

/// Whether the platform has refused a timestamp by a clock that is wrong, for the first time.
fn learns_the_time(platform: &dyn Platform, error: &Error, clock: &mut Clock) -> bool {
    let ahead_ms = error.answer.as_ref().and_then(|answer| answer.clock_ahead_ms);
    let refused = ahead_ms.filter(|ahead_ms| {
        error.cause == Cause::Unauthenticated
            && platform.corrects_clock()
            && !clock.has_learned()
            && clock.differs_ms(*ahead_ms).unsigned_abs() > TOLERATED_MS
    });
    refused.into_iter().for_each(|ahead_ms| clock.learn(ahead_ms));
    refused.is_some()
}
