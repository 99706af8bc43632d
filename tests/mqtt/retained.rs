//! Messages that stay with their topic.

use std::time::Duration;

use thingpost_host::runtime::types::Message;

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
