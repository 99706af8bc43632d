//! What one store holds: one workload's hooks, and so its routes and identities. The guest in the store has no other,
//! and no name for them.

#[cfg(feature = "signer")]
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

#[cfg(feature = "signer")]
use super::signer::{DeviceSecrets, SigningPolicy, StoreSigner};
use crate::transport::Transport;
use crate::transport::hooks::TransportHooks;

/// What the memory of one guest may grow to: plenty for a call with 16 MiB of messages and what is made of them, and far
/// from what a guest that only asks for more could take from a small machine.
const MEMORY_BYTES: usize = 256 * 1024 * 1024;

/// A trap, because it says what was wanted; a guest that is merely refused says nothing but "unreachable".
pub(super) fn memory_limit() -> StoreLimits {
    StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).trap_on_grow_failure(true).build()
}

/// The state of one store.
pub(super) struct StoreState {
    limits: StoreLimits,
    table: ResourceTable,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    hooks: TransportHooks,
    #[cfg(feature = "signer")]
    signer: StoreSigner,
}

impl StoreState {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            limits: memory_limit(),
            table: ResourceTable::new(),
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            hooks: TransportHooks::new(transport),
            #[cfg(feature = "signer")]
            signer: StoreSigner::default(),
        }
    }

    #[cfg(feature = "signer")]
    pub(super) fn with_secrets(mut self, secrets: Arc<DeviceSecrets>) -> Self {
        self.signer.set_secrets(secrets);
        self
    }

    /// Signs for this device and no other.
    #[cfg(feature = "signer")]
    pub(super) fn signing(mut self, policy: Option<SigningPolicy>) -> Self {
        self.signer.set_policy(policy);
        self
    }

    #[cfg(feature = "signer")]
    pub(super) fn signer(&mut self) -> &mut StoreSigner {
        &mut self.signer
    }

    pub(super) fn limits(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.limits
    }

    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(super) fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView { ctx: &mut self.clocks, table: &mut self.table }
    }
}

impl WasiHttpView for StoreState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
