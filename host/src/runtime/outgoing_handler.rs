//! wasmtime's `outgoing-handler` looks at the options that come with a request and leaves them in the table of resources:
//! a hundred bytes for each request, and a trap after a million, which is the most that a table holds. A publisher that
//! lives as long as its gateway gets there. Here the options go when their request has gone.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{RequestOptions, WasiHttpView};

/// What a guest hands over: the request, and how long to wait.
type Handed = (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>);
type Sent = Result<Resource<HostFutureIncomingResponse>, ErrorCode>;

/// By hand, because the generated function takes nothing but wasmtime's own implementation.
pub(super) fn add_to_linker<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    linker.instance("wasi:http/outgoing-handler@0.2.12")?.func_wrap("handle", handle)
}

fn handle<T: WasiHttpView>(mut store: StoreContextMut<'_, T>, (request, options): Handed) -> Result<(Sent,)> {
    let left_behind = options.as_ref().map(|options| Resource::<RequestOptions>::new_own(options.rep()));
    let mut http = store.data_mut().http();
    let sent = http.handle(request, options);
    if let Some(options) = left_behind {
        // Once wasmtime takes them itself, something else may stand in their place.
        if http.table.get(&options).is_ok() {
            http.table.delete(options)?;
        }
    }
    match sent {
        Ok(answer) => Ok((Ok(answer),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}
