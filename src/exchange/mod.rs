//! Sending a message over HTTPS is a conversation: perhaps a token first, then the message, perhaps a pause, a new
//! token, the message again. Written as blocking code this is welded to one HTTP client and one clock, and its rare
//! paths are never tested. Here it is a state machine without either.
//!
//! # The loop
//!
//! 1. Call [`Exchange::poll`].
//! 2. On [`Step::Send`], begin the request, do not wait for it, and go to 1.
//! 3. On [`Step::Wait`], wait until some request has its answer or the time has come. Give each answer to
//!    [`Exchange::handle_response`]. Go to 1.
//! 4. On [`Step::Done`], take the [`outcomes`](Exchange::outcomes).
//!
//! A single message is an exchange of one.
//!
//! ```
//! use thingpost::Moment;
//! use thingpost::exchange::{Exchange, Outgoing, RequestId, Step};
//! use thingpost::http::{Response, TransportError};
//!
//! /// What whoever drives an exchange has: a clock and an HTTP client.
//! trait Client {
//!     fn now(&self) -> Moment;
//!     fn begin(&mut self, outgoing: Outgoing);
//!     fn wait(&mut self, until_ms: Option<u64>) -> Vec<(RequestId, Result<Response, TransportError>)>;
//! }
//!
//! fn drive(exchange: &mut Exchange, client: &mut impl Client) {
//!     loop {
//!         match exchange.poll(client.now()) {
//!             Step::Send(outgoing) => client.begin(outgoing),
//!             Step::Wait(until_ms) => {
//!                 for (id, response) in client.wait(until_ms) {
//!                     exchange.handle_response(client.now(), id, response);
//!                 }
//!             }
//!             Step::Sign(_) => exchange.handle_signature(client.now(), Err("nothing signs here".to_owned().into())),
//!             Step::Done => return,
//!         }
//!     }
//! }
//! ```
//!
//! `examples/https.rs` is the whole of it, over sockets of the standard library.

mod answers;
mod authenticator;
mod backoff;
mod clock;
mod congestion_window;
mod error_context;
mod item;
mod kind;
mod options;
mod outage;
mod outcomes;
mod queue;
mod recall;
#[cfg(all(test, feature = "aliyun", feature = "aws"))]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use error_context::ErrorContext;
pub use options::Options;

use authenticator::{Access, Authenticator, Epoch};
use backoff::Backoff;
use clock::Clock;
use congestion_window::CongestionWindow;
use item::Item;
use outage::Outage;
use queue::Queue;

use crate::config_error::ConfigError;
use crate::credential::Credential;
use crate::error::Error;
use crate::http::{MAX_REPLY_BODY, MAX_RESPONSE_BODY, Request};
use crate::message::{Message, Qos, RequestError};
use crate::moment::Moment;
use crate::operation::{Operation, Reply};
use crate::outcome::{Delivery, Receipt};
use crate::platform::Platform;
use crate::signing::{NotSigned, Signing};

/// Names a request under way.
pub type RequestId = u32;

/// A request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Names it in [`Exchange::handle_response`].
    pub id: RequestId,
    /// The request.
    pub request: Request,
    /// Give up with [`ConnectTimeout`](crate::http::TransportErrorKind::ConnectTimeout) when there is no connection by then.
    pub connect_timeout_ms: u32,
    /// Give up with [`AnswerTimeout`](crate::http::TransportErrorKind::AnswerTimeout) when there is no answer by then.
    pub timeout_ms: u32,
    /// Read no more of the body of the answer than this and one byte more, which tells that it was cut. Status and headers
    /// decide in most cases, and where they do not, the reader of the answer finds out.
    pub max_answer_bytes: usize,
    /// Whether a success needs its body, so that one whose body broke off is none. [`Response::decides_though_cut_short`]
    /// takes this.
    ///
    /// [`Response::decides_though_cut_short`]: crate::http::Response::decides_though_cut_short
    pub body_needed: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Begin this request.
    Send(Outgoing),
    /// Have this signed, and give the signature to [`Exchange::handle_signature`]. Only where the platform
    /// [says](Platform::is_signed_externally) that the signature comes from outside. One that takes longer than a message may
    /// take comes too late.
    Sign(Signing),
    /// Wait for an answer, or until the monotonic clock shows this.
    Wait(Option<u64>),
    /// Every message has its outcome. An authentication that came too late for the last of them may still be under
    /// way; it is no longer needed.
    Done,
}

