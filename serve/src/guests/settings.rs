//! What the instances of a component may take, and how many there are.

use std::time::Duration;

use thingpost_host::GuestLimits;
use thingpost_host::runtime::CallBudget;

/// How many instances of a component there are, for how long, and what each may take of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSettings {
    /// Requests that are handled at once, each by an instance of its own. Default 1,000; fewer if the engine has not reserved
    /// that much.
    pub instances: usize,
    /// Requests of one device that are handled at once. Default none: as many as all.
    pub per_device: Option<usize>,
    /// Requests that wait for an instance; of one device no more than `per_device`. Default 1,000.
    pub queue: usize,
    /// How long a request waits. Default 10 s.
    pub queue_timeout: Duration,
    /// Requests that one instance handles, one after the other. Default 1,000: what a guest forgets to give back is gone with its
    /// instance.
    pub requests_per_instance: u64,
    /// How long an instance stays without a request. Default 60 s.
    pub idle_timeout: Duration,
    /// Bytes of the memories of one instance. Default 64 MiB.
    pub memory_bytes: usize,
    /// How long a request may compute. Default 10 s.
    pub cpu: Duration,
    /// How long a request may take in all, from an instance's taking it up to its being done with it. Default 2 minutes.
    pub deadline: Duration,
}

impl Default for GuestSettings {
    fn default() -> Self {
        Self {
            instances: 1000,
            per_device: None,
            queue: 1000,
            queue_timeout: Duration::from_secs(10),
            requests_per_instance: 1000,
            idle_timeout: Duration::from_secs(60),
            memory_bytes: 64 * 1024 * 1024,
            cpu: Duration::from_secs(10),
            deadline: Duration::from_secs(120),
        }
    }
}

impl GuestSettings {
    pub(super) fn limits(&self) -> GuestLimits {
        GuestLimits::default().memory_bytes(self.memory_bytes)
    }

    pub(super) fn budget(&self) -> CallBudget {
        CallBudget::default().cpu(self.cpu).deadline(self.deadline)
    }
}
