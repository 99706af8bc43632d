//! When an answer is lost, AWS may have acted or not. To read again does no harm; to change again may.

use serde_json::Value;
use thingpost_host::runtime::types::{Cause, Delivery, TransportErrorKind};

use super::operation::{Operation, furnished};
use super::{classic, named};
use crate::fixtures::aws::{AwsCloud, platform};
use crate::fixtures::deadline::within;
use crate::fixtures::host::{options, try_open};
use crate::fixtures::lossy_wire::LossyWire;
use crate::fixtures::message::at_least_once;

/// How often AWS has done what the operation does.
async fn times_done(cloud: &AwsCloud, operation: Operation) -> usize {
    let mut publisher = cloud.publisher().await;
    let version = |document: Vec<u8>| {
        let document: Value = serde_json::from_slice(&document).unwrap();
        document["version"].as_u64().unwrap() as usize
    };
    match operation {
        Operation::UpdateShadow => {
            let document = publisher.aws().get_shadow(&named("state")).await.unwrap().unwrap();
            // The first version was there before.
            version(document) - 1
        }
        Operation::DeleteShadow => {
            let gone = publisher.aws().get_shadow(&named("state")).await.unwrap().is_err();
            usize::from(gone)
        }
        Operation::SendUnconfirmedMessage | Operation::SendConfirmedMessage => cloud.emulator.direct_messages().len(),
        Operation::DeleteConnection => cloud.emulator.disconnections().len(),
        _ => {
            assert!(operation.is_read());
            // Nothing has changed.
            assert_eq!(version(publisher.aws().get_shadow(&classic()).await.unwrap().unwrap()), 1);
            0
        }
    }
}

#[tokio::test]
async fn reads_are_sent_again_and_changes_are_not_unless_they_may_arrive_twice() {
    within(async {
        for operation in Operation::ALL {
            let cloud = furnished().await;
            let wire = LossyWire::start(cloud.emulator.addr_mutual_tls()).await;
            let transport = cloud.transport_by_way_of(wire.address);
            let platform = platform(8443);
            let mut publisher = try_open(transport, &platform, &options(), None).await.unwrap();
            publisher.publish(&at_least_once("a", b"x")).await.unwrap().unwrap();
            wire.lose_next_answer();

            let outcome = operation.run(&mut publisher).await;
            assert_eq!(wire.lost(), 1, "{operation:?}: {outcome:?}");
            let done = times_done(&cloud, operation).await;
            if operation.is_read() {
                assert!(outcome.is_ok(), "{operation:?}: {outcome:?}");
            } else if operation == Operation::SendConfirmedMessage {
                assert!(outcome.is_ok(), "{operation:?}: {outcome:?}");
                assert_eq!(done, 2, "{operation:?}");
            } else {
                let error = outcome.unwrap_err();
                assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed), "{operation:?}");
                assert_eq!((error.delivery, error.attempts), (Delivery::Unknown, 1), "{operation:?}");
                assert_eq!(done, 1, "{operation:?}");
            }
        }
    })
    .await;
}
