//! AWS refuses without a reason. What the reason most likely is follows from what is known around the refusal: the port, the
//! way to authenticate, the name of the endpoint, the status, the message, the clock, and even a missing answer.

mod clock;
mod permission;
mod signature;
#[cfg(test)]
mod tests;

use alloc::string::String;

use super::host_name::{HostName, Kind};
use super::topic::is_for_mqtt_alone;
use super::{AuthMethod, Config, Operation};
use crate::error::{Cause, Error, Stage};
use crate::exchange::ErrorContext;
use crate::explain::with_step;
use crate::http::TransportErrorKind;
use crate::text::contains;

/// What AWS answers to a request that shows nothing it looks at on that connection.
const MISSING_TOKEN: &str = "Missing Authentication Token";

/// The port for client certificates alone.
const CERTIFICATE_PORT: u16 = 8443;

/// The likely reason and the next step.
pub fn explain(config: &Config, error: &Error, context: &ErrorContext) -> String {
    let known = Known {
        config,
        error,
        context,
        host: HostName::of(config.endpoint().host()),
        message: error.answer.as_ref().and_then(|answer| answer.message.as_deref()).unwrap_or_default(),
    };
    match known.step() {
        Some(step) => with_step(error, Some(&step)),
        None => crate::explain::explain(error),
    }
}

/// All that an explanation can go by.
struct Known<'a> {
    config: &'a Config,
    error: &'a Error,
    context: &'a ErrorContext,
    host: HostName<'a>,
    message: &'a str,
}

impl Known<'_> {
    fn step(&self) -> Option<String> {
        if self.error.stage == Stage::Preparation {
            let is_full = self.error.cause == Cause::PayloadTooLarge && self.is_shadow_update();
            return is_full.then(|| SHADOW_FULL.into());
        }
        if self.error.stage == Stage::Authentication {
            return self.credentials_step();
        }
        let step = match self.error.cause {
            Cause::Forbidden | Cause::Unauthenticated | Cause::TokenRejected => return Some(self.refusal_step()),
            Cause::Transport(failure) => return self.no_answer_step(failure),
            Cause::NotFound | Cause::MethodNotAllowed | Cause::WrongHostOrPath if self.host_step().is_some() => {
                self.host_step()?
            }
            Cause::NotFound => self.not_found_step(),
            Cause::VersionConflict => "somebody else has changed it: get the shadow, and update that version",
            Cause::Unconfirmed => {
                "the client is connected but slow, or does not confirm messages that it has not subscribed to; the \
                 message may have arrived"
            }
            Cause::PayloadTooLarge if self.is_shadow_update() => SHADOW_FULL,
            Cause::InvalidRequest if self.is_for_mqtt_alone() => {
                "AWS takes topics of this family over MQTT, and is not known to take them over HTTPS: publish it there"
            }
            _ => return None,
        };
        Some(step.into())
    }

    /// The operation, if it was one.
    fn operation(&self) -> Option<&Operation> {
        match self.context {
            ErrorContext::Operation(operation) => operation.downcast_ref(),
            ErrorContext::Publication { .. } | ErrorContext::Authentication => None,
        }
    }

    fn is_shadow_update(&self) -> bool {
        matches!(self.operation(), Some(Operation::UpdateShadow { .. }))
    }

    /// The topic is below `$aws/`, where not everything is open to everybody.
    fn is_for_mqtt_alone(&self) -> bool {
        matches!(self.context, ErrorContext::Publication { topic, .. } if is_for_mqtt_alone(topic.as_bytes()))
    }

    /// The next step where there is an answer, and it is no.
    fn refusal_step(&self) -> String {
        if let Some(step) = self.host_step() {
            return step.into();
        }
        match self.config.auth_method() {
            AuthMethod::Certificate if self.message == MISSING_TOKEN => self.certificate_not_seen().into(),
            AuthMethod::Certificate if self.error.cause == Cause::Unauthenticated => {
                "check that the certificate is registered in this account and region".into()
            }
            AuthMethod::Certificate => self.permission_step("the policy of the device's certificate"),
            AuthMethod::SigV4 | AuthMethod::CredentialsProvider => self.signature_step(),
            AuthMethod::CustomAuthorizer if self.config.endpoint().port() == CERTIFICATE_PORT => NOT_ON_8443.into(),
            AuthMethod::CustomAuthorizer if self.message == MISSING_TOKEN => {
                "no authorizer was found: give its name, unless the endpoint has a default one, and offer no ALPN \
                 protocol"
                    .into()
            }
            AuthMethod::CustomAuthorizer => self.permission_step(
                "the authorizer says no or was not reached (check its name, the name and the value of the token, and \
                 the signature), or the policy it returns",
            ),
        }
    }

    fn certificate_not_seen(&self) -> &'static str {
        match self.config.endpoint().port() {
            443 => {
                "AWS did not look for a client certificate on this connection: on port 443 the host must offer the ALPN \
                 protocol x-amzn-http-ca, on port 8443 none is needed"
            }
            _ => "no client certificate has arrived: the host must present one on this connection",
        }
    }

    /// The endpoint is not one for data.
    fn host_step(&self) -> Option<&'static str> {
        if contains(self.message, "execute-api") {
            return Some(CONTROL_PLANE);
        }
        not_for_data(self.host.kind)
    }

    fn not_found_step(&self) -> &'static str {
        let Some(operation) = self.operation() else {
            return "this host or path is not the platform's, check the endpoint";
        };
        match operation {
            Operation::GetShadow(_) | Operation::DeleteShadow(_) => "the thing has no such shadow, or does not exist",
            Operation::GetRetainedMessage { .. } => "the topic has kept no message",
            Operation::SendDirectMessage(_) => "no client of this id is connected",
            Operation::GetConnection { .. } | Operation::ListSubscriptions { .. } | Operation::DeleteConnection(_) => {
                "no client of this id is known"
            }
            Operation::UpdateShadow { .. }
            | Operation::ListNamedShadows { .. }
            | Operation::ListRetainedMessages(_) => "check the endpoint",
        }
    }

    /// The next step where there is no answer.
    fn no_answer_step(&self, failure: TransportErrorKind) -> Option<String> {
        let is_certificate_port = self.config.endpoint().port() == CERTIFICATE_PORT;
        let auth_method = self.config.auth_method();
        let step = match failure {
            TransportErrorKind::ConnectionClosed if auth_method == AuthMethod::Certificate => CLOSED_ON_CERTIFICATE,
            TransportErrorKind::ConnectionClosed if is_certificate_port => NOT_ON_8443,
            TransportErrorKind::ConnectionClosed => {
                "AWS closes the connection without an answer when the host offers the ALPN protocol x-amzn-http-ca: that is \
                 for client certificates alone, offer none"
            }
            TransportErrorKind::TlsAlert if auth_method == AuthMethod::Certificate => {
                "if that names a certificate: check that this one belongs to this account; if it names a protocol: \
                 check the port and the ALPN protocol"
            }
            TransportErrorKind::TlsAlert if is_certificate_port => NOT_ON_8443,
            TransportErrorKind::TlsAlert => {
                "if that names a certificate, the port wants one: use port 443; if it names a protocol: offer no ALPN \
                 protocol"
            }
            TransportErrorKind::TlsCertificate => return Some(untrusted(self.host.kind)),
            TransportErrorKind::ConnectionRefused
            | TransportErrorKind::Unreachable
            | TransportErrorKind::ConnectTimeout
                if is_certificate_port =>
            {
                "check the port, and whether a firewall blocks it: then use port 443 with the ALPN protocol x-amzn-http-ca"
            }
            TransportErrorKind::NameResolution if self.host.kind == Kind::Foreign => {
                "check the spelling of the endpoint (`aws iot describe-endpoint --endpoint-type iot:Data-ATS` shows \
                 it), and the name service"
            }
            _ => return None,
        };
        Some(step.into())
    }

    /// The credentials provider has not given out a key.
    fn credentials_step(&self) -> Option<String> {
        let step = match self.error.cause {
            Cause::Forbidden | Cause::Unauthenticated => {
                "the host must present the client certificate of the device on the connection to the credentials endpoint, \
                 its policy must allow iot:AssumeRoleWithCertificate on the role alias, the thing name must be that of the \
                 certificate, and the role must trust credentials.iot.amazonaws.com"
            }
            Cause::InvalidRequest | Cause::NotFound => {
                "check the role alias and the thing name, and that the endpoint is the one from `aws iot \
                 describe-endpoint --endpoint-type iot:CredentialProvider`"
            }
            Cause::Transport(TransportErrorKind::ConnectionClosed) => CLOSED_ON_CERTIFICATE,
            Cause::Transport(TransportErrorKind::TlsAlert) => {
                "the credentials endpoint wants the client certificate of the device and no ALPN protocol: check the \
                 route of the host to it"
            }
            Cause::TokenRejected => return Some(self.signature_step()),
            _ => return None,
        };
        Some(step.into())
    }
}

