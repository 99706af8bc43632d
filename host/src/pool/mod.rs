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

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::clock::{STANDSTILL, later};
use crate::connect::alpn::Protocol;
use crate::connect::beside::Beside;
use crate::connect::resolver::{Resolver, SystemResolver};
use crate::connect::tls::{Cryptography, client_config};
use crate::connect::{ConnectDeadline, Connector, Hops};
use crate::error::ConnectError;
use crate::observe::{Counters, Statistics};
use crate::route::{CheckedRoute, Endpoint, MinimumTls};
use crate::transport::http_connection::HttpConnection;
use crate::transport::live_config::{CurrentConfig, LiveTarget};

mod descriptors;
mod dialed;
mod limits;
mod places;
mod unread;

use descriptors::Shortage;
pub(crate) use dialed::Dialed;
pub use limits::PoolLimits;
pub(crate) use places::Place;
use places::{Next, Owner, Waiter, Workload};
use unread::OpenAnswers;
pub(crate) use unread::UnderAnswer;

/// The sweeper looks no more often than this, however short the idle timeout; an idle connection whose time is over is
/// not handed out in between.
const SWEEP: Duration = Duration::from_millis(100);

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
    hops: Hops,
    identity: Option<u64>,
    roots: u64,
    minimum_tls: MinimumTls,
    cryptography: Cryptography,
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
    pub(crate) hops: Hops,
    pub(crate) route: Arc<CheckedRoute>,
}

struct Shared {
    limits: PoolLimits,
    /// One permit per open socket.
    sockets: Arc<Semaphore>,
    /// As many as there are permits.
    places: usize,
    counters: Arc<Counters>,
    connector: Connector,
    state: Mutex<State>,
    /// That something is to be swept earlier than was known.
    sweep_sooner: Arc<Notify>,
}

