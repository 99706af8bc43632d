//! A configuration that is replaced while requests are on their way.
//!
//! A certificate lives for months and a process does too, so one day the process outlives its certificate. To make
//! all stores anew then is to lose what they hold. So a transport and all its clones go by one configuration, which is read for each
//! request and each dial, and replaced as a whole.
//!
//! It is a `watch` channel of tokio and not a lock around an `Arc`, because a request that waits for its turn, or in the midst
//! of a handshake, has to notice: what has not been written yet goes in the name of the new identity. Reading it costs an
//! uncontended lock, some 20 ns of a request that takes 50 us at best.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::watch;

use crate::connect::alpn::Protocol;
use crate::error::Denial;
use crate::pool::Target;
use crate::route::Endpoint;
use crate::transport::WorkloadConfig;

/// The configuration of a transport and of all its clones.
pub(crate) struct LiveConfig {
    current: watch::Sender<Arc<CurrentConfig>>,
    /// Each change is an order to end the dialed connections that are outdated.
    closings: watch::Sender<()>,
}

/// The configuration that is in force from one replacement to the next.
#[derive(Debug)]
pub(crate) struct CurrentConfig {
    workload: Arc<str>,
    pub(crate) config: WorkloadConfig,
}

/// The target of a request or a dial, as the configuration of its time had it, and what becomes of that.
pub(crate) struct LiveTarget {
    pub(crate) target: Target,
    /// The configuration by which it was found.
    by: Arc<CurrentConfig>,
    current: watch::Receiver<Arc<CurrentConfig>>,
}

impl LiveConfig {
    pub(crate) fn new(config: WorkloadConfig) -> Self {
        let current = watch::Sender::new(Arc::new(CurrentConfig::new(config)));
        Self { current, closings: watch::Sender::new(()) }
    }

    pub(crate) fn current(&self) -> Arc<CurrentConfig> {
        Arc::clone(&self.current.borrow())
    }

    /// Puts this in the place of what is in force, and gives both: what was, and what is.
    pub(crate) fn replace(&self, mut config: WorkloadConfig) -> (Arc<CurrentConfig>, Arc<CurrentConfig>) {
        let mut replaced = None;
        self.current.send_modify(|current| {
            config.routes.keep_paces_of(&current.config.routes);
            let now = Arc::new(CurrentConfig::new(config));
            replaced = Some((std::mem::replace(current, Arc::clone(&now)), now));
        });
        replaced.expect("the function above is called once")
    }

    /// Ends the dialed connections that are no longer as the configuration has them.
    pub(crate) fn close_outdated(&self) {
        self.closings.send_replace(());
    }

    /// The target for a destination, if there is a route to it.
    pub(crate) fn target(&self, protocol: Protocol, to: Endpoint) -> Result<LiveTarget, Denial> {
        let current = self.current.subscribe();
        let by = Arc::clone(&current.borrow());
        Ok(LiveTarget { target: by.target(protocol, to)?, by, current })
    }

    /// Waits until a connection that was dialed to this target is to end.
    pub(crate) fn closing(&self, live: LiveTarget) -> impl Future<Output = ()> + Send + use<> {
        let mut closings = self.closings.subscribe();
        // Replaced in the moment in which it was dialed, and the order for it may have been given in that moment too.
        let is_late = live.is_outdated();
        async move {
            if is_late {
                return;
            }
            loop {
                // Without a transport there is none left that could order it.
                if closings.changed().await.is_err() {
                    pending::<()>().await;
                }
                if live.is_outdated() {
                    return;
                }
            }
        }
    }
}

impl CurrentConfig {
    fn new(config: WorkloadConfig) -> Self {
        Self { workload: config.name.as_str().into(), config }
    }

    pub(crate) fn target(&self, protocol: Protocol, to: Endpoint) -> Result<Target, Denial> {
        let route = self.config.routes.find(protocol, &to).ok_or_else(|| Denial::NoRoute(to.clone()))?;
        if protocol == Protocol::Mqtt && route.route.mqtt_alpn.is_none() {
            return Err(Denial::NotForMqtt(to));
        }
        Ok(Target {
            workload: Arc::clone(&self.workload),
            protocol,
            hops: self.config.hops(&route.route, &to),
            route: Arc::clone(route),
            to,
        })
    }

    /// Whether what is connected to `target` is connected as this configuration would have it.
    fn leads_to(&self, target: &Target) -> bool {
        self.target(target.protocol, target.to.clone()).is_ok_and(|now| now.shares_connections_with(target))
    }
}

impl LiveTarget {
    /// Whether the configuration has another target by now, or none.
    pub(crate) fn is_outdated(&self) -> bool {
        let now = self.current.borrow();
        !Arc::ptr_eq(&now, &self.by) && !now.leads_to(&self.target)
    }

    /// The target, and the moment from which on it is outdated.
    pub(crate) fn while_current(&mut self) -> (&Target, impl Future<Output = ()> + Send + '_) {
        let Self { target, by, current } = self;
        let target = &*target;
        let outdated = async move {
            loop {
                let is_outdated = {
                    let now = current.borrow_and_update();
                    !Arc::ptr_eq(&now, by) && !now.leads_to(target)
                };
                if is_outdated {
                    return;
                }
                if current.changed().await.is_err() {
                    pending::<()>().await;
                }
            }
        };
        (target, outdated)
    }

    /// Finds the target by the configuration that is in force now.
    pub(crate) fn find_again(&mut self) -> Result<(), Denial> {
        let by = Arc::clone(&self.current.borrow());
        self.target = by.target(self.target.protocol, self.target.to.clone())?;
        self.by = by;
        Ok(())
    }
}
