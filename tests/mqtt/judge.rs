//! What a session says of its messages, held against what the front has seen of them.

use std::collections::{BTreeMap, BTreeSet};

use thingpost_emulator::{MqttFate, MqttLedger, MqttPublish};
use thingpost_host::runtime::types::{Message, Qos};

use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::mqtt::Device;

/// So many messages of which no two are alike.
pub fn numbered(topic: &str, qos: Qos, count: usize) -> Vec<Message> {
    let message = |number: usize| match qos {
        Qos::AtLeastOnce => at_least_once(topic, format!("{topic} {number}")),
        Qos::AtMostOnce => at_most_once(topic, format!("{topic} {number}")),
    };
    (0..count).map(message).collect()
}

/// Payload by payload, how often it was forwarded.
pub fn forwarded(ledger: &MqttLedger, message: &Message) -> Vec<MqttPublish> {
    let is_this = |publish: &MqttPublish| publish.payload == message.payload && publish.fate == MqttFate::Forwarded;
    ledger.publishes(&message.topic).into_iter().filter(is_this).collect()
}

/// To be called when every message has its outcome. The payloads of one topic must differ.
///
/// - Each message that was taken has one outcome.
/// - What is said to be published was forwarded, and what is at most once was so at most once.
/// - Whatever came before is marked as a duplicate.
/// - The messages of a topic came in the order in which they were taken.
pub fn kept_its_promises(device: &Device, ledger: &MqttLedger) {
    let outcomes: Vec<u64> = device
        .receipts()
        .into_iter()
        .map(|(id, _)| id)
        .chain(device.failures().into_iter().map(|(id, _)| id))
        .collect();
    let ids: BTreeSet<u64> = outcomes.iter().copied().collect();
    assert_eq!(ids.len(), outcomes.len(), "a message has two outcomes: {outcomes:?}");
    assert_eq!(ids, device.taken.iter().map(|(id, _)| *id).collect(), "messages and outcomes");

    let published: BTreeSet<u64> = device.receipts().into_iter().map(|(id, _)| id).collect();
    let all = ledger.all_publishes();
    let mut first_seen: BTreeMap<&str, Vec<(usize, u64)>> = BTreeMap::new();
    for (id, message) in &device.taken {
        let is_this = |publish: &MqttPublish| publish.topic == message.topic && publish.payload == message.payload;
        let seen: Vec<(usize, &MqttPublish)> = all.iter().enumerate().filter(|(_, it)| is_this(it)).collect();
        let forwarded = seen.iter().filter(|(_, publish)| publish.fate == MqttFate::Forwarded).count();
        match message.qos {
            Qos::AtLeastOnce if published.contains(id) => assert!(forwarded >= 1, "{id} never came"),
            Qos::AtLeastOnce => {}
            Qos::AtMostOnce => assert!(forwarded <= 1, "{id} came {forwarded} times"),
        }
        for (_, again) in seen.iter().skip(1) {
            assert!(again.dup, "{id} came again and is not marked: {seen:?}");
        }
        if let Some((at, _)) = seen.iter().find(|(_, publish)| publish.fate == MqttFate::Forwarded) {
            first_seen.entry(&message.topic).or_default().push((*at, *id));
        }
    }
    for (topic, messages) in first_seen {
        assert!(messages.is_sorted(), "{topic} came out of order: {messages:?}");
    }
}
