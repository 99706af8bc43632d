//! The two clouds differ in what they check and answer, and in nothing else: connections, phases, faults and the
//! ledger are the same. This is the seam between what differs and what does not.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;

use crate::chaos::Conditions;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::gauge::Turn;
use crate::http1::{Request, Response};
use crate::ledger::{Device, Disposition, Ledger};

/// Where a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// AWS's port 8443: client certificates, whatever the ALPN.
    AwsMutualTls,
    /// AWS's port 443: the ALPN decides whether a client certificate counts.
    AwsAlpn,
    /// Aliyun's port 443 of the host that takes messages.
    Aliyun,
}

/// One listener's view of its cloud.
pub(crate) trait Platform: Send + Sync + 'static {
    fn ledger(&self) -> &Ledger;
    fn faults(&self) -> &Faults;
    fn conditions(&self) -> &Conditions;
    fn clock(&self) -> &Clock;

    /// The configuration for this client, or nothing to close the connection in the handshake.
    fn choose(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>>;

    /// What a request is about, before any check of it.
    fn purpose(&self, request: &Request) -> Purpose;

    /// Counts a request that was read as under way, until its answer is about to be complete. Platforms that count
    /// nothing need not do anything.
    fn enter(&self, _request: &Request) -> Option<Turn> {
        None
    }

    /// What the ledger can say about a publish request whatever becomes of it. Nothing about any other request.
    fn describe(&self, peer: &Peer, request: &Request) -> Option<Description>;

    /// Decides about a request. For a publish request this is the moment at which the message is taken.
    fn decide(&self, peer: &Peer, request: &Request) -> Decision;

    /// Answers to bytes that are not a request that the platform could decide about.
    fn reject(&self, status: u16) -> Response;
}

/// What a request is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Publish,
    Authentication,
    /// Everything else: shadows and other operations, and what means nothing at all.
    Other,
}

/// What the TLS handshake has shown about a client.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// Of the certificate whose key the client has proved to hold.
    pub(crate) fingerprint: Option<String>,
    /// The protocol that was agreed on.
    pub(crate) alpn: Option<Vec<u8>>,
}

pub(crate) struct Description {
    pub(crate) listener: Listener,
    pub(crate) device: Option<Device>,
    pub(crate) topic: Option<String>,
    pub(crate) qos: Option<u8>,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

/// The MQTT 5 properties of a message. One that was not sent, or that does not decode, is absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) content_type: Option<String>,
    pub(crate) response_topic: Option<String>,
    pub(crate) message_expiry: Option<u32>,
    pub(crate) user_properties: Vec<(String, String)>,
    pub(crate) payload_format_indicator: Option<String>,
    pub(crate) correlation_data: Option<Vec<u8>>,
}

pub(crate) struct Decision {
    /// Goes into the ledger if the request is a publish request.
    pub(crate) disposition: Disposition,
    pub(crate) trace_id: Option<String>,
    /// Nothing closes the connection without a byte.
    pub(crate) answer: Option<Response>,
}
