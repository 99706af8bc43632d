//! The body of a request, which comes in pieces and may never end. It is judged while it is read: a device that announces
//! nothing and sends for ever is told so after 128 KB.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::head::Head;
use super::refusal::Refusal;
use crate::message::MAX_PAYLOAD;

/// A body that is being read: no more than [`MAX_PAYLOAD`] bytes.
#[derive(Clone, Debug, Default)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// Nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// It is too much.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        if piece.len() > MAX_PAYLOAD - self.0.len() {
            return Err(Refusal::TooLarge);
        }
        self.0.extend_from_slice(piece);
        Ok(())
    }

    /// The whole, byte for byte.
    pub fn finish(self) -> Arc<[u8]> {
        self.0.into()
    }
}

/// A length that is too large is refused before anything is read. Whether it is true is for the HTTP server to see.
pub(super) fn check_announced(head: &Head<'_>) -> Result<(), Refusal> {
    let announced = head.header("content-length").and_then(|value| core::str::from_utf8(value).ok());
    // More digits than a number can have are too much as well.
    let is_too_large =
        announced.is_some_and(|digits| digits.parse::<usize>().map_or(true, |length| length > MAX_PAYLOAD));
    if is_too_large { Err(Refusal::TooLarge) } else { Ok(()) }
}
