//! What was encoded is not sent, and what is at most once may be sent once only: so it is known which messages are still
//! in the buffer, whole or in part. A broker does not take part of a packet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// How many written bytes are kept at most before the others move up.
const KEPT: usize = 64 * 1024;

/// Bytes on their way to the connection.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// How many of the bytes are written.
    written: usize,
    /// Where in the bytes at-most-once messages end, and which they are.
    ends: VecDeque<(usize, u64)>,
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

    /// What was encoded last is the at-most-once message of this number.
    pub fn ends_message(&mut self, id: u64) {
        self.ends.push_back((self.bytes.len(), id));
    }

    /// So many bytes were taken.
    pub fn advance(&mut self, count: usize) {
        self.written = (self.written + count).min(self.bytes.len());
    }

    /// The next at-most-once message that was written in full.
    pub fn next_written(&mut self) -> Option<u64> {
        let (_, id) = self.ends.pop_front_if(|(end, _)| *end <= self.written)?;
        Some(id)
    }

    /// Makes room. To be called after [`Self::next_written`] has nothing more to say.
    pub fn tidy(&mut self) {
        // A connection that is always a little behind never empties it.
        if self.is_empty() || self.written >= KEPT {
            self.bytes.drain(..self.written);
            for (end, _) in &mut self.ends {
                *end -= self.written;
            }
            self.written = 0;
        }
    }

    /// Forgets everything: the connection is gone.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
