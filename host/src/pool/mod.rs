//! Connections that are kept for the next message, and never for the next workload.
//!
//! A new TLS connection for each publish costs a device two to three round trips, the server a signature, and at some
//! hundred messages per second the machine its ports. So connections are kept. But a kept connection is an
//! authenticated one: handed to a request that was to go out under another identity, it publishes in the wrong name.
//! The key of the pool is therefore everything that went into the connection, and nothing is shared between keys but
//! the limit on sockets.
//!
//! Why not `hyper_util`'s client, which has a pool: it starts a connection whenever none is idle at that instant, so a
//! burst opens more than it uses; idle connections of one key cannot give way to another; and its errors do not say
//! whether the request had reached the connection, which is what decides between *not sent* and *unknown*. Waiting for
//! a turn first, and looking for an idle connection second, needs no race.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::clock::later;
use crate::connect::alpn::Protocol;
use crate::connect::tls::client_config;
use crate::connect::{ConnectDeadline, Way};
use crate::error::ConnectError;
use crate::observe::{Counters, Statistics};
use crate::route::{CheckedRoute, Endpoint, MinimumTls};
use crate::transport::http_connection::HttpConnection;
use crate::transport::live_config::{CurrentConfig, LiveTarget};

mod descriptors;
mod dialed;

use descriptors::Shortage;
pub(crate) use dialed::Dialed;

/// The sweeper looks no more often than this, however short the idle timeout; an idle connection whose time is over is
/// not handed out in between.
const SWEEP: Duration = Duration::from_millis(100);

/// The bounds of a pool: how many connections, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolLimits {
    /// An idle connection is closed after this. Default 30 s: half of what load balancers and NATs commonly allow (60 s), so
    /// that this side closes first: a connection that the peer closes just as a request leaves costs that request.
    pub idle_timeout: Duration,
    /// Idle connections kept per key. Default 32, as many as may be open: keeping fewer makes every burst open the
    /// difference anew.
    pub idle_per_key: usize,
    /// Connections per key. Default 32: HTTP/1.1 has one request in flight on each, so at an answer in 100 ms that is
    /// 320 requests a second; what exceeds it waits for its turn. More than `connections` counts as `connections`.
    pub connections_per_key: usize,
    /// Connections of the whole pool, dialed ones included. Default 512: half of the 1024 descriptors that a process
    /// commonly gets. Where it is reached, idle ones give way.
    pub connections: usize,
    /// Connections that one workload may have [dialed](crate::Transport::dial) at once, to all its destinations together.
    /// Default 32, as for requests. A request ends by itself, such a connection when the guest likes: without this bound one guest could take all
    /// that the pool has, and keep it. More than `connections` counts as `connections`.
    pub dialed_per_workload: usize,
}

impl PoolLimits {
    /// Sets [`idle_timeout`](Self::idle_timeout).
    #[must_use]
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// Sets [`idle_per_key`](Self::idle_per_key).
    #[must_use]
    pub fn idle_per_key(mut self, connections: usize) -> Self {
        self.idle_per_key = connections;
        self
    }

    /// Sets [`connections_per_key`](Self::connections_per_key).
    #[must_use]
    pub fn connections_per_key(mut self, connections: usize) -> Self {
        self.connections_per_key = connections;
        self
    }

    /// Sets [`connections`](Self::connections).
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Sets [`dialed_per_workload`](Self::dialed_per_workload).
    #[must_use]
    pub fn dialed_per_workload(mut self, connections: usize) -> Self {
        self.dialed_per_workload = connections;
        self
    }
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(30),
            idle_per_key: 32,
            connections_per_key: 32,
            connections: 512,
            dialed_per_workload: 32,
        }
    }
}

/// The connections of a host process. Cheap to clone, shared by all its workloads.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// Everything that went into a connection. TLS is not in it, being always there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    workload: Arc<str>,
    protocol: Protocol,
    to: Endpoint,
    way: Way,
    identity: Option<u64>,
    roots: u64,
    minimum_tls: MinimumTls,
    alpn: Vec<Vec<u8>>,
}

