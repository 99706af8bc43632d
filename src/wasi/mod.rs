//! `wasi:http` hands out a request, its body, the future of an answer, that answer, its body and two streams as
//! resources that must be written in pieces, polled, and dropped in the right order. A guest that gets it wrong blocks
//! for ever or traps. Here it is done once, for many requests at a time.
//!
//! Exports nothing, so a component that links this exports nothing it did not mean to.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

mod failure;
mod flight;
mod outgoing;

use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::io::poll::poll;

use crate::aliyun::Signing;
use crate::exchange::{Exchange, Outgoing, Step};
use crate::http::{Failure, NoAnswer, Response};
use crate::moment::Moment;
use flight::Flight;

const NS_PER_MS: u64 = 1_000_000;

/// The time of the host.
pub fn now() -> Moment {
    let wall = wall_clock::now();
    let unix_ms = wall.seconds.saturating_mul(1000).saturating_add(u64::from(wall.nanoseconds) / NS_PER_MS);
    Moment { monotonic_ms: monotonic_clock::now() / NS_PER_MS, unix_ms }
}

/// A number that differs between instances as far as the clock of the host does: it only spreads retries.
pub fn seed() -> u64 {
    monotonic_clock::now()
}

/// Sends one request and waits for its answer.
pub fn send(outgoing: Outgoing) -> Result<Response, NoAnswer> {
    let mut flights = vec![Flight::start(outgoing, monotonic_clock::now())?];
    if let Some(answered) = flights[0].progress() {
        return answered;
    }
    loop {
        if let Some((_, answered)) = wait(&mut flights, None).pop() {
            return answered;
        }
    }
}

/// Runs an exchange until every message has its outcome. `sign` is for configurations that leave the signature to
/// somebody else.
pub fn run(exchange: &mut Exchange, sign: impl Fn(&Signing) -> Result<String, String>) {
    let mut flights: Vec<Flight> = Vec::new();
    loop {
        let until_ms = match exchange.next(now()) {
            Step::Done => return,
            Step::Wait(until_ms) => until_ms,
            Step::Sign(signing) => {
                let signature = sign(&signing);
                exchange.signed(now(), signature);
                continue;
            }
            Step::Send(outgoing) => {
                let id = outgoing.id;
                match Flight::start(outgoing, monotonic_clock::now()) {
                    Ok(mut flight) => match flight.progress() {
                        Some(answered) => exchange.answer(now(), id, answered),
                        None => flights.push(flight),
                    },
                    Err(no_answer) => exchange.answer(now(), id, Err(no_answer)),
                }
                continue;
            }
        };
        for (id, answered) in wait(&mut flights, until_ms) {
            exchange.answer(now(), id, answered);
        }
    }
}

/// Waits until something happens to a request, or until the time comes, and takes out the requests that are over.
fn wait(flights: &mut Vec<Flight>, until_ms: Option<u64>) -> Vec<(u32, Result<Response, NoAnswer>)> {
    let wakes_ns = until_ms.map(|ms| ms.saturating_mul(NS_PER_MS));
    let first_deadline_ns = flights.iter().map(|flight| flight.deadline_ns).min();
    let timer = [wakes_ns, first_deadline_ns].into_iter().flatten().min().map(monotonic_clock::subscribe_instant);

    let mut pollables = Vec::with_capacity(flights.len() * 2 + 1);
    let mut owners = Vec::with_capacity(flights.len() * 2 + 1);
    for (index, flight) in flights.iter().enumerate() {
        for pollable in flight.pollables() {
            pollables.push(pollable);
            owners.push(index);
        }
    }
    pollables.extend(&timer);
    let mut stirred = vec![false; flights.len()];
    for ready in poll(&pollables) {
        if let Some(owner) = owners.get(ready as usize) {
            stirred[*owner] = true;
        }
    }

    let now_ns = monotonic_clock::now();
    let mut over = Vec::new();
    let mut index = 0;
    flights.retain_mut(|flight| {
        let answered = if stirred[index] { flight.progress() } else { None };
        let answered = answered.or_else(|| flight.expired(now_ns).then(|| Err(Failure::AnswerTimeout.into())));
        index += 1;
        match answered {
            Some(answered) => {
                over.push((flight.id, answered));
                false
            }
            None => true,
        }
    });
    over
}
