//! What was encoded is not sent, and what is at most once may be sent once only: so it is known which messages are still
//! in the buffer, whole or in part. A broker does not take part of a packet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

/// How many written bytes are kept at most before the others move up.
const KEPT: usize = 64 * 1024;

/// Bytes on their way to the connection.
#[derive(Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// How many of the bytes are written.
    written: usize,
    /// How many were written and dropped from the buffer, over this connection.
    dropped: u64,
    /// Where at-most-once messages end, counted from the begin of the connection, and which they are.
    ends: VecDeque<(u64, u64)>,
}

impl Output {
    /// What is to be written.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// Where to encode to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Where the next byte stands, counted from the begin of the connection.
    pub fn end(&self) -> u64 {
        self.dropped + self.bytes.len() as u64
    }

    /// Whether something is written of what begins there.
    pub fn is_begun(&self, start: u64) -> bool {
        start < self.dropped + self.written as u64
    }

    /// Whether everything up to there is written.
    pub fn is_written(&self, end: u64) -> bool {
        end <= self.dropped + self.written as u64
    }

    /// What was encoded last is the at-most-once message of this number.
    pub fn ends_message(&mut self, id: u64) {
        self.ends.push_back((self.end(), id));
    }

    /// So many bytes were taken.
    pub fn advance(&mut self, count: usize) {
        self.written = (self.written + count).min(self.bytes.len());
        // A connection that is always a little behind never empties it.
        if self.is_empty() || self.written >= KEPT {
            self.dropped += self.written as u64;
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// The next at-most-once message that was written in full.
    pub fn next_written(&mut self) -> Option<u64> {
        let (end, id) = *self.ends.front()?;
        if !self.is_written(end) {
            return None;
        }
        self.ends.pop_front();
        Some(id)
    }

    /// Forgets everything: the connection is gone.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Shows no bytes: a CONNECT has a password in it.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("pending", &self.pending().len()).finish_non_exhaustive()
    }
}
