//! What a client believes and what the broker has are two things, and the proxy sees both. The ledger keeps them side
//! by side, so that a test can say which message was lost, doubled, or taken and never acknowledged.
//!
//! A benchmark sends more messages than memory holds, so how much is kept can be chosen.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::entry::{MqttConnect, MqttDelivery, MqttEntry, MqttFate, MqttPublish};

/// What passed a proxy, in the order in which it arrived. Clones share the same entries.
#[derive(Clone, Default)]
pub struct MqttLedger {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
    connections: AtomicU64,
}

#[derive(Default)]
struct State {
    entries: Vec<MqttEntry>,
    /// How many entries were forgotten, so that those that are left keep their numbers.
    forgotten: u64,
    counts: MqttCounts,
    recording: MqttRecording,
}

/// How much a ledger keeps. What it counts does not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MqttRecording {
    /// Everything but passwords.
    #[default]
    Everything,
    /// An entry for each message, without its payload.
    WithoutPayloads,
    /// No entries for messages. Connections, subscriptions and ends still have theirs.
    Counts,
}

/// How often something happened, since the proxy was started or the ledger cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MqttCounts {
    /// CONNECT was read.
    pub connects: u64,
    /// A client was told that it is connected.
    pub admitted: u64,
    /// A client has published, whatever became of it.
    pub publishes: u64,
    /// A message of a client was forwarded to the broker.
    pub forwarded: u64,
    /// An acknowledgement was passed on to a client.
    pub acknowledged: u64,
    /// A message was passed on to a client.
    pub deliveries: u64,
    /// A client has acknowledged a message.
    pub confirmed: u64,
    /// A connection that had introduced itself came to its end.
    pub ends: u64,
}

/// A wait for a ledger ran out of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MqttWaitedInVain {
    /// For how long.
    pub deadline: Duration,
    /// What there was in the end.
    pub counts: MqttCounts,
}

impl fmt::Display for MqttWaitedInVain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waited {:?} for something that is not in the ledger: {:?}", self.deadline, self.counts)
    }
}

impl std::error::Error for MqttWaitedInVain {}

