//! The places of open sockets, and who gets one next where there are too few.
//!
//! A connection whose request is over, in a pool that is full, can serve another request of the same key at once; closed, it costs
//! the next one a handshake, and with 6 sockets and two busy workloads that were all requests. But a pool that only
//! handed connections on to those who have some already would leave the others with none for ever. So a connection is handed to the next
//! of its own key as long as whoever waits longest has about as many, and is closed to make room otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{BucketSettings, Key, Pool, Shared, State, permits};
use crate::pool::limits::PoolLimits;
use crate::transport::http_connection::HttpConnection;

/// What all keys of one workload share.
pub(super) struct Workload {
    /// One permit per open socket for requests, such as are tried beside another included.
    places: Arc<Semaphore>,
    /// One permit per dialed connection.
    pub(super) dialed: Arc<Semaphore>,
    /// How many sockets are open for requests.
    open: AtomicUsize,
}

impl Workload {
    pub(super) fn new(limits: &PoolLimits) -> Self {
        Self {
            places: permits(limits.connections_per_workload.min(limits.connections)),
            dialed: permits(limits.dialed_per_workload.min(limits.connections)),
            open: AtomicUsize::new(0),
        }
    }
}

/// Whose socket it is.
#[derive(Clone)]
pub(super) struct Owner {
    workload: Arc<Workload>,
    /// How many sockets are open for the key.
    open: Arc<AtomicUsize>,
}

impl Owner {
    pub(super) fn new(workload: Arc<Workload>) -> Self {
        Self { workload, open: Arc::default() }
    }

    /// The places of its workload for requests.
    pub(super) fn places(&self) -> &Arc<Semaphore> {
        &self.workload.places
    }

    /// Whether it has so much more than the other that one of its sockets is for that. Where both are about equal, a socket
    /// that changed hands would soon change back.
    fn yields_to(&self, other: &Self) -> bool {
        let (mine, theirs) = match Arc::ptr_eq(&self.workload, &other.workload) {
            true => (&*self.open, &*other.open),
            false => (&self.workload.open, &other.workload.open),
        };
        let (mine, theirs) = (mine.load(Ordering::Relaxed), theirs.load(Ordering::Relaxed));
        theirs == 0 || mine > theirs + 1
    }
}

/// The place of one open socket for requests, under the limits of its workload and of the pool. It is free again when this is
/// dropped.
pub(crate) struct Place {
    owner: Owner,
    _of_workload: OwnedSemaphorePermit,
    _of_pool: OwnedSemaphorePermit,
}

impl Place {
    fn new(owner: &Owner, of_workload: OwnedSemaphorePermit, of_pool: OwnedSemaphorePermit) -> Self {
        owner.open.fetch_add(1, Ordering::Relaxed);
        owner.workload.open.fetch_add(1, Ordering::Relaxed);
        Self { owner: owner.clone(), _of_workload: of_workload, _of_pool: of_pool }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.owner.open.fetch_sub(1, Ordering::Relaxed);
        self.owner.workload.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a request gets that needs a connection and finds none idle.
pub(super) enum Next<T> {
    /// A place for a new one.
    Free(T),
    /// One whose request is over.
    Handed(HttpConnection),
}

/// Which limit is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Workload,
    Pool,
}

/// A request, or a connection to be dialed, that waits for a place. While there are any whom it would help, no
/// connection stays idle.
pub(super) struct Waiter {
    limit: Limit,
    /// None of one that dials, and so has no use for a connection that is there.
    request: Option<WaitingRequest>,
}

struct WaitingRequest {
    key: Key,
    owner: Owner,
    hand: oneshot::Sender<HttpConnection>,
}

impl Waiter {
    /// Whether it gets a place when a socket of this owner closes.
    fn is_helped_by(&self, closing: &Owner) -> bool {
        let is_of = |request: &WaitingRequest| Arc::ptr_eq(&request.owner.workload, &closing.workload);
        self.limit == Limit::Pool || self.request.as_ref().is_some_and(is_of)
    }
}

impl Pool {
    /// A place for one more connection of this key, or a connection that is free by then.
    pub(super) async fn place(&self, key: &Key, bucket: &BucketSettings) -> Next<Place> {
        let owner = &bucket.owner;
        let of_workload = match self.wait(Limit::Workload, &owner.workload.places, Some((key, owner))).await {
            Next::Free(permit) => permit,
            Next::Handed(connection) => return Next::Handed(connection),
        };
        match self.wait(Limit::Pool, &self.shared.sockets, Some((key, owner))).await {
            Next::Free(of_pool) => Next::Free(Place::new(owner, of_workload, of_pool)),
            Next::Handed(connection) => Next::Handed(connection),
        }
    }

