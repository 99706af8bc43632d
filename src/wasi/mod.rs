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
mod failure;
mod flight;
mod outgoing;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::poll;

use crate::credential::Credential;
use crate::exchange::{Exchange, Outgoing, Step};
use crate::http::{NoAnswer, Response};
use crate::moment::Moment;
use crate::signing::Signing;
pub use alarm::Alarm;
use clock::Clock;
use flight::Flight;

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
pub fn send(outgoing: Outgoing) -> Result<Response, NoAnswer> {
    let (mut clock, now) = Clock::start();
    let mut flights = vec![Flight::start(outgoing, now.monotonic_ms)?];
    let mut alarm = Alarm::default();
    loop {
        wait(&mut flights, None, &mut alarm);
        if let Some((_, answered)) = land(&mut flights, clock.now()).pop() {
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
    fn sign(&self, signing: &Signing) -> Result<Signed, String>;

    /// What came of the signature: others may wait for it.
    fn obtained(&self, signing: &Signing, credential: Option<&Credential>);
}

/// Runs an exchange until every message has its outcome.
pub fn run(exchange: &mut Exchange, signer: &impl Signs) {
    let mut flights: Vec<Flight> = Vec::new();
    let mut signed: Option<Signing> = None;
    let mut alarm = Alarm::default();
    let (mut clock, mut now) = Clock::start();
    loop {
        let step = exchange.next(now);
        if let Some(signing) = signed.take_if(|_| !exchange.is_authenticating()) {
            signer.obtained(&signing, exchange.credential());
        }
        match step {
            Step::Done => return,
            Step::Wait(until_ms) => {
                wait(&mut flights, until_ms, &mut alarm);
                now = clock.now();
                for (id, answered) in land(&mut flights, now) {
                    exchange.answer(now, id, answered);
                }
            }
            Step::Sign(signing) => {
                let answer = signer.sign(&signing);
                now = clock.now();
                match answer {
                    Ok(Signed::Signature(signature)) => {
                        exchange.signed(now, Ok(signature));
                        signed = Some(signing);
                    }
                    Ok(Signed::Credential(credential)) => exchange.obtained_elsewhere(now, credential),
                    Err(problem) => exchange.signed(now, Err(problem)),
                }
            }
            Step::Send(outgoing) => {
                let id = outgoing.id;
                match Flight::start(outgoing, now.monotonic_ms) {
                    Ok(flight) => flights.push(flight),
                    Err(no_answer) => exchange.answer(now, id, Err(no_answer)),
                }
            }
        }
    }
}

/// Waits until something happens to a request, or until the time comes.
fn wait(flights: &mut [Flight], until_ms: Option<u64>, alarm: &mut Alarm) {
    let wakes_ns = until_ms.map(|ms| ms.saturating_mul(NS_PER_MS));
    let first_deadline_ns = flights.iter().map(|flight| flight.deadline_ns).min();
    let timer = alarm.set([wakes_ns, first_deadline_ns].into_iter().flatten().min());

    let mut pollables = Vec::with_capacity(flights.len() + 1);
    let mut owners = Vec::with_capacity(flights.len() + 1);
    for (index, flight) in flights.iter().enumerate() {
        for pollable in flight.pollables() {
            pollables.push(pollable);
            owners.push(index);
        }
    }
    pollables.extend(timer);
    let ready = poll(&pollables);
    for index in ready {
        match owners.get(index as usize) {
            Some(owner) => flights[*owner].stir(),
            None => alarm.clear(),
        }
    }
}

/// Takes out the requests that are over.
fn land(flights: &mut Vec<Flight>, now: Moment) -> Vec<(u32, Result<Response, NoAnswer>)> {
    let now_ns = now.monotonic_ms.saturating_mul(NS_PER_MS);
    let mut over = Vec::new();
    flights.retain_mut(|flight| {
        let answered = flight.progress();
        let answered = answered.or_else(|| flight.expired(now_ns).then(|| flight.end()));
        let is_over = answered.is_some();
        over.extend(answered.map(|answered| (flight.id, answered)));
        !is_over
    });
    over
}