/// Where a request goes, and how.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) workload: Arc<str>,
    pub(crate) protocol: Protocol,
    /// Host and port of the URL.
    pub(crate) to: Endpoint,
    /// What to dial.
    pub(crate) way: Way,
    pub(crate) route: Arc<CheckedRoute>,
}

struct Shared {
    limits: PoolLimits,
    /// One permit per open socket.
    sockets: Arc<Semaphore>,
    /// As many as there are permits.
    places: usize,
    counters: Arc<Counters>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    buckets: HashMap<Key, Bucket>,
    /// Requests that wait for a socket; while there are any, no connection stays idle.
    waiting: usize,
    /// Of whichever runtime needed it first; when that one is gone, so is the task.
    sweeper: Option<JoinHandle<()>>,
}

/// The connections of one key.
struct Bucket {
    settings: Arc<BucketSettings>,
    /// The most recently used last; it is taken first, so that a burst's surplus grows old and goes.
    idle: Vec<Idle>,
    /// When it was last seen in use.
    used: Instant,
}

struct BucketSettings {
    tls: Arc<ClientConfig>,
    /// One permit per request in flight. Since a connection is opened only by a holder who found none idle, this bounds
    /// the connections in use and idle too, and no request ever waits while one is idle. One that is closing has a socket
    /// for a moment longer; only the bound of the whole pool counts those. For dialed connections all buckets of a workload
    /// have the same permits, one for each connection.
    turns: Arc<Semaphore>,
    /// Where descriptors are short.
    shortage: Shortage,
}

struct Idle {
    connection: HttpConnection,
    since: Instant,
}

/// A connection in use by one request. Dropped, it closes; [`Lease::give_back`] keeps it.
pub(crate) struct Lease {
    pub(crate) connection: HttpConnection,
    key: Key,
    pool: Pool,
    /// Keeps the bucket in the table while in use.
    bucket: Arc<BucketSettings>,
    turn: OwnedSemaphorePermit,
}

impl Pool {
    /// An empty pool. Limits of zero count as one, since nothing could ever be sent.
    pub fn new(limits: PoolLimits) -> Self {
        let sockets = permits(limits.connections);
        let places = sockets.available_permits();
        Self { shared: Arc::new(Shared { sockets, places, limits, counters: Arc::default(), state: Mutex::default() }) }
    }

