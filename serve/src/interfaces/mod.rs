//! What a guest is offered beside `wasi:http`.
//!
//! A stock host offers all of them or none, by switches of its command line. Here each is granted by a section of the configuration, and
//! a component that wants another one is refused before there is a socket.
//!
//! | interface | granted by | |
//! |---|---|---|
//! | `wasi:config/store@0.2.0-rc.1` | `[config]` | names and texts, the same for the whole life of an instance |
//! | `wasi:keyvalue/store`, `atomics` and `batch@0.2.0-draft` | `[store]` | values that are kept, in the buckets that the section names |
//! | `wasi:logging/logging@0.1.0-draft` | `[log] guest = true` | lines in the log of the server, within bounds |
//!
//! They are drafts, whose versions stand for no other: `wasi:config/store@0.2.0-draft-2024-09-27`, as Spin has it, is another interface.

mod keyvalue;
mod logging;

use std::collections::HashMap;
use std::sync::Arc;

use thingpost_host::runtime::{HandlerLinker, HandlerState};
use wasmtime::Result;
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};

pub use logging::GuestLog;

use crate::store::Buckets;

/// What the interfaces of one instance begin with. Cheap to clone: all instances share it.
#[derive(Clone, Default)]
pub struct Grants {
    settings: Option<Arc<WasiConfigVariables>>,
    buckets: Option<Buckets>,
    log: Option<GuestLog>,
}

/// The interface of settings.
pub(crate) const CONFIG: &str = "wasi:config/store@0.2.0-rc.1";

/// The interfaces of the store.
pub(crate) const KEYVALUE: [&str; 3] =
    ["wasi:keyvalue/store@0.2.0-draft", "wasi:keyvalue/atomics@0.2.0-draft", "wasi:keyvalue/batch@0.2.0-draft"];

/// The interface of the log.
pub(crate) const LOGGING: &str = "wasi:logging/logging@0.1.0-draft";

impl Grants {
    /// Grants `wasi:config` with these settings.
    #[must_use]
    pub fn settings(mut self, settings: Option<HashMap<String, String>>) -> Self {
        self.settings = settings.map(|settings| Arc::new(settings.into_iter().collect()));
        self
    }

    /// Grants `wasi:keyvalue` over these buckets.
    #[must_use]
    pub fn buckets(mut self, buckets: Option<Buckets>) -> Self {
        self.buckets = buckets;
        self
    }

    /// Grants `wasi:logging`.
    #[must_use]
    pub fn log(mut self, log: Option<GuestLog>) -> Self {
        self.log = log;
        self
    }

    /// Offers what is granted, and nothing else.
    ///
    /// # Errors
    ///
    /// One of the interfaces is in the linker already.
    pub fn offer(&self, linker: &mut HandlerLinker<Self>) -> Result<()> {
        if self.settings.is_some() {
            linker.offer(CONFIG, |linker| wasmtime_wasi_config::add_to_linker(linker, config))?;
        }
        if self.buckets.is_some() {
            let [store, atomics, batch] = KEYVALUE;
            linker.offer(store, keyvalue::add_store)?;
            linker.offer(atomics, keyvalue::add_atomics)?;
            linker.offer(batch, keyvalue::add_batch)?;
        }
        if self.log.is_some() {
            linker.offer(LOGGING, logging::add)?;
        }
        Ok(())
    }
}

fn config(state: &mut HandlerState<Grants>) -> WasiConfig<'_> {
    let settings = state.data().settings.as_deref();
    settings.expect("the interface is offered only where there are settings").into()
}
