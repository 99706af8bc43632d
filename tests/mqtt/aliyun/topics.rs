use thingpost_host::runtime::types::{Cause, Delivery, Field, Message, Properties, Qos, Stage, TopicError};

use super::super::judge::{kept_its_promises, numbered};
use super::broker::AliyunBrokerCloud;
use crate::fixtures::aliyun::TOPIC;
use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, patterned};

const OWN: &str = "/a1GFjLP3xxC/thermometer-7/user/get";
const FOREIGN: &str = "/a1GFjLP3xxC/other-8/user/update";

#[tokio::test]
async fn a_device_publishes_and_subscribes_to_its_own_topics() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let mut device = cloud.online().await;
        for filter in [OWN, "/sys/a1GFjLP3xxC/thermometer-7/thing/#", "/broadcast/a1GFjLP3xxC/+"] {
            device.subscribe(filter).await.unwrap();
        }
        // The broker behind the front gives each topic to all that subscribe to it.
        let messages = numbered(OWN, Qos::AtLeastOnce, 20);
        device.publish_all(&messages).await;
        device.publish_all(&numbered(TOPIC, Qos::AtMostOnce, 20)).await;
        device.settle().await;
        device.until(|device| device.messages().len() == 20).await;
        assert_eq!(device.payloads(), messages.into_iter().map(|message| message.payload).collect::<Vec<_>>());
        kept_its_promises(&device, &cloud.front.ledger());
        assert_eq!((device.receipts().len(), device.disconnections()), (40, vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_payload_may_have_256_kib_and_no_more() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let mut device = cloud.online().await;
        device.publish(&at_least_once(TOPIC, patterned(256 * 1024))).await;
        device.settle().await;
        assert!(cloud.front.ledger().payloads(TOPIC) == [patterned(256 * 1024)]);
        let error = device.try_publish(&at_least_once(TOPIC, patterned(256 * 1024 + 1))).await.unwrap_err();
        assert_eq!(error.cause, Cause::PayloadTooLarge);
        assert!(error.explanation.contains("262144"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_topic_of_another_device_is_refused_before_anything_is_sent() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let mut device = cloud.online().await;
        let published = device.try_publish(&at_least_once(FOREIGN, *b"x")).await.unwrap_err();
        let subscribed = device.subscribe(FOREIGN).await.unwrap_err();
        for error in [published, subscribed] {
            assert_eq!(error.cause, Cause::InvalidTopic(TopicError::OtherDevice));
            assert_eq!((error.stage, error.delivery), (Stage::Preparation, Delivery::NotSent));
            assert!(error.explanation.contains("/a1GFjLP3xxC/thermometer-7/"), "{}", error.explanation);
        }
        let error = device.subscribe("/a1GFjLP3xxC/thermometer-7/#/x").await.unwrap_err();
        assert_eq!(error.cause, Cause::InvalidField(Field::TopicFilter));
        // The platform closes the connection upon these.
        for message in [
            Message { retain: true, ..at_least_once(TOPIC, *b"x") },
            Message { rule: Some("r".to_owned()), ..at_least_once(TOPIC, *b"x") },
            Message { properties: Some(Properties::default()), ..at_least_once(TOPIC, *b"x") },
        ] {
            let error = device.try_publish(&message).await.unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::Unsupported, Stage::Preparation));
        }
        device.publish(&at_least_once(TOPIC, *b"x")).await;
        device.settle().await;
        assert_eq!((cloud.front.ledger().counts().publishes, device.disconnections()), (1, vec![]));
    })
    .await;
}
