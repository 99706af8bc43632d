//! The sockets of a race beside its first one. Addresses that say nothing are what a guest can have as many of as it likes, and six
//! sockets for each request to them would be six times its share of the pool. So each further one takes all the places that a
//! connection of its own would take, and is not opened where there are none: the race goes on with those that it has.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of further sockets, under all limits that count.
pub(crate) struct Beside {
    limits: Vec<Arc<Semaphore>>,
    /// One permit of each limit for each further socket.
    taken: Vec<Vec<OwnedSemaphorePermit>>,
}

impl Beside {
    /// No socket so far, and each that comes takes one permit of each of these.
    pub(crate) fn under<'a>(limits: impl IntoIterator<Item = &'a Arc<Semaphore>>) -> Self {
        Self { limits: limits.into_iter().map(Arc::clone).collect(), taken: Vec::new() }
    }

    /// Whether so many sockets may be open now, with the first one, whose place is its request's. Places that fewer do not need are free again.
    pub(super) fn has_room(&mut self, sockets: usize) -> bool {
        let further = sockets.saturating_sub(1);
        self.taken.truncate(further);
        while self.taken.len() < further {
            let places = self.limits.iter().map(|limit| Arc::clone(limit).try_acquire_owned());
            let Ok(places) = places.collect() else { return false };
            self.taken.push(places);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_socket_counts_under_every_limit_and_only_as_long_as_it_is_there() {
        let (workload, pool) = (Arc::new(Semaphore::new(2)), Arc::new(Semaphore::new(9)));
        let free = || (workload.available_permits(), pool.available_permits());
        let mut beside = Beside::under([&workload, &pool]);
        assert!(beside.has_room(1) && free() == (2, 9), "the first has its place");
        assert!(beside.has_room(3));
        assert_eq!(free(), (0, 7));
        assert!(!beside.has_room(4));
        assert_eq!(free(), (0, 7), "nothing is left of a socket that may not be");
        assert!(beside.has_room(2));
        assert_eq!(free(), (1, 8));
        assert!(beside.has_room(0));
        assert_eq!(free(), (2, 9));
        assert!(beside.has_room(2));
        drop(beside);
        assert_eq!(free(), (2, 9));
    }
}
