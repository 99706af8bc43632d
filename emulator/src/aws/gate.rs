//! Which credentials count on which port is decided by the ALPN in the ClientHello, before there is any request; clients
//! that get it wrong see a 403 or a closed connection and no reason. The gate makes both decisions: which handshake a
//! client gets, and what it has proved when its request arrives.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;

use super::answer::{self, Refusal};
use super::publish::{self, Publish};
use super::{Cloud, topic};
use crate::fault::Faults;
use crate::http1::{Request, Response};
use crate::ledger::{Device, Disposition, Ledger};
use crate::percent;
use crate::platform::{Decision, Description, Listener, Peer, Platform, Purpose};
use crate::unique::uuid;

/// What a client has to offer on port 443 for its certificate to count.
pub(super) const ALPN_HTTP_CA: &[u8] = b"x-amzn-http-ca";

/// The handshakes that clients can get.
#[derive(Clone)]
pub(super) struct Configurations {
    /// Selects no protocol: whatever a client offers is ignored rather than refused.
    pub(super) mutual_tls: Arc<ServerConfig>,
    pub(super) http_ca: Arc<ServerConfig>,
    pub(super) no_certificate: Arc<ServerConfig>,
}

/// One of the two ports.
pub(super) struct Gate {
    listener: Listener,
    server_name: String,
    configurations: Configurations,
    cloud: Arc<Cloud>,
}

/// What a request was sent with. Signed requests and custom authorizers will be further kinds of the port with ALPN.
enum Credentials {
    /// The certificate of the handshake, or none although it was asked for.
    Certificate(Option<String>),
    /// Nothing that AWS looks at on this port.
    Nothing,
}

impl Gate {
    pub(super) fn new(
        listener: Listener,
        server_name: String,
        configurations: Configurations,
        cloud: Arc<Cloud>,
    ) -> Self {
        Self { listener, server_name, configurations, cloud }
    }

    fn credentials(&self, peer: &Peer) -> Credentials {
        let counts = self.listener == Listener::AwsMutualTls || peer.alpn.as_deref() == Some(ALPN_HTTP_CA);
        if counts { Credentials::Certificate(peer.fingerprint.clone()) } else { Credentials::Nothing }
    }

    /// Every check that has a refusal for an answer.
    fn check(&self, fingerprint: &str, request: &Request) -> Result<(), Refusal> {
        let publish = Publish::check(request)?;
        if !self.cloud.registry().may_publish(fingerprint, &publish.topic) {
            return Err(Refusal::POLICY);
        }
        if self.cloud.throttles() {
            return Err(Refusal::THROTTLED);
        }
        Ok(())
    }
}

impl Platform for Gate {
    fn listener(&self) -> Listener {
        self.listener
    }

    fn ledger(&self) -> &Ledger {
        &self.cloud.ledger
    }

    fn faults(&self) -> &Faults {
        &self.cloud.faults
    }

    fn choose(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        // Over HTTPS AWS refuses clients that do not say which endpoint they want.
        if !hello.server_name()?.eq_ignore_ascii_case(&self.server_name) {
            return None;
        }
        let configurations = &self.configurations;
        let config = if self.listener == Listener::AwsMutualTls {
            &configurations.mutual_tls
        } else if hello.alpn().is_some_and(|mut offered| offered.any(|name| name == ALPN_HTTP_CA)) {
            &configurations.http_ca
        } else {
            &configurations.no_certificate
        };
        Some(Arc::clone(config))
    }

    fn purpose(&self, request: &Request) -> Purpose {
        if request.method == "POST" && topic::encoded(request.path()).is_some() {
            Purpose::Publish
        } else {
            Purpose::Other
        }
    }

    fn describe(&self, peer: &Peer, request: &Request) -> Description {
        let device = peer.fingerprint.as_ref().map(|fingerprint| Device::Certificate {
            fingerprint: fingerprint.clone(),
            common_name: self.cloud.registry().common_name(fingerprint),
        });
        Description {
            device,
            topic: topic::encoded(request.path()).and_then(percent::decode),
            qos: publish::qos(request),
            retain: publish::retain(request),
        }
    }

    fn decide(&self, peer: &Peer, request: &Request) -> Decision {
        let checked = match self.credentials(peer) {
            Credentials::Nothing => Err(Refusal::MISSING_TOKEN),
            Credentials::Certificate(Some(known)) if self.cloud.registry().is_active(&known) => {
                self.check(&known, request)
            }
            Credentials::Certificate(_) => {
                return Decision { disposition: Disposition::Dropped, trace_id: None, answer: None };
            }
        };
        let trace_id = uuid();
        let clock = &self.cloud.clock;
        let (disposition, answer) = match checked {
            Ok(()) => (Disposition::Accepted { id: trace_id.clone() }, answer::accepted(clock, &trace_id)),
            Err(refusal) => (refusal.disposition(), answer::refused(clock, &trace_id, &refusal)),
        };
        Decision { disposition, trace_id: Some(trace_id), answer: Some(answer) }
    }

    fn reject(&self, status: u16) -> Response {
        let refusal = Refusal { status, ..Refusal::invalid("Bad Request") };
        answer::refused(&self.cloud.clock, &uuid(), &refusal)
    }
}
