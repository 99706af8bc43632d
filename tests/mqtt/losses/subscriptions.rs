//! A subscriber goes on to hear, whatever the broker has forgotten.

use std::fs;

use thingpost_emulator::MqttEntry;
use thingpost_host::runtime::types::Qos;
use thingpost_host::runtime::types::mqtt::{Subscription, Version};

use super::super::judge::numbered;
use super::lost_nothing;
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, changed, config, config_of, options};

/// Loses all that the broker has ever saved.
async fn lose_memory(cloud: &mut MqttCloud) {
    cloud.broker.kill().await.unwrap();
    fs::remove_file(cloud.broker.socket().with_file_name("mosquitto.db")).unwrap();
    cloud.broker.start_again().await.unwrap();
}

#[tokio::test]
async fn a_listener_subscribes_anew_when_the_broker_has_lost_its_memory_and_hears_again() {
    within(async {
        for version in VERSIONS {
            for session_expiry_s in [0, 3600] {
                let mut cloud = MqttCloud::start().await;
                let config_of_listener =
                    changed(config_of("listener", version), |session| session.session_expiry_s = session_expiry_s);
                let mut listener = cloud.online(&config_of_listener, &options()).await;
                for filter in ["a/1", "b/+", "c/#"] {
                    listener.subscribe(filter).await.unwrap();
                }
                lose_memory(&mut cloud).await;
                listener.until(|listener| listener.answers("c/#").len() == 2).await;
                assert!(listener.connections().iter().all(|connection| !connection.session_present));
                let mut device = cloud.online(&config(version, 8883), &options()).await;
                for topic in ["a/1", "b/2", "c/d/e"] {
                    device.publish(&at_least_once(topic, *b"again")).await;
                }
                device.settle().await;
                listener.until(|listener| listener.messages().len() == 3).await;
                for filter in ["a/1", "b/+", "c/#"] {
                    assert_eq!(listener.answers(filter), [Ok(Qos::AtLeastOnce), Ok(Qos::AtLeastOnce)], "{filter}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_remembers_is_not_asked_again() {
    within(async {
        for version in VERSIONS {
            let mut cloud = MqttCloud::start().await;
            let kept = changed(config(version, 8883), |session| session.session_expiry_s = 3600);
            let mut device = cloud.online(&kept, &options()).await;
            device.subscribe("a/1").await.unwrap();
            cloud.broker.restart().await.unwrap();
            device.until(|device| !device.connections().is_empty()).await;
            assert!(device.connections()[0].session_present);
            device.publish(&at_least_once("a/1", *b"to myself")).await;
            device.until(|device| !device.messages().is_empty()).await;
            assert_eq!(device.answers("a/1").len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn subscriptions_come_before_the_messages_that_have_waited() {
    within(async {
        for version in VERSIONS {
            let mut cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            device.subscribe("a/1").await.unwrap();
            cloud.broker.kill().await.unwrap();
            device.until(|device| !device.disconnections().is_empty()).await;
            device.publish_all(&numbered("a/1", Qos::AtLeastOnce, 20)).await;
            cloud.front.ledger().clear();
            cloud.broker.start_again().await.unwrap();
            device.settle().await;
            lost_nothing(&cloud, &device);
            let entries = cloud.front.ledger().entries();
            let first = |is_it: fn(&MqttEntry) -> bool| entries.iter().position(is_it).unwrap();
            let subscribe = first(|entry| matches!(entry, MqttEntry::Subscribe(it) if it.granted.is_some()));
            assert!(subscribe < first(|entry| matches!(entry, MqttEntry::Publish(_))), "{entries:#?}");
            // So it hears all of them itself.
            device.until(|device| device.messages().len() >= 20).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_subscription_that_is_made_without_a_connection_is_made_as_soon_as_there_is_one() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.open(&config(Version::V5, 443), &options()).await;
        let wanted = Subscription { filter: "a/1".to_owned(), qos: Qos::AtMostOnce, options: None };
        device.session.subscribe(&wanted).await.unwrap().unwrap();
        device.publish(&at_least_once("a/1", *b"to myself")).await;
        device.connect().await.unwrap();
        device.until(|device| !device.messages().is_empty()).await;
        assert_eq!(device.answers("a/1"), [Ok(Qos::AtMostOnce)]);
        assert_eq!(device.messages()[0].qos, Qos::AtMostOnce);
    })
    .await;
}
