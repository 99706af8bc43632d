//! The platform has five codes for a refused connection and none for anything else: a topic that is not the device's, a
//! second connection, too many attempts, all of it ends in a closed connection.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::{AuthMethod, BrokerConfig};
use crate::aliyun::lint;
use crate::error::{Cause, Error, Stage};
use crate::explain::with_step;
use crate::field::Field;
use crate::http::TransportErrorKind;
use crate::mqtt::{Broker, MqttErrorContext, other_version, received_step};
use crate::text::contains;
use crate::topic::TopicError;

/// The likely reason and the next step.
pub(super) fn explain(broker: &BrokerConfig, error: &Error, context: &MqttErrorContext) -> String {
    match (Known { broker, error }).step(context) {
        Some(step) => with_step(error, Some(&step)),
        None => crate::explain::explain(error),
    }
}

/// All that an explanation can go by.
struct Known<'a> {
    broker: &'a BrokerConfig,
    error: &'a Error,
}

impl Known<'_> {
    fn step(&self, context: &MqttErrorContext) -> Option<String> {
        let cause = self.error.cause;
        match cause {
            Cause::PayloadTooLarge => return Some("at most 256 KB (262144 bytes) can be sent".to_owned()),
            Cause::TakenOver => return Some(self.other_client()),
            Cause::InvalidTopic(TopicError::NotAbsolute | TopicError::OtherDevice) => {
                return Some(self.own_topic());
            }
            Cause::Unsupported if self.error.stage == Stage::Preparation => {
                return Some("over MQTT the platform retains nothing, and has neither rules nor properties".to_owned());
            }
            _ if self.error.stage == Stage::Preparation => return None,
            _ => {}
        }
        match *context {
            MqttErrorContext::Connecting => self.connecting_step(),
            MqttErrorContext::RuleBroken | MqttErrorContext::TooMuch => received_step(context).map(ToOwned::to_owned),
            MqttErrorContext::Lost { last_topic, .. } => self.lost_step(last_topic),
            MqttErrorContext::Publication { topic } => self.message_step("publish to", topic),
            MqttErrorContext::Subscription { filter } => self.message_step("subscribe to", filter),
        }
    }

    fn connecting_step(&self) -> Option<String> {
        let step = match self.error.cause {
            // Asked of this host, or not sent at all: nothing that is said about the device matters yet.
            Cause::Transport(TransportErrorKind::Denied | TransportErrorKind::ConnectionLimit)
            | Cause::SigningFailed
            | Cause::Abandoned => {
                return None;
            }
            _ if contains(self.broker.endpoint().host(), "iot-as-http") => {
                "this is the endpoint for HTTPS: MQTT goes to <product key>.iot-as-mqtt.<region>.aliyuncs.com, or to \
                 <instance id>.mqtt.iothub.aliyuncs.com"
            }
            Cause::Transport(failure) => return self.no_connection_step(failure),
            Cause::Unauthenticated => return Some(self.or_oddity(self.not_recognised())),
            Cause::InvalidRequest | Cause::InvalidField(Field::ClientId) => {
                let form = [
                    "the platform does not take the client id, which goes as `",
                    &self.broker.client_id(),
                    "`: check the client id and its parameters, the sign method, product key and device name",
                ];
                return Some(self.or_oddity(&form.concat()));
            }
            Cause::Forbidden => {
                "the device may not connect: check that it is enabled in the console, and that the endpoint belongs to \
                 its instance"
            }
            Cause::Unavailable | Cause::ServerError => "try again later; a device may connect 5 times in a minute",
            Cause::Unsupported => return other_version(self.error).map(ToOwned::to_owned),
            Cause::Throttled => "a device may connect 5 times in a minute: wait a minute",
            Cause::WrongHostOrPath | Cause::MalformedAnswer => NOT_MQTT,
            _ => return None,
        };
        Some(step.to_owned())
    }

    /// The platform has one code for all that can be wrong with a login.
    fn not_recognised(&self) -> &'static str {
        match &self.broker.auth_method {
            AuthMethod::Signature { .. } => {
                "the device is unknown here or the signature does not fit: check product key, device name and device \
                 secret, and that the endpoint is of the region and the instance of the device"
            }
            AuthMethod::DeviceToken(_) => {
                "the device is unknown here or the token is not its own: check product key and device name, and that \
                 client id and device token are those of one registration, the last one, and the endpoint is that of its \
                 instance"
            }
            AuthMethod::IotToken { .. } => {
                "the platform does not take this iotId with this iotToken: they are good for 7 days, so get new ones, \
                 and check that both are of one answer and the endpoint is the one in it"
            }
            AuthMethod::Registration { is_known: true, .. } => {
                "the device gets no secret: check product key, device name and product secret, and in the console that \
                 the product has this device, that it has not been active yet, and that dynamic registration is on"
            }
            AuthMethod::Registration { is_known: false, .. } => {
                "the device gets no token: check product key, device name and product secret, in the console that \
                 dynamic registration is on, and whether the instance is one that wants its instance id"
            }
        }
    }

    fn no_connection_step(&self, failure: TransportErrorKind) -> Option<String> {
        let port = self.broker.endpoint().port();
        let step = match failure {
            TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete => {
                return Some(self.or_oddity(CLOSED));
            }
            TransportErrorKind::NameResolution => {
                "check the spelling of the endpoint (<product key>.iot-as-mqtt.<region>.aliyuncs.com, or \
                 <instance id>.mqtt.iothub.aliyuncs.com), and the name service"
            }
            TransportErrorKind::ConnectionRefused
            | TransportErrorKind::Unreachable
            | TransportErrorKind::ConnectTimeout => match port {
                443 => {
                    "check the network, and whether a firewall blocks the port: then use port 1883, with TLS as well"
                }
                1883 => "check the network, and whether a firewall blocks the port: then use port 443",
                _ => "the platform takes MQTT with TLS on the ports 443 and 1883",
            },
            TransportErrorKind::Protocol => NOT_MQTT,
            TransportErrorKind::TlsProtocol | TransportErrorKind::TlsAlert => {
                "check the port (443 or 1883, both with TLS), and that the host offers neither an ALPN protocol nor a \
                 client certificate"
            }
            TransportErrorKind::AnswerTimeout => {
                "the connection stands, but the platform has not accepted it in time: check network and endpoint"
            }
            _ => return None,
        };
        Some(step.to_owned())
    }

    fn lost_step(&self, last_topic: Option<&str>) -> Option<String> {
        match self.error.cause {
            Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete) => {
                let topic = match last_topic {
                    Some(topic) => {
                        [", or the device may not publish to ", topic, " (check it in the console)"].concat()
                    }
                    None => ", or the device may not subscribe to one of its filters".to_owned(),
                };
                Some(
                    [
                        "the platform does not say why; most likely ",
                        &self.other_client(),
                        &topic,
                        ", or the network broke it off; a device may connect 5 times in a minute, so connecting faster \
                         makes it worse",
                    ]
                    .concat(),
                )
            }
            Cause::Transport(TransportErrorKind::AnswerTimeout) => Some(UNANSWERED.to_owned()),
            _ => None,
        }
    }

    fn message_step(&self, action: &str, topic: &str) -> Option<String> {
        match self.error.cause {
            Cause::Forbidden
            | Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete) => Some(
                [
                    "the device most likely may not ",
                    action,
                    " ",
                    topic,
                    ": check in the console that the product has this topic, and with this right",
                ]
                .concat(),
            ),
            Cause::Transport(TransportErrorKind::AnswerTimeout) => Some(UNANSWERED.to_owned()),
            _ => None,
        }
    }

    fn other_client(&self) -> String {
        [
            "another client has connected as the device ",
            &self.broker.device().device_name,
            ", and the platform keeps one connection per device: look for a second process with its secret",
        ]
        .concat()
    }

    fn own_topic(&self) -> String {
        let device = self.broker.device();
        ["give the full topic, such as /", &device.product_key, "/", &device.device_name, "/user/update"].concat()
    }

    /// What can be seen from here goes first.
    fn or_oddity(&self, otherwise: &str) -> String {
        let device = self.broker.device();
        let host = self.broker.endpoint().host();
        let other_product = match host.split_once('.') {
            Some((product_key, rest)) if rest.as_bytes().starts_with(b"iot-as-mqtt.") => {
                (!product_key.eq_ignore_ascii_case(&device.product_key)).then_some(product_key)
            }
            _ => None,
        };
        match (other_product, lint::oddity(device)) {
            (Some(product_key), _) => [
                "the endpoint is that of the product ",
                product_key,
                ", and the device is of ",
                &device.product_key,
                ": check both against the console",
            ]
            .concat(),
            (None, Some(odd)) => [&odd, ", check it against the console"].concat(),
            (None, None) => otherwise.to_owned(),
        }
    }
}

