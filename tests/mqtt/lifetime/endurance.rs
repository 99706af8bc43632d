//! A device runs for years, and its instance with it.

use std::sync::Arc;

use thingpost_emulator::{MqttCounts, MqttRecording};
use thingpost_host::runtime::types::Qos;
use thingpost_host::runtime::types::mqtt::{SessionOptions, Version};
use thingpost_patience::patience;

use super::super::judge::numbered;
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{Device, MqttCloud, config, options, visible_mqtt};
use crate::fixtures::visible_memory::VisibleMemories;

const RECONNECTS: u64 = 300;
const PUBLISHES: u64 = 20_000;

#[tokio::test]
async fn hundreds_of_connections_and_thousands_of_messages_leave_nothing_behind() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.ledger().set_recording(MqttRecording::Counts);
        let memories = VisibleMemories::default();
        let pre = visible_mqtt(&memories);
        let options = SessionOptions { reconnect_base_ms: Some(1), reconnect_max_ms: Some(1), ..options() };
        let (transport, config) = (cloud.transport(cloud.route()), config(Version::V5, 8883));
        let mut device = Device::open_with(&pre, transport, Arc::default(), &config, &options, &[]).await;
        device.connect().await.unwrap();

        let (mut receipts, mut losses, mut after_the_first) = (0, 0, 0);
        let a_few = numbered("a/0", Qos::AtMostOnce, 1000);
        for round in 0..RECONNECTS {
            if round % 2 == 0 {
                device.session.disconnect().await.unwrap();
                device.connect().await.unwrap();
            } else {
                cloud.front.link().cut();
                device.until(|device| !device.connections().is_empty()).await;
                losses += device.disconnections().len();
            }
            if round % (RECONNECTS / (PUBLISHES / 1000)) == 0 {
                device.publish_all(&a_few).await;
            }
            device.publish(&at_least_once("a/1", *b"and one that is acknowledged")).await;
            device.settle().await;
            assert_eq!(device.failures(), []);
            receipts += device.receipts().len() as u64;
            device.events.clear();
            device.taken.clear();
            if round == RECONNECTS / 10 {
                after_the_first = memories.contents().count() * memories.size();
            }
        }
        assert_eq!(receipts, PUBLISHES + RECONNECTS);
        assert!(losses >= 150, "{losses}");
        assert_eq!((memories.contents().count(), memories.size()), (1, after_the_first), "it grows");
        device.session.disconnect().await.unwrap();
        // Each goodbye and each loss is an end, so no connection was left open.
        let ends = |it: &MqttCounts| it.ends == it.connects;
        let counts = cloud.front.ledger().wait_for_counts(ends, patience()).await.unwrap();
        assert!(counts.connects > RECONNECTS);
    })
    .await;
}
