//! The places of requests in guests: how many there are, in all and for a device, and a queue for those that find none.
//!
//! A host that starts an instance for each request, however many there are, runs out of what instances are made of: of 8,213
//! requests over 1,000 connections, `wasmtime serve` answered 7,403 with 500. Here there are places, as many as instances can be, and
//! a queue before them that ends. One device cannot take all: it has its own share of the places, and of the queue.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

/// Whose place it is; None for the default device.
pub(super) type Device = Option<Box<[u8]>>;

/// How many places there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlaceLimits {
    pub places: usize,
    pub per_device: usize,
    pub queue: usize,
}

/// All places, and the queue before them.
#[derive(Clone)]
pub(super) struct Places(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// The last one has gone.
    is_empty: Notify,
}

struct State {
    limits: PlaceLimits,
    is_closed: bool,
    taken: usize,
    devices: HashMap<Device, usize>,
    queue: VecDeque<Waiting>,
}

struct Waiting {
    device: Device,
    admit: oneshot::Sender<Place>,
}

/// A place that is taken, until this is dropped.
pub(super) struct Place {
    device: Device,
    places: Places,
}

/// How it went at the door.
pub(super) enum Entry {
    /// There was a place.
    Admitted(Place),
    /// There will be one, or none if the door is closed.
    Waits(Turn),
    Refused(Refusal),
}

/// A place in the queue, until this is dropped.
pub(super) struct Turn {
    admitted: oneshot::Receiver<Place>,
    places: Places,
}

/// Why a request is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The queue is full.
    Full,
    /// Of this device as many wait as may.
    DeviceFull,
    /// The server ends.
    Closed,
}

impl Places {
    pub fn new(limits: PlaceLimits) -> Self {
        let state = State { limits, is_closed: false, taken: 0, devices: HashMap::new(), queue: VecDeque::new() };
        Self(Arc::new(Shared { state: Mutex::new(state), is_empty: Notify::new() }))
    }

    pub fn enter(&self, device: Device) -> Entry {
        let mut state = self.state();
        if state.is_closed {
            return Entry::Refused(Refusal::Closed);
        }
        if state.has_room_for(&device) {
            state.take(device.clone());
            return Entry::Admitted(Place { device, places: self.clone() });
        }
        let waiting = state.queue.iter().filter(|waiting| waiting.device == device).count();
        if waiting >= state.limits.per_device {
            return Entry::Refused(Refusal::DeviceFull);
        }
        if state.queue.len() >= state.limits.queue {
            return Entry::Refused(Refusal::Full);
        }
        let (admit, admitted) = oneshot::channel();
        state.queue.push_back(Waiting { device, admit });
        Entry::Waits(Turn { admitted, places: self.clone() })
    }

    /// Places may become more, or fewer: those that are taken stay so.
    pub fn set_limits(&self, limits: PlaceLimits) {
        self.state().limits = limits;
        self.admit();
    }

