//! The device is connected, and may not do everything.

use std::time::Duration;

use thingpost_emulator::MqttFate;
use thingpost_host::runtime::types::mqtt::{SessionOptions, Version};
use thingpost_host::runtime::types::{Cause, Delivery, Message, Qos, Retry, Stage, TransportErrorKind};

use super::super::judge::{forwarded, kept_its_promises, numbered};
use super::{ARN, names};
use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::mqtt::{CLIENT_ID, MqttCloud, VERSIONS, config, options};

fn denied() -> Message {
    at_least_once("denied/topic", *b"forbidden")
}

#[tokio::test]
async fn with_mqtt_5_a_message_that_the_policy_denies_is_refused_and_the_others_go_on() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.deny_publish(CLIENT_ID, "denied/");
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        let mut messages = numbered("a/1", Qos::AtLeastOnce, 20);
        messages.insert(5, denied());
        device.publish_all(&messages).await;
        device.settle().await;
        let [(id, error)] = &device.failures()[..] else { panic!("{:?}", device.events) };
        assert_eq!(*id, device.taken[5].0);
        assert_eq!((error.cause, error.stage), (Cause::Forbidden, Stage::Publication));
        assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::Refused, Retry::Never, 1));
        assert_eq!(error.answer.as_ref().unwrap().status, 0x87);
        names(error, &["policy", &format!("iot:Publish on {ARN}topic/denied/topic")]);
        assert_eq!((device.receipts().len(), device.disconnections()), (20, vec![]));
        kept_its_promises(&device, &cloud.front.ledger());
        assert_eq!(cloud.front.ledger().counts().publishes, 21);
    })
    .await;
}

#[tokio::test]
async fn with_mqtt_3_a_message_that_the_policy_denies_is_given_up_and_the_others_arrive_once() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.deny_publish(CLIENT_ID, "denied/");
        let options = SessionOptions { max_attempts: Some(3), ..options() };
        let mut device = cloud.online(&config(Version::V311, 8883), &options).await;
        let before = numbered("a/before", Qos::AtLeastOnce, 5);
        device.publish_all(&before).await;
        device.settle().await;
        let behind = numbered("a/behind", Qos::AtLeastOnce, 30);
        let messages: Vec<Message> = [denied()].into_iter().chain(behind.clone()).collect();
        device.publish_all(&messages).await;
        device.settle().await;

        let [(id, error)] = &device.failures()[..] else { panic!("{:?}", device.events) };
        assert_eq!(*id, device.taken[5].0);
        assert_eq!(
            (error.cause, error.stage),
            (Cause::Transport(TransportErrorKind::ConnectionClosed), Stage::Publication)
        );
        assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::Unknown, Retry::Never, 4));
        names(error, &["closes the connection upon this message", &format!("iot:Publish on {ARN}topic/denied/topic")]);
        // Once among others, which proves nothing, and three times alone.
        assert_eq!(device.disconnections().len(), 4);
        names(&device.disconnections()[3], &["denied/topic", CLIENT_ID]);
        kept_its_promises(&device, &cloud.front.ledger());
        assert_eq!(device.receipts().len(), 35);
        for message in before.iter().chain(&behind) {
            assert_eq!(forwarded(&cloud.front.ledger(), message).len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_closed_connection_is_explained_with_the_first_message_that_had_no_answer() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.deny_publish(CLIENT_ID, "denied/");
        let mut device = cloud.online(&config(Version::V311, 8883), &options()).await;
        let behind = numbered("a/behind", Qos::AtLeastOnce, 3);
        device.publish_all(&[denied()].into_iter().chain(behind).collect::<Vec<_>>()).await;
        device.until(|device| !device.disconnections().is_empty()).await;
        names(&device.disconnections()[0], &["iot:Publish", "denied/topic"]);
    })
    .await;
}

#[tokio::test]
async fn a_denied_message_among_others_that_are_under_way_costs_none_of_them() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.deny_publish(CLIENT_ID, "denied/");
        let mut device = cloud.online(&config(Version::V311, 8883), &options()).await;
        let mut messages = numbered("a/1", Qos::AtLeastOnce, 40);
        messages.insert(30, denied());
        messages.insert(10, Message { payload: b"forbidden as well".to_vec(), ..denied() });
        device.publish_all(&messages).await;
        device.settle().await;
        let failed: Vec<u64> = device.failures().iter().map(|(id, _)| *id).collect();
        assert_eq!(failed, [device.taken[10].0, device.taken[31].0]);
        assert_eq!(device.receipts().len(), 40);
        kept_its_promises(&device, &cloud.front.ledger());
        // Behind the last of them nothing was sent in vain.
        for message in &messages[32..] {
            assert_eq!(forwarded(&cloud.front.ledger(), message).len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_denied_message_that_is_at_most_once_ends_the_connection_and_not_the_session() {
    within(async {
        for (version, cause) in
            [(Version::V311, Cause::Transport(TransportErrorKind::ConnectionClosed)), (Version::V5, Cause::Forbidden)]
        {
            let cloud = MqttCloud::start().await;
            cloud.front.deny_publish(CLIENT_ID, "denied/");
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            device.publish(&at_most_once("denied/topic", *b"forbidden")).await;
            device.until(|device| !device.connections().is_empty()).await;
            let [error] = &device.disconnections()[..] else { panic!("{:?}", device.events) };
            assert_eq!(error.cause, cause);
            names(error, &["policy", &format!("iot:Publish on {ARN}topic/denied/topic")]);
            device.publish(&at_least_once("a/1", *b"allowed")).await;
            device.settle().await;
            assert_eq!(device.receipts().len(), 2);
            let fates: Vec<_> = cloud.front.ledger().all_publishes().iter().map(|publish| publish.fate).collect();
            assert_eq!(fates, [MqttFate::Refused, MqttFate::Forwarded]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_subscription_that_the_policy_denies_is_refused_by_name_and_not_asked_for_again() {
    within(async {
        for (version, code) in [(Version::V311, 0x80), (Version::V5, 0x87)] {
            let cloud = MqttCloud::start().await;
            cloud.front.deny_subscribe(CLIENT_ID, "denied/");
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            device.subscribe("a/1").await.unwrap();
            let error = device.subscribe("denied/+/x").await.unwrap_err();
            assert_eq!((error.cause, error.retry), (Cause::Forbidden, Retry::Never));
            assert_eq!(error.answer.as_ref().unwrap().status, code);
            let subscribe = format!("iot:Subscribe on {ARN}topicfilter/denied/+/x");
            names(&error, &["policy", &subscribe, &format!("iot:Receive on {ARN}topic/denied/*/x")]);

            cloud.front.ledger().clear();
            cloud.front.link().cut();
            device.until(|device| device.answers("a/1").len() == 2).await;
            device.serve(Duration::from_millis(100)).await;
            assert_eq!(device.answers("denied/+/x").len(), 1);
            assert_eq!(device.disconnections().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_filter_that_is_none_is_refused_before_anything_is_sent() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            for filter in ["", "a/#/b", "a+"] {
                let error = device.subscribe(filter).await.unwrap_err();
                assert_eq!((error.stage, error.delivery), (Stage::Preparation, Delivery::NotSent), "{error:?}");
                names(&error, &["topic filter"]);
            }
        }
    })
    .await;
}