    /// What is open now, and what has happened so far.
    pub fn statistics(&self) -> Statistics {
        let open = self.shared.places - self.shared.sockets.available_permits();
        let idle = self.shared.state().buckets.values().map(|bucket| bucket.idle.len()).sum();
        self.shared.counters.snapshot(open, idle)
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// A usable connection to `target`: an idle one if there is any, else a new one.
    pub(crate) async fn acquire(&self, target: &Target, deadline: ConnectDeadline) -> Result<Lease, ConnectError> {
        let key = Key::of(target);
        let (bucket, any_idle) = self.bucket(&key, target);
        let full = |_elapsed| ConnectError::LimitReached { after: deadline.after };
        if bucket.shortage.gives_one_back(Instant::now()) {
            bucket.turns.add_permits(1);
        }
        let waiting = self.shared.counters.wait();
        let mut turn = timeout_at(deadline.at, Arc::clone(&bucket.turns).acquire_owned())
            .await
            .map_err(full)?
            .expect("the semaphore is never closed");
        drop(waiting);
        if any_idle {
            // A guest that computed for long on this thread kept the runtime from its sockets, and an idle connection
            // that the peer closed meanwhile still looks open. This lets the runtime look once.
            tokio::task::yield_now().await;
        }
        loop {
            while let Some(mut connection) = self.shared.take_idle(&key) {
                if connection.is_ready(deadline).await {
                    return Ok(self.lease(connection, key, bucket, turn));
                }
            }
            let permit = timeout_at(deadline.at, self.socket()).await.map_err(full)?;
            match HttpConnection::open(&target.way, &target.route.server_name, &bucket.tls, deadline, permit).await {
                Ok(connection) => return Ok(self.lease(connection, key, bucket, turn)),
                Err(ConnectError::OutOfDescriptors) => turn = self.make_do(&bucket, turn, deadline).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes what is idle on the way to this target. A server that closed one kept connection just as a request left
    /// on it is about to close its like, and a request that is sent again should not meet the next of them.
    pub(crate) fn forget_idle(&self, target: &Target) {
        if let Some(bucket) = self.shared.state().buckets.get_mut(&Key::of(target)) {
            bucket.idle.clear();
        }
    }

    /// Closes what `before` has left idle and `now` will not use. What is in use is closed when it is given back. The settings
    /// of those, which hold a key, are forgotten unless they are in use.
    pub(crate) fn close_outdated(&self, before: &CurrentConfig, now: &CurrentConfig) {
        self.shared.state().buckets.retain(|key, bucket| {
            if !key.is_of(before) || key.is_of(now) {
                return true;
            }
            bucket.idle.clear();
            Arc::strong_count(&bucket.settings) > 1
        });
    }

    fn lease(
        &self,
        connection: HttpConnection,
        key: Key,
        bucket: Arc<BucketSettings>,
        turn: OwnedSemaphorePermit,
    ) -> Lease {
        Lease { connection, key, pool: self.clone(), bucket, turn }
    }

    fn bucket(&self, key: &Key, target: &Target) -> (Arc<BucketSettings>, bool) {
        let mut state = self.shared.state();
        if state.sweeper.as_ref().is_none_or(JoinHandle::is_finished) {
            state.sweeper = Some(tokio::spawn(sweep(Arc::downgrade(&self.shared))));
        }
        if !state.buckets.contains_key(key) {
            let turns = self.turns(&state, key);
            let tls = client_config(&target.route.route, key.alpn.clone());
            let shortage = Shortage::none(turns.available_permits());
            let settings = Arc::new(BucketSettings { tls, turns, shortage });
            state.buckets.insert(key.clone(), Bucket { settings, idle: Vec::new(), used: Instant::now() });
        }
        let bucket = state.buckets.get_mut(key).expect("it was put there if it was not there");
        bucket.used = Instant::now();
        (Arc::clone(&bucket.settings), !bucket.idle.is_empty())
    }

    /// The turns of a new bucket.
    fn turns(&self, state: &State, key: &Key) -> Arc<Semaphore> {
        let limits = &self.shared.limits;
        match key.protocol {
            // A workload that had a turn beyond the sockets would wait for one, and so keep its own workload from keeping any.
            Protocol::Https => permits(limits.connections_per_key.min(limits.connections)),
            Protocol::Mqtt => state
                .dialed_turns(&key.workload)
                .unwrap_or_else(|| permits(limits.dialed_per_workload.min(limits.connections))),
        }
    }

    /// A place for one more socket. If there is none, the connection that has been idle longest gives way.
    async fn socket(&self) -> OwnedSemaphorePermit {
        let sockets = Arc::clone(&self.shared.sockets);
        if let Ok(permit) = Arc::clone(&sockets).try_acquire_owned() {
            return permit;
        }
        let _counted = self.shared.counters.wait();
        let _waiting = Waiting::begin(&self.shared);
        sockets.acquire_owned().await.expect("the semaphore is never closed")
    }
}

/// tokio panics on more than it can count, and `usize::MAX` is how one writes "no limit".
fn permits(limit: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)))
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(PoolLimits::default())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("limits", &self.shared.limits)
            .field("keys", &self.shared.state().buckets.len())
            .finish_non_exhaustive()
    }
}

