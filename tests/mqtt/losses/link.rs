//! The broker is there, and the way to it is not.

use std::cell::Cell;
use std::time::Duration;

use thingpost_host::runtime::types::{Cause, Qos, Stage, TransportErrorKind};
use thingpost_patience::patience;
use tokio::time::sleep;

use super::super::judge::numbered;
use super::{impatient, is, lost_nothing};
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{Device, MqttCloud, VERSIONS, changed, config, options};

const PAUSE: Duration = Duration::from_millis(10);

/// One message after the other, and some of each kind, until something else is over.
async fn traffic_until(device: &mut Device, is_over: &Cell<bool>) {
    let at_least_once = numbered("a/1", Qos::AtLeastOnce, 10_000);
    let at_most_once = numbered("a/0", Qos::AtMostOnce, 10_000);
    for (number, (one, zero)) in at_least_once.iter().zip(&at_most_once).enumerate() {
        if is_over.get() {
            break;
        }
        device.publish(one).await;
        if number % 4 == 0 {
            device.publish(zero).await;
        }
        device.serve(PAUSE).await;
    }
    device.settle().await;
}

#[tokio::test]
async fn a_link_that_is_cut_again_and_again_delays_messages_and_loses_none() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            let link = cloud.front.link();
            let (ledger, is_over) = (cloud.front.ledger(), Cell::new(false));
            tokio::join!(traffic_until(&mut device, &is_over), async {
                for cut in 1..=5 {
                    ledger.wait_for_counts(|it| it.connects >= cut, patience()).await.unwrap();
                    sleep(Duration::from_millis(100)).await;
                    link.cut();
                }
                is_over.set(true);
            });
            let lost = device.disconnections();
            assert!(lost.len() >= 3, "{lost:?}");
            for error in &lost {
                assert!(matches!(error.cause, Cause::Transport(_)) && error.stage == Stage::Connection, "{error:?}");
            }
            lost_nothing(&cloud, &device);
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_link_is_noticed_by_the_keep_alive_when_nothing_is_said() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let config = changed(config(version, 8883), |session| session.keep_alive_s = Some(3));
            let mut device = cloud.online(&config, &impatient()).await;
            // That a connection is kept which answers in time is tested in the core, with a clock of its own.
            cloud.front.link().half_open();
            device.until(|device| !device.disconnections().is_empty()).await;
            let lost = device.disconnections().remove(0);
            assert!(is(&lost, TransportErrorKind::KeepAliveTimeout), "{lost:?}");
            assert!(lost.explanation.contains("keep-alive"), "{}", lost.explanation);
            device.until(|device| !device.connections().is_empty()).await;
            device.publish(&at_least_once("a/1", *b"back")).await;
            device.settle().await;
            lost_nothing(&cloud, &device);
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_link_is_noticed_by_the_acknowledgement_that_does_not_come() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &impatient()).await;
            cloud.front.link().half_open();
            device.publish_all(&numbered("a/1", Qos::AtLeastOnce, 3)).await;
            device.settle().await;
            let lost = device.disconnections();
            assert!(lost.len() == 1 && is(&lost[0], TransportErrorKind::AnswerTimeout), "{lost:?}");
            assert!(lost[0].explanation.contains("acknowledgement is missing"), "{}", lost[0].explanation);
            lost_nothing(&cloud, &device);
            let receipts = device.receipts();
            assert!(receipts.iter().all(|(_, receipt)| receipt.attempts == 2), "{receipts:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_front_that_refuses_for_a_while_is_tried_until_it_does_not() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(VERSIONS[1], 8883), &options()).await;
        let link = cloud.front.link();
        link.refuse(true);
        link.cut();
        device.publish(&at_least_once("a/1", *b"patient")).await;
        device.until(|device| device.disconnections().len() >= 4).await;
        link.refuse(false);
        device.settle().await;
        lost_nothing(&cloud, &device);
    })
    .await;
}

#[tokio::test]
async fn a_reset_is_told_as_one_and_blames_no_message_however_often_it_comes() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            let link = cloud.front.link();
            link.swallow_pubacks(6);
            device.publish(&at_least_once("a/1", *b"innocent")).await;
            for round in 1..=6 {
                device.until(|_| cloud.front.ledger().counts().publishes == round).await;
                link.cut();
                device.until(|device| device.disconnections().len() as u64 == round).await;
                let lost = device.disconnections().pop().unwrap();
                assert!(is(&lost, TransportErrorKind::ConnectionReset), "{lost:?}");
                assert!(lost.explanation.contains("no verdict"), "{}", lost.explanation);
            }
            device.settle().await;
            lost_nothing(&cloud, &device);
            assert_eq!(device.receipts()[0].1.attempts, 7);
        }
    })
    .await;
}