/// One call: messages in, outcomes out.
#[derive(Debug)]
pub struct Exchange {
    platform: Arc<dyn Platform>,
    options: Options,
    backoff: Backoff,
    window: CongestionWindow,
    outage: Outage,
    /// For platforms that want a token.
    authentication: Option<Authenticator>,
    slots: Vec<Slot>,
    unfinished: usize,
    queue: Queue,
    /// As many as may be in flight: few enough to look through.
    under_way: Vec<InFlight>,
    next_id: RequestId,
    /// Whether a message has been answered, here or in an exchange before this one.
    has_been_answered: bool,
    /// What an operation has given.
    reply: Option<Reply>,
    clock: Clock,
}

/// The place of one message.
#[derive(Debug)]
struct Slot {
    context: ErrorContext,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Open(Box<Item>),
    Finished(Result<Receipt, Error>),
}

/// A request under way.
#[derive(Debug)]
struct InFlight {
    id: RequestId,
    kind: RequestKind,
    sent_ms: u64,
    connect_timeout_ms: u32,
}

/// What a request is for.
#[derive(Clone, Copy, Debug)]
enum RequestKind {
    Authentication,
    Publication {
        item: usize,
        epoch: Epoch,
        /// By which clock it was signed.
        clock: Clock,
    },
}

impl Outgoing {
    /// A request that is sent on its own and belongs to no exchange. A connection may take all of its time.
    pub fn alone(request: Request, timeout_ms: u32) -> Self {
        let connect_timeout_ms = timeout_ms;
        Self { id: 0, request, connect_timeout_ms, timeout_ms, max_answer_bytes: MAX_RESPONSE_BODY, body_needed: true }
    }
}

impl Exchange {
    /// Prepares the messages. Those that cannot succeed have their outcome before anything is sent.
    ///
    /// `credential` is what an earlier exchange for the same device gave; `seed` spreads the pauses.
    ///
    /// # Errors
    ///
    /// Options with which nothing would ever be sent.
    pub fn new(
        platform: Arc<dyn Platform>,
        options: Options,
        credential: Option<Credential>,
        seed: u64,
        messages: Vec<Message>,
    ) -> Result<Self, ConfigError> {
        let mut exchange = Self::empty(platform, options, credential, seed, messages.len())?;
        for message in messages {
            let request = exchange.platform.publish_request(&message);
            let qos = message.qos;
            let context = ErrorContext::publication(&*exchange.platform, message);
            exchange.admit(request, qos, context);
        }
        Ok(exchange)
    }

