//! Every row: what is known around a failure, and what the explanation must name.

use super::*;
use crate::aws::mqtt::Authorizer;
use crate::endpoint::Endpoint;
use crate::field::Field;
use crate::http::TransportError;
use crate::message::RequestError;
use crate::outcome::{Delivery, Retry};
use crate::secret::Secret;

const DATA: &str = "a1-ats.iot.eu-central-1.amazonaws.com";
const CONTROL: &str = "iot.eu-central-1.amazonaws.com";

const CLOSED: Cause = Cause::Transport(TransportErrorKind::ConnectionClosed);
const UNANSWERED: Cause = Cause::Transport(TransportErrorKind::AnswerTimeout);

#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Certificate,
    Authorizer,
}

fn broker(host: &str, port: u16, auth_method: By) -> BrokerConfig {
    let authentication = match auth_method {
        By::Certificate => AuthMethod::Certificate,
        By::Authorizer => AuthMethod::CustomAuthorizer(Authorizer {
            name: Some("gate".into()),
            token: Some(("jwt".into(), Secret::new("hunter2"))),
            signature: Some(Secret::new("c2lnbmF0dXJl")),
            user_name: Some(Secret::new("me")),
            password: Some(Secret::new("swordfish")),
        }),
    };
    BrokerConfig::new(Endpoint::new(host, port).unwrap(), "boiler-7".into(), authentication).unwrap()
}

fn error(stage: Stage, cause: Cause) -> Error {
    Error { cause, stage, delivery: Delivery::NotSent, retry: Retry::Never, attempts: 1, answer: None, detail: None }
}

fn connecting(host: &str, port: u16, auth_method: By, cause: Cause) -> String {
    explain(
        &broker(host, port, auth_method),
        &error(Stage::Connection, cause),
        Version::V3,
        &MqttErrorContext::Connecting,
    )
}

fn with_certificate(cause: Cause, context: MqttErrorContext) -> String {
    explain(&broker(DATA, 8883, By::Certificate), &error(Stage::Publication, cause), Version::V3, &context)
}

fn lost(last_topic: Option<&str>, after_ms: u64, cause: Cause) -> String {
    with_certificate(cause, MqttErrorContext::Lost { last_topic, after_ms })
}

fn alert(port: u16, auth_method: By, name: &str) -> String {
    let transport_error = TransportError { kind: TransportErrorKind::TlsAlert, detail: Some(name.into()) };
    explain(
        &broker(DATA, port, auth_method),
        &Error::transport(Stage::Connection, transport_error),
        Version::V3,
        &MqttErrorContext::Connecting,
    )
}

#[test]
fn a_connection_that_does_not_come_is_explained_from_what_is_known_around_it() {
    use TransportErrorKind as F;
    let transport = Cause::Transport;
    for (host, port, auth_method, cause, named) in [
        (DATA, 8883, By::Certificate, CLOSED, "inactive or not registered"),
        (DATA, 8883, By::Certificate, CLOSED, "half a minute"),
        (DATA, 8883, By::Certificate, CLOSED, "iot:Connect on arn:aws:iot:eu-central-1:*:client/boiler-7"),
        (DATA, 443, By::Certificate, CLOSED, "must offer the ALPN protocol `x-amzn-mqtt-ca`"),
        (DATA, 443, By::Certificate, CLOSED, "inactive or not registered"),
        (DATA, 443, By::Authorizer, CLOSED, "ALPN protocol is not `mqtt`"),
        (DATA, 8883, By::Authorizer, CLOSED, "port 443 with the ALPN protocol `mqtt`"),
        (DATA, 443, By::Certificate, Cause::WrongHostOrPath, "speaks HTTP on port 443"),
        (DATA, 443, By::Certificate, transport(F::Protocol), "`x-amzn-mqtt-ca`"),
        (DATA, 443, By::Authorizer, transport(F::Protocol), "ALPN protocol `mqtt`"),
        (DATA, 8443, By::Certificate, transport(F::Protocol), "on port 8883 without ALPN"),
        (DATA, 443, By::Certificate, Cause::MalformedAnswer, "`x-amzn-mqtt-ca`"),
        (DATA, 8883, By::Certificate, transport(F::ConnectTimeout), "port 443 with the ALPN protocol `x-amzn-mqtt-ca`"),
        (DATA, 8883, By::Certificate, transport(F::ConnectionRefused), "firewall"),
        (DATA, 8883, By::Authorizer, transport(F::Unreachable), "port 443 with the ALPN protocol `mqtt`"),
        (DATA, 443, By::Certificate, transport(F::ConnectTimeout), "firewall"),
        (DATA, 8883, By::Certificate, UNANSWERED, "accepted it in time"),
        (DATA, 8883, By::Certificate, Cause::Forbidden, "arn:aws:iot:eu-central-1:*:client/boiler-7"),
        (DATA, 8883, By::Certificate, Cause::Forbidden, "the name of the thing"),
        (DATA, 443, By::Authorizer, Cause::Forbidden, "the authorizer says no"),
        (DATA, 8883, By::Certificate, Cause::Unauthenticated, "registered in this account and region"),
        (DATA, 443, By::Authorizer, Cause::Unauthenticated, "value of the token"),
        (DATA, 8883, By::Certificate, Cause::InvalidRequest, "client id `boiler-7`"),
        (DATA, 8883, By::Certificate, Cause::InvalidField(Field::ClientId), "client id `boiler-7`"),
        (DATA, 8883, By::Certificate, Cause::Unsupported, "what the will asks for"),
        (DATA, 8883, By::Certificate, Cause::Throttled, "one connection per second"),
        (DATA, 8883, By::Certificate, Cause::Unavailable, "try again later"),
        (DATA, 8883, By::Certificate, Cause::TakenOver, "`boiler-7`: give each client its own"),
        (DATA, 8883, By::Certificate, transport(F::TlsCertificate), "the roots in use"),
        ("a1.iot.eu-central-1.amazonaws.com", 8883, By::Certificate, transport(F::TlsCertificate), "Data-ATS"),
        (CONTROL, 8883, By::Certificate, transport(F::ConnectTimeout), "control plane"),
        (CONTROL, 443, By::Certificate, Cause::WrongHostOrPath, "control plane"),
        (CONTROL, 443, By::Certificate, transport(F::Denied), "routes of the host"),
        ("c1.credentials.iot.eu-central-1.amazonaws.com", 443, By::Certificate, CLOSED, "temporary keys"),
        ("c1.jobs.iot.eu-central-1.amazonaws.com", 443, By::Certificate, CLOSED, "for jobs"),
        ("typo.example", 8883, By::Certificate, transport(F::NameResolution), "describe-endpoint"),
        (DATA, 8883, By::Certificate, transport(F::NameResolution), "name service"),
    ] {
        let explanation = connecting(host, port, auth_method, cause);
        assert!(explanation.contains(named), "{host}:{port} {auth_method:?} {cause:?}: {explanation}");
    }
}