impl Key {
    fn of(target: &Target) -> Self {
        let route = &target.route.route;
        Self {
            workload: Arc::clone(&target.workload),
            protocol: target.protocol,
            to: target.to.clone(),
            way: target.way.clone(),
            identity: route.identity.as_ref().map(|identity| identity.generation()),
            roots: route.roots.generation(),
            minimum_tls: route.minimum_tls,
            alpn: route.protocols(target.protocol, target.to.port),
        }
    }
}

impl Key {
    /// Whether this configuration leads to it.
    fn is_of(&self, config: &CurrentConfig) -> bool {
        config.target(self.protocol, self.to.clone()).is_ok_and(|target| Self::of(&target) == *self)
    }
}

impl Target {
    /// Whether a connection to the one may be used for the other.
    pub(crate) fn shares_connections_with(&self, other: &Self) -> bool {
        Key::of(self) == Key::of(other)
    }
}

impl Bucket {
    /// Whether it has connections, or had some that will be wanted again.
    fn is_worth_keeping(&mut self, key: &Key) -> bool {
        let in_use = Arc::strong_count(&self.settings) > 1;
        if in_use {
            self.used = Instant::now();
        }
        in_use || !self.idle.is_empty() || (key.protocol == Protocol::Mqtt && self.used.elapsed() < dialed::RESUMPTION)
    }
}

impl Lease {
    /// Keeps the connection for the next request of the same key, unless there is none to come to this target. Needs no runtime: it
    /// also runs when a guest's store is dropped, on whatever thread that happens.
    pub(crate) fn give_back(self, live: &LiveTarget) {
        let shared = &self.pool.shared;
        let mut state = shared.state();
        if self.bucket.shortage.takes_one_more() {
            self.turn.forget();
            return;
        }
        // Looked at under the lock under which idle ones are closed: whatever is replaced later finds it among those.
        if state.waiting > 0 || !self.connection.is_reusable() || live.is_outdated() {
            return;
        }
        if let Some(bucket) = state.buckets.get_mut(&self.key)
            && bucket.idle.len() < shared.limits.idle_per_key
        {
            bucket.idle.push(Idle { connection: self.connection, since: Instant::now() });
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_idle(&self, key: &Key) -> Option<HttpConnection> {
        let mut state = self.state();
        let bucket = state.buckets.get_mut(key)?;
        while let Some(idle) = bucket.idle.pop() {
            if idle.connection.is_reusable() && idle.since.elapsed() < self.limits.idle_timeout {
                return Some(idle.connection);
            }
        }
        None
    }
}

impl State {
    /// The connection that has been idle longest gives way.
    fn close_oldest_idle(&mut self) {
        let buckets = self.buckets.values_mut().filter(|bucket| !bucket.idle.is_empty());
        if let Some(bucket) = buckets.min_by_key(|bucket| bucket.idle[0].since) {
            bucket.idle.remove(0);
        }
    }
}

/// A request that waits for a socket; counted even if it is given up.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn begin(shared: &'a Shared) -> Self {
        let mut state = shared.state();
        state.waiting += 1;
        state.close_oldest_idle();
        drop(state);
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// Closes idle connections when their time is over and forgets keys without connections, until there are none.
async fn sweep(pool: Weak<Shared>) {
    loop {
        let Some(shared) = pool.upgrade() else { return };
        let timeout = shared.limits.idle_timeout;
        let next = {
            let mut state = shared.state();
            for bucket in state.buckets.values_mut() {
                bucket.idle.retain(|idle| idle.connection.is_reusable() && idle.since.elapsed() < timeout);
            }
            state.buckets.retain(|key, bucket| bucket.is_worth_keeping(key));
            if state.buckets.is_empty() {
                state.sweeper = None;
                return;
            }
            let oldest = state.buckets.values().filter_map(|bucket| bucket.idle.first().map(|idle| idle.since)).min();
            let age = oldest.map_or(Duration::ZERO, |since| since.elapsed());
            timeout.saturating_sub(age).max(SWEEP)
        };
        drop(shared);
        sleep_until(later(next)).await;
    }
}
