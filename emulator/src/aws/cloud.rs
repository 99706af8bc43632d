//! A client comes by one port and its next request by another, and both must meet the same account. What the ports
//! share stands here.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;

use super::connection::Clients;
use super::direct::DirectMessage;
use super::registry::Registry;
use super::retained::Store;
use super::shadow::Shadows;
use crate::chaos::Conditions;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::ledger::Ledger;

/// What all ports share.
pub(super) struct Cloud {
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) conditions: Conditions,
    pub(super) clock: Clock,
    pub(super) region: Option<String>,
    /// Whether it answers as the control plane does to requests that are not for it.
    pub(super) is_control_plane: AtomicBool,
    pub(super) throttled: AtomicUsize,
    registry: Mutex<Registry>,
    retained: Mutex<Store>,
    shadows: Mutex<Shadows>,
    clients: Mutex<Clients>,
    direct_messages: Mutex<Vec<DirectMessage>>,
}

impl Cloud {
    pub(super) fn new(region: Option<String>) -> Self {
        Self {
            ledger: Ledger::new(),
            faults: Faults::default(),
            conditions: Conditions::default(),
            clock: Clock::default(),
            region,
            is_control_plane: AtomicBool::new(false),
            throttled: AtomicUsize::new(0),
            registry: Mutex::default(),
            retained: Mutex::default(),
            shadows: Mutex::default(),
            clients: Mutex::default(),
            direct_messages: Mutex::default(),
        }
    }

    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("nothing panics while it holds the registry")
    }

    pub(super) fn retained(&self) -> MutexGuard<'_, Store> {
        self.retained.lock().expect("nothing panics while it holds the retained messages")
    }

    pub(super) fn shadows(&self) -> MutexGuard<'_, Shadows> {
        self.shadows.lock().expect("nothing panics while it holds the shadows")
    }

    pub(super) fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().expect("nothing panics while it holds the clients")
    }

    pub(super) fn direct_messages(&self) -> MutexGuard<'_, Vec<DirectMessage>> {
        self.direct_messages.lock().expect("nothing panics while it holds the direct messages")
    }

    /// Seconds since 1970, by the emulator's clock.
    pub(super) fn now(&self) -> u64 {
        self.clock.now_ms() / 1000
    }

    /// Whether this request is one of those to be throttled.
    pub(super) fn throttles(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.throttled.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
            || !self.conditions.is_within_quota(Instant::now())
    }
}
