//! A session: one instance of the component, for one device.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::ResourceAny;

use super::super::bindings::mqtt::exports::thingpost::iot::mqtt_session::Guest;
use super::super::calls::{GuestStore, OUTCOME_BYTES};
use super::super::interrupt::Interrupt;
use super::super::types::mqtt::{Connection, Event, Subscription, Unfinished};
use super::super::types::{Error, Message};
use super::state::MqttState;

/// A device on a broker. `wit/mqtt.wit` says more about each function.
///
/// Nothing happens between calls: the holder of a session calls [`receive`](Self::receive) again and again. That is when
/// answers are read, pauses end, what a slow connection did not take at once is sent, and the connection is kept alive.
///
/// A call must be awaited to its end. Dropped in the middle (by `select!`, by a timeout) it leaves the instance where it
/// was, and each later call fails with [`CallError::Lost`](super::super::CallError::Lost); so does every call after one that
/// returned an error of wasmtime. The messages without an outcome are then of unknown fate. [`Interrupt`] is the way to have
/// `receive` return early.
pub struct MqttSession {
    store: GuestStore<MqttState>,
    guest: Guest,
    session: ResourceAny,
}

impl MqttSession {
    pub(super) fn new(store: GuestStore<MqttState>, guest: Guest, session: ResourceAny) -> Self {
        Self { store, guest, session }
    }

    /// Connects, once: until the broker has accepted or refused, or the connect timeout is over. After a success the
    /// session reconnects by itself.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn connect(&mut self) -> Result<Result<Connection, Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_connect(store, self.session)).await
    }

    /// Connects, and keeps trying: [`receive`](Self::receive) tells what comes of it.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn keep_connecting(&mut self) -> Result<()> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_keep_connecting(store, self.session)).await
    }

    /// Takes a message and numbers it; its outcome comes as an event. A message that is refused has its outcome right
    /// here.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn publish(&mut self, message: &Message) -> Result<Result<u64, Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_publish(store, self.session, message)).await
    }

    /// Takes many messages and numbers them, with fewer calls than [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn publish_all(&mut self, messages: &[Message]) -> Result<Vec<Result<u64, Error>>> {
        let (store, call) = self.store.begin_for(messages.len().saturating_mul(OUTCOME_BYTES))?;
        call.run(self.guest.session().call_publish_all(store, self.session, messages)).await
    }

    /// Asks the broker for the messages of a filter, now and after each reconnect. An invalid filter is refused right here.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn subscribe(&mut self, subscription: &Subscription) -> Result<Result<(), Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_subscribe(store, self.session, subscription)).await
    }

    /// Asks the broker for the messages of a filter no longer.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn unsubscribe(&mut self, filter: &str) -> Result<Result<(), Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_unsubscribe(store, self.session, filter)).await
    }

    /// Waits until something happens, the time is over or an [`Interrupt`] comes, and tells what it was. Zero does not
    /// wait. One interrupt ends one call: the next one waits again.
    ///
    /// Messages among the events are acknowledged with the next call of this or of [`disconnect`](Self::disconnect). A caller
    /// that cannot keep one calls neither, and gets it again.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn receive(&mut self, timeout: Duration) -> Result<Vec<Event>> {
        self.receive_at_most(timeout, u32::MAX).await
    }

    /// Waits as [`receive`](Self::receive) does, and tells no more than so many events.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn receive_at_most(&mut self, timeout: Duration, max_events: u32) -> Result<Vec<Event>> {
        let (store, call) = self.store.begin()?;
        let timeout_ms = milliseconds(timeout);
        let guest = self.guest.session();
        let received = guest.call_receive(store, self.session, timeout_ms, max_events);
        let events = call.waiting(timeout).run(received).await;
        self.store.data().interrupt().clear();
        events
    }

    /// The number of messages that have no outcome yet.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn outstanding(&mut self) -> Result<u32> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_outstanding(store, self.session)).await
    }

    /// Says goodbye and closes the connection. Messages without an outcome stay.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn disconnect(&mut self) -> Result<()> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_disconnect(store, self.session)).await
    }

    /// Sets for how long the broker keeps the session after each [`disconnect`](Self::disconnect) from now on, in seconds, in
    /// place of what the configuration says. The text says why not.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn expire_after_disconnect(&mut self, session_expiry_s: u32) -> Result<Result<(), String>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_expire_after_disconnect(store, self.session, session_expiry_s)).await
    }

    /// The messages without an outcome, oldest first, for the next session. They stay as well.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn unfinished(&mut self) -> Result<Vec<Unfinished>> {
        // All that waits, as its callers have given it: a guest holds no more than its memory.
        let (store, call) = self.store.begin_for(self.store.memory_bytes())?;
        call.run(self.guest.session().call_unfinished(store, self.session)).await
    }

    /// Ends every message that has no outcome yet with one. The events tell.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn abandon(&mut self) -> Result<()> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.session().call_abandon(store, self.session)).await
    }

    /// The handle by which another task makes [`receive`](Self::receive) return.
    pub fn interrupt(&self) -> Interrupt {
        self.store.data().interrupt().clone()
    }
}

/// Not less than that, since a rest of half a millisecond is not "do not wait".
fn milliseconds(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_no_time_at_all_is_no_wait() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_micros(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(20)), 20);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX);
    }
}
