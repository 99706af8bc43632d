//! Sending a message over HTTPS is a conversation: perhaps a token first, then the message, perhaps a pause, a new
//! token, the message again. Written as blocking code this is welded to one HTTP client and one clock, and its rare
//! paths are never tested. Here it is a state machine without either.
//!
//! # The loop
//!
//! 1. Call [`Exchange::next`].
//! 2. On [`Step::Send`], begin the request, do not wait for it, and go to 1.
//! 3. On [`Step::Wait`], wait until some request has its answer or the time has come. Give each answer to
//!    [`Exchange::answer`]. Go to 1.
//! 4. On [`Step::Done`], take the [`outcomes`](Exchange::outcomes).
//!
//! A single message is an exchange of one.

mod authentication;
mod backoff;
mod item;
mod options;
mod pace;
mod subject;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BinaryHeap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

pub use options::Options;
pub use subject::Subject;

use authentication::{Access, Authentication, Epoch};
use backoff::Backoff;
use item::{Item, Verdict};
use pace::Pace;

use crate::aliyun::Signing;
use crate::aws;
use crate::error::{Cause, Error, Stage};
use crate::http::{MAX_REPLY_BODY, MAX_RESPONSE_BODY, NoAnswer, Request, Response};
use crate::message::{Message, Qos, RequestProblem};
use crate::moment::Moment;
use crate::outcome::{Delivery, Receipt, Retry};
use crate::platform::{Platform, Session};

/// Names a request under way.
pub type RequestId = u32;

/// A request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Names it in [`Exchange::answer`].
    pub id: RequestId,
    /// The request.
    pub request: Request,
    /// Give up with [`ConnectTimeout`](crate::http::Failure::ConnectTimeout) when there is no connection by then.
    pub connect_timeout_ms: u32,
    /// Give up with [`AnswerTimeout`](crate::http::Failure::AnswerTimeout) when there is no answer by then.
    pub timeout_ms: u32,
    /// Give up with [`AnswerTooLarge`](crate::http::Failure::AnswerTooLarge) when the answer has more bytes.
    pub max_answer_bytes: usize,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Begin this request.
    Send(Outgoing),
    /// Have this signed, and give the signature to [`Exchange::signed`]. Only where the platform's configuration says that
    /// somebody else signs.
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
    platform: Platform,
    options: Options,
    backoff: Backoff,
    pace: Pace,
    /// For platforms that want a token.
    authentication: Option<Authentication>,
    slots: Vec<Slot>,
    unfinished: usize,
    /// Items to send again, by the end of their time. It is running, so they go before all others.
    returned: BinaryHeap<Reverse<(u64, usize)>>,
    /// Items that were never sent, in the order of the messages.
    fresh: VecDeque<usize>,
    /// Items that pause, by the time they wake.
    pausing: BinaryHeap<Reverse<(u64, usize)>>,
    /// As many as may be in flight: few enough to look through.
    under_way: Vec<(RequestId, Errand)>,
    next_id: RequestId,
    /// What an operation has given.
    reply: Option<aws::Reply>,
    /// An authentication that somebody else has signed, to be sent next.
    signed: Option<(Request, u32)>,
}

/// The place of one message.
#[derive(Debug)]
struct Slot {
    subject: Subject,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Open(Box<Item>),
    Finished(Result<Receipt, Error>),
}

/// What a request is for.
#[derive(Debug)]
enum Errand {
    Authentication,
    Publication { item: usize, epoch: Epoch },
}

impl Outgoing {
    /// A request that is sent on its own and belongs to no exchange.
    pub fn alone(request: Request, timeout_ms: u32) -> Self {
        let connect_timeout_ms = Options::default().connect_timeout_ms.min(timeout_ms);
        Self { id: 0, request, connect_timeout_ms, timeout_ms, max_answer_bytes: MAX_RESPONSE_BODY }
    }
}

