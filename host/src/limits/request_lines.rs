//! Method, authority and path of a request that is not sent yet. wasmtime keeps them as long as a guest likes, and looks at
//! the length of none of them before the request goes: a method of 4 MiB is a valid one, for each request that a guest holds.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use super::GuestLimits;

/// Longer than any method that is registered.
const METHOD_BYTES: usize = 64;
/// A name of DNS has 253 bytes, and a port has 5.
const AUTHORITY_BYTES: usize = 512;
/// More than servers take, and than a topic and its properties come to.
const PATH_BYTES: usize = 16 * 1024;

type Set = (Result<(), ()>,);

impl GuestLimits {
    /// Has a guest that gives a request an endless method, authority or path told that it is none: 64 bytes, 512 bytes and
    /// 16 KiB are the most. For a linker that has `wasi:http/types` already.
    ///
    /// # Errors
    ///
    /// The linker has been given a definition that cannot be replaced.
    pub fn bound_request_lines<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
        linker.allow_shadowing(true);
        let bounded = bound(linker);
        linker.allow_shadowing(false);
        bounded
    }
}

fn bound<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, T>,
         (request, method): (Resource<HostOutgoingRequest>, Method)|
         -> Result<Set> {
            match &method {
                Method::Other(name) if name.len() > METHOD_BYTES => Ok((Err(()),)),
                _ => Ok((store.data_mut().http().set_method(request, method)?,)),
            }
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: StoreContextMut<'_, T>,
         (request, authority): (Resource<HostOutgoingRequest>, Option<String>)|
         -> Result<Set> {
            match is_longer(authority.as_ref(), AUTHORITY_BYTES) {
                true => Ok((Err(()),)),
                false => Ok((store.data_mut().http().set_authority(request, authority)?,)),
            }
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |mut store: StoreContextMut<'_, T>,
         (request, path): (Resource<HostOutgoingRequest>, Option<String>)|
         -> Result<Set> {
            match is_longer(path.as_ref(), PATH_BYTES) {
                true => Ok((Err(()),)),
                false => Ok((store.data_mut().http().set_path_with_query(request, path)?,)),
            }
        },
    )
}

fn is_longer(text: Option<&String>, most: usize) -> bool {
    text.is_some_and(|text| text.len() > most)
}
