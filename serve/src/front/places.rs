//! The places of connections: how many there are, and which of them is given away when there are too many.
//!
//! A bound alone helps those who come first: a thousand clients that send half a request line each, and again when they are closed,
//! keep all others out. So one connection more closes the one that has been without a request for longest. A client that
//! sends its request at once is never that one.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All connections of a front.
pub(super) struct Places {
    limit: usize,
    taken: Mutex<Taken>,
    /// Each time one has no request any more.
    changed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// By their number: since when they have been without a request, as a number that grows.
    places: HashMap<u64, Option<u64>>,
    /// Those without a request, the longest first.
    waiting: BTreeMap<u64, (u64, Arc<Notify>)>,
}

/// The place of one connection. Dropping it gives it back.
pub(super) struct Place {
    all: Arc<Places>,
    number: u64,
    evicted: Arc<Notify>,
    answered: AtomicBool,
}

impl Places {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, taken: Mutex::default(), changed: Notify::new() })
    }

    /// A place for one connection more, if need be that of one without a request. None where all have one.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.places.len() >= self.limit {
            let (_, (number, evicted)) = taken.waiting.pop_first()?;
            taken.places.remove(&number);
            evicted.notify_one();
        }
        let number = taken.number();
        taken.places.insert(number, None);
        drop(taken);
        let place = Place { all: Arc::clone(self), number, evicted: Arc::default(), answered: AtomicBool::new(false) };
        place.waits();
        Some(place)
    }

    /// Resolves when no connection has a request any more.
    pub async fn quiet(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // What changes from here on is noticed.
            changed.as_mut().enable();
            if self.busy() == 0 {
                return;
            }
            changed.await;
        }
    }

    /// How many have a request.
    pub fn busy(&self) -> usize {
        let taken = self.taken();
        taken.places.len() - taken.waiting.len()
    }

    /// How many are taken.
    pub fn open(&self) -> usize {
        self.taken().places.len()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Place {
    /// The connection has no request: it may be the next to go.
    pub fn waits(&self) {
        let mut taken = self.all.taken();
        let since = taken.number();
        if let Some(place) = taken.places.get_mut(&self.number)
            && place.replace(since).is_none()
        {
            taken.waiting.insert(since, (self.number, Arc::clone(&self.evicted)));
        }
        drop(taken);
        self.all.changed.notify_waiters();
    }

    /// The connection has a request. False if its place is that of another one by now: then it must not begin.
    #[must_use]
    pub fn begins(&self) -> bool {
        let mut taken = self.all.taken();
        let Some(since) = taken.places.get_mut(&self.number) else { return false };
        if let Some(since) = since.take() {
            taken.waiting.remove(&since);
        }
        true
    }

    /// The answer is made, and has not left yet.
    pub fn is_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// All that was written has left. If that was an answer, the connection has no request any more.
    pub fn is_flushed(&self) {
        if self.answered.swap(false, Ordering::Relaxed) {
            self.waits();
        }
    }

    /// Resolves when another connection has this place.
    pub async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.all.taken();
        if let Some(Some(since)) = taken.places.remove(&self.number) {
            taken.waiting.remove(&since);
        }
        drop(taken);
        self.all.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn is_evicted(place: &Place) -> bool {
        pin!(place.evicted()).now_or_never().is_some()
    }

    #[test]
    fn one_more_closes_the_one_that_has_been_without_a_request_for_longest() {
        let places = Places::new(3);
        let [busy, idle, fresh] = [(); 3].map(|()| places.take().unwrap());
        assert!(busy.begins());
        // It had a request meanwhile.
        assert!(idle.begins());
        idle.waits();
        let newest = places.take().unwrap();
        assert!(is_evicted(&fresh) && !is_evicted(&idle) && !is_evicted(&busy) && !is_evicted(&newest));
        assert_eq!(places.open(), 3);
        assert!(!fresh.begins(), "a request that comes at this moment is not begun");
        drop(fresh);
        assert_eq!(places.open(), 3, "its place was given away already");
    }

    #[test]
    fn there_is_no_place_where_all_have_a_request() {
        let places = Places::new(1);
        let busy = places.take().unwrap();
        assert!(busy.begins());
        assert!(places.take().is_none());
        drop(busy);
        assert!(places.take().is_some());
    }

    #[tokio::test]
    async fn it_is_quiet_when_the_last_request_is_over_whether_or_not_its_connection_stays() {
        let places = Places::new(2);
        let [stays, leaves] = [(); 2].map(|()| places.take().unwrap());
        places.quiet().await;
        assert!(stays.begins());
        assert!(leaves.begins());
        let mut quiet = pin!(places.quiet());
        assert!(quiet.as_mut().now_or_never().is_none());
        stays.waits();
        assert!(quiet.as_mut().now_or_never().is_none());
        drop(leaves);
        quiet.await;
    }
}
