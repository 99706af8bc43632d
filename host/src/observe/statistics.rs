//! The numbers of a pool at one moment.

/// What a [`Pool`](crate::Pool) holds now, and what has happened to its requests and connections since it was made.
///
/// Of requests, `requests` is the sum of `answered`, `denied`, `not_sent`, `unknown`, `abandoned` and those under way; of dialed connections,
/// `dials` is the sum of `dialed`, `failed_dials`, `abandoned_dials` and those under way. The numbers are read one after the other, so
/// while requests are under way they may be off by a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Now: places for connections that are taken, be they in the making, in use, idle or closing; at most
    /// [`PoolLimits::connections`](crate::PoolLimits::connections).
    pub open: usize,
    /// Now: connections without a request, kept for the next one.
    pub idle: usize,
    /// Now: requests and dialings that wait for a free connection, or for a place to open one.
    pub waiting: usize,
    /// TLS handshakes that succeeded and were whole ones.
    pub full_handshakes: u64,
    /// TLS handshakes that succeeded and went on from an earlier one.
    pub resumed_handshakes: u64,
    /// Bytes that were written to the network, handshakes and all that TLS adds included; what TCP and a proxy add is not.
    pub bytes_sent: u64,
    /// Bytes that came from the network, counted in the same way.
    pub bytes_received: u64,
    /// Requests that were begun.
    pub requests: u64,
    /// Requests that got the head of an answer, whatever it says: they were delivered to a server.
    pub answered: u64,
    /// Requests that were not even tried: no route allows them.
    pub denied: u64,
    /// Requests that certainly had no effect: there was no usable connection.
    pub not_sent: u64,
    /// Requests that may have had an effect, and have no answer.
    pub unknown: u64,
    /// Requests that were given up by their sender before they came to an end.
    pub abandoned: u64,
    /// Answers whose body broke off, or stopped. Their requests are among `answered`.
    pub broken_answers: u64,
    /// Connections that were asked for by [`Transport::dial`](crate::Transport::dial).
    pub dials: u64,
    /// Connections that were dialed and came about.
    pub dialed: u64,
    /// Connections that were dialed and did not come about.
    pub failed_dials: u64,
    /// Dialings that were given up by whoever had begun them.
    pub abandoned_dials: u64,
    /// Dialed connections that broke: ended by the server or the network without a goodbye of TLS.
    pub lost: u64,
}
