//! One name, several addresses, and some of them bad: an IPv6 route that swallows packets, a load balancer's node that
//! accepts and says nothing, a stale entry where something else listens. A client that settles for the first address
//! that takes a TCP connection stays with it for as long as the resolver puts it first, however good the others are; one
//! that shares its time out among them gives the sixteen of AWS less than a lost packet takes.
//!
//! So they are raced, as RFC 8305 has it: the next begins soon after the one before, and at once when that has failed, and those
//! before it go on. Two things are our own. An address counts as good when TLS is done, not when TCP is. And once one
//! of them has TCP, the way is there, and what takes long is the link: then the others wait for longer, and
//! handshakes, which are a hundred times what a SYN is, do not share a slow link among them.
//!
//! [`Race`] decides and does nothing; [`first_usable`] does what it says.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{AbortHandle, AbortRegistration, Abortable};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use crate::connect::ConnectDeadline;
use crate::error::{Attempt, ConnectError, Phase};

/// The pause before the next address, if that before it has neither connected nor failed: the connection attempt delay of
/// RFC 8305, section 5.
const DELAY: Duration = Duration::from_millis(250);

/// A handshake gets at least so much time before another one begins beside it, but never more than a third of what is left. Over a
/// slow mobile link it takes two to three seconds.
const HEAD_START: Duration = Duration::from_secs(3);

/// TCP takes one round trip and a handshake two, with ten packets or more: so many times as long as TCP took is no sign of trouble.
const ROUND_TRIPS: u32 = 4;

/// Sockets at once. With families in turns the second finds out whether one of them is dead, and beyond the third it is the network
/// that is dead; each takes a place from other requests.
const AT_ONCE: usize = 6;

/// An address that is silent for so long makes room for one that was not tried. Its SYN has been repeated once or
/// twice meanwhile, and the answer to the second, over a satellite, is here after 2.5 s.
const MAKES_ROOM: Duration = Duration::from_secs(3);

/// An address that is silent for so long is tried anew. The pauses between its SYNs have doubled each time, and a network that is
/// there again would go unnoticed for up to a minute.
const RENEWED: Duration = Duration::from_secs(10);

/// Why an address cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It takes no TCP connection.
    Tcp(io::Error),
    /// It takes one, and the handshake fails.
    Tls(ConnectError),
    /// This machine has no socket for it.
    Here(ConnectError),
    /// What is wrong is wrong at each other address too, and asking there as well does harm: a password that is refused six times
    /// locks an account.
    Everywhere(ConnectError),
}

/// The connection to whichever address is the first to give one. `open` connects by TCP, `handshake` does all that comes
/// after that; both end with what they return. `has_room` says whether so many sockets may be open at once, for two and more; it is also told
/// how many there are before each wait, so that those that are no more leave their places to others.
pub(crate) async fn first_usable<Tcp, T, Opening, Shaking>(
    addresses: &[SocketAddr],
    deadline: ConnectDeadline,
    mut has_room: impl FnMut(usize) -> bool,
    open: impl Fn(SocketAddr) -> Opening,
    handshake: impl Fn(Tcp) -> Shaking,
) -> Result<(SocketAddr, T), ConnectError>
where
    Opening: Future<Output = Result<Tcp, Unusable>>,
    Shaking: Future<Output = Result<T, Unusable>>,
{
    let mut race = Race::new(addresses, deadline.at);
    let (mut opening, mut shaking) = (FuturesUnordered::new(), FuturesUnordered::new());
    loop {
        let wakes = loop {
            match race.step(Instant::now(), &mut has_room) {
                Step::Open(address, registration) => {
                    let attempt = Abortable::new(open(address), registration);
                    opening.push(async move { (address, attempt.await) });
                }
                Step::Handshake(address, tcp) => {
                    let attempt = handshake(tcp);
                    shaking.push(async move { (address, attempt.await) });
                }
                Step::Wait(until) => {
                    has_room(race.live());
                    break until;
                }
                Step::Over => return Err(race.verdict()),
            }
        };
        tokio::select! {
            biased;
            Some((address, ended)) = shaking.next() => match ended {
                Ok(usable) => return Ok((address, usable)),
                Err(Unusable::Everywhere(error)) => return Err(error),
                Err(error) => race.handshake_failed(address, error, Instant::now()),
            },
            Some((address, ended)) = opening.next() => match ended {
                Ok(Ok(tcp)) => race.accepted(address, tcp, Instant::now()),
                Ok(Err(Unusable::Everywhere(error))) => return Err(error),
                Ok(Err(error)) => race.refused(address, error, Instant::now()),
                // It has made room.
                Err(_aborted) => {}
            },
            () = sleep_until(wakes) => if Instant::now() >= deadline.at {
                return Err(race.out_of_time(deadline.after));
            },
        }
    }
}

