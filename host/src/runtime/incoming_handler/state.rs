//! What the store of a component that serves HTTP holds.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::body::HostOutgoingBody;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::log::HandlerLog;
use super::output::GuestOutput;
use crate::limits::{GuestLimiter, GuestLimits};
use crate::transport::Transport;
use crate::transport::hooks::TransportHooks;

/// The state of a store with a component that serves HTTP. `X` is what the interfaces of an embedder keep in it; the rest is the
/// host's own.
pub struct HandlerState<X> {
    limiter: GuestLimiter,
    /// Before the table.
    hooks: TransportHooks,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    output: [GuestOutput; 2],
    log: Arc<HandlerLog>,
    data: X,
}

impl<X> HandlerState<X> {
    pub(super) fn new(transport: Transport, limits: &GuestLimits, log: Arc<HandlerLog>, data: X) -> Self {
        let output = ["stdout", "stderr"].map(|stream| GuestOutput::new(stream, &log));
        let mut wasi = WasiCtx::builder();
        // Sockets are refused before there is one: each would be a descriptor of the process.
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        wasi.max_random_size(limits.host_call_bytes.try_into().unwrap_or(u64::MAX));
        wasi.stdout(output[0].clone()).stderr(output[1].clone());
        Self {
            limiter: limits.limiter(),
            hooks: TransportHooks::new(transport).limits(limits),
            table: limits.table(),
            wasi: wasi.build(),
            http: limits.http(),
            output,
            log,
            data,
        }
    }

    /// What the interfaces of an embedder keep here.
    pub fn data(&self) -> &X {
        &self.data
    }

    /// What the interfaces of an embedder keep here.
    pub fn data_mut(&mut self) -> &mut X {
        &mut self.data
    }

    /// What the interfaces of an embedder keep here, and the table of the resources of this store, for interfaces that have
    /// resources. The table takes no more of them than [`GuestLimits::resources`].
    pub fn data_and_table(&mut self) -> (&mut X, &mut ResourceTable) {
        (&mut self.data, &mut self.table)
    }

    pub(super) fn limiter(&mut self) -> &mut GuestLimiter {
        &mut self.limiter
    }

    pub(super) fn log(&self) -> &Arc<HandlerLog> {
        &self.log
    }

    /// Requests that the guest has handed over so far.
    pub(super) fn requests_sent(&self) -> u64 {
        self.hooks.requests_sent()
    }

    /// A request begins, or is over.
    pub(super) fn turn_over(&self) {
        self.output.iter().for_each(GuestOutput::turn_over);
    }

    /// What the guest has left behind: how many resources, and whether a body that is not written to its end is among them.
    pub(super) fn leftovers(&mut self) -> (usize, bool) {
        let mut has_body = false;
        let count = self.table.iter_mut().inspect(|resource| has_body |= resource.is::<HostOutgoingBody>()).count();
        (count, has_body)
    }
}

impl<X: Send> WasiView for HandlerState<X> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl<X: Send> WasiHttpView for HandlerState<X> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