impl Exchange {
    /// Prepares the messages. Those that cannot succeed have their outcome before anything is sent.
    ///
    /// `session` is what an earlier exchange for the same device gave; `seed` spreads the pauses.
    pub fn new(
        platform: Platform,
        options: Options,
        session: Option<Session>,
        seed: u64,
        messages: Vec<Message>,
    ) -> Self {
        let mut exchange = Self::empty(platform, options, session, seed, messages.len());
        for message in messages {
            let request = exchange.platform.publish_request(&message);
            exchange.admit(request, message.qos, Subject::publication(message));
        }
        exchange
    }

    /// Prepares another operation than to publish. Its [`reply`](Self::reply) takes the place of the outcomes.
    pub fn operation(
        platform: Platform,
        options: Options,
        session: Option<Session>,
        seed: u64,
        operation: aws::Operation,
    ) -> Self {
        let mut exchange = Self::empty(platform, options, session, seed, 1);
        let request = exchange.platform.operation_request(&operation);
        exchange.admit(request, operation.qos(), Subject::Operation(Box::new(operation)));
        exchange
    }

    fn empty(platform: Platform, options: Options, session: Option<Session>, seed: u64, capacity: usize) -> Self {
        Self {
            backoff: Backoff::new(&options, seed),
            pace: Pace::new(options.max_in_flight),
            authentication: platform.wants_session().then(|| Authentication::new(session)),
            platform,
            options,
            slots: Vec::with_capacity(capacity),
            unfinished: 0,
            returned: BinaryHeap::new(),
            fresh: VecDeque::with_capacity(capacity),
            pausing: BinaryHeap::new(),
            under_way: Vec::new(),
            next_id: 0,
            reply: None,
            signed: None,
        }
    }

    fn admit(&mut self, prepared: Result<Request, RequestProblem>, qos: Qos, subject: Subject) {
        let progress = match prepared {
            Ok(request) => {
                self.fresh.push_back(self.slots.len());
                self.unfinished += 1;
                Progress::Open(Box::new(Item::new(request, qos)))
            }
            Err(problem) => Progress::Finished(Err(problem.into())),
        };
        self.slots.push(Slot { subject, progress });
    }

    /// What to do next.
    pub fn next(&mut self, now: Moment) -> Step {
        if let Some((request, timeout_ms)) = self.signed.take() {
            return Step::Send(self.begin(Errand::Authentication, request, timeout_ms));
        }
        self.wake(now);
        self.end_overdue(now);
        let mut until_ms = None;
        while self.is_any_ready() && self.pace.allows(self.under_way.len(), now.monotonic_ms) {
            match self.access(now) {
                Access::Granted(epoch) => {
                    if let Some(outgoing) = self.send_next(now, epoch) {
                        return Step::Send(outgoing);
                    }
                }
                Access::Request { request, timeout_ms } => {
                    return Step::Send(self.begin(Errand::Authentication, request, timeout_ms));
                }
                Access::Sign(signing) => return Step::Sign(signing),
                Access::Wait { until_ms: until } => {
                    until_ms = until;
                    break;
                }
                Access::Failed(error) => {
                    while let Some(index) = self.pop_ready() {
                        let error = self.item(index).account(error.clone());
                        self.finish(index, Err(error));
                    }
                }
            }
        }
        if self.unfinished == 0 && !self.authentication.as_ref().is_some_and(Authentication::is_renewing) {
            return Step::Done;
        }
        let wakes_ms = self.pausing.peek().map(|Reverse((at, _))| *at);
        let overdue_ms = self.returned.peek().map(|Reverse((deadline, _))| *deadline);
        let quiet_ms = self.pace.quiet_until_ms(now.monotonic_ms).filter(|_| self.is_any_ready());
        Step::Wait([until_ms, wakes_ms, overdue_ms, quiet_ms].into_iter().flatten().min())
    }

    /// Ends what has waited for a token, or for its turn, until its time was over.
    fn end_overdue(&mut self, now: Moment) {
        while let Some(Reverse((_, index))) = self.returned.peek().copied()
            && let Some(error) = self.item(index).overdue(now.monotonic_ms)
        {
            self.returned.pop();
            self.give_up(index, error);
        }
    }

    /// Ends a message with an error that it had earlier.
    fn give_up(&mut self, index: usize, error: Error) {
        let error = Error { retry: self.advice(index, error.retry), ..error };
        self.finish(index, Err(error));
    }

