//! How much a stranger may take of the server before a guest has seen anything of it.

use std::time::Duration;

/// What a connection and a request may take.
///
/// `wasmtime serve` has none of these but the number of connections: half a request line holds one of them for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrontLimits {
    /// Connections that are open at once. One more closes the one that has been without a request for longest; where all
    /// have one under way it is answered with 503. Default 2,048.
    pub connections: usize,
    /// How long the head of a request may take, the handshake of TLS, and the pause between two requests of one connection.
    /// Default 10 s.
    pub header_timeout: Duration,
    /// Bytes of the head of a request. One with more is answered with 431. Default 16 KiB, at least 8 KiB.
    pub header_bytes: usize,
    /// Headers of a request. One with more is answered with 431. Default 100.
    pub headers: usize,
    /// Bytes of a request's body. One that announces more is answered with 413 before anything of it is read; of one that
    /// does not, the guest sees the beginning, and then an error. Default 1 MiB; the edge function takes 128 KiB.
    pub body_bytes: u64,
    /// How long a client may send nothing of a body, or take nothing of an answer. Default 10 s.
    pub stall_timeout: Duration,
    /// How long a body may take in all, from its first byte to its last. Default 60 s.
    pub body_timeout: Duration,
    /// How long requests that are under way may take to end when the server is told to. Default 6 s: service managers and
    /// orchestrators kill after 10.
    pub drain_timeout: Duration,
}

impl Default for FrontLimits {
    fn default() -> Self {
        Self {
            connections: 2048,
            header_timeout: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            headers: 100,
            body_bytes: 1024 * 1024,
            stall_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(6),
        }
    }
}