#[derive(Default)]
struct State {
    buckets: HashMap<Key, Bucket>,
    workloads: HashMap<Arc<str>, Arc<Workload>>,
    /// Those who wait for a place, in the order in which they came.
    waiters: BTreeMap<u64, Waiter>,
    answers: OpenAnswers,
    /// The last number that was given to one of these.
    number: u64,
    /// Of whichever runtime needed it first; when that one is gone, so is the task.
    sweeper: Option<JoinHandle<()>>,
    sweeps_at: Option<Instant>,
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
    /// One permit per request in flight, and per socket that is tried beside that of its request. Since a connection is opened only by a holder who found none idle, this bounds
    /// the connections in use and idle too, and no request ever waits while one is idle. One that is closing has a socket
    /// for a moment longer; only the bounds of the workload and of the whole pool count those. For dialed connections all buckets of a workload
    /// have the same permits, one for each connection or attempt at one.
    turns: Arc<Semaphore>,
    owner: Owner,
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
        Self::with_resolver(limits, Arc::new(SystemResolver::default()))
    }

    /// An empty pool whose workloads find the addresses of hosts by this resolver.
    pub fn with_resolver(limits: PoolLimits, resolver: Arc<dyn Resolver>) -> Self {
        let sockets = permits(limits.connections);
        let places = sockets.available_permits();
        let counters = Arc::<Counters>::default();
        let connector = Connector::new(resolver, Arc::clone(&counters));
        let (state, sweep_sooner) = (Mutex::default(), Arc::default());
        Self { shared: Arc::new(Shared { limits, sockets, places, connector, counters, state, sweep_sooner }) }
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
            let place = match timeout_at(deadline.at, self.place(&key, &bucket)).await.map_err(full)? {
                Next::Free(place) => place,
                Next::Handed(mut connection) => match connection.is_ready(deadline).await {
                    true => return Ok(self.lease(connection, key, bucket, turn)),
                    false => continue,
                },
            };
            let (connector, server) = (&self.shared.connector, &target.route.server_name);
            let beside = Beside::under([&bucket.turns, bucket.owner.places(), &self.shared.sockets]);
            match HttpConnection::open(connector, &target.hops, server, &bucket.tls, deadline, place, beside).await {
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
            let sooner = Arc::clone(&self.shared.sweep_sooner);
            state.sweeper = Some(tokio::spawn(sweep(Arc::downgrade(&self.shared), sooner)));
        }
        if !state.buckets.contains_key(key) {
            let workload = self.workload(&mut state, &key.workload);
            let turns = self.turns(key, &workload);
            let tls = client_config(&target.route.route, key.alpn.clone());
            let shortage = Shortage::none(turns.available_permits());
            let settings = Arc::new(BucketSettings { tls, turns, owner: Owner::new(workload), shortage });
            state.buckets.insert(key.clone(), Bucket { settings, idle: Vec::new(), used: Instant::now() });
        }
        let bucket = state.buckets.get_mut(key).expect("it was put there if it was not there");
        bucket.used = Instant::now();
        (Arc::clone(&bucket.settings), !bucket.idle.is_empty())
    }

    fn workload(&self, state: &mut State, name: &Arc<str>) -> Arc<Workload> {
        let known = state.workloads.entry(Arc::clone(name));
        Arc::clone(known.or_insert_with(|| Arc::new(Workload::new(&self.shared.limits))))
    }

    /// The turns of a new bucket.
    fn turns(&self, key: &Key, workload: &Workload) -> Arc<Semaphore> {
        let limits = &self.shared.limits;
        match key.protocol {
            // A workload that had a turn beyond the sockets would wait for one, and so keep its own workload from keeping any.
            Protocol::Https => {
                permits(limits.connections_per_key.min(limits.connections_per_workload).min(limits.connections))
            }
            Protocol::Mqtt => Arc::clone(&workload.dialed),
        }
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
            hops: target.hops.clone(),
            identity: route.identity.as_ref().map(|identity| identity.generation()),
            roots: route.roots.generation(),
            minimum_tls: route.minimum_tls,
            cryptography: route.cryptography.clone(),
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
        if !self.connection.is_reusable() || live.is_outdated() {
            return;
        }
        if let Some(connection) = state.hand_on(&self.key, &self.bucket.owner, self.connection)
            && let Some(bucket) = state.buckets.get_mut(&self.key)
            && bucket.idle.len() < shared.limits.idle_per_key
        {
            bucket.idle.push(Idle { connection, since: Instant::now() });
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
    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Of the idle connections of these owners, the one that has been idle longest gives way.
    fn close_oldest_idle(&mut self, is_one: impl Fn(&Owner) -> bool) {
        let buckets =
            self.buckets.values_mut().filter(|bucket| !bucket.idle.is_empty() && is_one(&bucket.settings.owner));
        if let Some(bucket) = buckets.min_by_key(|bucket| bucket.idle[0].since) {
            bucket.idle.remove(0);
        }
    }

    /// Forgets keys without connections, and workloads without keys.
    fn forget_unused(&mut self) {
        self.buckets.retain(|key, bucket| bucket.is_worth_keeping(key));
        self.workloads.retain(|_, workload| Arc::strong_count(workload) > 1);
    }
}

/// Closes idle connections, and those of answers that nobody reads, when their time is over; and forgets keys without
/// connections, until there are none.
async fn sweep(pool: Weak<Shared>, sooner: Arc<Notify>) {
    let mut planned = Instant::now();
    let mut was_excused = false;
    loop {
        let Some(shared) = pool.upgrade() else { return };
        let timeout = shared.limits.idle_timeout;
        let now = Instant::now();
        // While the process stood still, nothing could be read. That holds once: on a machine that is always so late an answer
        // would otherwise be kept for ever.
        let has_stood_still = !was_excused && now.saturating_duration_since(planned) >= STANDSTILL;
        was_excused = has_stood_still;
        let unread;
        {
            let mut state = shared.state();
            for bucket in state.buckets.values_mut() {
                bucket.idle.retain(|idle| idle.connection.is_reusable() && idle.since.elapsed() < timeout);
            }
            unread = if has_stood_still { Vec::new() } else { state.answers.take_overdue(now) };
            state.forget_unused();
            if state.buckets.is_empty() && unread.is_empty() {
                state.sweeper = None;
                state.sweeps_at = None;
                return;
            }
            let oldest = state.buckets.values().filter_map(|bucket| bucket.idle.first().map(|idle| idle.since)).min();
            let age = oldest.map_or(Duration::ZERO, |since| since.elapsed());
            planned = later(timeout.saturating_sub(age).max(SWEEP));
            if let Some(earliest) = state.answers.earliest() {
                planned = planned.min(earliest.max(now + if has_stood_still { STANDSTILL } else { SWEEP }));
            }
            state.sweeps_at = Some(planned);
        }
        for lease in unread {
            tracing::debug!("nobody reads an answer of {}; its connection is closed", lease.key.to);
        }
        drop(shared);
        tokio::select! {
            () = sleep_until(planned) => {}
            () = sooner.notified() => planned = planned.min(Instant::now()),
        }
    }
}
