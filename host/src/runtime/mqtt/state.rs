//! What one store with a session holds. There is nothing of HTTP in it, and nothing of what dials in a publisher's store:
//! neither has a use for the other's.

#[cfg(feature = "signer")]
use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi_io::poll::DynPollable;

use super::super::bindings::mqtt::thingpost::iot::interrupt;
use super::super::bindings::thingpost::iot::signer;
use super::super::dialer::{Dialer, DialerView};
use super::super::interrupt::Interrupt;
#[cfg(feature = "signer")]
use super::super::signer::{DeviceSecrets, SigningPolicy, StoreSigner};
use crate::limits::{GuestLimiter, GuestLimits};
use crate::transport::Transport;

/// The state of a store with a session. Its contents are the host's own; an embedder meets it in the hook on each store,
/// [`MqttPre::on_store`](super::MqttPre::on_store).
pub struct MqttState {
    limiter: GuestLimiter,
    table: ResourceTable,
    clocks: WasiClocksCtx,
    dialer: Dialer,
    #[cfg(feature = "signer")]
    signer: StoreSigner,
    interrupt: Interrupt,
}

impl MqttState {
    pub(super) fn new(transport: Transport, limits: &GuestLimits) -> Self {
        Self {
            limiter: limits.limiter(),
            table: limits.table(),
            clocks: WasiClocksCtx::default(),
            dialer: Dialer::new(transport),
            #[cfg(feature = "signer")]
            signer: StoreSigner::default(),
            interrupt: Interrupt::new(),
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

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
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

    pub(super) fn dialer(&mut self) -> DialerView<'_> {
        DialerView { dialer: &self.dialer, table: &mut self.table }
    }
}

/// For an interface whose functions need a [`DialerView`].
pub(super) struct Dials;

impl HasData for Dials {
    type Data<'a> = DialerView<'a>;
}

/// The component imports it in any case, so it is offered in any case.
impl signer::Host for MqttState {
    #[cfg(feature = "signer")]
    async fn sign(&mut self, method: signer::Method, content: String) -> Result<signer::Proof, signer::Refusal> {
        self.signer.sign(method, &content).map(signer::Proof::Signature)
    }

    #[cfg(not(feature = "signer"))]
    async fn sign(&mut self, _method: signer::Method, _content: String) -> Result<signer::Proof, signer::Refusal> {
        Err(signer::Refusal::Other("this host is built without its signer (the cargo feature `signer`)".to_owned()))
    }

    /// What is shared over MQTT is the signature itself.
    fn obtained(&mut self, _credential: Option<String>) {}
}

impl interrupt::Host for MqttState {
    fn subscribe(&mut self) -> Result<wasmtime::component::Resource<DynPollable>> {
        self.interrupt.pollable(&mut self.table)
    }
}
