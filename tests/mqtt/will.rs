//! What the broker says in the device's name.

use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{MqttConfig, Version};
use thingpost_host::runtime::types::{Message, Properties, Qos};

use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, changed, config, options};

fn mortal(version: Version) -> MqttConfig {
    let properties = Properties { content_type: Some("text/plain".to_owned()), ..Properties::default() };
    let will = Message {
        retain: true,
        properties: (version == Version::V5).then_some(properties),
        ..at_least_once("a/gone", *b"thermometer-7")
    };
    changed(config(version, 8883), |session| session.will = Some(will))
}

#[tokio::test]
async fn a_device_that_is_lost_is_reported_by_its_will() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&mortal(version), &options()).await;
            // After the device: the cut is for all that there are.
            cloud.front.link().cut();
            device.until(|device| !device.disconnections().is_empty()).await;
            let mut listener = cloud.listener(version, "a/#").await;
            listener.until(|listener| !listener.messages().is_empty()).await;
            let message = listener.messages().remove(0);
            assert_eq!((message.topic.as_str(), &message.payload[..]), ("a/gone", &b"thermometer-7"[..]));
            assert_eq!(message.qos, Qos::AtLeastOnce);
            if version == Version::V5 {
                assert_eq!(message.properties.unwrap().content_type.as_deref(), Some("text/plain"));
            }
            let will = cloud.front.ledger().connects().remove(0).will.unwrap();
            assert_eq!((will.topic.as_str(), will.qos, will.retain), ("a/gone", 1, true));
        }
    })
    .await;
}

#[tokio::test]
async fn a_device_that_says_goodbye_is_not_reported() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut listener = cloud.listener(version, "a/#").await;
            let mut device = cloud.online(&mortal(version), &options()).await;
            device.session.disconnect().await.unwrap();
            listener.serve(Duration::from_millis(300)).await;
            assert_eq!(listener.messages(), []);
        }
    })
    .await;
}
