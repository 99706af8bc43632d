//! How much of what a host has one pool takes, and one workload of it.

use std::time::Duration;

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
    /// 320 requests a second; what exceeds it waits for its turn. More than `connections_per_workload` or `connections`
    /// counts as that.
    pub connections_per_key: usize,
    /// Connections that one workload may have for requests at once, idle ones and attempts at several
    /// addresses of one host included, to all its destinations together; where
    /// it is reached, its own idle ones give way. Default 64, twice `connections_per_key`: a device has two busy
    /// destinations at most, one of which gives out its tokens. A host whose devices are one workload raises it to their number.
    /// Without this bound a guest with sixteen ports could take all that the pool has. More than `connections` counts as
    /// `connections`.
    pub connections_per_workload: usize,
    /// Connections of the whole pool, dialed ones included. Default 512: half of the 1024 descriptors that a process
    /// commonly gets. Where it is reached, idle ones give way.
    pub connections: usize,
    /// Connections that one workload may have [dialed](crate::Transport::dial) at once, attempts at several addresses
    /// of one host included, to all its destinations together. Default 32, as for requests. A request ends by itself, such a connection when the guest likes: without this bound one guest could take all
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

    /// Sets [`connections_per_workload`](Self::connections_per_workload).
    #[must_use]
    pub fn connections_per_workload(mut self, connections: usize) -> Self {
        self.connections_per_workload = connections;
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
            connections_per_workload: 64,
            connections: 512,
            dialed_per_workload: 32,
        }
    }
}
