//! All rooms put together: a server that starts, changes while it runs, and ends.
//!
//! What can be wrong is found before there is a socket: a component that wants more than it is granted, a store that cannot be
//! opened, a certificate without its key. While it runs, a [reload](Server::reload) takes up what it can without dropping a request, and
//! says what has to wait for a restart.

mod error;
mod follow;
#[cfg(test)]
mod tests;
mod workload;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Pool, PoolLimits, Transport};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout_at};

pub use error::StartError;
pub use follow::{FollowEvent, Follower};

use crate::config::{Config, Loaded};
use crate::front::{Drained, Front, ServerTls, StopHandle};
use crate::guests::{GuestStatistics, Guests};
use crate::interfaces::{Grants, GuestLog};
use crate::store::Buckets;
use crate::telemetry::{Admin, Measured, Metrics};
use workload::Making;

/// A component that is built into the program, for those who name none.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its bytes.
    pub component: &'static [u8],
}

/// A server that runs. Dropping it is to ask for the end without waiting for it: no new connection is taken, and what is under way goes
/// on within its limits for as long as the runtime does. [`shutdown`](Self::shutdown) says what was cut off.
pub struct Server {
    address: SocketAddr,
    admin: Option<SocketAddr>,
    shared: Arc<Shared>,
    stop: StopHandle,
    front: JoinHandle<Drained>,
    /// It answers until the very end.
    admin_front: Option<(StopHandle, JoinHandle<Drained>)>,
}

/// What a reload changes.
struct Shared {
    runtime: Runtime,
    built_in: Option<BuiltIn>,
    transport: Transport,
    guests: Guests<Grants>,
    guest_log: GuestLog,
    tls: Option<ServerTls>,
    store: Option<Buckets>,
    /// What runs is made of this.
    made_of: Mutex<(Config, Making)>,
    is_draining: AtomicBool,
}

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reloaded {
    /// The keys of what has changed and is the same until the server is started anew.
    pub after_restart: Vec<&'static str>,
    /// Whether new requests get new instances: the component, its settings or its grants are others.
    pub has_new_instances: bool,
}

/// How long guests that have lost their client may go on when all other requests are over, at most: no message is cut off for
/// want of a moment.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// At most so long before the end of [`drain_timeout`](crate::FrontLimits::drain_timeout) guests are stopped, and of a short one half:
/// their clients, and those who wait for an instance, are told what has become of their messages while there are connections.
const LAST_WORD: Duration = Duration::from_millis(500);

impl Server {
    /// Starts to listen and to answer. With `built_in`, a configuration need not name a component.
    ///
    /// # Errors
    ///
    /// The component cannot be run or wants what it is not granted, the store cannot be opened, or an address cannot be listened on.
    pub async fn start(loaded: Loaded, built_in: Option<BuiltIn>) -> Result<Self, StartError> {
        loaded.config.refuse_open(workload::is_guarded(&loaded, built_in))?;
        let Loaded { config, component, settings, workload: routes, tls } = loaded;
        let instances = u32::try_from(config.guests.instances).unwrap_or(u32::MAX);
        let runtime = Runtime::for_handlers(&CompilationCache::System, instances).map_err(StartError::Runtime)?;
        let pool = Pool::new(pool_limits(config.guests.instances));
        let transport = Transport::new(pool.clone(), routes);
        let store = workload::store(&config, built_in).map(|store| Buckets::open(&store)).transpose()?;
        let guest_log = GuestLog::default();
        let making = Making::new(&config, component, settings, store.is_some(), built_in)?;
        let guests =
            Guests::new(making.workload(&runtime, &transport, store.as_ref(), &guest_log)?, config.guests.clone());
        let tls = tls.map(|(identity, roots)| ServerTls::new(&identity, roots.as_ref())).transpose()?;

        let metrics = Metrics::new()?;
        metrics.observe_pool(&pool);
        observe_guests(&metrics, &guests);
        let front = listen("listen.http", config.listen.http.value).await?;
        let address = front.local_addr().map_err(|error| StartError::Listen {
            key: "listen.http",
            address: config.listen.http.value,
            error,
        })?;
        let admin = match &config.listen.admin {
            Some(admin) => Some(listen("listen.admin", admin.value).await?),
            None => None,
        };
        let limits = config.front;
        let shared = Arc::new(Shared {
            runtime,
            built_in,
            transport,
            guests: guests.clone(),
            guest_log,
            tls: tls.clone(),
            store,
            made_of: Mutex::new((config, making)),
            is_draining: AtomicBool::new(false),
        });
        let handler = Arc::new(Measured::new(Arc::new(guests), metrics.clone()));
        let (stop, stopped) = StopHandle::new();
        let front = tokio::spawn(front.limits(limits).tls(tls).serve(handler, stopped));
        let (admin, admin_front) = match admin {
            Some(front) => {
                let address = front.local_addr().ok();
                (address, Some(serve_admin(front, metrics, Arc::clone(&shared))))
            }
            None => (None, None),
        };
        Ok(Self { address, admin, shared, stop, front, admin_front })
    }

