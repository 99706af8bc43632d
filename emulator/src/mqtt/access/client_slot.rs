//! A client id has one connection, and at Aliyun a device has one, whatever client id it names. The broker knows
//! nothing of devices, and closes the older connection without the word that MQTT 5 has for it. So there is one slot
//! for each, and the last to come has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::ledger::Device;

/// The owner of one connection: a device or a client id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::mqtt) enum Owner {
    Client(String),
    Device(Device),
}

/// The slots of an endpoint.
#[derive(Clone, Default)]
pub(in crate::mqtt) struct ClientSlots {
    taken: Arc<Mutex<HashMap<Owner, Occupant>>>,
}

struct Occupant {
    connection: u64,
    leave: Arc<Notify>,
}

/// A slot that a connection has, or has had. Dropping it leaves it.
pub(in crate::mqtt) struct ClientSlot {
    owner: Owner,
    connection: u64,
    leave: Arc<Notify>,
    slots: ClientSlots,
}

impl ClientSlots {
    /// Takes a slot, and tells its holder to leave.
    pub(in crate::mqtt) fn take(&self, owner: Owner, connection: u64) -> ClientSlot {
        let leave = Arc::new(Notify::new());
        let occupant = Occupant { connection, leave: Arc::clone(&leave) };
        if let Some(before) = self.lock().insert(owner.clone(), occupant) {
            // It is kept for one that is not waiting yet.
            before.leave.notify_one();
        }
        ClientSlot { owner, connection, leave, slots: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Occupant>> {
        self.taken.lock().expect("nothing panics while it holds the slots")
    }
}

impl ClientSlot {
    /// Ends when another connection has taken it.
    pub(in crate::mqtt) async fn is_lost(&self) {
        self.leave.notified().await;
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        if taken.get(&self.owner).is_some_and(|occupant| occupant.connection == self.connection) {
            taken.remove(&self.owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn whoever_comes_last_has_the_seat() {
        let slots = ClientSlots::default();
        let client = |id: &str| Owner::Client(id.to_owned());
        let first = slots.take(client("a"), 1);
        let other = slots.take(client("b"), 2);
        let second = slots.take(client("a"), 3);
        thingpost_patience::within(first.is_lost()).await;
        drop(first);
        assert!(timeout(Duration::from_millis(20), second.is_lost()).await.is_err());
        assert!(timeout(Duration::from_millis(20), other.is_lost()).await.is_err());
        assert_eq!(slots.lock().len(), 2);
        drop((second, other));
        assert!(slots.lock().is_empty());
    }
}
