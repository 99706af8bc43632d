//! The connection: what the host has made of a `dial`. Streams have children (what one can wait for), and a stream that is
//! dropped before its children is a trap; so who owns what, and in which order it goes, is decided here and nowhere else.

use alloc::vec::Vec;

use thingpost::http::TransportErrorKind;
use thingpost::mqtt::Session;
use thingpost::wasi::Alarm;
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::bindings::thingpost::iot::dialer::{self, Dialing};
use crate::bindings::thingpost::iot::interrupt;
use crate::values::transport_error::transport_error;

const NS_PER_MS: u64 = 1_000_000;

/// As much as is read at once: the largest record of TLS is 16 KiB, and the host has one at a time.
const READ: u64 = 64 * 1024;

/// How long a call waits.
#[derive(Clone, Copy)]
pub enum Until {
    /// Until what it waits for has come, which has a time of its own.
    Over,
    /// Until the clock shows this, or until the host wants it to return.
    TimeOrInterrupt(u64),
}

impl Until {
    pub fn is_passed(self, now_ms: u64) -> bool {
        matches!(self, Self::TimeOrInterrupt(until_ms) if until_ms <= now_ms)
    }
}

/// Why a wait is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The connection, or the time.
    Work,
    /// The host wants the call to return.
    Interrupt,
}

#[derive(Default)]
pub struct Wire {
    state: State,
    alarm: Alarm,
    interrupt: Option<Pollable>,
}

#[derive(Default)]
enum State {
    #[default]
    None,
    Dialing(OnItsWay),
    Open(Open),
}

// Fields are dropped from the first to the last.
struct OnItsWay {
    ready: Pollable,
    dialing: Dialing,
}

struct Open {
    readable: Pollable,
    writable: Pollable,
    input: InputStream,
    output: OutputStream,
    /// Whether a read may bring something: at first, and whenever `readable` says so.
    may_read: bool,
    /// Whether the output takes nothing at the moment.
    is_full: bool,
}

impl Wire {
    /// Begins a connection.
    pub fn dial(&mut self, authority: &str, timeout_ms: u32) {
        let dialing = dialer::dial(authority, timeout_ms);
        self.state = State::Dialing(OnItsWay { ready: dialing.subscribe(), dialing });
    }

    /// Closes it, or gives it up.
    pub fn close(&mut self) {
        self.state = State::None;
    }

    /// Moves what can be moved without waiting. False if that was nothing.
    pub fn work(&mut self, session: &mut Session, now_ms: u64) -> bool {
        match &mut self.state {
            State::None => false,
            State::Dialing(on_its_way) => {
                match on_its_way.dialing.finish() {
                    None => return false,
                    Some(Ok((input, output))) => {
                        self.state = State::Open(Open {
                            readable: input.subscribe(),
                            writable: output.subscribe(),
                            input,
                            output,
                            may_read: false,
                            is_full: false,
                        });
                        session.handle_dialed();
                    }
                    Some(Err(failure)) => {
                        self.state = State::None;
                        session.handle_transport_error(now_ms, transport_error(failure));
                    }
                }
                true
            }
            State::Open(open) => {
                let moved = match open.write(session, now_ms) {
                    Ok(has_written) => open.read(session, now_ms).map(|has_read| has_written || has_read),
                    // What the broker says on its way out explains more than that it does not listen.
                    Err(error) => open.read_to_end(session, now_ms).and(Err(error)),
                };
                match moved {
                    Ok(has_moved) => has_moved,
                    Err(error) => {
                        self.state = State::None;
                        session.handle_transport_error(now_ms, failure(error));
                        true
                    }
                }
            }
        }
    }

    /// Something may have come since the last call.
    pub fn look(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.may_read = true;
            open.is_full = false;
        }
    }

    /// Waits until there is work, until the time of the session comes, or until the call has waited enough.
    pub fn wait(&mut self, session: &Session, wakes_ms: Option<u64>, until: Until) -> Woken {
        let (until_ms, interrupt) = match until {
            Until::Over => (None, None),
            Until::TimeOrInterrupt(until_ms) => {
                (Some(until_ms), Some(&*self.interrupt.get_or_insert_with(interrupt::subscribe)))
            }
        };
        let first_ms = [wakes_ms, until_ms].into_iter().flatten().min();
        let alarm = self.alarm.set(first_ms.map(|ms| ms.saturating_mul(NS_PER_MS)));
        let mut pollables: Vec<&Pollable> = Vec::with_capacity(4);
        let may_be_interrupted = interrupt.is_some();
        pollables.extend(interrupt);
        let of_alarm = alarm.is_some().then_some(pollables.len());
        pollables.extend(alarm);
        let (mut of_input, mut of_output) = (None, None);
        match &self.state {
            State::None => {}
            State::Dialing(on_its_way) => pollables.push(&on_its_way.ready),
            State::Open(open) => {
                if session.wants_input() {
                    of_input = Some(pollables.len());
                    pollables.push(&open.readable);
                }
                if !session.output().is_empty() {
                    of_output = Some(pollables.len());
                    pollables.push(&open.writable);
                }
            }
        }
        let ready = poll(&pollables);
        let is_ready = |index: usize| ready.iter().any(|ready| *ready as usize == index);
        let is_interrupted = may_be_interrupted && is_ready(0);
        let rings = of_alarm.is_some_and(is_ready);
        if let State::Open(open) = &mut self.state {
            open.may_read |= of_input.is_some_and(is_ready);
            open.is_full &= !of_output.is_some_and(is_ready);
        }
        if rings {
            self.alarm.clear();
        }
        if is_interrupted { Woken::Interrupt } else { Woken::Work }
    }
}

impl Open {
    /// Writes as much as the connection takes.
    fn write(&mut self, session: &mut Session, now_ms: u64) -> Result<bool, StreamError> {
        if self.is_full || session.output().is_empty() {
            return Ok(false);
        }
        loop {
            let room = usize::try_from(self.output.check_write()?).unwrap_or(usize::MAX);
            if room == 0 {
                self.is_full = true;
                break;
            }
            let output = session.output();
            let count = room.min(output.len());
            self.output.write(&output[..count])?;
            session.handle_written(now_ms, count);
            if session.output().is_empty() {
                break;
            }
        }
        self.output.flush()?;
        Ok(true)
    }

    fn read(&mut self, session: &mut Session, now_ms: u64) -> Result<bool, StreamError> {
        if !self.may_read || !session.wants_input() {
            return Ok(false);
        }
        let bytes = self.input.read(READ)?;
        // Less than all that fits means that there is no more for now.
        self.may_read = bytes.len() as u64 == READ;
        if bytes.is_empty() {
            return Ok(false);
        }
        session.handle_input(now_ms, &bytes);
        Ok(true)
    }

    fn read_to_end(&mut self, session: &mut Session, now_ms: u64) -> Result<(), StreamError> {
        loop {
            self.may_read = true;
            if !self.read(session, now_ms)? {
                return Ok(());
            }
        }
    }
}

fn failure(error: StreamError) -> thingpost::http::TransportError {
    match error {
        StreamError::Closed => TransportErrorKind::ConnectionClosed.into(),
        StreamError::LastOperationFailed(error) => match dialer::failure(&error) {
            Some(failure) => transport_error(failure),
            None => TransportErrorKind::Other.into(),
        },
    }
}