    /// Says whether a server could start with this, without listening and without making a file.
    ///
    /// # Errors
    ///
    /// As with [`start`](Self::start), but for what only listening shows.
    pub fn check(loaded: Loaded, built_in: Option<BuiltIn>) -> Result<(), StartError> {
        loaded.config.refuse_open(workload::is_guarded(&loaded, built_in))?;
        let Loaded { config, component, settings, workload: routes, tls } = loaded;
        let store = workload::store(&config, built_in);
        store.as_ref().map(Buckets::check).transpose()?;
        let in_memory = store.is_some().then(|| Buckets::open(&Default::default())).transpose()?;
        tls.map(|(identity, roots)| ServerTls::new(&identity, roots.as_ref())).transpose()?;
        let runtime = Runtime::for_handlers(&CompilationCache::System, 1).map_err(StartError::Runtime)?;
        let transport = Transport::new(Pool::default(), routes);
        let making = Making::new(&config, component, settings, store.is_some(), built_in)?;
        making.workload(&runtime, &transport, in_memory.as_ref(), &GuestLog::default())?;
        Ok(())
    }

    /// The address for requests, with its port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The address for operators, with its port.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// How it goes with the guests.
    pub fn statistics(&self) -> GuestStatistics {
        self.shared.guests.statistics()
    }

    /// Goes on with another configuration. Requests that are under way end as they began; none is dropped.
    ///
    /// # Errors
    ///
    /// What is new cannot be used; then all stays as it is.
    pub async fn reload(&self, loaded: Loaded) -> Result<Reloaded, StartError> {
        let shared = Arc::clone(&self.shared);
        // Compiling takes a while.
        let reloaded = spawn_blocking(move || shared.reload(loaded)).await;
        reloaded.unwrap_or(Err(StartError::Ended))
    }

    /// Ends: takes no new connection, waits for what is under way, and comes back within
    /// [`drain_timeout`](crate::FrontLimits::drain_timeout), and a second more for guests whose client has gone. Half a second before the
    /// time is over, guests are stopped, and all who still wait are answered. Counts the guests that were stopped, or the
    /// requests that were without a whole answer in the end if these are more.
    pub async fn shutdown(self) -> Drained {
        let Self { shared, stop, mut front, admin_front, .. } = self;
        shared.is_draining.store(true, Ordering::Relaxed);
        let last_word = Instant::now() + shared.before_last_word();
        stop.stop();
        let cut_off = |drained: Result<Drained, JoinError>| drained.map_or(0, |drained| drained.cut_off);
        let cut_off = tokio::select! {
            drained = &mut front => {
                shared.guests.close();
                let _ = timeout_at(Instant::now() + AFTERWARDS, shared.guests.drained()).await;
                // They have no client any more, and so are none of those that the front has counted.
                cut_off(drained) + shared.stop_guests()
            }
            () = sleep_until(last_word) => {
                let stopped = shared.stop_guests();
                // Who does not take the answer of a guest that was stopped is counted already.
                cut_off(front.await).max(stopped)
            }
        };
        if let Some((stop, front)) = admin_front {
            stop.stop();
            let at_the_latest = Instant::now() + AFTERWARDS;
            tokio::select! {
                _ = front => {}
                () = sleep_until(at_the_latest) => {}
            }
        }
        Drained { cut_off }
    }
}

impl Shared {
    /// How long after the end was asked for guests are stopped.
    fn before_last_word(&self) -> Duration {
        let made_of = self.made_of.lock().unwrap_or_else(PoisonError::into_inner);
        let drain_timeout = made_of.0.front.drain_timeout;
        drain_timeout - LAST_WORD.min(drain_timeout / 2)
    }

    /// Sends away who waits, and stops guests where they are. Gives how many.
    fn stop_guests(&self) -> usize {
        self.guests.close();
        // From here on there can only be fewer.
        let busy = self.guests.statistics().busy;
        self.guests.stop();
        busy
    }

    fn reload(&self, loaded: Loaded) -> Result<Reloaded, StartError> {
        let is_guarded = workload::is_guarded(&loaded, self.built_in);
        let Loaded { config, component, settings, workload: routes, tls } = loaded;
        let mut made_of = self.made_of.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, made_before) = &*made_of;
        let as_it_runs = as_it_runs(before, config.clone());
        // What is written is what the next start goes by; until then tokens may be all that keeps strangers out.
        config.refuse_open(is_guarded)?;
        as_it_runs
            .refuse_open(is_guarded)
            .map_err(|_| StartError::OpenUntilRestart { address: as_it_runs.listen.http.value })?;
        let mut reloaded = Reloaded { after_restart: needs_restart(before, &config), has_new_instances: false };
        let making = Making::new(&config, component, settings, self.store.is_some(), self.built_in)?;
        let guests = match making == *made_before && config.guests == before.guests {
            true => None,
            false => Some(making.workload(&self.runtime, &self.transport, self.store.as_ref(), &self.guest_log)?),
        };
        // The first that changes anything is the last that can fail.
        if let (Some(server_tls), Some((identity, roots))) = (&self.tls, &tls) {
            server_tls.replace(identity, roots.as_ref())?;
        }
        self.transport.reconfigure(routes);
        if let Some(workload) = guests {
            self.guests.replace(workload, config.guests.clone());
            reloaded.has_new_instances = true;
        }
        // What waits for a restart is compared with what runs the next time too.
        *made_of = (as_it_runs, making);
        Ok(reloaded)
    }
}

