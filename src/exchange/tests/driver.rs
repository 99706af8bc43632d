//! An HTTP client without a network and a clock that jumps to whatever comes next.

use super::cloud::{Cloud, is_authentication};
use crate::error::Error;
use crate::exchange::{Exchange, Outgoing, Progress, RequestId, Step};
use crate::http::{Response, TransportError, TransportErrorKind};
use crate::moment::Moment;
use crate::outcome::Receipt;

/// The calendar when the monotonic clock shows 0.
pub const UNIX_START_MS: u64 = 1_700_000_000_000;

/// Far more than any test needs: an exchange that goes round in circles is found out.
const MAX_STEPS: u32 = 200_000;

/// A request and when it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub at_ms: u64,
    pub outgoing: Outgoing,
}

struct InFlight {
    id: RequestId,
    sent_ms: u64,
    due_ms: u64,
    is_authentication: bool,
    answered: Result<Response, TransportError>,
}

/// Makes a signature of a text, or says why not.
pub type Signs = fn(&str) -> Result<String, String>;

/// An exchange on its way.
pub struct Drive {
    pub exchange: Exchange,
    pub cloud: Cloud,
    pub now_ms: u64,
    /// All that was sent.
    pub sent: Vec<Sent>,
    /// The most requests that were under way at once.
    pub most_under_way: usize,
    /// The most authentications that were under way at once.
    pub most_authentications: usize,
    /// How much too late the client looks at its clock.
    pub lateness_ms: u64,
    /// Whether the client gives each answer twice, and answers to questions that were never asked.
    pub is_confused: bool,
    /// How far the client's calendar is ahead.
    pub ahead_ms: i64,
    /// How long a connection takes.
    pub connect_ms: u64,
    /// When the calendar is set, and by how much.
    pub jump: (u64, i64),
    /// When requests began while there was no answer.
    pub probes: Vec<u64>,
    /// When each message had its outcome.
    pub finished_ms: Vec<Option<u64>>,
    is_silent: bool,
    /// The first of those since the last answer.
    silent_from: usize,
    /// What signs where it is not the exchange.
    pub signs: Signs,
    /// How long that takes.
    pub sign_ms: u64,
    /// When a signature comes, and what it is.
    signature: Option<(u64, Result<String, String>)>,
    /// What was signed so.
    pub signed: Vec<String>,
    in_flight: Vec<InFlight>,
    steps: u32,
}

impl Drive {
    pub fn new(cloud: Cloud, exchange: Exchange) -> Self {
        Self {
            exchange,
            cloud,
            now_ms: 0,
            sent: vec![],
            most_under_way: 0,
            most_authentications: 0,
            lateness_ms: 0,
            is_confused: false,
            ahead_ms: 0,
            connect_ms: 0,
            jump: (0, 0),
            probes: vec![],
            finished_ms: vec![],
            is_silent: false,
            silent_from: 0,
            signs: |_| unreachable!("nobody else signs"),
            sign_ms: 0,
            signature: None,
            signed: vec![],
            in_flight: vec![],
            steps: 0,
        }
    }

    /// Drives until every message has its outcome.
    pub fn finish(&mut self) {
        assert!(self.until(u64::MAX));
        let is_message_under_way = self.in_flight.iter().any(|request| !request.is_authentication);
        assert!(!is_message_under_way, "done, and a message is still under way");
    }

    /// Drives until that time. Whether it is over.
    pub fn until(&mut self, end_ms: u64) -> bool {
        loop {
            self.steps += 1;
            assert!(self.steps < MAX_STEPS, "this does not end");
            let step = self.exchange.poll(self.moment());
            self.note_the_finished();
            match step {
                Step::Done => return true,
                Step::Send(outgoing) => self.send(outgoing),
                Step::Sign(signing) => {
                    let signature = (self.signs)(&signing.content);
                    self.signed.push(signing.content);
                    match self.sign_ms {
                        0 => self.exchange.handle_signature(self.moment(), signature.map_err(Into::into)),
                        // A signer that is asked anew forgets what it was asked before.
                        sign_ms => self.signature = Some((self.now_ms + sign_ms, signature)),
                    }
                }
                Step::Wait(until_ms) => {
                    assert!(until_ms.is_none_or(|until_ms| until_ms > self.now_ms), "waits for what is past");
                    let answer_ms = self.in_flight.iter().map(|request| request.due_ms).min();
                    let signature_ms = self.signature.as_ref().map(|(due_ms, _)| *due_ms);
                    let next_ms = [until_ms, answer_ms, signature_ms].into_iter().flatten().min();
                    let next_ms = next_ms.expect("waits, and nothing is under way").max(self.now_ms);
                    if next_ms > end_ms {
                        self.now_ms = end_ms;
                        return false;
                    }
                    self.now_ms = next_ms + self.lateness_ms;
                    self.deliver();
                }
            }
        }
    }

    fn note_the_finished(&mut self) {
        self.finished_ms.resize(self.exchange.slots.len(), None);
        for (slot, finished_ms) in self.exchange.slots.iter().zip(&mut self.finished_ms) {
            if matches!(slot.progress, Progress::Finished(_)) {
                finished_ms.get_or_insert(self.now_ms);
            }
        }
    }

