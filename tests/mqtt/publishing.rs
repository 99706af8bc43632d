use std::sync::Arc;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::Version;
use thingpost_host::runtime::types::{Cause, Message, Qos};
use thingpost_patience::patience;

use super::judge::{kept_its_promises, numbered};
use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, at_most_once, patterned};
use crate::fixtures::mqtt::{Device, MqttCloud, VERSIONS, config, config_of, options};

#[tokio::test]
async fn a_device_publishes_with_its_certificate_on_both_ports_in_both_versions() {
    within(async {
        let cloud = MqttCloud::start().await;
        for (version, port, alpn) in [
            (Version::V311, 8883, None),
            (Version::V311, 443, Some("x-amzn-mqtt-ca")),
            (Version::V5, 8883, None),
            (Version::V5, 443, Some("x-amzn-mqtt-ca")),
        ] {
            cloud.front.ledger().clear();
            let mut device = cloud.online(&config(version, port), &options()).await;
            let id = device.publish(&Message::new("a/b", *b"21.5", Qos::AtLeastOnce)).await;
            device.settle().await;
            let [(published, receipt)] = &device.receipts()[..] else { panic!("{:?}", device.events) };
            assert_eq!((*published, receipt.attempts), (id, 1));
            let publishes = cloud.front.ledger().publishes("a/b");
            assert_eq!(publishes.len(), 1, "{publishes:?}");
            assert!(publishes[0].acknowledged && !publishes[0].dup);
            let connect = cloud.front.ledger().connects().remove(0);
            assert_eq!(connect.alpn.as_deref(), alpn, "{version:?} {port}");
            device.session.disconnect().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_at_most_once_arrives_without_an_acknowledgement() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            let mut listener = cloud.listener(version, "a/#").await;
            cloud.front.ledger().clear();
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            let id = device.publish(&at_most_once("a/b", *b"21.5")).await;
            device.settle().await;
            assert_eq!(device.receipts().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id]);
            listener.until(|listener| !listener.messages().is_empty()).await;
            let incoming = listener.messages().remove(0);
            assert_eq!((incoming.topic.as_str(), &incoming.payload[..]), ("a/b", &b"21.5"[..]));
            assert_eq!((incoming.qos, incoming.retain, incoming.duplicate), (Qos::AtMostOnce, false, false));
            let publish = cloud.front.ledger().publishes("a/b").remove(0);
            assert_eq!((publish.qos, publish.packet_id, publish.acknowledged), (0, None, false));
        }
    })
    .await;
}

#[tokio::test]
async fn payloads_arrive_as_they_are_from_nothing_to_128_kib() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            let mut listener = cloud.listener(version, "a/b").await;
            let mut device = cloud.online(&config(version, 443), &options()).await;
            let every_byte: Vec<u8> = (0..=255).collect();
            let payloads = [vec![], every_byte, vec![0; 3], patterned(16 * 1024 + 1), patterned(128 * 1024)];
            for payload in &payloads {
                device.publish(&at_least_once("a/b", payload.clone())).await;
            }
            device.settle().await;
            assert_eq!(device.receipts().len(), payloads.len());
            listener.until(|listener| listener.messages().len() == payloads.len()).await;
            assert!(listener.payloads() == payloads, "{version:?}");
            let error = device.try_publish(&at_least_once("a/b", patterned(128 * 1024 + 1))).await.unwrap_err();
            assert_eq!(error.cause, Cause::PayloadTooLarge);
            assert!(error.explanation.contains("131072"), "{}", error.explanation);
        }
    })
    .await;
}

#[tokio::test]
async fn five_hundred_messages_of_one_call_arrive_in_their_order_and_once() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            cloud.front.ledger().clear();
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            let messages: Vec<Message> = [("a/1", Qos::AtLeastOnce), ("a/0", Qos::AtMostOnce)]
                .map(|(topic, qos)| numbered(topic, qos, 250))
                .into_iter()
                .flatten()
                .collect();
            device.publish_all(&messages).await;
            device.settle().await;
            assert_eq!(device.receipts().len(), 500);
            let ledger = cloud.front.ledger();
            kept_its_promises(&device, &ledger);
            // What is at most once may still be on its way to the front.
            ledger.wait_for_publishes(500, patience()).await.unwrap();
            let came: Vec<Vec<u8>> = ledger.all_publishes().into_iter().map(|publish| publish.payload).collect();
            let sent: Vec<Vec<u8>> = messages.into_iter().map(|message| message.payload).collect();
            assert!(came == sent, "{version:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_for_a_rule_goes_to_basic_ingest() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        let message = Message { rule: Some("to_the_lake".to_owned()), ..at_least_once("a/b", *b"21.5") };
        device.publish(&message).await;
        device.settle().await;
        assert_eq!(device.receipts().len(), 1);
        assert_eq!(cloud.front.ledger().payloads("$aws/rules/to_the_lake/a/b"), [b"21.5"]);
    })
    .await;
}

#[tokio::test]
async fn two_devices_publish_at_once_over_one_transport() {
    within(async {
        let cloud = MqttCloud::start().await;
        let transport = cloud.transport(cloud.route());
        let open = |client_id: &str, version| {
            let (transport, config) = (transport.clone(), config_of(client_id, version));
            async move {
                let mut device = Device::open(transport, Arc::default(), &config, &options()).await;
                device.connect().await.unwrap();
                device
            }
        };
        let (mut one, mut other) = (open("one", Version::V311).await, open("other", Version::V5).await);
        let publish = async |device: &mut Device, topic: &str| {
            for message in numbered(topic, Qos::AtLeastOnce, 100) {
                device.publish(&message).await;
                device.receive(Duration::ZERO).await;
            }
            device.settle().await;
        };
        tokio::join!(publish(&mut one, "a/one"), publish(&mut other, "a/other"));
        let ledger = cloud.front.ledger();
        for device in [&one, &other] {
            kept_its_promises(device, &ledger);
            assert_eq!((device.receipts().len(), device.disconnections()), (100, vec![]));
        }
        assert_eq!(ledger.counts().forwarded, 200);
        assert_eq!(cloud.front.connections_mutual_tls().handshakes, 2);
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_cannot_be_published_to_is_refused_before_anything_is_sent() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        for topic in ["", "a/+", "a/#", "a/b/c/d/e/f/g/h/i"] {
            let error = device.try_publish(&at_least_once(topic, *b"x")).await.unwrap_err();
            assert!(matches!(error.cause, Cause::InvalidTopic(_)), "{topic}: {error:?}");
        }
        assert_eq!(device.session.outstanding().await.unwrap(), 0);
        device.publish(&at_least_once("a", *b"x")).await;
        device.settle().await;
        assert_eq!(cloud.front.ledger().counts().publishes, 1);
    })
    .await;
}
