//! `wasi:http` hands out a request, its body, the future of an answer, that answer, its body and two streams as
//! resources that must be written in pieces, polled, and dropped in the right order. A guest that gets it wrong blocks
//! for ever or traps. Here it is done once, for many requests at a time.
//!
//! Exports nothing, so a component that links this exports nothing it did not mean to.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

mod alarm;
mod clock;
mod in_flight;
#[cfg(feature = "edge")]
pub mod incoming;
mod no_signer;
mod outgoing;
mod transport_error;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::poll;

use crate::credential::Credential;
use crate::exchange::{Exchange, Outgoing, Step};
use crate::http::{Response, Scheme, TransportError};
use crate::moment::Moment;
use crate::signing::{NotSigned, Signing};
pub use alarm::Alarm;
use clock::Clock;
use in_flight::InFlight;
pub use no_signer::NoSigner;

const NS_PER_MS: u64 = 1_000_000;

/// The time of the host.
pub fn now() -> Moment {
    Clock::start().1
}

/// Milliseconds of the clock that never jumps.
pub fn monotonic_ms() -> u64 {
    monotonic_clock::now() / NS_PER_MS
}

/// A number that differs between instances as far as the clock of the host does: it only spreads retries.
pub fn seed() -> u64 {
    monotonic_clock::now()
}

/// Sends one request and waits for its answer.
///
/// # Errors
///
/// Why there is no answer, as the host tells it.
pub fn send(outgoing: Outgoing) -> Result<Response, TransportError> {
    let (mut clock, now) = Clock::start();
    let mut requests = vec![InFlight::start(outgoing, Scheme::Https, now.monotonic_ms)?];
    let mut alarm = Alarm::default();
    loop {
        wait(&mut requests, None, &mut alarm);
        if let Some((_, answered)) = take_finished(&mut requests, clock.now()).pop() {
            return answered;
        }
    }
}

/// What a signer answers with.
pub enum Signed {
    /// The signature, in hexadecimal.
    Signature(String),
    /// What another instance of the same device has obtained.
    Credential(Credential),
}

/// A signer, for configurations that leave that to others.
pub trait Signs {
    /// Signs, or finds that there is no need to.
    ///
    /// # Errors
    ///
    /// Why there is no signature, and whether another try is worth it.
    fn sign(&self, signing: &Signing) -> Result<Signed, NotSigned>;

    /// What came of the signature: others may wait for it.
    fn obtained(&self, credential: Option<&Credential>);

    /// What another instance of the same device has obtained, if that can be looked up. Asked before each
    /// authentication.
    fn recall(&self) -> Option<Credential> {
        None
    }

    /// What this instance has obtained, for others to look up.
    fn keep(&self, _: &Credential) {}
}

/// Runs an exchange until every message has its outcome.
pub fn run(exchange: &mut Exchange, signer: &impl Signs, scheme: Scheme) {
    let mut requests: Vec<InFlight> = Vec::new();
    let mut is_signed = false;
    let mut is_sent = false;
    let mut alarm = Alarm::default();
    let (mut clock, mut now) = Clock::start();
    loop {
        let step = exchange.poll(now);
        if is_signed && !exchange.is_authenticating() {
            is_signed = false;
            signer.obtained(exchange.credential());
        }
        if is_sent && !exchange.is_authenticating() {
            is_sent = false;
            exchange.credential().into_iter().for_each(|credential| signer.keep(credential));
        }
        match step {
            Step::Done => return,
            Step::Wait(until_ms) => {
                wait(&mut requests, until_ms, &mut alarm);
                now = clock.now();
                for (id, answered) in take_finished(&mut requests, now) {
                    exchange.handle_response(now, id, answered);
                }
            }
            Step::Sign(signing) => {
                let answer = signer.sign(&signing);
                now = clock.now();
                match answer {
                    Ok(Signed::Signature(signature)) => {
                        exchange.handle_signature(now, Ok(signature));
                        is_signed = true;
                    }
                    Ok(Signed::Credential(credential)) => exchange.handle_credential(now, credential),
                    Err(problem) => exchange.handle_signature(now, Err(problem)),
                }
            }
            Step::Send(outgoing) => {
                let id = outgoing.id;
                if exchange.is_authentication(id) {
                    if signer.recall().is_some_and(|credential| exchange.recall(now, id, credential)) {
                        continue;
                    }
                    is_sent = true;
                }
                match InFlight::start(outgoing, scheme, now.monotonic_ms) {
                    Ok(request) => requests.push(request),
                    Err(transport_error) => exchange.handle_response(now, id, Err(transport_error)),
                }
            }
        }
    }
}

/// Waits until something happens to a request, or until the time comes.
fn wait(requests: &mut [InFlight], until_ms: Option<u64>, alarm: &mut Alarm) {
    let wakes_ns = until_ms.map(|ms| ms.saturating_mul(NS_PER_MS));
    let first_deadline_ns = requests.iter().map(|request| request.deadline_ns).min();
    let timer = alarm.set([wakes_ns, first_deadline_ns].into_iter().flatten().min());

    let mut pollables = Vec::with_capacity(requests.len() + 1);
    let mut owners = Vec::with_capacity(requests.len() + 1);
    for (index, request) in requests.iter().enumerate() {
        for pollable in request.pollables() {
            pollables.push(pollable);
            owners.push(index);
        }
    }
    pollables.extend(timer);
    let ready = poll(&pollables);
    for index in ready {
        match owners.get(index as usize) {
            Some(owner) => requests[*owner].mark_ready(),
            None => alarm.clear(),
        }
    }
}

/// Takes out the requests that are over.
fn take_finished(requests: &mut Vec<InFlight>, now: Moment) -> Vec<(u32, Result<Response, TransportError>)> {
    let now_ns = now.monotonic_ms.saturating_mul(NS_PER_MS);
    let mut over = Vec::new();
    requests.retain_mut(|request| {
        let answered = request.progress();
        let answered = answered.or_else(|| request.expired(now_ns).then(|| request.end()));
        let is_over = answered.is_some();
        over.extend(answered.map(|answered| (request.id, answered)));
        !is_over
    });
    over
}
