//! What one guest may take of the host.
//!
//! A sandbox keeps a guest from the host's files, and by itself not from the host's memory. With wasmtime's own settings a
//! guest of 2 MiB that makes requests and never sends them leaves 10 GiB in the host in 5,000 rounds, without one route:
//! headers, bodies and names that were handed over stand in the host's heap, up to a million of them, 2 MiB each. All that
//! wasmtime can be told about this stands here in one type, for the stores of the `runtime` and for stores of an embedder.

mod limiter;
mod request_lines;

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::WasiHttpCtx;

pub use limiter::{GuestLimiter, LimitExceeded};

/// The most that one guest may take of the host, over the whole life of its store.
///
/// The defaults leave all that thingpost's components do as it is, with 32 requests under way; and a guest that wants nothing but
/// to take makes its host grow by 64 MiB at most, beside [its own memory](Self::memory_bytes). `tests/hostile/` measures that.
///
/// A store of the `runtime` has all of it set. In a store of your own it goes into five places: [`limiter`](Self::limiter),
/// [`table`](Self::table) and [`http`](Self::http) make what stands in its state, beside
/// [`TransportHooks::limits`](crate::TransportHooks::limits); [`apply`](Self::apply) sets what wasmtime keeps, and
/// [`bound_request_lines`](Self::bound_request_lines) is for the linker. The [documentation of the crate](crate) has an example.
///
/// What they do not bound is time: for that there is [`Config::epoch_interruption`](wasmtime::Config::epoch_interruption),
/// which `runtime::CallBudget` drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestLimits {
    /// Bytes of all linear memories of a store together. Default 256 MiB: plenty for a call with 16 MiB of messages and what
    /// is made of them, and far from what a guest that only asks for more could take from a small machine.
    pub memory_bytes: usize,
    /// Elements of all tables of a store together, 8 bytes each. Default 100,000; thingpost's components have some hundred.
    pub table_elements: usize,
    /// Linear memories of a store. Default 16.
    pub memories: usize,
    /// Tables of a store. Default 64.
    pub tables: usize,
    /// Core instances of a store. Default 64: tools split a component into a few, and interpreters of other languages into
    /// some twenty.
    pub instances: usize,
    /// Resources of the host that a guest holds at once: headers, requests, bodies, streams, timers. Default 384; each request of
    /// thingpost's components has 8 at most. A guest that wants one more ends with a trap.
    pub resources: usize,
    /// Handles of components that are alive at once, also of resources that the guest has made itself. Default 10,000.
    pub handles: usize,
    /// Bytes that the headers of one request take in memory: names, values, and 72 bytes for each. Default 64 KiB; servers
    /// refuse heads of more than 8 to 16 KB. More of it ends in a trap: `wasi:http` has no word for it.
    pub field_bytes: usize,
    /// Bytes of a body that the host takes from a guest in one piece. It keeps two pieces of each body that the
    /// network has not taken. Default 32 KiB.
    pub body_chunk_bytes: usize,
    /// Bytes that one call of a host function, or the result of a call, may carry out of the guest. They are copied before
    /// anything looks at them. Default 4 MiB. More of it ends in a trap.
    pub host_call_bytes: usize,
    /// Requests of one store that are not over: those without an answer, and those whose answer the guest has not read to
    /// its end or dropped. Default 64; one more fails with `connection-limit-reached`, and is not sent.
    pub requests_in_flight: usize,
}

impl Default for GuestLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 * 1024 * 1024,
            table_elements: 100_000,
            memories: 16,
            tables: 64,
            instances: 64,
            resources: 384,
            handles: 10_000,
            field_bytes: 64 * 1024,
            body_chunk_bytes: 32 * 1024,
            host_call_bytes: 4 * 1024 * 1024,
            requests_in_flight: 64,
        }
    }
}

impl GuestLimits {
    /// Sets [`memory_bytes`](Self::memory_bytes).
    #[must_use]
    pub fn memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// Sets [`table_elements`](Self::table_elements).
    #[must_use]
    pub fn table_elements(mut self, table_elements: usize) -> Self {
        self.table_elements = table_elements;
        self
    }

    /// Sets [`memories`](Self::memories).
    #[must_use]
    pub fn memories(mut self, memories: usize) -> Self {
        self.memories = memories;
        self
    }

    /// Sets [`tables`](Self::tables).
    #[must_use]
    pub fn tables(mut self, tables: usize) -> Self {
        self.tables = tables;
        self
    }

    /// Sets [`instances`](Self::instances).
    #[must_use]
    pub fn instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }

    /// Sets [`resources`](Self::resources).
    #[must_use]
    pub fn resources(mut self, resources: usize) -> Self {
        self.resources = resources;
        self
    }

    /// Sets [`handles`](Self::handles).
    #[must_use]
    pub fn handles(mut self, handles: usize) -> Self {
        self.handles = handles;
        self
    }

    /// Sets [`field_bytes`](Self::field_bytes).
    #[must_use]
    pub fn field_bytes(mut self, field_bytes: usize) -> Self {
        self.field_bytes = field_bytes;
        self
    }

    /// Sets [`body_chunk_bytes`](Self::body_chunk_bytes).
    #[must_use]
    pub fn body_chunk_bytes(mut self, body_chunk_bytes: usize) -> Self {
        self.body_chunk_bytes = body_chunk_bytes;
        self
    }

    /// Sets [`host_call_bytes`](Self::host_call_bytes).
    #[must_use]
    pub fn host_call_bytes(mut self, host_call_bytes: usize) -> Self {
        self.host_call_bytes = host_call_bytes;
        self
    }

    /// Sets [`requests_in_flight`](Self::requests_in_flight).
    #[must_use]
    pub fn requests_in_flight(mut self, requests_in_flight: usize) -> Self {
        self.requests_in_flight = requests_in_flight;
        self
    }

    /// What counts the memories and tables of a store, to be kept in the store's state.
    pub fn limiter(&self) -> GuestLimiter {
        GuestLimiter::new(self)
    }

    /// A table of resources that takes no more than [`resources`](Self::resources).
    pub fn table(&self) -> ResourceTable {
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.resources);
        table
    }

    /// What `wasi:http` needs of a store, with [`field_bytes`](Self::field_bytes).
    pub fn http(&self) -> WasiHttpCtx {
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(self.field_bytes);
        http
    }

    /// Sets what wasmtime keeps in the store itself; `limiter` finds what [`limiter`](Self::limiter) has made in its state.
    pub fn apply<T: 'static>(
        &self,
        store: &mut Store<T>,
        mut limiter: impl FnMut(&mut T) -> &mut GuestLimiter + Send + Sync + 'static,
    ) {
        store.limiter(move |state| limiter(state));
        store.set_hostcall_fuel(self.host_call_bytes);
        store.set_max_component_handles(self.handles);
    }

    /// Enough for so many requests under way at once, for who asks for them.
    #[cfg(feature = "runtime")]
    pub(crate) fn at_least_in_flight(mut self, requests: usize) -> Self {
        self.resources = self.resources.max(requests.saturating_mul(RESOURCES_OF_A_REQUEST));
        self.requests_in_flight = self.requests_in_flight.max(requests.saturating_mul(2));
        self
    }
}

/// What a request under way may need of the table, generously.
#[cfg(feature = "runtime")]
const RESOURCES_OF_A_REQUEST: usize = 12;
