//! The broker goes, in every way in which a process can.

use std::collections::HashSet;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{SessionOptions, Version};
use thingpost_host::runtime::types::{Error, Qos, TransportErrorKind};
use tokio::time::sleep;

use super::super::judge::numbered;
use super::{impatient, is, lost_nothing, traffic};
use crate::fixtures::deadline::within;
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, changed, config, config_of, options};

const PAUSE: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_broker_that_is_killed_and_started_again_in_the_midst_of_messages_has_them_all() {
    within(async {
        for version in VERSIONS {
            let mut cloud = MqttCloud::start().await;
            // A listener whose session outlives the broker judges too: what it gets is what the broker had.
            let listening = changed(config_of("listener", version), |session| session.session_expiry_s = 3600);
            let mut listener = cloud.online(&listening, &options()).await;
            listener.subscribe("a/1").await.unwrap();
            listener.session.disconnect().await.unwrap();

            let mut device = cloud.online(&config(version, 8883), &options()).await;
            tokio::join!(traffic(&mut device, 120, PAUSE), async {
                sleep(Duration::from_millis(500)).await;
                cloud.broker.kill().await.unwrap();
                sleep(Duration::from_millis(1200)).await;
                cloud.broker.start_again().await.unwrap();
            });
            assert!(!device.connections().is_empty(), "it was never lost");
            lost_nothing(&cloud, &device);

            listener.connect().await.unwrap();
            let sent: Vec<_> = numbered("a/1", Qos::AtLeastOnce, 120).into_iter().map(|it| it.payload).collect();
            listener.until(|listener| listener.payloads().contains(&sent[119])).await;
            // What came twice counts where it came first.
            let mut seen = HashSet::new();
            let heard: Vec<_> =
                listener.payloads().into_iter().filter(|payload| seen.insert(payload.clone())).collect();
            let places: Vec<_> =
                heard.iter().map(|payload| sent.iter().position(|it| it == payload).unwrap()).collect();
            assert!(places.is_sorted(), "out of order: {places:?}");
            // What it has acknowledged in its last moment, a broker that is killed may not have saved.
            assert!(places.len() > 100, "{places:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_stopped_in_order_and_started_again_is_no_loss() {
    within(async {
        for version in VERSIONS {
            let mut cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 443), &options()).await;
            tokio::join!(traffic(&mut device, 60, PAUSE), async {
                for _ in 0..2 {
                    sleep(Duration::from_millis(300)).await;
                    cloud.broker.restart().await.unwrap();
                }
            });
            assert!(!device.connections().is_empty(), "it was never lost");
            lost_nothing(&cloud, &device);
        }
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_pauses_is_given_up_and_found_again() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &impatient()).await;
            traffic(&mut device, 15, PAUSE).await;
            cloud.broker.pause().await.unwrap();
            device.publish_all(&numbered("a/1", Qos::AtLeastOnce, 60)[15..]).await;
            // As long as both take, and not for a time that would be too short on a busy machine.
            let is_given_up = |error: &Error| {
                is(error, TransportErrorKind::AnswerTimeout) && error.explanation.contains("is missing")
            };
            let is_not_found = |error: &Error| error.explanation.contains("answered to CONNECT");
            device
                .until(|device| {
                    let lost = device.disconnections();
                    lost.iter().any(is_given_up) && lost.iter().any(is_not_found)
                })
                .await;
            cloud.broker.resume().unwrap();
            device.settle().await;
            lost_nothing(&cloud, &device);
        }
    })
    .await;
}

#[tokio::test]
async fn messages_wait_for_a_broker_that_comes_later_than_they() {
    within(async {
        for version in VERSIONS {
            let mut cloud = MqttCloud::start().await;
            cloud.broker.kill().await.unwrap();
            let mut device = cloud.open(&config(version, 8883), &options()).await;
            device.session.keep_connecting().await.unwrap();
            device.publish_all(&numbered("a/1", Qos::AtLeastOnce, 50)).await;
            device.until(|device| device.disconnections().len() >= 3).await;
            assert_eq!(device.receipts(), []);
            cloud.broker.start_again().await.unwrap();
            device.settle().await;
            lost_nothing(&cloud, &device);
            // None of them was tried in vain.
            assert!(device.receipts().iter().all(|(_, receipt)| receipt.attempts == 1));
        }
    })
    .await;
}

/// In real time, as it would be: all the other losses are shorter than they are out there.
#[tokio::test]
async fn a_message_each_second_arrives_though_the_broker_is_away_for_a_minute() {
    within(async {
        let mut cloud = MqttCloud::start().await;
        let patient = SessionOptions { reconnect_max_ms: Some(4000), ..SessionOptions::default() };
        let mut device = cloud.online(&config(Version::V311, 443), &patient).await;
        tokio::join!(traffic(&mut device, 75, Duration::from_secs(1)), async {
            sleep(Duration::from_millis(5500)).await;
            cloud.broker.kill().await.unwrap();
            sleep(Duration::from_secs(60)).await;
            cloud.broker.start_again().await.unwrap();
        });
        assert!(!device.connections().is_empty(), "it was never lost");
        lost_nothing(&cloud, &device);
    })
    .await;
}
