//! A retained message outlives its sender: whoever subscribes later gets it, until another takes its place or an empty
//! one takes it away. Nobody can subscribe here, so what a subscriber would get can be asked for instead.

use std::collections::BTreeMap;

use super::publish::Publish;

/// The message that a topic retains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// After decoding.
    pub topic: String,
    /// Never empty.
    pub payload: Vec<u8>,
    /// What it was published with.
    pub qos: u8,
}

/// The retained messages by their topics.
#[derive(Default)]
pub(super) struct Store(BTreeMap<String, Retained>);

impl Store {
    /// Does what a message that was taken asks for.
    pub(super) fn apply(&mut self, publish: Publish, payload: &[u8]) {
        let Publish { topic, qos, retain } = publish;
        if !retain {
            return;
        }
        if payload.is_empty() {
            self.0.remove(&topic);
        } else {
            self.0.insert(topic.clone(), Retained { topic, payload: payload.to_vec(), qos });
        }
    }

    pub(super) fn all(&self) -> Vec<Retained> {
        self.0.values().cloned().collect()
    }
}