#[test]
fn a_tls_alert_is_explained_by_its_name_the_port_and_the_way() {
    for (port, auth_method, name, named) in [
        (443, By::Certificate, "no_application_protocol", "must offer the ALPN protocol `x-amzn-mqtt-ca`"),
        (8883, By::Certificate, "no_application_protocol", "offer none"),
        (443, By::Authorizer, "NoApplicationProtocol", "the ALPN protocol `mqtt` for a custom authorizer"),
        (8883, By::Certificate, "certificate_unknown", "active and registered"),
        (8883, By::Certificate, "unknown_ca", "active and registered"),
        (8883, By::Authorizer, "certificate_required", "port 443 with the ALPN protocol `mqtt`"),
        (8883, By::Certificate, "handshake_failure", "if that names a certificate"),
    ] {
        let explanation = alert(port, auth_method, name);
        assert!(explanation.contains(named), "{port} {auth_method:?} {name}: {explanation}");
        assert!(explanation.contains(name), "{explanation}");
    }
    assert!(!alert(8883, By::Certificate, "certificate_unknown").contains("ALPN"));
    assert!(!alert(443, By::Certificate, "no_application_protocol").contains("active"));
}

#[test]
fn a_connection_that_ends_without_a_word_names_the_likely_reasons_in_their_order() {
    let order = |explanation: &str, words: [&str; 4]| {
        let places: Vec<_> = words.iter().map(|word| explanation.find(word)).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{words:?}: {explanation}");
    };
    let client = "client id `boiler-7`";
    let publish = "iot:Publish on arn:aws:iot:eu-central-1:*:topic/a/b";
    order(&lost(Some("a/b"), 900, CLOSED), [client, publish, "broke it off", "MQTT 5"]);
    order(&lost(None, 3_600_000, CLOSED), [client, "iot:Subscribe", "broke it off", "MQTT 5"]);
    order(&lost(Some("a/b"), 3_600_000, CLOSED), [publish, client, "broke it off", "MQTT 5"]);
}

#[test]
fn with_mqtt_5_a_close_without_a_word_names_neither_a_policy_nor_mqtt_5_as_the_remedy() {
    let broker = broker(DATA, 8883, By::Certificate);
    let of = |stage, context| explain(&broker, &error(stage, CLOSED), Version::V5, &context);
    for last_topic in [Some("a/b"), None] {
        for after_ms in [900, 3_600_000] {
            let closed = of(Stage::Connection, MqttErrorContext::Lost { last_topic, after_ms });
            for named in ["nothing was said", "client id `boiler-7`", "the network or the broker broke it off"] {
                assert!(closed.contains(named), "{closed}");
            }
            assert!(!closed.contains("policy") && !closed.contains("iot:"), "{closed}");
        }
    }
    for context in [MqttErrorContext::Publication { topic: "a/b" }, MqttErrorContext::Subscription { filter: "a/b" }] {
        let closed = of(Stage::Publication, context);
        assert!(closed.contains("closed each time upon this") && closed.contains("boiler-7"), "{closed}");
        assert!(!closed.contains("lacks") && !closed.contains("iot:"), "{closed}");
    }
}

