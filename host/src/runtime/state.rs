//! What one store holds: one workload's hooks, and so its routes and identities. The guest in the store has no other,
//! and no name for them.

#[cfg(feature = "signer")]
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

#[cfg(feature = "signer")]
use super::signer::{DeviceSecrets, SigningPolicy, StoreSigner};
use crate::limits::{GuestLimiter, GuestLimits};
use crate::transport::Transport;
use crate::transport::hooks::TransportHooks;

/// The state of a store with a publisher. Its contents are the host's own; an embedder meets it in the hook on each store,
/// [`PublisherPre::on_store`](super::PublisherPre::on_store).
pub struct PublisherState {
    limiter: GuestLimiter,
    /// Before the table.
    hooks: TransportHooks,
    table: ResourceTable,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    #[cfg(feature = "signer")]
    signer: StoreSigner,
}

impl PublisherState {
    pub(super) fn new(transport: Transport, limits: &GuestLimits) -> Self {
        Self {
            limiter: limits.limiter(),
            table: limits.table(),
            clocks: WasiClocksCtx::default(),
            http: limits.http(),
            hooks: TransportHooks::new(transport).limits(limits),
            #[cfg(feature = "signer")]
            signer: StoreSigner::default(),
        }
    }

    /// With room for the requests that these limits allow.
    pub(super) fn with_limits(mut self, limits: &GuestLimits) -> Self {
        self.table.set_max_capacity(limits.resources);
        Self { hooks: self.hooks.limits(limits), ..self }
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

    pub(super) fn limiter(&mut self) -> &mut GuestLimiter {
        &mut self.limiter
    }

    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(super) fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView { ctx: &mut self.clocks, table: &mut self.table }
    }
}

impl WasiHttpView for PublisherState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
