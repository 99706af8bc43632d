//! A component that answers HTTP, of anybody's making: for those who have a listener.
//!
//! A stock host that serves such a component offers it all of WASI, with the name of the machine's resolver and its sockets
//! behind it, and sends its requests with no identity. Here it gets `wasi:http` over a [`Transport`], what the standard libraries
//! of languages import whether they need it or not, emptied of all authority, and what its embedder adds by name.
//! [`HandlerLinker`] has the list.

mod answer;
mod error;
mod instance;
mod linker;
mod log;
mod output;
mod state;
mod version;

use std::fmt;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{Result, Store};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

pub use answer::{AnswerCutShort, HandlerAnswer, HandlerBody};
pub use error::LoadHandlerError;
pub use instance::HandlerInstance;
pub use linker::HandlerLinker;
pub use state::HandlerState;

use log::HandlerLog;

use super::calls::{CallBudget, GuestStore, StoreSettings};
use super::engine::HandlerPool;
use crate::limits::GuestLimits;
use crate::transport::Transport;

/// A component of `wasi:http/incoming-handler` that is compiled and linked, ready to be instantiated many times.
pub struct HandlerPre<X: Send + 'static> {
    pre: ProxyPre<HandlerState<X>>,
    settings: StoreSettings<HandlerState<X>>,
    most_instances: Option<usize>,
    log: Arc<HandlerLog>,
}

impl<X: Send + 'static> HandlerPre<X> {
    pub(super) fn new(
        component: &Component,
        linker: &HandlerLinker<X>,
        settings: StoreSettings<HandlerState<X>>,
        pool: Option<HandlerPool>,
    ) -> Result<Self, LoadHandlerError> {
        let pre = linker.link(component)?;
        let most_instances = pool.and_then(|pool| pool.most_instances_of(component));
        Ok(Self { pre, settings, most_instances, log: Arc::default() })
    }

    /// How many instances there can be at once, other components of the same engine aside, if there is a bound: that of the
    /// pool which [`Runtime::for_precompiled_handlers`](super::Runtime::for_precompiled_handlers) has reserved. One more cannot be started, so a
    /// host that takes requests has them wait, or sends them away, before it comes to that.
    pub fn most_instances(&self) -> Option<usize> {
        self.most_instances
    }

    /// Sets what each instance may take of the host, in place of the defaults.
    #[must_use]
    pub fn limits(mut self, limits: GuestLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets how long each request may take, in place of the defaults. Starting an instance is a call too.
    #[must_use]
    pub fn call_budget(mut self, budget: CallBudget) -> Self {
        self.settings.budget = budget;
        self
    }

    /// Does this with each store that is made, after all else was set on it. Epoch deadline and hostcall fuel are set anew with each
    /// request.
    #[must_use]
    pub fn on_store(mut self, prepare: impl Fn(&mut Store<HandlerState<X>>) + Send + Sync + 'static) -> Self {
        self.settings.prepare_with(prepare);
        self
    }

    /// Starts an instance whose requests go through `transport`, and whose further interfaces find `data` in their store.
    ///
    /// # Errors
    ///
    /// The component cannot be started: it has trapped, exceeds the limits, or as many instances as there can be are there.
    pub async fn instantiate(&self, transport: Transport, data: X) -> Result<HandlerInstance<X>> {
        let state = HandlerState::new(transport, &self.settings.limits, Arc::clone(&self.log), data);
        let mut store = GuestStore::new(self.pre.engine(), state, &self.settings, HandlerState::limiter);
        let (in_store, call) = store.begin()?;
        let started = call.run(self.pre.instantiate_async(in_store)).await;
        let proxy = started.inspect_err(|error| self.log.not_started(error))?;
        Ok(HandlerInstance::new(store, proxy))
    }
}

impl<X: Send + 'static> Clone for HandlerPre<X> {
    fn clone(&self) -> Self {
        Self {
            pre: self.pre.clone(),
            settings: self.settings.clone(),
            most_instances: self.most_instances,
            log: Arc::clone(&self.log),
        }
    }
}

impl<X: Send + 'static> fmt::Debug for HandlerPre<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerPre").field("most_instances", &self.most_instances).finish_non_exhaustive()
    }
}