/// What to do next.
enum Step<Tcp> {
    /// Connect to this address.
    Open(SocketAddr, AbortRegistration),
    /// Go on over this connection.
    Handshake(SocketAddr, Tcp),
    /// Wait until something ends, or until then.
    Wait(Instant),
    /// All have failed.
    Over,
}

/// How far each address has come.
struct Race<Tcp> {
    deadline: Instant,
    untried: VecDeque<Candidate>,
    opening: Vec<Opening>,
    /// Have TCP, and wait for their turn to shake hands.
    accepted: VecDeque<Accepted<Tcp>>,
    shaking: Vec<SocketAddr>,
    failed: Vec<(SocketAddr, Unusable)>,
    /// All that were tried, in this order.
    tried: Vec<SocketAddr>,
    next_open: Instant,
    next_handshake: Instant,
}

#[derive(Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    /// How many times it was silent before; its patience doubles each time.
    round: u32,
}

struct Opening {
    candidate: Candidate,
    since: Instant,
    abort: AbortHandle,
}

struct Accepted<Tcp> {
    address: SocketAddr,
    tcp: Tcp,
    /// How long TCP took.
    took: Duration,
}

impl Opening {
    fn gives_way(&self, after: Duration) -> Instant {
        self.since + after * (1 << self.candidate.round.min(6))
    }
}

impl<Tcp> Race<Tcp> {
    fn new(addresses: &[SocketAddr], deadline: Instant) -> Self {
        let now = Instant::now();
        Self {
            deadline,
            untried: addresses.iter().map(|&address| Candidate { address, round: 0 }).collect(),
            opening: Vec::new(),
            accepted: VecDeque::new(),
            shaking: Vec::new(),
            failed: Vec::new(),
            tried: Vec::new(),
            next_open: now,
            next_handshake: now,
        }
    }

    fn step(&mut self, now: Instant, has_room: &mut impl FnMut(usize) -> bool) -> Step<Tcp> {
        let live = self.live();
        if live + self.untried.len() == 0 {
            return Step::Over;
        }
        // Even without any time left the first one begins: what fails at once tells more than that the time is over.
        if now >= self.deadline && !self.tried.is_empty() {
            return Step::Wait(self.deadline);
        }
        let may_shake = self.shaking.is_empty() || self.next_handshake <= now;
        if may_shake && let Some(Accepted { address, tcp, took }) = self.accepted.pop_front() {
            // Each of them makes the others slower.
            let head_start = HEAD_START.max(took * ROUND_TRIPS) * (1 << self.shaking.len().min(AT_ONCE));
            self.next_handshake = now + head_start.min(self.deadline.saturating_duration_since(now) / 3);
            self.shaking.push(address);
            return Step::Handshake(address, tcp);
        }
        if !self.accepted.is_empty() {
            return Step::Wait(self.next_handshake.min(self.deadline));
        }
        let opens = if self.shaking.is_empty() { self.next_open } else { self.next_open.max(self.next_handshake) };
        if self.untried.is_empty() && self.opening.is_empty() {
            return Step::Wait(self.deadline);
        }
        if opens > now {
            return Step::Wait(opens.min(self.deadline));
        }
        if self.untried.is_empty() {
            return self.give_way(RENEWED, now);
        }
        if live > 0 && (live >= AT_ONCE || !has_room(live + 1)) {
            return self.give_way(MAKES_ROOM, now);
        }
        self.open_next(now)
    }

