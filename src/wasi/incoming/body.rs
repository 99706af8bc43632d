//! The body of a request that came in, piece by piece.

use alloc::vec::Vec;

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{IncomingBody, IncomingRequest};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, StreamError};

use super::super::NS_PER_MS;
use super::super::alarm::Alarm;

/// How long nothing may come. A device that lost its network amid a body would hold the instance for ever; one that
/// is merely slow sends something.
const PAUSE_NS: u64 = 30_000 * NS_PER_MS;

/// How long what is still sent after an answer is read. A client that sends all of it before it looks for an answer finds
/// the answer by then.
const THROWN_AWAY_NS: u64 = 5_000 * NS_PER_MS;

/// How much of it is read: thirty times the largest message.
const THROWN_AWAY_BYTES: usize = 4 * 1024 * 1024;

/// As much as hosts have in one piece.
const PIECE_BYTES: u64 = 64 * 1024;

/// The fields are in the order in which they must be dropped.
pub(super) struct Body {
    ready: Option<Pollable>,
    stream: InputStream,
    _body: IncomingBody,
}

/// What comes next of a body.
pub(super) enum Piece {
    Bytes(Vec<u8>),
    End,
    BrokenOff,
    /// Nothing, for too long.
    Late,
}

impl Body {
    /// There is none where it was taken before.
    pub fn of(request: &IncomingRequest) -> Option<Self> {
        let body = request.consume().ok()?;
        let stream = body.stream().ok()?;
        Some(Self { ready: None, stream, _body: body })
    }

    /// Waits for the next piece.
    pub fn read(&mut self) -> Piece {
        self.read_until(monotonic_clock::now().saturating_add(PAUSE_NS))
    }

    /// Reads on, and keeps nothing.
    pub fn throw_away(&mut self) {
        let until_ns = monotonic_clock::now().saturating_add(THROWN_AWAY_NS);
        let mut read = 0;
        while read < THROWN_AWAY_BYTES {
            match self.read_until(until_ns) {
                Piece::Bytes(bytes) => read += bytes.len(),
                Piece::End | Piece::BrokenOff | Piece::Late => return,
            }
        }
    }

    fn read_until(&mut self, until_ns: u64) -> Piece {
        let mut alarm = Alarm::default();
        loop {
            match self.stream.read(PIECE_BYTES) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Piece::Bytes(bytes),
                Err(StreamError::Closed) => return Piece::End,
                Err(StreamError::LastOperationFailed(_)) => return Piece::BrokenOff,
            }
            if monotonic_clock::now() >= until_ns {
                return Piece::Late;
            }
            let ready = self.ready.get_or_insert_with(|| self.stream.subscribe());
            match alarm.set(Some(until_ns)) {
                Some(timer) => poll(&[&*ready, timer]),
                None => poll(&[&*ready]),
            };
        }
    }
}
