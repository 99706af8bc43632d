//! The handshake is over, and there is no connection to the broker.

use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{SessionOptions, Version};
use thingpost_host::runtime::types::{Cause, Delivery, Error, Retry, Stage, TransportErrorKind};
use thingpost_host::{Alpn, Route};

use super::{client, names};
use crate::fixtures::deadline::within;
use crate::fixtures::host::identity;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{CLIENT_ID, MqttCloud, VERSIONS, config, options};

const CLOSED: Cause = Cause::Transport(TransportErrorKind::ConnectionClosed);

async fn refused(cloud: &MqttCloud, route: Route, version: Version, port: u16) -> Error {
    let error = cloud.open_along(route, &config(version, port), &options()).await.connect().await.unwrap_err();
    assert_eq!((error.stage, error.delivery), (Stage::Connection, Delivery::NotSent), "{error:?}");
    error
}

fn offer(names: &[&str]) -> Alpn {
    Alpn::Offer(names.iter().map(|name| name.as_bytes().to_vec()).collect())
}

#[tokio::test]
async fn on_port_443_the_wrong_alpn_protocol_is_named_with_the_right_one() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            for (offered, cause) in [
                (&["x-amzn-http-ca"][..], Cause::WrongHostOrPath),
                (&[], Cause::WrongHostOrPath),
                (&["h2", "http/1.1"], Cause::Transport(TransportErrorKind::TlsAlert)),
            ] {
                let route = cloud.route().mqtt_alpn(offer(offered));
                let error = refused(&cloud, route, version, 443).await;
                assert_eq!(error.cause, cause, "{offered:?}: {error:?}");
                names(&error, &["443", "x-amzn-mqtt-ca"]);
            }
        }
        assert_eq!(cloud.front.ledger().counts().connects, 0);
    })
    .await;
}

#[tokio::test]
async fn on_port_8883_any_alpn_protocol_will_do() {
    within(async {
        let cloud = MqttCloud::start().await;
        for offered in [&["x-amzn-mqtt-ca"][..], &[]] {
            let route = cloud.route().mqtt_alpn(offer(offered));
            let mut device = cloud.open_along(route, &config(Version::V5, 8883), &options()).await;
            device.connect().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_certificate_or_with_one_that_aws_does_not_know_the_certificate_is_named() {
    within(async {
        let cloud = MqttCloud::start().await;
        let stranger = cloud.authority.issue_device("stranger");
        for version in VERSIONS {
            for port in [8883, 443] {
                let unknown = cloud.anonymous_route().identity(identity(&stranger));
                // A host that has forgotten the certificate, and offers the protocol for it all the same.
                let without = cloud.anonymous_route().mqtt_alpn(match port {
                    443 => offer(&["x-amzn-mqtt-ca"]),
                    _ => offer(&[]),
                });
                for route in [unknown, without] {
                    let error = refused(&cloud, route, version, port).await;
                    assert_eq!(error.cause, CLOSED, "{error:?}");
                    names(&error, &["certificate", "not registered", &format!("iot:Connect on {}", client())]);
                }
            }
        }
        assert_eq!(cloud.front.ledger().counts().connects, 0);
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_was_made_inactive_is_told_apart_by_nothing_and_named_as_possible() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.deactivate(&cloud.device.fingerprint);
        let error = refused(&cloud, cloud.route(), Version::V5, 8883).await;
        assert_eq!(error.cause, CLOSED);
        names(&error, &["inactive"]);
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_does_not_let_the_client_connect_is_named_with_the_client() {
    within(async {
        for (version, code) in [(Version::V311, 5), (Version::V5, 0x87)] {
            let cloud = MqttCloud::start().await;
            cloud.front.deny_connect(CLIENT_ID);
            let error = refused(&cloud, cloud.route(), version, 8883).await;
            assert_eq!((error.cause, error.retry), (Cause::Forbidden, Retry::Never));
            assert_eq!(error.answer.as_ref().map(|answer| answer.status), Some(code));
            names(&error, &["policy", &format!("iot:Connect on {}", client())]);

            // Who is told no, and asks again when the policy is right, gets in.
            let mut device = cloud.open(&config(version, 8883), &options()).await;
            device.publish(&at_least_once("a", *b"x")).await;
            device.connect().await.unwrap_err();
            device.serve(Duration::from_millis(100)).await;
            assert_eq!((device.disconnections(), device.connections()), (vec![], vec![]));
            cloud.front.allow_all(CLIENT_ID);
            device.connect().await.unwrap();
            device.settle().await;
            assert_eq!(device.receipts().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_connect_that_nobody_answers_ends_with_the_connect_timeout() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            cloud.front.link().silence_after_handshake(1);
            let short = SessionOptions { connect_timeout_ms: Some(3_000), ..options() };
            let mut device = cloud.open(&config(version, 8883), &short).await;
            let error = device.connect().await.unwrap_err();
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout));
            names(&error, &["has not answered to CONNECT"]);
            device.connect().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_http_is_told_from_one_of_a_broker() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            for (port, named) in [(8883, "check the endpoint and the port"), (443, "x-amzn-mqtt-ca")] {
                cloud.front.link().garbage_after_handshake(1);
                let error = refused(&cloud, cloud.route(), version, port).await;
                assert_eq!(error.cause, Cause::WrongHostOrPath);
                names(&error, &["HTTP", named]);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_busy_or_away_is_to_be_tried_again() {
    within(async {
        let mut cloud = MqttCloud::start().await;
        for (version, code) in [(Version::V311, 3), (Version::V5, 0x88), (Version::V5, 0x89)] {
            cloud.front.link().answer_connects(code, 1);
            let error = refused(&cloud, cloud.route(), version, 8883).await;
            assert_eq!((error.cause, error.retry), (Cause::Unavailable, Retry::AfterMs(1000)), "{error:?}");
        }
        cloud.broker.kill().await.unwrap();
        for version in VERSIONS {
            // What comes after the handshake and says nothing may be anything; that it is closed is said.
            let error = refused(&cloud, cloud.route(), version, 8883).await;
            assert_eq!(error.cause, CLOSED);
            names(&error, &["closed"]);
            assert!(matches!(error.retry, Retry::AfterMs(_)), "{error:?}");
        }
        cloud.broker.start_again().await.unwrap();
        cloud.online(&config(Version::V5, 8883), &options()).await;
    })
    .await;
}