/// The keys of what changes at a start only.
fn needs_restart(before: &Config, now: &Config) -> Vec<&'static str> {
    let path = |config: &Config| config.store.as_ref().map(|store| (store.path.clone(), store.max_bytes));
    let changed = [
        ("listen.http", before.listen.http.value != now.listen.http.value),
        (
            "listen.admin",
            before.listen.admin.as_ref().map(|it| it.value) != now.listen.admin.as_ref().map(|it| it.value),
        ),
        ("listen.tls", before.listen.tls.is_some() != now.listen.tls.is_some()),
        ("store", path(before) != path(now)),
        ("log", (before.log.format, before.log.level) != (now.log.format, now.log.level)),
        ("limits", before.front != now.front),
    ];
    changed.into_iter().filter_map(|(key, is_changed)| is_changed.then_some(key)).collect()
}

/// The configuration that is new, with what is old of it until a restart.
fn as_it_runs(before: &Config, mut now: Config) -> Config {
    now.listen.http.clone_from(&before.listen.http);
    now.listen.admin.clone_from(&before.listen.admin);
    if before.listen.tls.is_some() != now.listen.tls.is_some() {
        now.listen.tls.clone_from(&before.listen.tls);
    }
    match (&before.store, &mut now.store) {
        (Some(before), Some(now)) => {
            now.path.clone_from(&before.path);
            now.max_bytes = before.max_bytes;
        }
        (before, now) => now.clone_from(before),
    }
    now.front = before.front;
    now.log.format = before.log.format;
    now.log.level = before.log.level;
    now
}

/// As many connections as there may be requests: one that waits for a connection holds its instance all the while.
fn pool_limits(instances: usize) -> PoolLimits {
    PoolLimits::default()
        .connections_per_key(instances)
        .idle_per_key(instances.min(PoolLimits::default().idle_per_key))
        .connections_per_workload(instances)
        .connections(instances)
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<Front, StartError> {
    Front::bind(address).await.map_err(|error| StartError::Listen { key, address, error })
}

fn serve_admin(front: Front, metrics: Metrics, shared: Arc<Shared>) -> (StopHandle, JoinHandle<Drained>) {
    let is_ready = move || match shared.is_draining.load(Ordering::Relaxed) {
        true => Err("the server is about to end".to_owned()),
        false => Ok(()),
    };
    let (stop, stopped) = StopHandle::new();
    (stop, tokio::spawn(front.serve(Arc::new(Admin::new(metrics, is_ready)), stopped)))
}

/// Adds the numbers of the guests.
fn observe_guests(metrics: &Metrics, guests: &Guests<Grants>) {
    let meter = metrics.meter();
    for (name, description, read) in GAUGES {
        let guests = guests.clone();
        let gauge = meter.u64_observable_gauge(name).with_description(description);
        let _ = gauge.with_callback(move |gauge| gauge.observe(read(&guests.statistics()) as u64, &[])).build();
    }
    for (name, description, read) in COUNTERS {
        let guests = guests.clone();
        let counter = meter.u64_observable_counter(name).with_description(description);
        let _ = counter.with_callback(move |counter| counter.observe(read(&guests.statistics()), &[])).build();
    }
}

type Gauge = (&'static str, &'static str, fn(&GuestStatistics) -> usize);
const GAUGES: [Gauge; 3] = [
    ("thingpost.guest.busy", "Instances that have a request.", |statistics| statistics.busy),
    ("thingpost.guest.idle", "Instances that are kept for the next request.", |statistics| statistics.idle),
    ("thingpost.guest.waiting_requests", "Requests that wait for an instance.", |statistics| statistics.waiting),
];

type Counter = (&'static str, &'static str, fn(&GuestStatistics) -> u64);
const COUNTERS: [Counter; 5] = [
    ("thingpost.guest.started", "Instances that were started.", |statistics| statistics.started),
    ("thingpost.guest.reused", "Requests for which there was an instance already.", |statistics| statistics.reused),
    ("thingpost.guest.refused", "Requests that were sent away for want of an instance.", |statistics| {
        statistics.refused
    }),
    ("thingpost.guest.stopped", "Guests that took too long or too much.", |statistics| statistics.stopped),
    ("thingpost.guest.trapped", "Guests that have trapped.", |statistics| statistics.trapped),
];