    /// Lets no request in any more, and sends away those that wait.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.queue.clear();
        drop(state);
        self.notify_if_empty();
    }

    /// Waits until no place is taken.
    pub async fn emptied(&self) {
        loop {
            let is_empty = self.0.is_empty.notified();
            if self.taken() == 0 {
                return;
            }
            is_empty.await;
        }
    }

    pub fn taken(&self) -> usize {
        self.state().taken
    }

    pub fn waiting(&self) -> usize {
        self.state().queue.len()
    }

    fn leave(&self, device: &Device) {
        let mut state = self.state();
        state.taken -= 1;
        if let Some(taken) = state.devices.get_mut(device) {
            *taken -= 1;
            if *taken == 0 {
                state.devices.remove(device);
            }
        }
        drop(state);
        self.admit();
        self.notify_if_empty();
    }

    /// Lets in who has waited longest, of those for whom there is room.
    fn admit(&self) {
        loop {
            let mut state = self.state();
            let next = state.queue.iter().position(|waiting| state.has_room_for(&waiting.device));
            let Some(Waiting { device, admit }) = next.and_then(|next| state.queue.remove(next)) else { return };
            state.take(device.clone());
            drop(state);
            // If that one has gone, the place comes back, and with it this.
            _ = admit.send(Place { device, places: self.clone() });
        }
    }

    fn notify_if_empty(&self) {
        if self.taken() == 0 {
            self.0.is_empty.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room_for(&self, device: &Device) -> bool {
        let taken = self.devices.get(device).copied().unwrap_or_default();
        self.taken < self.limits.places && taken < self.limits.per_device
    }

    fn take(&mut self, device: Device) {
        self.taken += 1;
        *self.devices.entry(device).or_default() += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.leave(&self.device);
    }
}

impl Turn {
    /// The place, or None if the door was closed.
    pub async fn come(&mut self) -> Option<Place> {
        (&mut self.admitted).await.ok()
    }
}

/// One that goes makes room in the queue.
impl Drop for Turn {
    fn drop(&mut self) {
        self.admitted.close();
        // It may have come at the last moment, and is given back then.
        drop(self.admitted.try_recv());
        self.places.state().queue.retain(|waiting| !waiting.admit.is_closed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(places: usize, per_device: usize, queue: usize) -> Places {
        Places::new(PlaceLimits { places, per_device, queue })
    }

    fn device(name: &str) -> Device {
        Some(name.as_bytes().into())
    }

    fn admitted(entry: Entry) -> Place {
        match entry {
            Entry::Admitted(place) => place,
            Entry::Waits(_) => panic!("it has to wait"),
            Entry::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    fn waits(entry: Entry) -> Turn {
        match entry {
            Entry::Waits(turn) => turn,
            Entry::Admitted(_) => panic!("there is room"),
            Entry::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    fn refused(entry: Entry) -> Refusal {
        match entry {
            Entry::Refused(refusal) => refusal,
            _ => panic!("it was not refused"),
        }
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_waits_in_a_queue_that_ends() {
        let places = places(1, 9, 2);
        let first = admitted(places.enter(None));
        let (mut second, mut third) = (waits(places.enter(None)), waits(places.enter(device("a"))));
        assert_eq!(refused(places.enter(None)), Refusal::Full);
        drop(first);
        let second = second.come().await.unwrap();
        assert_eq!((places.taken(), places.waiting()), (1, 1));
        drop(second);
        drop(third.come().await.unwrap());
        assert_eq!((places.taken(), places.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn a_device_that_has_its_share_waits_while_others_pass() {
        let places = places(3, 2, 9);
        let mut ours = vec![admitted(places.enter(device("a"))), admitted(places.enter(device("a")))];
        let mut third = waits(places.enter(device("a")));
        let _fourth = waits(places.enter(device("a")));
        assert_eq!(refused(places.enter(device("a"))), Refusal::DeviceFull);
        let other = admitted(places.enter(device("b")));
        drop(other);
        assert!(third.admitted.try_recv().is_err(), "a free place is not for a device that has its share");
        ours.pop();
        third.come().await.unwrap();
    }

    #[test]
    fn who_no_longer_waits_makes_room_also_when_its_place_came_at_that_moment() {
        let places = places(1, 9, 1);
        let first = admitted(places.enter(None));
        drop(waits(places.enter(None)));
        let turn = waits(places.enter(None));
        drop(first);
        assert_eq!(places.taken(), 1, "the place is its own");
        drop(turn);
        assert_eq!((places.taken(), places.waiting()), (0, 0));
        admitted(places.enter(None));
    }

    #[tokio::test]
    async fn a_closed_door_sends_away_who_waits_and_is_empty_when_the_last_one_has_gone() {
        let places = places(1, 9, 9);
        let first = admitted(places.enter(None));
        let mut turn = waits(places.enter(None));
        places.close();
        assert!(turn.come().await.is_none());
        assert_eq!(refused(places.enter(None)), Refusal::Closed);
        let leaving = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        tokio::join!(places.emptied(), leaving);
    }

    #[tokio::test]
    async fn more_places_are_for_those_who_wait() {
        let places = places(1, 9, 9);
        let _first = admitted(places.enter(None));
        let mut turn = waits(places.enter(None));
        places.set_limits(PlaceLimits { places: 2, per_device: 9, queue: 9 });
        turn.come().await.unwrap();
    }
}
