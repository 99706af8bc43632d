//! What a broker remembers of a device that is away.

use std::time::Duration;

use thingpost_host::runtime::types::Qos;
use thingpost_host::runtime::types::mqtt::{Event, RetainHandling, SubscriptionOptions, Version};
use thingpost_patience::patience;

use super::judge::numbered;
use crate::fixtures::deadline::within;
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, changed, config, config_of, options};

#[tokio::test]
async fn messages_for_a_device_that_was_away_come_after_its_return_if_the_session_is_kept() {
    within(async {
        for version in VERSIONS {
            for session_expiry_s in [3600, 0] {
                let cloud = MqttCloud::start().await;
                let config = changed(config(version, 8883), |session| session.session_expiry_s = session_expiry_s);
                let mut away = cloud.open(&config, &options()).await;
                assert!(!away.connect().await.unwrap().session_present);
                away.subscribe("a/b").await.unwrap();
                away.session.disconnect().await.unwrap();

                let mut device = cloud.online(&config_of("speaker", version), &options()).await;
                let messages = numbered("a/b", Qos::AtLeastOnce, 30);
                device.publish_all(&messages).await;
                device.settle().await;

                let is_kept = session_expiry_s > 0;
                assert_eq!(away.connect().await.unwrap().session_present, is_kept);
                if is_kept {
                    away.until(|away| away.messages().len() == messages.len()).await;
                    let expected: Vec<_> = messages.into_iter().map(|message| message.payload).collect();
                    assert_eq!(away.payloads(), expected);
                    assert!(away.messages().iter().all(|incoming| incoming.qos == Qos::AtLeastOnce));
                }
                away.serve(Duration::from_millis(200)).await;
                assert_eq!(away.messages().len(), if is_kept { 30 } else { 0 });
                // A broker that remembers is not asked again.
                assert_eq!(away.answers("a/b").len(), if is_kept { 1 } else { 2 });
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_nobody_came_back_for_is_not_acknowledged_and_comes_again() {
    within(async {
        for (version, is_handed_over) in VERSIONS.into_iter().flat_map(|version| [(version, false), (version, true)]) {
            let cloud = MqttCloud::start().await;
            let config = changed(config(version, 8883), |session| session.session_expiry_s = 3600);
            let mut forgetful = cloud.online(&config, &options()).await;
            forgetful.subscribe("a/b").await.unwrap();
            let mut device = cloud.online(&config_of("speaker", version), &options()).await;
            device.publish_all(&numbered("a/b", Qos::AtLeastOnce, 1)).await;
            device.settle().await;
            cloud.front.ledger().wait_for_counts(|it| it.deliveries == 1, patience()).await.unwrap();
            // The instance ends before it was asked, or before the caller had made anything of the answer.
            if is_handed_over {
                forgetful.until(|forgetful| !forgetful.messages().is_empty()).await;
            }
            drop(forgetful);

            let mut next = cloud.open(&config, &options()).await;
            assert!(next.connect().await.unwrap().session_present);
            next.until(|next| !next.messages().is_empty()).await;
            assert!(next.messages()[0].duplicate);
            assert_eq!(cloud.front.ledger().counts().confirmed, 0);
            next.session.receive(Duration::ZERO).await.unwrap();
            cloud.front.ledger().wait_for_counts(|it| it.confirmed == 1, patience()).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn no_more_is_handed_over_than_is_wanted_and_the_rest_is_not_acknowledged() {
    within(async {
        let cloud = MqttCloud::start().await;
        let config = changed(config(Version::V5, 8883), |session| session.session_expiry_s = 3600);
        let mut modest = cloud.online(&config, &options()).await;
        modest.subscribe("a/b").await.unwrap();
        modest.session.disconnect().await.unwrap();
        let mut device = cloud.online(&config_of("speaker", Version::V5), &options()).await;
        device.publish_all(&numbered("a/b", Qos::AtLeastOnce, 5)).await;
        device.settle().await;

        modest.connect().await.unwrap();
        let mut messages = 0;
        while messages < 2 {
            let events = modest.session.receive_at_most(Duration::from_secs(1), 2 - messages).await.unwrap();
            messages += events.iter().filter(|event| matches!(event, Event::Message(_))).count() as u32;
        }
        modest.session.disconnect().await.unwrap();
        cloud.front.ledger().wait_for_counts(|it| it.confirmed == 2, patience()).await.unwrap();
        let mut next = cloud.open(&config, &options()).await;
        next.connect().await.unwrap();
        next.until(|next| next.messages().len() >= 3).await;
        assert_eq!(next.messages().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn after_the_end_of_a_subscription_nothing_comes() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut listener = cloud.listener(version, "a/b").await;
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            let messages = numbered("a/b", Qos::AtLeastOnce, 2);
            device.publish(&messages[0]).await;
            device.settle().await;
            listener.until(|listener| listener.messages().len() == 1).await;
            listener.session.unsubscribe("a/b").await.unwrap().unwrap();
            let is_ended = |event: &Event| matches!(event, Event::Unsubscribed(_));
            listener.until(|listener| listener.events.iter().any(is_ended)).await;
            device.publish(&messages[1]).await;
            device.settle().await;
            listener.serve(Duration::from_millis(200)).await;
            assert_eq!(listener.messages().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_device_that_will_not_come_back_has_its_session_forgotten_at_its_goodbye() {
    within(async {
        for (expiry_s, is_kept) in [(None, true), (Some(0), false), (Some(600), true)] {
            let cloud = MqttCloud::start().await;
            let config = changed(config(Version::V5, 8883), |session| session.session_expiry_s = 3600);
            let mut device = cloud.online(&config, &options()).await;
            device.subscribe("a/b").await.unwrap();
            if let Some(seconds) = expiry_s {
                device.session.expire_after_disconnect(seconds).await.unwrap().unwrap();
            }
            device.session.disconnect().await.unwrap();
            assert_eq!(device.connect().await.unwrap().session_present, is_kept, "{expiry_s:?}");
        }
        let cloud = MqttCloud::start().await;
        let mut device = cloud.open(&config(Version::V311, 8883), &options()).await;
        let refused = device.session.expire_after_disconnect(0).await.unwrap().unwrap_err();
        assert!(refused.contains("MQTT 3.1.1"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn what_a_client_publishes_itself_does_not_come_if_it_wants_that() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(Version::V5, 8883), &options()).await;
        let no_local =
            SubscriptionOptions { no_local: true, retain_as_published: false, retain_handling: RetainHandling::Always };
        device.subscribe_with("a/own", Some(no_local)).await.unwrap();
        device.subscribe("a/all").await.unwrap();
        for topic in ["a/own", "a/all"] {
            device.publish_all(&numbered(topic, Qos::AtLeastOnce, 1)).await;
        }
        // In their order: what comes second would have come after the first.
        device.until(|device| !device.messages().is_empty()).await;
        assert_eq!(device.messages()[0].topic, "a/all");
        let mut other = cloud.online(&config_of("speaker", Version::V5), &options()).await;
        other.publish_all(&numbered("a/own", Qos::AtLeastOnce, 1)).await;
        device.until(|device| device.messages().len() == 2).await;
        assert_eq!(device.messages()[1].topic, "a/own");
    })
    .await;
}
