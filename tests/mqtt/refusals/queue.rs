//! There is no connection, and messages come all the same.

use thingpost_host::runtime::types::mqtt::{FullQueue, SessionOptions, Version};
use thingpost_host::runtime::types::{Cause, Delivery, Qos, Stage};

use super::super::judge::{kept_its_promises, numbered};
use super::names;
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, config, options};

#[tokio::test]
async fn without_a_queue_a_message_is_refused_for_as_long_as_there_is_no_connection() {
    within(async {
        let cloud = MqttCloud::start().await;
        for version in VERSIONS {
            let options = SessionOptions { queue_limit: Some(0), ..options() };
            let mut device = cloud.open(&config(version, 8883), &options).await;
            for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
                let error = device.try_publish(&numbered("a", qos, 1)[0]).await.unwrap_err();
                assert_eq!((error.cause, error.delivery), (Cause::NotConnected, Delivery::NotSent));
                assert_eq!(error.stage, Stage::Publication);
                names(&error, &["connect", "queue"]);
            }
            device.connect().await.unwrap();
            device.publish(&at_least_once("a", *b"x")).await;
            device.settle().await;
            assert_eq!(device.receipts().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_refuses_the_newest_or_gives_up_the_oldest_as_it_was_told() {
    within(async {
        for full_queue in [FullQueue::DropNewest, FullQueue::DropOldest] {
            let cloud = MqttCloud::start().await;
            let options = SessionOptions { queue_limit: Some(10), full_queue, ..options() };
            let mut device = cloud.open(&config(Version::V5, 8883), &options).await;
            let messages = numbered("a/1", Qos::AtLeastOnce, 13);
            let mut refused = Vec::new();
            for message in &messages {
                refused.extend(device.try_publish(message).await.err());
            }
            assert_eq!(device.session.outstanding().await.unwrap(), 10);
            device.connect().await.unwrap();
            device.settle().await;
            let arrived = match full_queue {
                FullQueue::DropNewest => &messages[..10],
                FullQueue::DropOldest => {
                    let dropped: Vec<_> = device.failures();
                    assert_eq!(dropped.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3]);
                    refused.extend(dropped.into_iter().map(|(_, error)| error));
                    &messages[3..]
                }
            };
            assert_eq!(refused.len(), 3);
            for error in &refused {
                assert_eq!((error.cause, error.delivery), (Cause::QueueFull, Delivery::NotSent), "{error:?}");
                names(error, &["limit of the queue"]);
            }
            let payloads: Vec<_> = arrived.iter().map(|message| message.payload.clone()).collect();
            assert!(cloud.front.ledger().payloads("a/1") == payloads);
            kept_its_promises(&device, &cloud.front.ledger());
        }
    })
    .await;
}

#[tokio::test]
async fn bounds_that_cannot_work_are_refused_when_the_session_is_opened() {
    within(async {
        let cloud = MqttCloud::start().await;
        for (options, named) in [
            (SessionOptions { connect_timeout_ms: Some(0), ..options() }, "connect timeout"),
            (SessionOptions { max_in_flight: Some(0), ..options() }, "in flight"),
            (SessionOptions { max_in_flight: Some(1001), ..options() }, "1000"),
            (SessionOptions { reconnect_base_ms: Some(300), ..options() }, "reconnect"),
        ] {
            let problem = cloud.try_open(&config(Version::V5, 8883), &options).await.err().unwrap();
            assert!(problem.contains(named), "{problem}");
        }
        assert_eq!(cloud.front.connections_mutual_tls().accepted, 0);
    })
    .await;
}
