//! What one instance has not finished.

use std::collections::HashSet;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{SessionOptions, Unfinished, Version};
use thingpost_host::runtime::types::{Cause, Delivery, Message, Properties, Qos, Stage};

use super::super::judge::{forwarded, kept_its_promises, numbered};
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{Device, MqttCloud, VERSIONS, changed, config, options};
use crate::fixtures::random::Random;

/// 25 messages without an answer, 20 of them sent, and the last of them at most once.
async fn unanswered(cloud: &MqttCloud, version: Version) -> Device {
    let mut device = cloud.online(&config(version, 8883), &options()).await;
    cloud.front.link().half_open();
    device.publish_all(&numbered("a/1", Qos::AtLeastOnce, 24)).await;
    device.publish_all(&numbered("a/0", Qos::AtMostOnce, 1)).await;
    device
}

/// As if they had been in a file.
async fn left(mut device: Device) -> Vec<Unfinished> {
    device.session.disconnect().await.unwrap();
    device.session.unfinished().await.unwrap()
}

#[tokio::test]
async fn the_next_instance_sends_what_the_last_one_has_left_under_the_same_numbers() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let first = unanswered(&cloud, version).await;
            assert_eq!((first.receipts(), first.failures()), (vec![], vec![]));
            let left = left(first).await;
            assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), (1..=25).collect::<Vec<u64>>());
            for (index, it) in left.iter().enumerate() {
                let was_sent = index < 20;
                assert_eq!((it.packet_id.is_some(), it.attempts), (was_sent, u32::from(was_sent)), "{index}");
            }

            let mut next = cloud.reopen(&config(version, 8883), &options(), &left).await;
            assert_eq!(next.session.outstanding().await.unwrap(), 25);
            next.connect().await.unwrap();
            let id = next.publish(&at_least_once("a/1", *b"newer")).await;
            assert_eq!(id, 26);
            next.settle().await;
            kept_its_promises(&next, &cloud.front.ledger());
            assert_eq!(next.failures(), []);
            for (id, receipt) in next.receipts() {
                assert_eq!(receipt.attempts, if id <= 20 { 2 } else { 1 }, "{id}");
            }
            for it in &left[..24] {
                let [publish] = &forwarded(&cloud.front.ledger(), &it.message)[..] else { panic!("{}", it.id) };
                assert_eq!(publish.dup, it.packet_id.is_some());
                assert!(it.packet_id.is_none() || it.packet_id == publish.packet_id);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_broker_had_already_comes_to_it_again_as_a_duplicate() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let config = changed(config(version, 8883), |session| session.session_expiry_s = 3600);
            let mut first = cloud.online(&config, &options()).await;
            cloud.front.link().swallow_pubacks(3);
            let messages = numbered("a/1", Qos::AtLeastOnce, 3);
            first.publish_all(&messages).await;
            let ledger = cloud.front.ledger();
            while cloud.front.link().pending() > 0 {
                first.receive(Duration::from_millis(5)).await;
            }
            assert_eq!(first.receipts(), []);
            let left = left(first).await;
            let mut next = cloud.reopen(&config, &options(), &left).await;
            assert!(next.connect().await.unwrap().session_present);
            next.settle().await;
            kept_its_promises(&next, &ledger);
            for (message, left) in messages.iter().zip(&left) {
                let seen = forwarded(&ledger, message);
                assert_eq!(seen.iter().map(|it| it.dup).collect::<Vec<_>>(), [false, true]);
                assert!(seen.iter().all(|it| it.packet_id == left.packet_id));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn messages_go_through_many_instances_and_none_of_them_is_lost() {
    within(async {
        for (seed, version) in VERSIONS.into_iter().enumerate() {
            let cloud = MqttCloud::start().await;
            let mut random = Random::new(seed as u64);
            let all = numbered("a/1", Qos::AtLeastOnce, 150);
            let mut messages = all.iter().cloned();
            let (mut left, mut finished) = (Vec::new(), Vec::new());
            loop {
                let mut device = cloud.reopen(&config(version, 8883), &options(), &left).await;
                device.connect().await.unwrap();
                let batch: Vec<Message> = messages.by_ref().take(10 + random.below(20)).collect();
                device.publish_all(&batch).await;
                match random.below(3) {
                    _ if batch.is_empty() => {
                        cloud.front.link().heal();
                        device.settle().await;
                    }
                    0 => cloud.front.link().cut(),
                    1 => cloud.front.link().swallow_pubacks(random.below(5)),
                    _ => device.receive(Duration::from_millis(2)).await,
                }
                device.receive(Duration::from_millis(random.below(5) as u64)).await;
                device.session.disconnect().await.unwrap();
                // What had come until then.
                device.receive(Duration::ZERO).await;
                left = device.session.unfinished().await.unwrap();
                assert_eq!(device.failures(), []);
                // Numbers are of a session and of what it leaves.
                let message = |id| device.taken.iter().find(|(taken, _)| *taken == id).unwrap().1.payload.clone();
                finished.extend(device.receipts().into_iter().map(|(id, _)| message(id)));
                if batch.is_empty() {
                    break;
                }
            }
            assert_eq!(left, []);
            let sent: Vec<_> = all.into_iter().map(|message| message.payload).collect();
            assert_eq!(finished.len(), sent.len());
            assert_eq!(finished.iter().collect::<HashSet<_>>(), sent.iter().collect());
            let mut seen = HashSet::new();
            let mut came = cloud.front.ledger().payloads("a/1");
            came.retain(|payload| seen.insert(payload.clone()));
            assert!(came == sent);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_abandons_its_messages_is_told_where_each_of_them_stands() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = unanswered(&cloud, version).await;
            device.session.abandon().await.unwrap();
            assert_eq!(device.session.outstanding().await.unwrap(), 0);
            assert_eq!(device.session.unfinished().await.unwrap(), []);
            device.settle().await;
            assert_eq!(device.receipts(), []);
            let failures = device.failures();
            assert_eq!(failures.iter().map(|(id, _)| *id).collect::<Vec<_>>(), (1..=25).collect::<Vec<u64>>());
            for (id, error) in failures {
                assert_eq!((error.cause, error.stage), (Cause::Abandoned, Stage::Publication));
                let (delivery, attempts) = if id <= 20 { (Delivery::Unknown, 1) } else { (Delivery::NotSent, 0) };
                assert_eq!((error.delivery, error.attempts), (delivery, attempts), "{id}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_acknowledgement_that_comes_after_a_message_was_abandoned_is_none_of_another() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            cloud.broker.pause().await.unwrap();
            device.publish_all(&numbered("a/abandoned", Qos::AtLeastOnce, 3)).await;
            device.session.abandon().await.unwrap();
            let kept = numbered("a/kept", Qos::AtLeastOnce, 3);
            device.publish_all(&kept).await;
            cloud.broker.resume().unwrap();
            device.settle().await;
            kept_its_promises(&device, &cloud.front.ledger());
            assert_eq!(device.failures().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3]);
            assert_eq!(device.receipts().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [4, 5, 6]);
            assert_eq!(device.disconnections(), []);
            for message in &kept {
                let [publish] = &forwarded(&cloud.front.ledger(), message)[..] else { panic!("sent again") };
                assert!(publish.acknowledged);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_waited_when_the_connection_was_never_there_is_left_as_never_sent() {
    within(async {
        let cloud = MqttCloud::start().await;
        let options = SessionOptions { queue_unlimited: true, ..options() };
        let mut first = cloud.open(&config(Version::V5, 8883), &options).await;
        first.publish_all(&numbered("a/0", Qos::AtMostOnce, 1500)).await;
        let left = left(first).await;
        assert!(left.len() == 1500 && left.iter().all(|it| it.attempts == 0 && it.packet_id.is_none()));
        let mut next = cloud.reopen(&config(Version::V5, 8883), &options, &left).await;
        next.connect().await.unwrap();
        next.settle().await;
        assert_eq!(next.receipts().len(), 1500);
        kept_its_promises(&next, &cloud.front.ledger());
    })
    .await;
}

#[tokio::test]
async fn what_this_broker_cannot_take_has_its_outcome_and_holds_up_nothing() {
    within(async {
        let cloud = MqttCloud::start().await;
        let left = |id, topic| {
            let message = at_least_once(topic, *b"left");
            Unfinished { id, message, attempts: 0, packet_id: None, age_ms: None }
        };
        let left = [left(1, "a/#"), left(2, "a/1")];
        let mut device = cloud.reopen(&config(Version::V5, 8883), &options(), &left).await;
        device.connect().await.unwrap();
        device.until(|device| device.receipts().len() + device.failures().len() == 2).await;
        let [(id, error)] = &device.failures()[..] else { panic!("{:?}", device.events) };
        assert_eq!((*id, error.delivery), (1, Delivery::NotSent));
        assert_eq!(cloud.front.ledger().publishes("a/1").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_has_expired_between_two_sessions_is_not_sent_and_others_carry_what_is_left() {
    within(async {
        let cloud = MqttCloud::start().await;
        let left = |id, age_ms| {
            let properties = Properties { message_expiry_s: Some(1000), ..Properties::default() };
            let message = Message { properties: Some(properties), ..at_least_once("a/1", *b"left") };
            Unfinished { id, message, attempts: 0, packet_id: None, age_ms: Some(age_ms) }
        };
        let left = [left(1, 2_000_000), left(2, 400_000)];
        let mut device = cloud.reopen(&config(Version::V5, 8883), &options(), &left).await;
        device.connect().await.unwrap();
        device.until(|device| device.receipts().len() + device.failures().len() == 2).await;
        let [(id, error)] = &device.failures()[..] else { panic!("{:?}", device.events) };
        assert_eq!((*id, error.cause, error.delivery), (1, Cause::Expired, Delivery::NotSent));
        let [publish] = &cloud.front.ledger().publishes("a/1")[..] else { panic!() };
        // However long all of it took.
        assert!((1..=600).contains(&publish.properties.message_expiry.unwrap()), "{publish:?}");
    })
    .await;
}
