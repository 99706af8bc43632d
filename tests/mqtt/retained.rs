//! Messages that stay with their topic.

use std::time::Duration;

use thingpost_host::runtime::types::Message;
use thingpost_host::runtime::types::mqtt::{RetainHandling, SubscriptionOptions, Version};

use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, config, config_of, options};

fn retained(payload: &[u8]) -> Message {
    Message { retain: true, ..at_least_once("a/b", payload) }
}

#[tokio::test]
async fn who_subscribes_later_gets_what_the_topic_has_kept_until_it_is_emptied() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            device.publish(&retained(b"old")).await;
            device.publish(&retained(b"kept")).await;
            device.settle().await;

            let mut late = cloud.online(&config_of("late", version), &options()).await;
            late.subscribe("a/#").await.unwrap();
            late.until(|late| !late.messages().is_empty()).await;
            device.publish(&at_least_once("a/b", *b"fresh")).await;
            device.settle().await;
            late.until(|late| late.messages().len() == 2).await;
            let heard: Vec<_> = late.messages().into_iter().map(|it| (it.payload, it.retain)).collect();
            assert_eq!(heard, [(b"kept".to_vec(), true), (b"fresh".to_vec(), false)]);

            device.publish(&retained(b"")).await;
            device.settle().await;
            let mut later = cloud.online(&config_of("later", version), &options()).await;
            later.subscribe("a/#").await.unwrap();
            later.serve(Duration::from_millis(200)).await;
            assert_eq!(later.messages(), []);
            assert!(cloud.front.ledger().publishes("a/b").iter().filter(|publish| publish.retain).count() == 3);
        }
    })
    .await;
}

#[tokio::test]
async fn with_mqtt_5_it_can_be_chosen_what_of_that_comes_and_how_it_looks() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        device.publish(&retained(b"kept")).await;
        device.settle().await;
        for (retain_handling, retain_as_published, expected) in [
            (RetainHandling::Always, false, &[("kept", true), ("kept", true), ("new", false)][..]),
            (RetainHandling::IfNew, true, &[("kept", true), ("new", true)]),
            (RetainHandling::Never, true, &[("new", true)]),
        ] {
            let mut listener = cloud.online(&config_of("listener", Version::V5), &options()).await;
            let asked = SubscriptionOptions { no_local: false, retain_as_published, retain_handling };
            for _ in 0..2 {
                listener.subscribe_with("a/b", Some(asked)).await.unwrap();
            }
            device.publish(&retained(b"new")).await;
            device.settle().await;
            listener.until(|listener| listener.messages().iter().any(|message| message.payload == b"new")).await;
            let came: Vec<_> = listener.messages().into_iter().map(|it| (it.payload, it.retain)).collect();
            let expected: Vec<_> =
                expected.iter().map(|(payload, retain)| (payload.as_bytes().to_vec(), *retain)).collect();
            assert_eq!(came, expected, "{retain_handling:?}");
            device.publish(&retained(b"kept")).await;
            device.settle().await;
        }
    })
    .await;
}
