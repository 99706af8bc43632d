//! A client id has one connection, and at Aliyun a device has one, whatever client id it names. The broker knows
//! nothing of devices, and closes the older connection without the word that MQTT 5 has for it. So there is one seat
//! for each, and whoever comes last has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::ledger::Device;

/// Who can have one connection only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::mqtt) enum Owner {
    Client(String),
    Device(Device),
}

/// The seats of an endpoint.
#[derive(Clone, Default)]
pub(in crate::mqtt) struct Seats {
    taken: Arc<Mutex<HashMap<Owner, Occupant>>>,
}

struct Occupant {
    connection: u64,
    leave: Arc<Notify>,
}

/// A seat that a connection has, or has had. Dropping it leaves it.
pub(in crate::mqtt) struct Seat {
    owner: Owner,
    connection: u64,
    leave: Arc<Notify>,
    seats: Seats,
}

impl Seats {
    /// Takes a seat, and tells whoever has it to leave.
    pub(in crate::mqtt) fn take(&self, owner: Owner, connection: u64) -> Seat {
        let leave = Arc::new(Notify::new());
        let occupant = Occupant { connection, leave: Arc::clone(&leave) };
        if let Some(before) = self.lock().insert(owner.clone(), occupant) {
            // It is kept for one that is not waiting yet.
            before.leave.notify_one();
        }
        Seat { owner, connection, leave, seats: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Occupant>> {
        self.taken.lock().expect("nothing panics while it holds the seats")
    }
}

impl Seat {
    /// Ends when somebody else has taken it.
    pub(in crate::mqtt) async fn is_lost(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
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
        let seats = Seats::default();
        let client = |id: &str| Owner::Client(id.to_owned());
        let first = seats.take(client("a"), 1);
        let other = seats.take(client("b"), 2);
        let second = seats.take(client("a"), 3);
        thingpost_patience::within(first.is_lost()).await;
        drop(first);
        assert!(timeout(Duration::from_millis(20), second.is_lost()).await.is_err());
        assert!(timeout(Duration::from_millis(20), other.is_lost()).await.is_err());
        assert_eq!(seats.lock().len(), 2);
        drop((second, other));
        assert!(seats.lock().is_empty());
    }
}