    fn wake(&mut self, now: Moment) {
        while let Some(Reverse((at, index))) = self.pausing.peek().copied()
            && at <= now.monotonic_ms
        {
            self.pausing.pop();
            self.put_back(index);
        }
    }

    fn is_any_ready(&self) -> bool {
        !self.returned.is_empty() || !self.fresh.is_empty()
    }

    fn pop_ready(&mut self) -> Option<usize> {
        match self.returned.pop() {
            Some(Reverse((_, index))) => Some(index),
            None => self.fresh.pop_front(),
        }
    }

    /// Queues a message that was sent before. Whose time ends first goes first.
    fn put_back(&mut self, index: usize) {
        let deadline_ms = self.item(index).deadline_ms().unwrap_or(u64::MAX);
        self.returned.push(Reverse((deadline_ms, index)));
    }

    fn access(&mut self, now: Moment) -> Access {
        match &mut self.authentication {
            Some(authentication) => authentication.access(now, &self.platform, &self.options),
            None => Access::Granted(0),
        }
    }

    /// Sends the message whose turn it is, unless its time is over.
    fn send_next(&mut self, now: Moment, epoch: Epoch) -> Option<Outgoing> {
        let index = self.pop_ready()?;
        let timeout_ms = self.options.timeout_ms;
        let item = self.item(index);
        if let Some(error) = item.overdue(now.monotonic_ms) {
            self.give_up(index, error);
            return None;
        }
        let timeout_ms = item.begin_attempt(now.monotonic_ms, timeout_ms);
        let request = item.request.clone();
        let request = self.platform.authorise(request, self.session(), now);
        Some(self.begin(Errand::Publication { item: index, epoch }, request, timeout_ms))
    }

    fn begin(&mut self, errand: Errand, request: Request, timeout_ms: u32) -> Outgoing {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.under_way.push((id, errand));
        let max_answer_bytes = match &self.slots[..] {
            [Slot { subject: Subject::Operation(_), .. }] => MAX_REPLY_BODY,
            _ => MAX_RESPONSE_BODY,
        };
        let connect_timeout_ms = self.options.connect_timeout_ms.min(timeout_ms);
        Outgoing { id, request, connect_timeout_ms, timeout_ms, max_answer_bytes }
    }

    /// What came of a [`Step::Sign`]: the signature in hexadecimal, or why there is none.
    pub fn signed(&mut self, now: Moment, signature: Result<String, String>) {
        if let Some(authentication) = &mut self.authentication
            && let Some(Access::Request { request, timeout_ms }) = authentication.signed(now, &self.platform, signature)
        {
            self.signed = Some((request, timeout_ms));
        }
    }

    /// What came of a request. Ids that are not under way are ignored.
    pub fn answer(&mut self, now: Moment, id: RequestId, answered: Result<Response, NoAnswer>) {
        let Some(position) = self.under_way.iter().position(|(under_way, _)| *under_way == id) else { return };
        match self.under_way.swap_remove(position).1 {
            Errand::Authentication => {
                if let Some(authentication) = &mut self.authentication {
                    authentication.answer(now, &self.platform, answered, &self.options, &mut self.backoff);
                }
            }
            Errand::Publication { item, epoch } => self.published(now, item, epoch, answered),
        }
    }

    fn published(&mut self, now: Moment, index: usize, epoch: Epoch, answered: Result<Response, NoAnswer>) {
        let read = match answered {
            Ok(response) => self.read(index, &response).map_err(|error| error.at(now.unix_ms, &response)),
            Err(no_answer) => Err(Error::no_answer(Stage::Publication, no_answer)),
        };
        let error = match read {
            Ok(receipt) => return self.accepted(index, epoch, receipt),
            Err(error) => error.without(self.authentication.iter().flat_map(Authentication::secrets)),
        };
        match error.retry {
            Retry::AfterAuthentication => {
                if let Some(authentication) = &mut self.authentication {
                    authentication.reject(now, epoch, &error, &mut self.backoff);
                }
            }
            Retry::AfterMs(pause_ms) if error.cause == Cause::Throttled => {
                self.pace.throttled(now.monotonic_ms, pause_ms);
            }
            Retry::AfterMs(_) | Retry::Never => {}
        }
        let max_attempts = self.options.max_attempts;
        match self.item(index).failed(error, max_attempts) {
            Verdict::Final(error) => self.give_up(index, error),
            Verdict::WithNewToken => self.put_back(index),
            Verdict::Later { at_least_ms, error } => self.pause(now, index, at_least_ms, error),
        }
    }

