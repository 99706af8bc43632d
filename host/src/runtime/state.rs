//! What one store holds: one workload's hooks, and so its routes and identities. The guest in the store has no other,
//! and no name for them.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::hooks::TransportHooks;
use crate::transport::Transport;

/// The state of one store.
pub(super) struct StoreState {
    table: ResourceTable,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    hooks: TransportHooks,
}

impl StoreState {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            table: ResourceTable::new(),
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            hooks: TransportHooks::new(transport),
        }
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
