//! Which credentials count on which port is decided by the ALPN in the ClientHello, before there is any request; clients
//! that get it wrong see a 403 or a closed connection and no reason. The gate makes both decisions: which handshake a
//! client gets, and what it has proved when its request arrives.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;

use super::answer::{self, Refusal};
use super::publish::{self, Publish};
use super::sigv4::{Authorization, Verifier};
use super::{Cloud, properties, topic};
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

/// What a request was sent with.
enum Credentials<'a> {
    /// The certificate of the handshake, or none although it was asked for.
    Certificate(Option<String>),
    /// A signature, or the reason why its header cannot be read.
    Signature(Result<Authorization<'a>, Refusal>),
    /// Something that a custom authorizer of this name may know what to make of.
    Authorizer(String),
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

    fn credentials<'a>(&self, peer: &Peer, request: &'a Request) -> Credentials<'a> {
        if self.listener == Listener::AwsMutualTls || peer.alpn.as_deref() == Some(ALPN_HTTP_CA) {
            return Credentials::Certificate(peer.fingerprint.clone());
        }
        if let Some(authorization) = Authorization::of(request) {
            return Credentials::Signature(authorization);
        }
        match self.cloud.registry().authorizers.asked(request) {
            Some(name) => Credentials::Authorizer(name),
            None => Credentials::Nothing,
        }
    }

    fn check_signed(&self, authorization: &Authorization<'_>, request: &Request) -> Result<Publish, Refusal> {
        // A signature covers the body, so there is nothing to say about it without one.
        publish::check_framing(request)?;
        self.verify(authorization, request)?;
        self.check(authorization.access_key_id, &Refusal::FORBIDDEN, request)
    }

    fn verify(&self, authorization: &Authorization<'_>, request: &Request) -> Result<(), Refusal> {
        let registry = self.cloud.registry();
        let verifier = Verifier {
            access_keys: &registry.access_keys,
            region: self.cloud.region.as_deref(),
            now: self.cloud.clock.now_ms() / 1000,
        };
        verifier.verify(request, authorization)
    }

    fn check_authorized(&self, name: &str, request: &Request) -> Result<Publish, Refusal> {
        // Custom authorizers are there for publishing only.
        if self.purpose(request) != Purpose::Publish || !self.cloud.registry().authorizers.admits(name, request) {
            return Err(Refusal::FORBIDDEN);
        }
        self.check(name, &Refusal::FORBIDDEN, request)
    }

    /// Every check of a request whose sender is known, and who is denied in this way by a policy.
    fn check(&self, principal: &str, denial: &Refusal, request: &Request) -> Result<Publish, Refusal> {
        let publish = Publish::check(request)?;
        if !self.cloud.registry().policy.may_publish(principal, &publish.topic) {
            return Err(denial.clone());
        }
        if self.cloud.throttles() {
            return Err(Refusal::THROTTLED);
        }
        Ok(publish)
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
        let device = match self.credentials(peer, request) {
            Credentials::Certificate(Some(fingerprint)) => {
                let common_name = self.cloud.registry().common_name(&fingerprint);
                Some(Device::Certificate { fingerprint, common_name })
            }
            Credentials::Signature(Ok(authorization)) => {
                Some(Device::AccessKey { access_key_id: authorization.access_key_id.to_owned() })
            }
            Credentials::Authorizer(name) => Some(Device::Authorizer { name }),
            Credentials::Certificate(None) | Credentials::Signature(Err(_)) | Credentials::Nothing => None,
        };
        Description {
            device,
            topic: topic::encoded(request.path()).and_then(percent::decode),
            qos: publish::qos(request),
            retain: publish::retain(request),
            properties: properties::describe(request),
        }
    }

    fn decide(&self, peer: &Peer, request: &Request) -> Decision {
        let checked = match self.credentials(peer, request) {
            Credentials::Certificate(Some(known)) if self.cloud.registry().is_active(&known) => {
                self.check(&known, &Refusal::POLICY, request)
            }
            Credentials::Certificate(_) => {
                return Decision { disposition: Disposition::Dropped, trace_id: None, answer: None };
            }
            Credentials::Signature(Ok(authorization)) => self.check_signed(&authorization, request),
            Credentials::Signature(Err(refusal)) => Err(refusal),
            Credentials::Authorizer(name) => self.check_authorized(&name, request),
            Credentials::Nothing => Err(Refusal::MISSING_TOKEN),
        };
        let trace_id = uuid();
        let clock = &self.cloud.clock;
        let (disposition, answer) = match checked {
            Ok(publish) => {
                self.cloud.retained().apply(publish, &request.body);
                (Disposition::Accepted { id: trace_id.clone() }, answer::accepted(clock, &trace_id))
            }
            Err(refusal) => (refusal.disposition(), answer::refused(clock, &trace_id, &refusal)),
        };
        Decision { disposition, trace_id: Some(trace_id), answer: Some(answer) }
    }

    fn reject(&self, status: u16) -> Response {
        let refusal = Refusal { status, ..Refusal::invalid("Bad Request") };
        answer::refused(&self.cloud.clock, &uuid(), &refusal)
    }
}