impl MqttLedger {
    /// All entries.
    pub fn entries(&self) -> Vec<MqttEntry> {
        self.state().entries.clone()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.state().entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was counted.
    pub fn counts(&self) -> MqttCounts {
        self.state().counts
    }

    /// How much is kept from now on.
    pub fn set_recording(&self, recording: MqttRecording) {
        self.state().recording = recording;
    }

    /// Every CONNECT.
    pub fn connects(&self) -> Vec<MqttConnect> {
        self.pick(|entry| match entry {
            MqttEntry::Connect(connect) => Some(connect),
            _ => None,
        })
    }

    /// Every message from a client, whatever became of it.
    pub fn all_publishes(&self) -> Vec<MqttPublish> {
        self.pick(|entry| match entry {
            MqttEntry::Publish(publish) => Some(publish),
            _ => None,
        })
    }

    /// The messages from clients to this topic, whatever became of them.
    pub fn publishes(&self, topic: &str) -> Vec<MqttPublish> {
        self.pick(|entry| match entry {
            MqttEntry::Publish(publish) if publish.topic == topic => Some(publish),
            _ => None,
        })
    }

    /// The payloads of the messages to this topic that were forwarded to the broker.
    pub fn payloads(&self, topic: &str) -> Vec<Vec<u8>> {
        let forwarded = |publish: &MqttPublish| publish.topic == topic && publish.fate == MqttFate::Forwarded;
        let state = self.state();
        let payload = |entry: &MqttEntry| match entry {
            MqttEntry::Publish(publish) if forwarded(publish) => Some(publish.payload.clone()),
            _ => None,
        };
        state.entries.iter().filter_map(payload).collect()
    }

    /// The messages from clients whose acknowledgement was passed on.
    pub fn acknowledged(&self) -> Vec<MqttPublish> {
        self.pick(|entry| match entry {
            MqttEntry::Publish(publish) if publish.acknowledged => Some(publish),
            _ => None,
        })
    }

    /// Every message to a client.
    pub fn deliveries(&self) -> Vec<MqttDelivery> {
        self.pick(|entry| match entry {
            MqttEntry::Delivery(delivery) => Some(delivery),
            _ => None,
        })
    }

    /// Forgets all entries, and counts from 0.
    pub fn clear(&self) {
        drop(self.take());
    }

    /// All entries, which it forgets, and counts from 0.
    pub fn take(&self) -> Vec<MqttEntry> {
        let mut state = self.state();
        state.counts = MqttCounts::default();
        state.forgotten += state.entries.len() as u64;
        std::mem::take(&mut state.entries)
    }

    /// Waits until the entries are as they should be, and returns them. They are looked at after each change, while the
    /// ledger is held: `is_so` must not ask the ledger itself.
    ///
    /// # Errors
    /// When they are not after `deadline`.
    pub async fn wait_until(
        &self,
        is_so: impl Fn(&[MqttEntry]) -> bool,
        deadline: Duration,
    ) -> Result<Vec<MqttEntry>, MqttWaitedInVain> {
        self.wait(|state| is_so(&state.entries), deadline).await?;
        Ok(self.entries())
    }

    /// Waits until what was counted is as it should be, and returns it.
    ///
    /// # Errors
    /// When it is not after `deadline`.
    pub async fn wait_for_counts(
        &self,
        is_so: impl Fn(&MqttCounts) -> bool,
        deadline: Duration,
    ) -> Result<MqttCounts, MqttWaitedInVain> {
        self.wait(|state| is_so(&state.counts), deadline).await?;
        Ok(self.counts())
    }

    /// Waits until at least so many messages were forwarded to the broker.
    ///
    /// # Errors
    /// When there are fewer after `deadline`.
    pub async fn wait_for_publishes(&self, count: u64, deadline: Duration) -> Result<MqttCounts, MqttWaitedInVain> {
        self.wait_for_counts(|counts| counts.forwarded >= count, deadline).await
    }

    async fn wait(&self, is_so: impl Fn(&State) -> bool, deadline: Duration) -> Result<(), MqttWaitedInVain> {
        let wait = async {
            loop {
                // Enabled before the look, so that no change between the two is missed.
                let mut changed = std::pin::pin!(self.inner.changed.notified());
                changed.as_mut().enable();
                if is_so(&self.state()) {
                    return;
                }
                changed.await;
            }
        };
        let waited = timeout(deadline, wait).await;
        waited.map_err(|_| MqttWaitedInVain { deadline, counts: self.counts() })
    }

    pub(super) fn next_connection(&self) -> u64 {
        self.inner.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What is kept of messages now.
    pub(super) fn recording(&self) -> MqttRecording {
        self.state().recording
    }

    /// Adds an entry and counts it. Returns its number, by which it can be changed.
    pub(super) fn record(&self, entry: MqttEntry) -> u64 {
        self.change(|state| {
            let counts = &mut state.counts;
            match &entry {
                MqttEntry::Connect(_) => counts.connects += 1,
                MqttEntry::Publish(publish) => counts.publish(publish.fate),
                MqttEntry::Delivery(_) => counts.deliveries += 1,
                MqttEntry::End(_) => counts.ends += 1,
                MqttEntry::Subscribe(_) | MqttEntry::Unsubscribe(_) => {}
            }
            state.entries.push(entry);
            state.forgotten + state.entries.len() as u64 - 1
        })
    }

    /// Counts a message without keeping it.
    pub(super) fn count_publish(&self, fate: MqttFate) {
        self.change(|state| state.counts.publish(fate));
    }

    /// Counts a message without keeping it.
    pub(super) fn count_delivery(&self) {
        self.change(|state| state.counts.deliveries += 1);
    }

    /// The CONNACK of the CONNECT of that number.
    pub(super) fn answer_connect(&self, number: u64, code: u8) {
        self.change(|state| {
            state.counts.admitted += u64::from(code == 0);
            if let Some(MqttEntry::Connect(connect)) = state.entry(number) {
                connect.connack = Some(code);
            }
        });
    }

    /// The SUBACK of the SUBSCRIBE of that number.
    pub(super) fn answer_subscribe(&self, number: u64, codes: &[u8]) {
        self.change(|state| {
            if let Some(MqttEntry::Subscribe(subscribe)) = state.entry(number) {
                subscribe.granted = Some(codes.to_vec());
            }
        });
    }

    /// An acknowledgement is passed on to the client, for the message of that number if that was kept.
    pub(super) fn acknowledge(&self, number: Option<u64>) {
        self.change(|state| {
            state.counts.acknowledged += 1;
            if let Some(MqttEntry::Publish(publish)) = number.and_then(|number| state.entry(number)) {
                publish.acknowledged = true;
            }
        });
    }

    /// The client has acknowledged the message of that number if that was kept.
    pub(super) fn confirm(&self, number: Option<u64>) {
        self.change(|state| {
            state.counts.confirmed += 1;
            if let Some(MqttEntry::Delivery(delivery)) = number.and_then(|number| state.entry(number)) {
                delivery.acknowledged = true;
            }
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.inner.changed.notify_waiters();
        result
    }

    fn pick<T: Clone>(&self, pick: impl Fn(&MqttEntry) -> Option<&T>) -> Vec<T> {
        self.state().entries.iter().filter_map(pick).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().expect("nothing panics while it holds the ledger")
    }
}

impl State {
    fn entry(&mut self, number: u64) -> Option<&mut MqttEntry> {
        let index = usize::try_from(number.checked_sub(self.forgotten)?).ok()?;
        self.entries.get_mut(index)
    }
}

impl MqttCounts {
    fn publish(&mut self, fate: MqttFate) {
        self.publishes += 1;
        self.forwarded += u64::from(fate == MqttFate::Forwarded);
    }
}

impl fmt::Debug for MqttLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.state().entries.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::MqttProperties;
    use super::*;

    fn publish(topic: &str, fate: MqttFate) -> MqttEntry {
        MqttEntry::Publish(MqttPublish {
            connection: 1,
            topic: topic.to_owned(),
            payload: topic.as_bytes().to_vec(),
            qos: 1,
            retain: false,
            dup: false,
            packet_id: Some(1),
            properties: MqttProperties::default(),
            fate,
            acknowledged: false,
        })
    }

    #[test]
    fn an_acknowledgement_finds_its_message_even_after_others_were_forgotten() {
        let ledger = MqttLedger::default();
        let old = ledger.record(publish("old", MqttFate::Forwarded));
        assert_eq!(ledger.take().len(), 1);
        let new = ledger.record(publish("new", MqttFate::Forwarded));
        ledger.acknowledge(Some(old));
        assert!(ledger.acknowledged().is_empty());
        ledger.acknowledge(Some(new));
        assert_eq!(ledger.acknowledged()[0].topic, "new");
        assert_eq!(ledger.counts(), MqttCounts { publishes: 1, forwarded: 1, acknowledged: 2, ..Default::default() });
    }

    #[test]
    fn payloads_are_those_that_the_broker_has() {
        let ledger = MqttLedger::default();
        ledger.record(publish("t", MqttFate::Dropped));
        ledger.record(publish("t", MqttFate::Forwarded));
        ledger.record(publish("u", MqttFate::Forwarded));
        assert_eq!(ledger.publishes("t").len(), 2);
        assert_eq!(ledger.payloads("t"), [b"t"]);
    }

    #[tokio::test]
    async fn waiting_ends_when_the_entries_are_there_or_the_deadline_has_passed() {
        let ledger = MqttLedger::default();
        let waiting = {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.wait_for_publishes(1, thingpost_patience::patience()).await })
        };
        tokio::task::yield_now().await;
        ledger.record(publish("t", MqttFate::Forwarded));
        assert_eq!(waiting.await.unwrap().unwrap().publishes, 1);
        let late = ledger.wait_until(|entries| entries.len() > 1, Duration::from_millis(10)).await;
        assert!(late.unwrap_err().to_string().contains("publishes: 1"));
    }
}