    /// Prepares another operation than to publish. Its [`reply`](Self::reply) takes the place of the outcomes.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn operation(
        platform: Arc<dyn Platform>,
        options: Options,
        credential: Option<Credential>,
        seed: u64,
        operation: Arc<dyn Operation>,
    ) -> Result<Self, ConfigError> {
        let mut exchange = Self::empty(platform, options, credential, seed, 1)?;
        let request = operation.request(&*exchange.platform);
        exchange.admit(request, operation.qos(), ErrorContext::Operation(operation));
        Ok(exchange)
    }

    fn empty(
        platform: Arc<dyn Platform>,
        options: Options,
        credential: Option<Credential>,
        seed: u64,
        capacity: usize,
    ) -> Result<Self, ConfigError> {
        options.check()?;
        Ok(Self {
            backoff: Backoff::new(&options, seed),
            window: CongestionWindow::new(options.max_in_flight),
            has_been_answered: false,
            outage: Outage::new(&options),
            authentication: platform.wants_credential().then(|| Authenticator::new(credential)),
            platform,
            options,
            slots: Vec::with_capacity(capacity),
            unfinished: 0,
            queue: Queue::with_capacity(capacity),
            under_way: Vec::new(),
            next_id: 0,
            reply: None,
            clock: Clock::default(),
        })
    }

    /// With what an earlier exchange has [learned](Self::clock_ahead_ms) about the clock.
    pub fn with_clock_ahead_ms(self, ahead_ms: i64) -> Self {
        Self { clock: Clock::known(ahead_ms), ..self }
    }

    /// How far the clock is ahead of the platform's, for the next exchange. 0 where nothing was refused for its time.
    pub fn clock_ahead_ms(&self) -> i64 {
        self.clock.ahead_ms()
    }

    fn admit(&mut self, prepared: Result<Request, RequestError>, qos: Qos, context: ErrorContext) {
        let progress = match prepared {
            Ok(request) => {
                self.queue.add(self.slots.len());
                self.unfinished += 1;
                Progress::Open(Box::new(Item::new(request, qos)))
            }
            Err(problem) => Progress::Finished(Err(problem.into())),
        };
        self.slots.push(Slot { context, progress });
    }

    /// What to do next.
    pub fn poll(&mut self, now: Moment) -> Step {
        self.queue.wake(now.monotonic_ms);
        self.end_overdue(now);
        let mut until_ms = None;
        while self.is_any_ready() && self.may_begin(now) {
            match self.access(now) {
                Access::Granted(epoch) => {
                    if let Some(outgoing) = self.send_next(now, epoch) {
                        return Step::Send(outgoing);
                    }
                }
                Access::Request { request, timeout_ms } => {
                    return Step::Send(self.begin(now, RequestKind::Authentication, request, timeout_ms));
                }
                Access::Sign(signing) => return Step::Sign(signing),
                Access::Wait { until_ms: until } => {
                    until_ms = until;
                    break;
                }
                Access::Failed(error) => self.end_ready(&error),
            }
        }
        if self.unfinished == 0 && !self.authentication.as_ref().is_some_and(Authenticator::is_renewing) {
            return Step::Done;
        }
        Step::Wait([until_ms, self.wakes_ms(now)].into_iter().flatten().min())
    }

    /// Whether anything waits for its turn: a message, or an authentication that was signed outside.
    fn is_any_ready(&self) -> bool {
        let is_waiting = |authentication: &Authenticator| {
            authentication.is_signed() && (self.unfinished > 0 || authentication.is_renewing())
        };
        self.queue.is_any_ready() || self.authentication.as_ref().is_some_and(is_waiting)
    }

    /// Whether one more request may begin, whatever it is for.
    fn may_begin(&self, now: Moment) -> bool {
        let doubtful = self.authentication.as_ref().and_then(Authenticator::doubtful);
        let is_tried = |request: &InFlight| matches!(request.kind, RequestKind::Publication { epoch, .. } if Some(epoch) == doubtful);
        self.outage.allows(now.monotonic_ms)
            && self.window.allows(self.under_way.len(), now.monotonic_ms)
            // A token that will most likely be rejected is tried with one message.
            && !self.under_way.iter().any(is_tried)
    }

    /// When something changes without an answer.
    fn wakes_ms(&self, now: Moment) -> Option<u64> {
        let is_any_ready = self.is_any_ready();
        let opens_ms = self.outage.opens_at(now.monotonic_ms).filter(|_| is_any_ready);
        let quiet_ms = self.window.quiet_until_ms(now.monotonic_ms).filter(|_| is_any_ready);
        let drought_ms = self.drought_ends_ms().filter(|_| self.queue.has_fresh());
        let authentication_ms = self.authentication.as_ref().and_then(Authenticator::ends_ms);
        [self.queue.wakes_ms(), self.queue.overdue_ms(), opens_ms, quiet_ms, drought_ms, authentication_ms]
            .into_iter()
            .flatten()
            .min()
    }

    /// Ends what has waited for a token, or for its turn, until its time was over; and what was never sent, when nothing
    /// was taken for so long.
    fn end_overdue(&mut self, now: Moment) {
        while let Some(index) = self.queue.pop_overdue(now.monotonic_ms) {
            self.give_up(index);
        }
        if let Some(authentication) = &mut self.authentication {
            authentication.end_overdue(now);
        }
        if let Some(error) = self.authentication.as_ref().and_then(Authenticator::failure).cloned() {
            self.end_ready(&error);
        }
        if self.drought_ends_ms().is_some_and(|ends_ms| ends_ms <= now.monotonic_ms)
            && let Some(error) = self.outage.error().cloned()
        {
            while let Some(index) = self.queue.pop_fresh() {
                let error = Error { delivery: Delivery::NotSent, attempts: 0, ..error.clone() };
                self.finish(index, Err(error));
            }
        }
    }

    fn drought_ends_ms(&self) -> Option<u64> {
        self.outage.since_ms().map(|since_ms| since_ms.saturating_add(self.options.timeout_ms.into()))
    }

    /// Ends all that waits for its turn: there is no token to be had.
    fn end_ready(&mut self, error: &Error) {
        while let Some(index) = self.queue.pop() {
            let error = self.item(index).account(error.clone());
            self.finish(index, Err(error));
        }
    }

    fn access(&mut self, now: Moment) -> Access {
        match &mut self.authentication {
            Some(authentication) => authentication.access(now, &*self.platform, &self.options, self.clock),
            None => Access::Granted(0),
        }
    }

    /// Sends the message whose turn it is. Its time is not over: that was looked at before.
    fn send_next(&mut self, now: Moment, epoch: Epoch) -> Option<Outgoing> {
        let index = self.queue.pop()?;
        let (timeout_ms, clock) = (self.options.timeout_ms, self.clock);
        let item = self.item(index);
        let timeout_ms = item.begin_attempt(now.monotonic_ms, timeout_ms);
        let request = item.request.clone();
        let request = self.platform.authorise(request, self.credential(), clock.corrected(now));
        Some(self.begin(now, RequestKind::Publication { item: index, epoch, clock }, request, timeout_ms))
    }

    fn begin(&mut self, now: Moment, kind: RequestKind, request: Request, timeout_ms: u32) -> Outgoing {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let connect_timeout_ms = self.outage.connect_timeout_ms().min(timeout_ms);
        self.outage.begun(now.monotonic_ms, id);
        self.under_way.push(InFlight { id, kind, sent_ms: now.monotonic_ms, connect_timeout_ms });
        let max_answer_bytes = if self.is_operation() { MAX_REPLY_BODY } else { MAX_RESPONSE_BODY };
        let is_publication = matches!(kind, RequestKind::Publication { .. }) && !self.is_operation();
        let body_needed = !is_publication || self.platform.needs_body_of_receipt();
        Outgoing { id, request, connect_timeout_ms, timeout_ms, max_answer_bytes, body_needed }
    }

    fn is_operation(&self) -> bool {
        matches!(&self.slots[..], [Slot { context: ErrorContext::Operation(_), .. }])
    }

    /// Takes what came of a [`Step::Sign`]: the signature in hexadecimal, or why there is none.
    pub fn handle_signature(&mut self, now: Moment, signature: Result<String, NotSigned>) {
        if let Some(authentication) = &mut self.authentication {
            authentication.handle_signature(now, signature);
        }
    }

    /// Takes what came of a [`Step::Sign`] in place of a signature: a credential that another instance of the same device has obtained.
    pub fn handle_credential(&mut self, now: Moment, credential: Credential) {
        if let Some(authentication) = &mut self.authentication {
            authentication.handle_credential(now, credential);
        }
    }

    /// Whether an authentication is under way.
    pub fn is_authenticating(&self) -> bool {
        self.authentication.as_ref().is_some_and(Authenticator::is_under_way)
    }

    /// A message that is not finished. Only such are queued, pausing or under way.
    fn item(&mut self, index: usize) -> &mut Item {
        match &mut self.slots[index].progress {
            Progress::Open(item) => item,
            Progress::Finished(_) => unreachable!("a finished message is neither queued nor under way"),
        }
    }

    fn finish(&mut self, index: usize, outcome: Result<Receipt, Error>) {
        self.slots[index].progress = Progress::Finished(outcome);
        self.unfinished -= 1;
    }

    /// The platform, which explains the errors.
    pub fn platform(&self) -> &dyn Platform {
        &*self.platform
    }

    /// Whether a message has been answered: for the next exchange of the same device, which then knows that the device can be.
    pub fn has_been_answered(&self) -> bool {
        self.has_been_answered
    }

    /// Takes that over from an exchange before this one.
    #[must_use]
    pub fn answered_before(mut self, has_been_answered: bool) -> Self {
        self.has_been_answered = has_been_answered;
        self
    }

    /// The token, for the next exchange of the same device.
    pub fn credential(&self) -> Option<&Credential> {
        self.authentication.as_ref()?.credential()
    }
}
