use std::sync::Arc;

use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::mqtt::{AliyunBroker, Version};
use thingpost_host::runtime::types::{Cause, Delivery, Retry, Stage, TransportErrorKind};

use super::broker::{AliyunBrokerCloud, ENDPOINT, known, session, signature, signed_by_the_host};
use crate::fixtures::aliyun::{DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, secret, secrets};
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{changed, mqtt, options, try_open};

#[tokio::test]
async fn a_device_with_a_wrong_secret_or_without_a_name_there_is_not_recognised() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let stranger = || AliyunBroker { device_name: "stranger-1".to_owned(), ..known() };
        let guessed = DeviceSecrets::new().with(PRODUCT_KEY, DEVICE_NAME, "guessed-1");
        for (broker, secrets) in [
            (AliyunBroker { authentication: signature(secret("guessed-1")), ..known() }, DeviceSecrets::new()),
            (signed_by_the_host(), guessed),
            (stranger(), DeviceSecrets::new()),
        ] {
            let error = cloud.refused(broker, secrets).await;
            assert_eq!((error.cause, error.retry), (Cause::Unauthenticated, Retry::Never));
            assert_eq!((error.stage, error.delivery), (Stage::Connection, Delivery::NotSent));
            assert_eq!(error.answer.as_ref().unwrap().status, 4);
            for named in ["product key", "device name", "device secret"] {
                assert!(error.explanation.contains(named), "{}", error.explanation);
            }
            let shown = format!("{error} {error:#?}");
            assert!(!shown.contains("guessed-1") && !shown.contains(DEVICE_SECRET), "{shown}");
        }
        assert_eq!(cloud.front.ledger().counts().admitted, 0);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_has_no_secret_of_the_device_does_not_sign_and_nothing_is_sent() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let error = cloud.refused(signed_by_the_host(), DeviceSecrets::new()).await;
        assert_eq!((error.cause, error.delivery), (Cause::SigningFailed, Delivery::NotSent));
        assert!(error.explanation.contains("no secret of this device"), "{}", error.explanation);
        assert_eq!(cloud.front.connections().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_connects_twice_throws_itself_out_and_is_told_so() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let mut first = cloud.online().await;
        // Another client id is no way out: the platform goes by the device.
        let broker = AliyunBroker { client_id: Some("another".to_owned()), ..signed_by_the_host() };
        let mut second = cloud.open(broker, secrets(), &options()).await;
        second.connect().await.unwrap();
        first.until(|first| !first.disconnections().is_empty()).await;
        let error = first.disconnections().remove(0);
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed));
        for named in ["another client", DEVICE_NAME, "one connection per device"] {
            assert!(error.explanation.contains(named), "{}", error.explanation);
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_platform_does_not_have_is_refused_when_the_session_is_opened() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let client_id = AliyunBroker { client_id: Some("a|b".to_owned()), ..known() };
        let will = Some(at_least_once("/a1GFjLP3xxC/thermometer-7/user/gone", *b"x"));
        for (config, named) in [
            (changed(session(known()), |session| session.version = Version::V5), "version 5"),
            (changed(session(known()), |session| session.will = will), "will"),
            (changed(session(known()), |session| session.keep_alive_s = Some(29)), "30 to 1200"),
            (changed(session(known()), |session| session.keep_alive_s = Some(1201)), "30 to 1200"),
            (session(client_id), "client id"),
        ] {
            let opened = try_open(mqtt(), cloud.transport(), Arc::default(), &config, &options(), &[]).await;
            let problem = opened.err().unwrap();
            assert!(problem.contains(named), "{problem}");
        }
        assert_eq!(cloud.front.connections().accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn the_endpoint_of_another_product_is_named_as_such() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let broker = AliyunBroker { product_key: "a1OtherXxYy".to_owned(), ..known() };
        let error = cloud.refused(broker, DeviceSecrets::new()).await;
        assert_eq!(error.cause, Cause::Unauthenticated);
        // In the name of a host case says nothing.
        let product = ENDPOINT.split('.').next().unwrap().to_ascii_lowercase();
        assert!(error.explanation.contains(&format!("the product {product}")), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_no_fault_of_the_device() {
    within(async {
        let mut cloud = AliyunBrokerCloud::start().await;
        cloud.front.link().answer_connects(3, 1);
        let error = cloud.refused(known(), DeviceSecrets::new()).await;
        assert_eq!((error.cause, error.retry), (Cause::Unavailable, Retry::AfterMs(1000)));
        cloud.broker.kill().await.unwrap();
        let error = cloud.refused(known(), DeviceSecrets::new()).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed));
        cloud.broker.start_again().await.unwrap();
        cloud.online().await;
    })
    .await;
}
