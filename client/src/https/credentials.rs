//! The credential that all publications of one device share.
//!
//! On Aliyun a new token ends the old one. A hundred messages that begin at once, each with an authentication of its own, would end
//! each other's for as long as they like. So one authenticates, and the others wait for what comes of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thingpost::{Credential, Exchange};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// What the publications of one device know together. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    known: Arc<Mutex<Known>>,
    turn: Arc<AsyncMutex<()>>,
}

#[derive(Clone, Default)]
pub(crate) struct Known {
    pub credential: Option<Credential>,
    pub clock_ahead_ms: i64,
    pub has_been_answered: bool,
}

impl Credentials {
    pub fn starting_with(credential: Option<Credential>) -> Self {
        let this = Self::default();
        this.lock().credential = credential;
        this
    }

    pub fn known(&self) -> Known {
        self.lock().clone()
    }

    /// Waits until no other publication authenticates.
    pub fn turn(&self) -> impl Future<Output = OwnedMutexGuard<()>> + Send + use<> {
        Arc::clone(&self.turn).lock_owned()
    }

    /// Keeps what an exchange has learned. The credential only if it is not the one that the exchange began with: another may have
    /// brought a newer one meanwhile.
    pub fn learn(&self, exchange: &Exchange, began_with: Option<&Credential>) {
        let mut known = self.lock();
        if exchange.credential() != began_with
            && let Some(credential) = exchange.credential()
        {
            known.credential = Some(credential.clone());
        }
        if exchange.clock_ahead_ms() != 0 {
            known.clock_ahead_ms = exchange.clock_ahead_ms();
        }
        known.has_been_answered |= exchange.has_been_answered();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
