//! The credentials provider is another endpoint with other manners: it has a name of its own that devices mistake for
//! the data plane's, its refusals have no trace id, and what it gives away is used on a port where certificates do not
//! count.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;
use serde_json::json;

use super::cloud::Cloud;
use super::policy::AwsAction;
use super::{answer, date, region};
use crate::chaos::Conditions;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::http1::{Request, Response};
use crate::ledger::{Disposition, Ledger};
use crate::percent;
use crate::platform::{Decision, Description, Peer, Platform, Purpose};
use crate::unique::uuid;

/// The name of the credentials provider that belongs to an endpoint of the data plane: of AWS's form, without the mark
/// of the certificate authority, or another name that cannot be taken for the endpoint's.
pub(super) fn server_name(data_plane: &str) -> String {
    match data_plane.split_once(".iot.") {
        Some((prefix, place)) if region::of(data_plane).is_some() => {
            format!("{}.credentials.iot.{place}", prefix.strip_suffix("-ats").unwrap_or(prefix))
        }
        _ => format!("credentials.{data_plane}"),
    }
}

/// The port of the credentials provider.
pub(super) struct Provider {
    server_name: String,
    config: Arc<ServerConfig>,
    cloud: Arc<Cloud>,
}

/// Why a device gets no key.
struct Refusal {
    status: u16,
    error_type: &'static str,
    message: &'static str,
}

impl Refusal {
    const ACCESS_DENIED: Self = Self { status: 403, error_type: "AccessDeniedException", message: "Access Denied" };
    const METHOD: Self = Self { status: 405, error_type: "MethodNotAllowedException", message: "Method Not Allowed" };
    const NO_SUCH_ALIAS: Self =
        Self { status: 404, error_type: "ResourceNotFoundException", message: "Role alias does not exist" };
    const NO_SUCH_PATH: Self = Self { status: 404, error_type: "ResourceNotFoundException", message: "Not Found" };
    const THING: Self = Self { status: 403, error_type: "AccessDeniedException", message: "Invalid thing name passed" };
}

/// The role alias in a path, as it was sent.
fn encoded_alias(path: &str) -> Option<&str> {
    let alias = path.strip_prefix("/role-aliases/")?.strip_suffix("/credentials")?;
    (!alias.is_empty() && !alias.contains('/')).then_some(alias)
}

impl Provider {
    pub(super) fn new(server_name: String, config: Arc<ServerConfig>, cloud: Arc<Cloud>) -> Self {
        Self { server_name, config, cloud }
    }

    /// The document with the key. The refusals win in the order that was captured.
    fn issue(&self, fingerprint: &str, request: &Request) -> Result<String, Refusal> {
        let alias = encoded_alias(request.path()).ok_or(Refusal::NO_SUCH_PATH)?;
        if request.method != "GET" {
            return Err(Refusal::METHOD);
        }
        let mut registry = self.cloud.registry();
        if request.header("x-amzn-iot-thingname").is_some_and(|thing| !registry.is_thing(fingerprint, thing)) {
            return Err(Refusal::THING);
        }
        if !registry.policy.may(fingerprint, AwsAction::AssumeRoleWithCertificate) {
            return Err(Refusal::ACCESS_DENIED);
        }
        let alias = percent::decode(alias).ok_or(Refusal::NO_SUCH_ALIAS)?;
        let issued = registry.roles.issue(&alias, self.cloud.now()).ok_or(Refusal::NO_SUCH_ALIAS)?;
        let credentials = json!({
            "accessKeyId": issued.key.access_key_id,
            "secretAccessKey": issued.key.secret_access_key,
            "sessionToken": issued.key.session_token,
            "expiration": date::format_extended(issued.expires),
        });
        Ok(json!({ "credentials": credentials }).to_string())
    }

    fn refuse(&self, trace_id: &str, refusal: &Refusal) -> Response {
        let body = json!({ "message": refusal.message }).to_string();
        // Without the colon that the data plane puts behind it.
        let error_type = Some(refusal.error_type.to_owned());
        answer::response(&self.cloud.clock, refusal.status, trace_id, error_type, body)
    }
}

impl Platform for Provider {
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
        hello.server_name()?.eq_ignore_ascii_case(&self.server_name).then(|| Arc::clone(&self.config))
    }

    fn purpose(&self, request: &Request) -> Purpose {
        if request.method == "GET" && encoded_alias(request.path()).is_some() {
            Purpose::Authentication
        } else {
            Purpose::Other
        }
    }

    fn describe(&self, _peer: &Peer, _request: &Request) -> Option<Description> {
        None
    }

    fn decide(&self, peer: &Peer, request: &Request) -> Decision {
        let issued = match &peer.fingerprint {
            Some(fingerprint) if self.cloud.registry().admits(fingerprint) => self.issue(fingerprint, request),
            Some(_) => return Decision { disposition: Disposition::Dropped, trace_id: None, answer: None },
            None => Err(Refusal::ACCESS_DENIED),
        };
        let trace_id = uuid();
        let (disposition, answer) = match issued {
            Ok(document) => (
                Disposition::Accepted { id: trace_id.clone() },
                answer::response(&self.cloud.clock, 200, &trace_id, None, document),
            ),
            Err(refusal) => (
                Disposition::Refused { status: refusal.status, code: refusal.error_type.to_owned() },
                self.refuse(&trace_id, &refusal),
            ),
        };
        Decision { disposition, trace_id: Some(trace_id), answer: Some(answer) }
    }

    fn reject(&self, status: u16) -> Response {
        let refusal = Refusal { status, error_type: "InvalidRequestException", message: "Bad Request" };
        self.refuse(&uuid(), &refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_provider_follows_from_the_name_of_the_data_plane() {
        for (data_plane, provider) in [
            ("a1b2c3-ats.iot.eu-central-1.amazonaws.com", "a1b2c3.credentials.iot.eu-central-1.amazonaws.com"),
            ("a1b2c3.iot.us-east-1.amazonaws.com", "a1b2c3.credentials.iot.us-east-1.amazonaws.com"),
            ("a1-ats.iot.cn-northwest-1.amazonaws.com.cn", "a1.credentials.iot.cn-northwest-1.amazonaws.com.cn"),
            ("my.iot.example.com", "credentials.my.iot.example.com"),
            ("localhost", "credentials.localhost"),
        ] {
            assert_eq!(server_name(data_plane), provider);
        }
    }

    #[test]
    fn an_alias_is_one_segment_of_the_path() {
        assert_eq!(encoded_alias("/role-aliases/publisher/credentials"), Some("publisher"));
        for path in ["/role-aliases//credentials", "/role-aliases/a/b/credentials", "/role-aliases/a", "/credentials"] {
            assert_eq!(encoded_alias(path), None, "{path}");
        }
    }
}
