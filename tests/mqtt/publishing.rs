use thingpost_host::runtime::types::mqtt::Version;
use thingpost_host::runtime::types::{Message, Qos};

use crate::fixtures::deadline::within;
use crate::fixtures::mqtt::{MqttCloud, config, options};

#[tokio::test]
async fn a_device_publishes_with_its_certificate_on_both_ports_in_both_versions() {
    within(async {
        let cloud = MqttCloud::start().await;
        for (version, port, alpn) in
            [(Version::V311, 8883, None), (Version::V311, 443, Some("x-amzn-mqtt-ca")), (Version::V5, 8883, None), (Version::V5, 443, Some("x-amzn-mqtt-ca"))]
        {
            cloud.front.ledger().clear();
            let mut device = cloud.online(&config(version, port), &options()).await;
            let id = device.publish(&Message::new("a/b", *b"21.5", Qos::AtLeastOnce)).await;
            device.settle().await;
            let [(published, receipt)] = &device.receipts()[..] else { panic!("{:?}", device.events) };
            assert_eq!((*published, receipt.attempts), (id, 1));
            let publishes = cloud.front.ledger().publishes("a/b");
            assert_eq!(publishes.len(), 1, "{publishes:?}");
            let connect = cloud.front.ledger().connects().remove(0);
            assert_eq!(connect.alpn.as_deref(), alpn, "{version:?} {port}");
            device.session.disconnect().await.unwrap();
        }
    })
    .await;
}