#[test]
fn a_connection_that_ends_with_a_reason_is_explained_by_it() {
    for (cause, named) in [
        (Cause::TakenOver, "`boiler-7`: give each client its own"),
        (Cause::Forbidden, "iot:Publish on arn:aws:iot:eu-central-1:*:topic/a/b"),
        (Cause::Throttled, "100 publications"),
        (Cause::PayloadTooLarge, "128 KB"),
        (Cause::Transport(TransportErrorKind::KeepAliveTimeout), "shorter keep-alive"),
        (UNANSWERED, "more than 100 publications"),
        (Cause::Unavailable, "try again later"),
    ] {
        let explanation = lost(Some("a/b"), 60_000, cause);
        assert!(explanation.contains(named), "{cause:?}: {explanation}");
    }
}

#[test]
fn a_message_that_was_not_taken_names_the_permission_on_its_topic() {
    let of = |cause| with_certificate(cause, MqttErrorContext::Publication { topic: "$aws/rules/r/a" });
    for (cause, named) in [
        (Cause::Forbidden, "lacks iot:Publish on arn:aws:iot:eu-central-1:*:topic/$aws/rules/r/a"),
        (Cause::Forbidden, "iot:RetainPublish"),
        (CLOSED, "closes the connection upon this message"),
        (CLOSED, "lacks iot:Publish on arn:aws:iot:eu-central-1:*:topic/$aws/rules/r/a"),
        (UNANSWERED, "send more slowly"),
        (Cause::Throttled, "send more slowly"),
        (Cause::PayloadTooLarge, "128 KB"),
        (Cause::InvalidRequest, "payload format"),
        (Cause::QueueFull, "limit of the queue"),
        (Cause::NotConnected, "let messages wait"),
        (Cause::Transport(TransportErrorKind::KeepAliveTimeout), "check the network"),
    ] {
        let explanation = of(cause);
        assert!(explanation.contains(named), "{cause:?}: {explanation}");
    }
    let by_authorizer = explain(
        &broker(DATA, 443, By::Authorizer),
        &error(Stage::Publication, Cause::Forbidden),
        Version::V3,
        &MqttErrorContext::Publication { topic: "a" },
    );
    assert!(by_authorizer.contains("the policy that the authorizer returns"), "{by_authorizer}");
}

#[test]
fn a_subscription_that_was_not_taken_names_both_of_its_permissions() {
    let of = |cause, filter| with_certificate(cause, MqttErrorContext::Subscription { filter });
    for cause in [Cause::Forbidden, CLOSED] {
        let explanation = of(cause, "a/+/#");
        for named in [
            "iot:Subscribe on arn:aws:iot:eu-central-1:*:topicfilter/a/+/#",
            "iot:Receive on arn:aws:iot:eu-central-1:*:topic/a/*/*",
        ] {
            assert!(explanation.contains(named), "{explanation}");
        }
    }
    let shared = of(Cause::Forbidden, "$share/g/a");
    assert!(shared.contains("topicfilter/$share/g/a"), "{shared}");
    assert!(of(Cause::Throttled, "a").contains("50 subscriptions"));
    assert!(of(UNANSWERED, "a").contains("50 subscriptions"));
    assert!(of(Cause::InvalidField(Field::TopicFilter), "a").contains("does not take this filter"));
}

#[test]
fn what_cannot_be_sent_is_explained_before_it_is() {
    let of = |problem: RequestError| {
        let context = MqttErrorContext::Publication { topic: "a" };
        explain(&broker(DATA, 8883, By::Certificate), &problem.into(), Version::V3, &context)
    };
    assert!(of(TopicError::Reserved.into()).contains("below `$aws/`"));
    assert!(of(RequestError::Unsupported).contains("MQTT 5"));
    assert!(of(RequestError::PayloadTooLarge).contains("131072"));
    assert_eq!(of(TopicError::TooManySlashes.into()), "the topic has more than 7 slashes");
}

#[test]
fn policies_are_named_in_the_partition_of_the_endpoint() {
    let china = connecting("a1-ats.iot.cn-northwest-1.amazonaws.com.cn", 8883, By::Certificate, Cause::Forbidden);
    assert!(china.contains("arn:aws-cn:iot:cn-northwest-1:*:client/boiler-7"), "{china}");
}

#[test]
fn no_explanation_gives_a_secret_away() {
    let broker = broker(DATA, 443, By::Authorizer);
    for cause in
        [CLOSED, UNANSWERED, Cause::Forbidden, Cause::Unauthenticated, Cause::WrongHostOrPath, Cause::TakenOver]
    {
        for context in [
            MqttErrorContext::Connecting,
            MqttErrorContext::Lost { last_topic: Some("a"), after_ms: 0 },
            MqttErrorContext::Publication { topic: "a" },
            MqttErrorContext::Subscription { filter: "a" },
        ] {
            let explanation = explain(&broker, &error(Stage::Connection, cause), Version::V3, &context);
            let is_clean = ["hunter2", "c2lnbmF0dXJl", "swordfish"].iter().all(|secret| !explanation.contains(secret));
            assert!(is_clean, "{explanation}");
        }
    }
}
