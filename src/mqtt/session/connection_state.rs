//! The connection as it stands.

use crate::mqtt::event::AcceptedConnection;

#[derive(Debug)]
pub(super) enum ConnectionState {
    /// There is none, and none is on its way.
    Off,
    /// The next attempt comes then.
    Pausing { until_ms: u64 },
    /// A signature is asked for, outside.
    Signing,
    /// Name lookup, TCP, TLS.
    Dialing { deadline_ms: u64 },
    /// The CONNECT is sent.
    Greeting { deadline_ms: u64 },
    /// The broker has accepted it.
    Online(Online),
    /// A goodbye is wanted, and the broker is asked first whether it has read the acknowledgements: one that finds the
    /// connection closed while it sends forgets what it had not read.
    Parting { deadline_ms: u64 },
    /// The goodbye is being written.
    Leaving { deadline_ms: u64 },
}

#[derive(Debug)]
pub(super) struct Online {
    pub connection: AcceptedConnection,
    pub since_ms: u64,
    /// How many messages may be unacknowledged.
    pub window: usize,
    /// The last connection has ended upon the first message: it goes alone until something is acknowledged, so that the others
    /// are not sent again and again for its sake, and so that it can be told whether it was that one.
    pub is_cautious: bool,
    /// An at-most-once message was written, and nothing was acknowledged since: the broker may have closed upon that.
    pub has_unconfirmed: bool,
    /// After how long a silence a ping is due.
    pub ping_after_ms: u64,
    pub limits: Limits,
    /// Subscriptions come first: a message may ask for an answer.
    pub is_resubscribing: bool,
    /// The messages before this number have waited for a connection, and go at their pace unless they were sent before.
    pub backlog_end: u64,
    /// When the next of them may go.
    pub drain_at_us: u64,
    pub last_sent_ms: u64,
    pub last_received_ms: u64,
    /// When the PINGREQ was sent that waits for its answer.
    pub pinged_ms: Option<u64>,
    /// Since when an answer is awaited and nothing comes at all.
    pub silent_since_ms: Option<u64>,
    /// Since when a subscription, or the end of one, is not answered.
    pub asked_since_ms: Option<u64>,
}

/// What the broker has told of itself.
#[derive(Debug)]
pub(super) struct Limits {
    pub max_packet_bytes: Option<u32>,
    pub takes_qos_1: bool,
    pub takes_retained: bool,
}
