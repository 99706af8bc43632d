//! Why there is no connection. The port, the ALPN protocol and the way to authenticate must fit together, and whichever
//! does not, the connection is closed.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::{ALPN_PORT, CERTIFICATE_PORT, Known};
use crate::aws::explain::{not_for_data, untrusted};
use crate::aws::host_name::Kind;
use crate::error::Cause;
use crate::field::Field;
use crate::http::TransportErrorKind;
use crate::mqtt::other_version;
use crate::text::contains;

impl Known<'_> {
    pub(super) fn connecting_step(&self) -> Option<String> {
        if let Some(step) = not_for_data(self.host.kind).filter(|_| self.is_about_the_endpoint()) {
            return Some(step.to_owned());
        }
        let step = match self.error.cause {
            Cause::Transport(failure) => return self.no_connection_step(failure),
            Cause::Forbidden => return Some(self.not_allowed_step()),
            Cause::Unauthenticated if self.has_certificate() => {
                "check that the certificate is active and registered in this account and region"
            }
            Cause::Unauthenticated => NOT_BY_AUTHORIZER,
            Cause::InvalidRequest | Cause::InvalidField(Field::ClientId) => {
                return Some(
                    [
                        "AWS does not take the client id `",
                        &self.broker.client_id,
                        "`: it has up to 128 characters and does not begin with `$`, and a policy may demand that it \
                         is the name of the thing",
                    ]
                    .concat(),
                );
            }
            Cause::Unsupported => other_version(self.error).unwrap_or(
                "the broker does not have what the will asks for: use a will that is at most once and not retained",
            ),
            Cause::Throttled => {
                "AWS takes one connection per second with the same client id, and so many per second of an account: \
                 connect less often"
            }
            Cause::WrongHostOrPath | Cause::MalformedAnswer => return Some(self.not_mqtt_step()),
            _ => return None,
        };
        Some(step.to_owned())
    }

    /// Whether another endpoint can be the remedy: something was there and refused, or nothing was.
    fn is_about_the_endpoint(&self) -> bool {
        !matches!(
            self.error.cause,
            Cause::Transport(
                TransportErrorKind::Denied | TransportErrorKind::NameResolution | TransportErrorKind::ConnectionLimit
            ) | Cause::Throttled
                | Cause::Abandoned
        )
    }

    /// The broker has answered, and said no.
    fn not_allowed_step(&self) -> String {
        let whose = match self.has_certificate() {
            true => "the policy of the device's certificate",
            false => "the authorizer says no, or the policy that it returns",
        };
        [
            whose,
            " most likely lacks ",
            &self.may_connect(),
            ", or a condition in it is not met, such as a client id that is the name of the thing",
        ]
        .concat()
    }

    fn no_connection_step(&self, failure: TransportErrorKind) -> Option<String> {
        let port = self.broker.endpoint.port();
        let step = match failure {
            TransportErrorKind::TlsAlert => return Some(self.alert_step()),
            TransportErrorKind::TlsCertificate => return Some(untrusted(self.host.kind)),
            TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete => {
                return Some(self.closed_while_connecting_step());
            }
            TransportErrorKind::Protocol => return Some(self.not_mqtt_step()),
            TransportErrorKind::AnswerTimeout => {
                return Some(
                    [
                        "the connection stands, but the broker has not accepted it in time: check the network; ",
                        self.port_and_alpn(),
                    ]
                    .concat(),
                );
            }
            TransportErrorKind::ConnectionRefused
            | TransportErrorKind::Unreachable
            | TransportErrorKind::ConnectTimeout
                if port != ALPN_PORT =>
            {
                return Some(["check the port, and whether a firewall blocks it: then use ", self.alpn_443()].concat());
            }
            TransportErrorKind::NameResolution if self.host.kind == Kind::Foreign => {
                "check the spelling of the endpoint (`aws iot describe-endpoint --endpoint-type iot:Data-ATS` shows \
                 it), and the name service"
            }
            _ => return None,
        };
        Some(step.to_owned())
    }

    /// The handshake was refused; the name of the alert says of what.
    fn alert_step(&self) -> String {
        let says = |word| self.error.detail.as_deref().is_some_and(|detail| contains(detail, word));
        let is_alpn = says("application_protocol") || says("ApplicationProtocol");
        let is_certificate = says("certificate") || says("Certificate") || says("unknown_ca") || says("access_denied");
        if is_alpn {
            return ["the server does not know the ALPN protocol that the host offers: ", self.port_and_alpn()]
                .concat();
        }
        let certificate = match self.has_certificate() {
            true => CERTIFICATE,
            false => "the port wants a client certificate, and an authorizer is asked on ",
        };
        let or_else = if self.has_certificate() { "" } else { self.alpn_443() };
        if is_certificate {
            return [certificate, or_else].concat();
        }
        ["if that names a certificate: ", certificate, or_else, "; if it names a protocol: ", self.port_and_alpn()]
            .concat()
    }

    /// There was a connection, and it was closed instead of an answer.
    fn closed_while_connecting_step(&self) -> String {
        let port = self.broker.endpoint.port();
        if !self.has_certificate() {
            return match port {
                CERTIFICATE_PORT => self.port_and_alpn().to_owned(),
                _ => [
                    "AWS closes the connection without an answer when the ALPN protocol is not `mqtt`, when there is \
                     no authorizer of this name or it fails, or when it says no: ",
                    NOT_BY_AUTHORIZER,
                ]
                .concat(),
            };
        }
        let alpn = match port {
            CERTIFICATE_PORT => String::new(),
            ALPN_PORT => [self.port_and_alpn(), "; where it does, "].concat(),
            _ => [self.port_and_alpn(), "; there, "].concat(),
        };
        [
            &alpn,
            "AWS closes the connection without an answer when the certificate is inactive or not registered in this \
             account and region, or when its policy lacks ",
            &self.may_connect(),
            ": activate or register it, check the policy and the endpoint; after the first contact of just-in-time \
             registration or provisioning, try again in half a minute",
        ]
        .concat()
    }

    /// Something has answered, in another language.
    fn not_mqtt_step(&self) -> String {
        let why = match self.broker.endpoint.port() {
            ALPN_PORT => "without the right ALPN protocol AWS speaks HTTP on port 443: ",
            _ => "something other than an MQTT broker may have answered, check the endpoint and the port: ",
        };
        [why, self.port_and_alpn()].concat()
    }

    /// What fits together, for this port.
    fn port_and_alpn(&self) -> &'static str {
        match (self.has_certificate(), self.broker.endpoint.port()) {
            (true, CERTIFICATE_PORT) => "port 8883 is for client certificates and needs no ALPN protocol: offer none",
            (true, ALPN_PORT) => {
                "on port 443 the host must offer the ALPN protocol `x-amzn-mqtt-ca` with a client certificate, on port \
                 8883 none"
            }
            (true, _) => {
                "with a client certificate AWS takes MQTT on port 8883 without ALPN, and on port 443 with the ALPN \
                 protocol `x-amzn-mqtt-ca`"
            }
            (false, ALPN_PORT) => "on port 443 the host must offer the ALPN protocol `mqtt` for a custom authorizer",
            (false, _) => "AWS asks a custom authorizer on port 443 with the ALPN protocol `mqtt`",
        }
    }

    fn alpn_443(&self) -> &'static str {
        match self.has_certificate() {
            true => "port 443 with the ALPN protocol `x-amzn-mqtt-ca`",
            false => "port 443 with the ALPN protocol `mqtt`",
        }
    }
}

const CERTIFICATE: &str = "check that the host presents the certificate of this device, that it is active and \
                           registered in this account and region, and that the endpoint is of the same account";

const NOT_BY_AUTHORIZER: &str = "check the name of the authorizer, the name and the value of the token, its signature, \
                                 user name and password, and the log of the authorizer";
