//! Connections that go, brokers that go, acknowledgements that go: what was taken arrives all the same, in its order, and
//! its sender is told once what became of it.

mod acknowledgements;
mod broker;
mod link;
mod slow;
mod subscriptions;

use std::collections::HashSet;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::SessionOptions;
use thingpost_host::runtime::types::{Cause, Error, Message, Qos, TransportErrorKind};

use super::judge::{kept_its_promises, numbered};
use crate::fixtures::mqtt::{Device, MqttCloud, options};

/// Does not wait for long, but long enough for who is there to answer on a busy machine.
fn impatient() -> SessionOptions {
    SessionOptions { operation_timeout_ms: Some(1_000), connect_timeout_ms: Some(2_000), ..options() }
}

fn is(error: &Error, failure: TransportErrorKind) -> bool {
    error.cause == Cause::Transport(failure)
}

/// So many messages, one after the other, and some of each kind.
async fn traffic(device: &mut Device, count: usize, pause: Duration) {
    let at_least_once = numbered("a/1", Qos::AtLeastOnce, count);
    let at_most_once = numbered("a/0", Qos::AtMostOnce, count);
    for (number, (one, zero)) in at_least_once.into_iter().zip(at_most_once).enumerate() {
        device.publish(&one).await;
        if number % 4 == 0 {
            device.publish(&zero).await;
        }
        device.serve(pause).await;
    }
    device.settle().await;
}

/// Every message that is at least once has come, and all else is as it should be.
fn lost_nothing(cloud: &MqttCloud, device: &Device) {
    let ledger = cloud.front.ledger();
    kept_its_promises(device, &ledger);
    assert_eq!(device.failures(), []);
    let mut seen = HashSet::new();
    let came: Vec<Vec<u8>> = ledger.payloads("a/1").into_iter().filter(|it| seen.insert(it.clone())).collect();
    let wanted = |(_, message): &(u64, Message)| (message.topic == "a/1").then(|| message.payload.clone());
    let sent: Vec<Vec<u8>> = device.taken.iter().filter_map(wanted).collect();
    assert!(came == sent, "{} of {}", came.len(), sent.len());
}