    fn read(&mut self, index: usize, response: &Response) -> Result<Receipt, Error> {
        let Subject::Operation(operation) = &self.slots[index].subject else {
            return self.platform.read_receipt(response);
        };
        let reply = self.platform.read_reply(operation, response)?;
        let receipt = match &reply {
            aws::Reply::Done(receipt) => receipt.clone(),
            _ => Receipt { message_id: None, trace_id: None, attempts: 1 },
        };
        self.reply = Some(reply);
        Ok(receipt)
    }

    fn accepted(&mut self, index: usize, epoch: Epoch, receipt: Receipt) {
        self.pace.accepted();
        if let Some(authentication) = &mut self.authentication {
            authentication.accepted(epoch);
        }
        let receipt = self.item(index).delivered(receipt);
        self.finish(index, Ok(receipt));
    }

    /// When the caller may try again with a message that we gave up: as we would have done.
    fn advice(&mut self, index: usize, retry: Retry) -> Retry {
        let attempts = self.item(index).counted_attempts();
        match retry {
            Retry::AfterMs(at_least_ms) => Retry::AfterMs(self.backoff.pause_ms(attempts, at_least_ms)),
            Retry::Never | Retry::AfterAuthentication => retry,
        }
    }

    /// Lets a message rest, unless its time would be over when it wakes.
    fn pause(&mut self, now: Moment, index: usize, at_least_ms: u64, error: Error) {
        let attempts = self.item(index).counted_attempts();
        let pause_ms = self.backoff.pause_ms(attempts, at_least_ms);
        let wakes_ms = now.monotonic_ms.saturating_add(pause_ms);
        if self.item(index).overdue(wakes_ms).is_some() {
            self.finish(index, Err(Error { retry: Retry::AfterMs(pause_ms), ..error }));
        } else {
            self.pausing.push(Reverse((wakes_ms, index)));
        }
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

    /// The outcomes in the order of the messages, with the subject of each. A message that has none yet is *unknown*
    /// where a request of it is under way, and otherwise as its last attempt left it.
    pub fn outcomes(&self) -> impl Iterator<Item = (&Subject, Result<Receipt, Error>)> {
        self.slots.iter().enumerate().map(move |(index, slot)| {
            let outcome = match &slot.progress {
                Progress::Finished(outcome) => outcome.clone(),
                Progress::Open(item) => Err(abandoned(item, self.is_under_way(index))),
            };
            (&slot.subject, outcome)
        })
    }

    fn is_under_way(&self, index: usize) -> bool {
        self.under_way.iter().any(|(_, errand)| matches!(errand, Errand::Publication { item, .. } if *item == index))
    }

    /// What an operation has given.
    pub fn reply(&self) -> Option<(&Subject, Result<aws::Reply, Error>)> {
        let (subject, outcome) = self.outcomes().next()?;
        let reply = outcome.map(|receipt| match &self.reply {
            Some(aws::Reply::Done(_)) | None => aws::Reply::Done(receipt),
            Some(reply) => reply.clone(),
        });
        Some((subject, reply))
    }

    /// The platform, which explains the errors.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The token, for the next exchange of the same device.
    pub fn session(&self) -> Option<&Session> {
        self.authentication.as_ref()?.session()
    }
}

fn abandoned(item: &Item, under_way: bool) -> Error {
    let (delivery, stage) = match under_way {
        true => (Delivery::Unknown, Stage::Publication),
        false => (Delivery::NotSent, Stage::Preparation),
    };
    item.account(Error {
        cause: Cause::Abandoned,
        stage,
        delivery,
        retry: Retry::AfterMs(0),
        attempts: 0,
        answer: None,
        detail: None,
    })
}
