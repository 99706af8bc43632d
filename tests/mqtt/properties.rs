//! What MQTT 5 brings along with a message.

use thingpost_emulator::MqttProperties;
use thingpost_host::runtime::types::mqtt::Version;
use thingpost_host::runtime::types::{Cause, Message, PayloadFormat, Properties};

use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{MqttCloud, config, options};

fn everything() -> Properties {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Properties {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        response_topic: Some("a/answers".to_owned()),
        message_expiry_s: Some(3600),
        payload_format: Some(PayloadFormat::Utf8Data),
        correlation_data: Some((0..=255).collect()),
        user_properties: vec![pair("unit", "°C"), pair("unit", "twice"), pair("", "")],
    }
}

#[tokio::test]
async fn properties_reach_the_broker_and_another_device() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut listener = cloud.listener(Version::V5, "a/#").await;
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        device.publish(&Message { properties: Some(everything()), ..at_least_once("a/b", *b"21.5") }).await;
        device.settle().await;
        listener.until(|listener| !listener.messages().is_empty()).await;

        let Properties { message_expiry_s, .. } = everything();
        let mut arrived = listener.messages().remove(0).properties.unwrap();
        // The broker subtracts the time that the message has waited.
        assert!(arrived.message_expiry_s.is_some_and(|left| (3590..=3600).contains(&left)), "{arrived:?}");
        arrived.message_expiry_s = message_expiry_s;
        assert_eq!(arrived, everything());

        let sent = cloud.front.ledger().publishes("a/b").remove(0).properties;
        let expected = MqttProperties {
            content_type: everything().content_type,
            response_topic: everything().response_topic,
            message_expiry: message_expiry_s,
            payload_format: Some(1),
            correlation_data: everything().correlation_data,
            user_properties: everything().user_properties,
        };
        assert!(sent == expected, "{sent:?}");
    })
    .await;
}

#[tokio::test]
async fn a_message_without_properties_brings_none() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut listener = cloud.listener(Version::V5, "a/#").await;
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        device.publish(&at_least_once("a/b", *b"21.5")).await;
        device.settle().await;
        listener.until(|listener| !listener.messages().is_empty()).await;
        let properties = listener.messages().remove(0).properties;
        assert!(properties.is_none_or(|properties| properties == Properties::default()));
        assert!(cloud.front.ledger().publishes("a/b").remove(0).properties == MqttProperties::default());
    })
    .await;
}

#[tokio::test]
async fn mqtt_3_has_no_properties_and_that_is_said_before_anything_is_sent() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(Version::V311, 8883), &options()).await;
        let message = Message { properties: Some(everything()), ..at_least_once("a/b", *b"21.5") };
        let error = device.try_publish(&message).await.unwrap_err();
        assert_eq!(error.cause, Cause::Unsupported);
        assert!(error.explanation.contains("MQTT 5"), "{}", error.explanation);
        assert_eq!(cloud.front.ledger().counts().publishes, 0);
    })
    .await;
}
