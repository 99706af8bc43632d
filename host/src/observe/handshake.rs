//! How a TLS handshake went: the full one costs the server a signature, and the device one too if it shows a certificate.

use rustls::{CommonState, HandshakeKind};

/// The kind of a TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handshake {
    /// Both sides have shown who they are.
    Full,
    /// It went on from an earlier one with the same server, by a ticket.
    Resumed,
}

impl Handshake {
    /// That of a connection whose handshake is over.
    pub(crate) fn of(connection: &CommonState) -> Self {
        match connection.handshake_kind() {
            Some(HandshakeKind::Resumed) => Self::Resumed,
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) | None => Self::Full,
        }
    }
}