    /// A place for one more socket that is dialed.
    pub(super) async fn socket(&self) -> OwnedSemaphorePermit {
        match self.wait(Limit::Pool, &self.shared.sockets, None).await {
            Next::Free(permit) => permit,
            Next::Handed(_) => unreachable!("nothing is handed to one without a key"),
        }
    }

    async fn wait(
        &self,
        limit: Limit,
        places: &Arc<Semaphore>,
        request: Option<(&Key, &Owner)>,
    ) -> Next<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(places).try_acquire_owned() {
            return Next::Free(permit);
        }
        let _counted = self.shared.counters.wait();
        let (hand, handed) = oneshot::channel();
        let request = request.map(|(key, owner)| WaitingRequest { key: key.clone(), owner: owner.clone(), hand });
        let _waiting = Waiting::begin(&self.shared, Waiter { limit, request });
        tokio::select! {
            biased;
            Ok(connection) = handed => Next::Handed(connection),
            permit = Arc::clone(places).acquire_owned() => Next::Free(permit.expect("the semaphore is never closed")),
        }
    }
}

/// One that waits; counted until it is served or given up.
struct Waiting<'a> {
    shared: &'a Shared,
    number: u64,
}

impl<'a> Waiting<'a> {
    fn begin(shared: &'a Shared, waiter: Waiter) -> Self {
        let mut state = shared.state();
        state.close_oldest_idle(|owner| waiter.is_helped_by(owner));
        let number = state.next_number();
        state.waiters.insert(number, waiter);
        Self { shared, number }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.state().waiters.remove(&self.number);
    }
}

impl State {
    /// What becomes of a connection whose request is over: it comes back if it is to be kept idle.
    pub(super) fn hand_on(&mut self, key: &Key, owner: &Owner, connection: HttpConnection) -> Option<HttpConnection> {
        let Some(longest) = self.waiters.values().find(|waiter| waiter.is_helped_by(owner)) else {
            return Some(connection);
        };
        if longest.request.as_ref().is_none_or(|request| request.key != *key && owner.yields_to(&request.owner)) {
            return None;
        }
        let is_own = |waiter: &Waiter| waiter.request.as_ref().is_some_and(|request| request.key == *key);
        let number = *self.waiters.iter().find(|(_, waiter)| is_own(waiter))?.0;
        let request = self.waiters.remove(&number)?.request?;
        // One that is being given up just now leaves it to be closed, for whoever waits longest.
        let _ = request.hand.send(connection);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(workload: &Arc<Workload>, open: usize) -> Owner {
        workload.open.fetch_add(open, Ordering::Relaxed);
        let owner = Owner::new(Arc::clone(workload));
        owner.open.store(open, Ordering::Relaxed);
        owner
    }

    fn workload() -> Arc<Workload> {
        Arc::new(Workload::new(&PoolLimits::default()))
    }

    #[test]
    fn whoever_has_none_gets_one_and_those_who_have_about_as_many_keep_theirs() {
        for (mine, theirs, yields) in
            [(1, 0, true), (4, 0, true), (3, 1, true), (2, 1, false), (3, 3, false), (1, 4, false)]
        {
            let (one, other) = (owner(&workload(), mine), owner(&workload(), theirs));
            assert_eq!(one.yields_to(&other), yields, "{mine} and {theirs}");
        }
    }

    #[test]
    fn workloads_are_equals_however_many_keys_each_has() {
        let (many, modest) = (workload(), owner(&workload(), 3));
        let keys = [1, 1, 1, 1, 1].map(|open| owner(&many, open));
        assert!(keys[0].yields_to(&modest), "five against three");
        assert!(!modest.yields_to(&keys[0]));
        assert!(!keys[0].yields_to(&keys[1]), "one against one");
        assert!(keys[0].yields_to(&owner(&many, 0)));
    }
}
