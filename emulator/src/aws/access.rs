//! Which credentials count on which port is decided by the ALPN in the ClientHello, before there is any request;
//! clients that get it wrong see a 403 or a closed connection and no reason. The access policy makes both decisions:
//! which handshake a client gets, and what it has proved when its request arrives.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustls::ServerConfig;
use rustls::server::ClientHello;

use super::answer::{self, Refusal};
use super::cloud::Cloud;
use super::operation::Operation;
use super::service::{self, Caller};
use super::sigv4::{Authorization, Verifier};
use super::{properties, publish};
use crate::chaos::Conditions;
use crate::clock::Clock;
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

/// One of the two ports of the data plane.
pub(super) struct DataPlane {
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

/// What becomes of a request whose sender has not proved who it is.
enum Turned {
    Away(Refusal),
    /// The connection is closed without a byte.
    Out,
}

impl From<Refusal> for Turned {
    fn from(refusal: Refusal) -> Self {
        Self::Away(refusal)
    }
}

impl DataPlane {
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

    /// The identity that the sender claims.
    fn device(&self, credentials: &Credentials<'_>) -> Option<Device> {
        Some(match credentials {
            Credentials::Certificate(Some(fingerprint)) => {
                let common_name = self.cloud.registry().common_name(fingerprint);
                Device::Certificate { fingerprint: fingerprint.clone(), common_name }
            }
            Credentials::Signature(Ok(authorization)) => {
                Device::AccessKey { access_key_id: authorization.access_key_id.to_owned() }
            }
            Credentials::Authorizer(name) => Device::Authorizer { name: name.clone() },
            Credentials::Certificate(None) | Credentials::Signature(Err(_)) | Credentials::Nothing => return None,
        })
    }

    /// Whether the sender is who it claims to be.
    fn identify(&self, peer: &Peer, request: &Request) -> Result<Caller, Turned> {
        let credentials = self.credentials(peer, request);
        if self.cloud.is_control_plane.load(Ordering::SeqCst) {
            let is_signed = matches!(credentials, Credentials::Signature(_));
            let refusal = if is_signed { Refusal::CONTROL_PLANE_SIGNATURE } else { Refusal::CONTROL_PLANE };
            return Err(Turned::Away(refusal));
        }
        let device = self.device(&credentials);
        let (principal, denial) = match credentials {
            Credentials::Certificate(Some(known)) if self.cloud.registry().admits(&known) => (known, Refusal::POLICY),
            Credentials::Certificate(_) => return Err(Turned::Out),
            Credentials::Signature(authorization) => (self.verify(&authorization?, request)?, Refusal::FORBIDDEN),
            Credentials::Authorizer(name) => {
                self.authorize(&name, request)?;
                (name, Refusal::FORBIDDEN)
            }
            Credentials::Nothing => return Err(Turned::Away(Refusal::MISSING_TOKEN)),
        };
        let device = device.expect("whoever is not turned away has shown something");
        Ok(Caller { principal, denial, device })
    }

    /// The holder of the key as the policies know it, if it has signed this request.
    fn verify(&self, authorization: &Authorization<'_>, request: &Request) -> Result<String, Refusal> {
        // A signature covers the body, so there is nothing to say about it without one.
        publish::check_framing(request)?;
        let registry = self.cloud.registry();
        let verifier = Verifier {
            key: registry.key(authorization.access_key_id),
            region: self.cloud.region.as_deref(),
            now: self.cloud.now(),
        };
        verifier.verify(request, authorization)?;
        Ok(registry.principal(authorization.access_key_id))
    }

    fn authorize(&self, name: &str, request: &Request) -> Result<(), Refusal> {
        // Custom authorizers are there for messages only.
        let is_message =
            matches!(Operation::of(request), Ok(Operation::Publish { .. } | Operation::SendDirectMessage { .. }));
        if is_message && self.cloud.registry().authorizers.admits(name, request) {
            Ok(())
        } else {
            Err(Refusal::FORBIDDEN)
        }
    }
}

impl Platform for DataPlane {
    fn ledger(&self) -> &Ledger {
        &self.cloud.ledger
    }

    fn faults(&self) -> &Faults {
        &self.cloud.faults
    }

    fn conditions(&self) -> &Conditions {
        &self.cloud.conditions
    }

    fn clock(&self) -> &Clock {
        &self.cloud.clock
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
        match Operation::of(request) {
            Ok(Operation::Publish { .. }) => Purpose::Publish,
            _ => Purpose::Other,
        }
    }

    fn describe(&self, peer: &Peer, request: &Request) -> Option<Description> {
        let Ok(Operation::Publish { topic }) = Operation::of(request) else {
            return None;
        };
        Some(Description {
            listener: self.listener,
            device: self.device(&self.credentials(peer, request)),
            topic: percent::decode(topic),
            qos: publish::qos(request),
            retain: publish::retain(request),
            properties: properties::describe(request),
        })
    }

    fn decide(&self, peer: &Peer, request: &Request) -> Decision {
        let served = match self.identify(peer, request) {
            Ok(caller) => service::serve(&self.cloud, &caller, request),
            Err(Turned::Away(refusal)) => Err(refusal),
            Err(Turned::Out) => {
                return Decision { disposition: Disposition::Dropped, trace_id: None, answer: None };
            }
        };
        let trace_id = uuid();
        let clock = &self.cloud.clock;
        let (disposition, answer) = match served {
            Ok(success) => {
                (Disposition::Accepted { id: trace_id.clone() }, answer::succeeded(clock, &trace_id, success))
            }
            Err(refusal) => {
                let mut answer = answer::refused(clock, &trace_id, &refusal);
                if refusal == Refusal::THROTTLED {
                    answer.headers.extend(self.cloud.conditions.retry_after(clock));
                }
                (refusal.disposition(), answer)
            }
        };
        Decision { disposition, trace_id: Some(trace_id), answer: Some(answer) }
    }

    fn reject(&self, status: u16) -> Response {
        let refusal = Refusal { status, ..Refusal::invalid("Bad Request") };
        answer::refused(&self.cloud.clock, &uuid(), &refusal)
    }
}