const CLOSED: &str = "the platform closes a connection without an answer when it is not for a device of this instance, \
                      or when the device connects more than 5 times in a minute: check the endpoint, and wait a minute";

const NOT_MQTT: &str = "something other than the platform's MQTT broker has answered: check the endpoint, and the port \
                        (443 or 1883)";

const UNANSWERED: &str = "the platform has not answered: check the network, and send more slowly";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aliyun::{Device, SignMethod, Signer};
    use crate::endpoint::Endpoint;
    use crate::message::RequestError;
    use crate::mqtt::Version;
    use crate::outcome::{Delivery, Retry};
    use crate::secret::Secret;

    const HOST: &str = "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com";

    fn broker(host: &str, port: u16, device_name: &str) -> BrokerConfig {
        let device = Device::new(Endpoint::new(host, port).unwrap(), "pk", device_name, Some("12345")).unwrap();
        let auth_method = AuthMethod::Signature {
            signer: Signer::Secret(Secret::new("hunter2")),
            sign_method: SignMethod::HmacSha1,
            timestamp_ms: Some(789),
        };
        BrokerConfig::new(device, auth_method).unwrap()
    }

    fn error(stage: Stage, cause: Cause) -> Error {
        Error {
            cause,
            stage,
            delivery: Delivery::NotSent,
            retry: Retry::Never,
            attempts: 1,
            answer: None,
            detail: None,
        }
    }

    fn connecting(host: &str, port: u16, device_name: &str, cause: Cause) -> String {
        broker(host, port, device_name).explain(
            &error(Stage::Connection, cause),
            Version::V3,
            &MqttErrorContext::Connecting,
        )
    }

    #[test]
    fn a_connection_that_does_not_come_is_explained_from_what_is_known_around_it() {
        use TransportErrorKind as F;
        let transport = Cause::Transport;
        for (host, port, cause, named) in [
            (HOST, 443, Cause::Unauthenticated, "device secret"),
            (HOST, 443, Cause::Unauthenticated, "the instance"),
            ("other.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443, Cause::Unauthenticated, "the product other"),
            ("PK.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443, Cause::Unauthenticated, "device secret"),
            ("iot-x.mqtt.iothub.aliyuncs.com", 443, Cause::Unauthenticated, "device secret"),
            ("iot-as-http.cn-shanghai.aliyuncs.com", 443, transport(F::Protocol), "endpoint for HTTPS"),
            (HOST, 443, Cause::InvalidRequest, "`12345|securemode=2,signmethod=hmacsha1,timestamp=789|`"),
            (HOST, 443, Cause::InvalidField(Field::ClientId), "sign method"),
            (HOST, 443, Cause::Unavailable, "try again later"),
            (HOST, 443, Cause::Forbidden, "enabled in the console"),
            (HOST, 443, Cause::WrongHostOrPath, "443 or 1883"),
            (HOST, 443, transport(F::ConnectionClosed), "5 times in a minute"),
            (HOST, 443, transport(F::ConnectTimeout), "1883"),
            (HOST, 1883, transport(F::ConnectionRefused), "use port 443"),
            (HOST, 8883, transport(F::ConnectTimeout), "443 and 1883"),
            (HOST, 443, transport(F::NameResolution), "iot-as-mqtt"),
            (HOST, 443, transport(F::TlsAlert), "ALPN"),
            (HOST, 443, transport(F::TlsCertificate), "roots"),
            ("iot-as-http.cn-shanghai.aliyuncs.com", 443, transport(F::Denied), "routes of the host"),
        ] {
            let explanation = connecting(host, port, "device", cause);
            assert!(explanation.contains(named), "{host}:{port} {cause:?}: {explanation}");
        }
        assert!(connecting(HOST, 443, "abc", Cause::Unauthenticated).contains("4 to 32"));
    }

    #[test]
    fn a_login_that_is_not_taken_is_explained_by_what_it_was_made_of() {
        let registration = |is_known| AuthMethod::Registration {
            product_secret: Secret::new("hunter2"),
            sign_method: SignMethod::HmacSha256,
            random: "1".into(),
            is_known,
            instance_id: None,
        };
        let iot_token = AuthMethod::IotToken { iot_id: "id".into(), iot_token: Secret::new("hunter2") };
        for (auth_method, named) in [
            (AuthMethod::DeviceToken(Secret::new("hunter2")), "client id and device token"),
            (iot_token, "good for 7 days"),
            (registration(true), "has not been active yet"),
            (registration(false), "instance id"),
        ] {
            let device = Device::new(Endpoint::new(HOST, 443).unwrap(), "pk", "device", Some("12345")).unwrap();
            let broker = BrokerConfig::new(device, auth_method).unwrap();
            let error = error(Stage::Connection, Cause::Unauthenticated);
            let explanation = broker.explain(&error, Version::V3, &MqttErrorContext::Connecting);
            assert!(explanation.contains(named) && !explanation.contains("hunter2"), "{explanation}");
            assert!(!explanation.contains("device secret"), "{explanation}");
        }
    }

    #[test]
    fn a_lost_connection_names_what_may_have_ended_it() {
        let lost = |last_topic, failure| {
            let error = error(Stage::Connection, Cause::Transport(failure));
            broker(HOST, 443, "device").explain(
                &error,
                Version::V3,
                &MqttErrorContext::Lost { last_topic, after_ms: 1000 },
            )
        };
        let closed = lost(Some("/pk/device/user/update"), TransportErrorKind::ConnectionClosed);
        for named in ["as the device device", "/pk/device/user/update", "5 times in a minute"] {
            assert!(closed.contains(named), "{closed}");
        }
        assert!(lost(None, TransportErrorKind::ConnectionClosed).contains("subscribe to one of its filters"));
        assert!(lost(None, TransportErrorKind::KeepAliveTimeout).contains("shorter keep-alive"));
        let error = error(Stage::Connection, Cause::TakenOver);
        let context = MqttErrorContext::Lost { last_topic: None, after_ms: 0 };
        assert!(
            broker(HOST, 443, "device").explain(&error, Version::V3, &context).contains("one connection per device")
        );
    }

    #[test]
    fn a_message_or_a_subscription_that_is_refused_names_its_topic_and_its_right() {
        let broker = broker(HOST, 443, "device");
        for cause in [Cause::Forbidden, Cause::Transport(TransportErrorKind::ConnectionClosed)] {
            let error = error(Stage::Publication, cause);
            let explanation =
                broker.explain(&error, Version::V3, &MqttErrorContext::Publication { topic: "/pk/device/user/update" });
            assert!(explanation.contains("publish to /pk/device/user/update"), "{explanation}");
            let explanation =
                broker.explain(&error, Version::V3, &MqttErrorContext::Subscription { filter: "/pk/device/user/get" });
            assert!(explanation.contains("subscribe to /pk/device/user/get"), "{explanation}");
        }
        for (cause, named) in [
            (Cause::Transport(TransportErrorKind::AnswerTimeout), "more slowly"),
            (Cause::QueueFull, "limit of the queue"),
            (Cause::NotConnected, "connect"),
        ] {
            let explanation = broker.explain(
                &error(Stage::Publication, cause),
                Version::V3,
                &MqttErrorContext::Publication { topic: "/pk/device/a" },
            );
            assert!(explanation.contains(named), "{explanation}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_explained_with_the_platforms_own_limits() {
        for (problem, named) in [
            (RequestError::PayloadTooLarge, "256 KB"),
            (RequestError::Unsupported, "retains nothing"),
            (TopicError::OtherDevice.into(), "/pk/device/user/update"),
            (Field::TopicFilter.into(), "topic filter"),
        ] {
            let explanation = broker(HOST, 443, "device").explain(
                &problem.into(),
                Version::V3,
                &MqttErrorContext::Publication { topic: "a" },
            );
            assert!(explanation.contains(named), "{explanation}");
        }
    }

    #[test]
    fn no_explanation_gives_the_secret_away() {
        for cause in [Cause::Unauthenticated, Cause::InvalidRequest, Cause::Forbidden, Cause::SigningFailed] {
            let explanation = connecting(HOST, 443, "device", cause);
            assert!(!explanation.contains("hunter2"), "{explanation}");
        }
    }
}
