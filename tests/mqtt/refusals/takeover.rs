//! Two clients with one id.

use std::time::Duration;

use thingpost_emulator::MqttEnd;
use thingpost_emulator::MqttEntry;
use thingpost_host::runtime::types::mqtt::Version;
use thingpost_host::runtime::types::{Cause, Qos, TransportErrorKind};

use super::super::judge::{kept_its_promises, numbered};
use super::names;
use crate::fixtures::deadline::within;
use crate::fixtures::mqtt::{CLIENT_ID, MqttCloud, config, options};

#[tokio::test]
async fn who_is_thrown_out_by_another_client_of_the_same_id_is_told_the_id() {
    within(async {
        for (version, cause) in
            [(Version::V311, Cause::Transport(TransportErrorKind::ConnectionClosed)), (Version::V5, Cause::TakenOver)]
        {
            let cloud = MqttCloud::start().await;
            let mut first = cloud.online(&config(version, 8883), &options()).await;
            let _second = cloud.online(&config(version, 443), &options()).await;
            first.until(|first| !first.disconnections().is_empty()).await;
            let error = first.disconnections().remove(0);
            assert_eq!(error.cause, cause);
            names(&error, &["another client", &format!("`{CLIENT_ID}`")]);
            let taken_over = |entry: &MqttEntry| matches!(entry, MqttEntry::End(it) if it.end == MqttEnd::TakenOver);
            assert!(cloud.front.ledger().entries().iter().any(taken_over));
        }
    })
    .await;
}

#[tokio::test]
async fn two_clients_that_throw_each_other_out_lose_no_message_and_one_wins_when_the_other_goes() {
    within(async {
        for version in [Version::V311, Version::V5] {
            let cloud = MqttCloud::start().await;
            let mut first = cloud.online(&config(version, 8883), &options()).await;
            let mut second = cloud.online(&config(version, 443), &options()).await;
            for (one, other) in
                numbered("a/first", Qos::AtLeastOnce, 40).iter().zip(&numbered("a/second", Qos::AtLeastOnce, 40))
            {
                first.publish(one).await;
                second.publish(other).await;
                tokio::join!(first.serve(Duration::from_millis(15)), second.serve(Duration::from_millis(15)));
            }
            while first.disconnections().len() < 2 {
                tokio::join!(first.serve(Duration::from_millis(15)), second.serve(Duration::from_millis(15)));
            }
            second.session.disconnect().await.unwrap();
            first.settle().await;
            second.connect().await.unwrap();
            second.settle().await;
            for device in [&first, &second] {
                kept_its_promises(device, &cloud.front.ledger());
                assert_eq!((device.receipts().len(), device.failures()), (40, vec![]));
            }
        }
    })
    .await;
}