/// The endpoint is not one for data.
pub(super) fn not_for_data(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::ControlPlane => CONTROL_PLANE,
        Kind::CredentialsProvider => {
            "this is the endpoint that gives out temporary keys: messages go to the one from `aws iot describe-endpoint \
             --endpoint-type iot:Data-ATS`"
        }
        Kind::Jobs => {
            "this is the endpoint for jobs: messages go to the one from `aws iot describe-endpoint --endpoint-type \
             iot:Data-ATS`"
        }
        Kind::Data | Kind::LegacyData | Kind::Foreign => return None,
    })
}

/// The certificate of the endpoint is not trusted.
pub(super) fn untrusted(kind: Kind) -> String {
    let legacy = match kind {
        Kind::LegacyData => {
            "this endpoint is one of those without `-ats`, whose certificate nobody trusts any more: use the one from \
             `aws iot describe-endpoint --endpoint-type iot:Data-ATS`; otherwise "
        }
        _ => "",
    };
    [
        legacy,
        "check that the roots in use sign this server, that the endpoint is spelled as its certificate says, and that \
         the clock is right",
    ]
    .concat()
}

const CONTROL_PLANE: &str = "this is the control plane, where things and rules are made: messages go to the endpoint from \
                             `aws iot describe-endpoint --endpoint-type iot:Data-ATS`";

const SHADOW_FULL: &str = "the state of a shadow has at most 8 KB (8192 bytes), what it has already included, unless the quota of \
                           the account has been raised: remove what is not needed (null in its place does that), or use \
                           several named shadows";

const NOT_ON_8443: &str = "port 8443 is for client certificates alone: for any other way to authenticate use port 443, \
                           without ALPN";

const CLOSED_ON_CERTIFICATE: &str = "AWS closes the connection without an answer when the certificate is inactive or not \
                                     registered in this account and region: activate or register it; after the first \
                                     contact of just-in-time registration or provisioning, try again in half a minute";
