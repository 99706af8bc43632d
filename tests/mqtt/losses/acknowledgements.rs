//! A message has arrived, or not, and there is no word of it.

use thingpost_emulator::{MqttFate, PublishMoment};
use thingpost_host::runtime::types::{Qos, TransportErrorKind};

use super::super::judge::{forwarded, kept_its_promises, numbered};
use super::{impatient, is, lost_nothing};
use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::mqtt::{MqttCloud, VERSIONS, config, options};

#[tokio::test]
async fn a_message_whose_acknowledgement_is_lost_is_sent_again_as_a_duplicate() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &impatient()).await;
            cloud.front.link().swallow_pubacks(1);
            let message = at_least_once("a/1", *b"21.5");
            let id = device.publish(&message).await;
            device.settle().await;
            let [(published, receipt)] = &device.receipts()[..] else { panic!("{:?}", device.events) };
            assert_eq!((*published, receipt.attempts), (id, 2));
            let [lost] = &device.disconnections()[..] else { panic!("{:?}", device.events) };
            assert!(is(lost, TransportErrorKind::AnswerTimeout), "{lost:?}");
            let seen = forwarded(&cloud.front.ledger(), &message);
            assert_eq!(
                seen.iter().map(|it| (it.dup, it.acknowledged)).collect::<Vec<_>>(),
                [(false, false), (true, true)]
            );
            assert_eq!(seen[0].packet_id, seen[1].packet_id);
            assert_eq!(cloud.front.link().pending(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn one_lost_acknowledgement_among_many_holds_up_no_other_and_is_made_good() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &impatient()).await;
            cloud.front.link().swallow_pubacks(2);
            device.publish_all(&numbered("a/1", Qos::AtLeastOnce, 60)).await;
            device.settle().await;
            lost_nothing(&cloud, &device);
            let again = cloud.front.ledger().all_publishes().iter().filter(|publish| publish.dup).count();
            assert!((2..=20).contains(&again), "{again} were sent again");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_closes_at_a_message_closes_before_or_after_the_broker_has_it() {
    within(async {
        for version in VERSIONS {
            for (moment, fates) in [
                (PublishMoment::BeforeForwarding, [MqttFate::Dropped, MqttFate::Forwarded]),
                (PublishMoment::AfterForwarding, [MqttFate::Forwarded, MqttFate::Forwarded]),
            ] {
                let cloud = MqttCloud::start().await;
                let mut device = cloud.online(&config(version, 8883), &options()).await;
                cloud.front.link().close_at_publish(3, moment);
                let messages = numbered("a/1", Qos::AtLeastOnce, 10);
                device.publish_all(&messages).await;
                device.settle().await;
                lost_nothing(&cloud, &device);
                let third: Vec<_> = cloud
                    .front
                    .ledger()
                    .publishes("a/1")
                    .into_iter()
                    .filter(|publish| publish.payload == messages[2].payload)
                    .map(|publish| (publish.fate, publish.dup))
                    .collect();
                assert_eq!(third, [(fates[0], false), (fates[1], true)], "{version:?} {moment:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_at_most_once_is_not_sent_again_whatever_became_of_it() {
    within(async {
        for version in VERSIONS {
            for moment in [PublishMoment::BeforeForwarding, PublishMoment::AfterForwarding] {
                let cloud = MqttCloud::start().await;
                let mut device = cloud.online(&config(version, 8883), &options()).await;
                cloud.front.link().close_at_publish(1, moment);
                device.publish(&at_most_once("a/0", *b"once")).await;
                device.until(|device| !device.connections().is_empty()).await;
                device.publish(&at_least_once("a/1", *b"after")).await;
                device.settle().await;
                assert_eq!(device.receipts().len(), 2);
                kept_its_promises(&device, &cloud.front.ledger());
                assert_eq!(cloud.front.ledger().publishes("a/0").len(), 1);
            }
        }
    })
    .await;
}