    fn send(&mut self, outgoing: Outgoing) {
        if self.is_silent {
            let last_ms = self.probes[self.silent_from..].last().copied();
            let is_probe = |request: &InFlight| last_ms.is_some_and(|last_ms| request.sent_ms >= last_ms);
            assert!(!self.in_flight.iter().any(is_probe), "two at once while nobody answers");
            self.probes.push(self.now_ms);
        }
        assert!(outgoing.timeout_ms > 0 && outgoing.connect_timeout_ms <= outgoing.timeout_ms);
        let connect_timeout_ms = u64::from(outgoing.connect_timeout_ms);
        let (latency_ms, answered) = match self.connect_ms >= connect_timeout_ms {
            true => (connect_timeout_ms, Err(TransportErrorKind::ConnectTimeout.into())),
            false => {
                let (latency_ms, answered) = self.cloud.receive(self.now_ms, &outgoing.request);
                (latency_ms.saturating_add(self.connect_ms), answered)
            }
        };
        let timeout_ms = u64::from(outgoing.timeout_ms);
        let is_in_time = latency_ms < timeout_ms || connect_timeout_ms <= self.connect_ms;
        let answered = if is_in_time { answered } else { Err(TransportErrorKind::AnswerTimeout.into()) };
        self.in_flight.push(InFlight {
            id: outgoing.id,
            sent_ms: self.now_ms,
            due_ms: self.now_ms + latency_ms.min(timeout_ms),
            is_authentication: is_authentication(&outgoing.request),
            answered,
        });
        self.sent.push(Sent { at_ms: self.now_ms, outgoing });
        self.most_under_way = self.most_under_way.max(self.in_flight.len());
        let authentications = self.in_flight.iter().filter(|request| request.is_authentication).count();
        self.most_authentications = self.most_authentications.max(authentications);
    }

    /// Hands over what has come by now, the earliest first.
    fn deliver(&mut self) {
        let now_ms = self.now_ms;
        if let Some((_, signature)) = self.signature.take_if(|(due_ms, _)| *due_ms <= now_ms) {
            self.exchange.handle_signature(self.moment(), signature.map_err(Into::into));
        }
        let (mut due, rest): (Vec<_>, Vec<_>) = self.in_flight.drain(..).partition(|request| request.due_ms <= now_ms);
        self.in_flight = rest;
        due.sort_by_key(|request| request.due_ms);
        for InFlight { id, answered, is_authentication, .. } in due {
            let is_for_later = is_authentication && self.exchange.credential().is_some();
            match &answered {
                Ok(_) => self.is_silent = false,
                Err(transport_error) => self.is_silent |= transport_error.kind.is_transient() && !is_for_later,
            }
            if !self.is_silent {
                self.silent_from = self.probes.len();
            }
            self.exchange.handle_response(self.moment(), id, answered.clone());
            if self.is_confused {
                self.exchange.handle_response(self.moment(), id, answered.clone());
                self.exchange.handle_response(self.moment(), id + 1_000_000, answered);
            }
        }
    }

    /// The most requests that began within a second while there was no answer.
    pub fn most_probes_in_a_second(&self) -> usize {
        let within =
            |from_ms: u64| self.probes.iter().filter(|at_ms| (from_ms..from_ms + 1_000).contains(*at_ms)).count();
        self.probes.iter().map(|at_ms| within(*at_ms)).max().unwrap_or_default()
    }

    pub fn moment(&self) -> Moment {
        let jumped_ms = if self.now_ms >= self.jump.0 { self.jump.1 } else { 0 };
        let unix_ms = (self.unix_start_ms() + self.now_ms).saturating_add_signed(jumped_ms);
        Moment { monotonic_ms: self.now_ms, unix_ms }
    }

    /// The client's calendar when the monotonic clock shows 0.
    pub fn unix_start_ms(&self) -> u64 {
        UNIX_START_MS.saturating_add_signed(self.ahead_ms)
    }

    pub fn outcomes(&self) -> Vec<Result<Receipt, Error>> {
        self.exchange.outcomes().map(|(_, outcome)| outcome).collect()
    }

    /// The outcome of an exchange of one.
    pub fn outcome(&self) -> Result<Receipt, Error> {
        let [outcome] = self.outcomes().try_into().unwrap();
        outcome
    }

    /// The error of an exchange of one.
    pub fn error(&self) -> Error {
        self.outcome().unwrap_err()
    }

    /// The authentications among what was sent.
    pub fn authentications(&self) -> Vec<&Sent> {
        self.sent.iter().filter(|sent| is_authentication(&sent.outgoing.request)).collect()
    }

    /// The messages among what was sent.
    pub fn publications(&self) -> Vec<&Sent> {
        self.sent.iter().filter(|sent| !is_authentication(&sent.outgoing.request)).collect()
    }

    /// How often this payload was sent.
    pub fn attempts(&self, payload: &[u8]) -> u32 {
        let count = self.publications().iter().filter(|sent| sent.outgoing.request.body[..] == *payload).count();
        u32::try_from(count).unwrap()
    }
}
