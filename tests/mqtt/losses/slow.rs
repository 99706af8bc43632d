//! A link that is slow is not one that is broken.

use std::time::Duration;

use thingpost_emulator::LinkSpeed;
use thingpost_host::runtime::types::mqtt::{SessionOptions, Version};

use super::super::judge::kept_its_promises;
use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, patterned};
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, config, options};

/// Half a second for a message.
const SLOW: LinkSpeed = LinkSpeed { bytes_per_second: Some(200 * 1024), latency: Duration::from_millis(30) };

async fn five_large_messages(version: Version, options: &SessionOptions) -> usize {
    let cloud = MqttCloud::start().await;
    let mut device = cloud.online(&config(version, 8883), options).await;
    cloud.front.link().set_speed(SLOW);
    for number in 0..5 {
        device.publish(&at_least_once("a/1", patterned(100 * 1024 + number))).await;
    }
    device.settle().await;
    let ledger = cloud.front.ledger();
    kept_its_promises(&device, &ledger);
    assert_eq!(device.receipts().len(), 5);
    let mut came = ledger.payloads("a/1");
    came.dedup();
    for number in 0..5 {
        assert!(came.contains(&patterned(100 * 1024 + number)), "{number} did not come whole");
    }
    device.disconnections().len()
}

#[tokio::test]
async fn large_messages_come_whole_over_a_slow_link() {
    within(async {
        for version in VERSIONS {
            assert_eq!(five_large_messages(version, &options()).await, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn an_impatient_client_gives_a_slow_link_the_time_that_its_bytes_take() {
    within(async {
        // The first message alone takes half a second, and its acknowledgement comes behind it.
        let impatient = SessionOptions { operation_timeout_ms: Some(300), ..options() };
        assert_eq!(five_large_messages(Version::V5, &impatient).await, 0);
    })
    .await;
}

#[tokio::test]
async fn messages_that_come_over_a_slow_link_are_received_whole() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut listener = cloud.listener(version, "a/1").await;
            let mut device = cloud.online(&config(version, 443), &options()).await;
            cloud.front.link().set_speed(SLOW);
            let payloads = [patterned(100 * 1024), patterned(64 * 1024)];
            for payload in &payloads {
                device.publish(&at_least_once("a/1", payload.clone())).await;
            }
            device.settle().await;
            listener.until(|listener| listener.messages().len() == 2).await;
            assert!(listener.payloads() == payloads);
            assert_eq!(listener.disconnections(), []);
        }
    })
    .await;
}
