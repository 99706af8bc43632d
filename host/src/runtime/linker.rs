//! What a publisher may import: the interfaces of its world, and nothing else.

#[cfg(feature = "signer")]
use wasmtime::component::HasSelf;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime::{Engine, Result};
use wasmtime_wasi::clocks::WasiClocks;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};
use wasmtime_wasi_io::bindings::wasi::io;

use super::outgoing_handler;
use super::state::PublisherState;
use crate::limits::GuestLimits;

/// For interfaces whose functions need the table of resources and nothing else.
pub(super) struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// The linker of the worlds `publish` and, where this host signs, `publish-signed`.
pub(super) fn linker(engine: &Engine) -> Result<Linker<PublisherState>> {
    let mut linker = Linker::new(engine);
    io::error::add_to_linker::<_, Table>(&mut linker, PublisherState::table)?;
    io::poll::add_to_linker::<_, Table>(&mut linker, PublisherState::table)?;
    io::streams::add_to_linker::<_, Table>(&mut linker, PublisherState::table)?;
    monotonic_clock::add_to_linker::<_, WasiClocks>(&mut linker, PublisherState::clocks)?;
    wall_clock::add_to_linker::<_, WasiClocks>(&mut linker, PublisherState::clocks)?;
    let options = LinkOptions::default();
    http::types::add_to_linker::<_, WasiHttp>(&mut linker, &(&options).into(), PublisherState::http)?;
    GuestLimits::bound_request_lines(&mut linker)?;
    outgoing_handler::add_to_linker(&mut linker)?;
    #[cfg(feature = "signer")]
    super::bindings::thingpost::iot::signer::add_to_linker::<_, HasSelf<PublisherState>>(&mut linker, |state| state)?;
    Ok(linker)
}