    /// How many sockets it has.
    fn live(&self) -> usize {
        self.opening.len() + self.accepted.len() + self.shaking.len()
    }

    /// Begins with the next address that waits for that.
    fn open_next(&mut self, now: Instant) -> Step<Tcp> {
        let Some(candidate) = self.untried.pop_front() else { return Step::Wait(self.deadline) };
        let (abort, registration) = AbortHandle::new_pair();
        self.opening.push(Opening { candidate, since: now, abort });
        self.next_open = now + DELAY.min(self.share(now));
        if !self.tried.contains(&candidate.address) {
            self.tried.push(candidate.address);
        }
        Step::Open(candidate.address, registration)
    }

    /// The address that was the first to be silent for so long is put off, and the next begins in its place.
    fn give_way(&mut self, after: Duration, now: Instant) -> Step<Tcp> {
        let first = self.opening.iter().enumerate().min_by_key(|(_, opening)| opening.gives_way(after));
        let Some((index, until)) = first.map(|(index, opening)| (index, opening.gives_way(after))) else {
            // A place that another request has may be free before a handshake is over.
            return Step::Wait((now + DELAY).min(self.deadline));
        };
        if until > now {
            return Step::Wait(until.min(self.deadline));
        }
        let Opening { candidate, abort, .. } = self.opening.remove(index);
        abort.abort();
        self.untried.push_back(Candidate { round: candidate.round + 1, ..candidate });
        self.open_next(now)
    }

    /// With little time left each of those that remain gets its share of it.
    fn share(&self, now: Instant) -> Duration {
        let remaining = u32::try_from(self.untried.len() + 1).unwrap_or(u32::MAX);
        self.deadline.saturating_duration_since(now) / remaining
    }

    fn accepted(&mut self, address: SocketAddr, tcp: Tcp, now: Instant) {
        if let Some(opening) = self.opened(address) {
            self.accepted.push_back(Accepted { address, tcp, took: now - opening.since });
        }
    }

    fn refused(&mut self, address: SocketAddr, error: Unusable, now: Instant) {
        self.opened(address);
        self.failed.push((address, error));
        self.next_open = now;
    }

    fn handshake_failed(&mut self, address: SocketAddr, error: Unusable, now: Instant) {
        self.shaking.retain(|shaking| *shaking != address);
        self.failed.push((address, error));
        (self.next_open, self.next_handshake) = (now, now);
    }

    fn opened(&mut self, address: SocketAddr) -> Option<Opening> {
        let index = self.opening.iter().position(|opening| opening.candidate.address == address)?;
        Some(self.opening.remove(index))
    }

    /// What to say when the time is over.
    fn out_of_time(self, after: Duration) -> ConnectError {
        let phase = if self.shaking.is_empty() { Phase::Tcp } else { Phase::Tls };
        let has_told = self.failed.iter().any(|(_, error)| !matches!(error, Unusable::Tcp(_)));
        if has_told || (phase == Phase::Tcp && !self.failed.is_empty()) {
            return self.verdict();
        }
        let addresses = match phase {
            Phase::Tcp => self.tried,
            Phase::Tls => {
                let accepted = self.accepted.iter().map(|accepted| accepted.address);
                self.shaking.into_iter().chain(accepted).collect()
            }
        };
        ConnectError::Timeout { phase, addresses, after }
    }

    /// What to say of addresses none of which is usable. A handshake that failed tells more than a closed port.
    fn verdict(self) -> ConnectError {
        let mut attempts = Vec::new();
        for (address, error) in self.failed {
            match error {
                Unusable::Tls(error) | Unusable::Here(error) | Unusable::Everywhere(error) => return error,
                Unusable::Tcp(error) => attempts.push(Attempt { address, error: Some(error) }),
            }
        }
        for address in self.tried {
            if attempts.iter().all(|attempt| attempt.address != address) {
                attempts.push(Attempt { address, error: None });
            }
        }
        ConnectError::Unreachable(attempts)
    }
}

#[cfg(test)]
mod tests;
