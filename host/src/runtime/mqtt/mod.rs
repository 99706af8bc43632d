//! A device on an MQTT broker: one instance of a component of world `mqtt`.

mod session;
pub(super) mod state;

#[cfg(feature = "signer")]
use std::sync::Arc;

use wasmtime::component::{HasSelf, InstancePre, Linker};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::clocks::WasiClocks;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi_io::bindings::wasi::io;

pub use session::MqttSession;

use super::bindings::mqtt::exports::thingpost::iot::{aliyun_mqtt, aws_mqtt, generic_mqtt, mqtt_session};
use super::bindings::mqtt::thingpost::iot::{dialer, interrupt};
use super::calls::{CallBudget, GuestStore, StoreSettings};
use super::interfaces::exported;
use super::linker::Table;
use super::publisher::OpenError;
#[cfg(feature = "signer")]
use super::signer::{DeviceSecrets, SigningPolicy};
use super::types::mqtt::{Broker, FullQueue, MqttConfig, SessionOptions, Unfinished};
use crate::limits::GuestLimits;
use crate::transport::Transport;
use state::{Dials, MqttState};

/// Leaves every bound to the component, and refuses the newest message when the queue is full.
impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            queue_limit: None,
            queue_unlimited: false,
            full_queue: FullQueue::DropNewest,
            drain_per_second: None,
            max_per_second: None,
            reconnect_base_ms: None,
            reconnect_max_ms: None,
            stable_ms: None,
            connect_timeout_ms: None,
            operation_timeout_ms: None,
            message_timeout_ms: None,
            max_in_flight: None,
            max_attempts: None,
        }
    }
}

/// A component of world `mqtt` that is compiled and linked, ready to be instantiated many times.
#[derive(Clone)]
pub struct MqttPre {
    engine: Engine,
    pre: InstancePre<MqttState>,
    session: mqtt_session::GuestIndices,
    aws: Option<aws_mqtt::GuestIndices>,
    aliyun: Option<aliyun_mqtt::GuestIndices>,
    generic: Option<generic_mqtt::GuestIndices>,
    settings: StoreSettings<MqttState>,
}

impl MqttPre {
    pub(super) fn new(pre: InstancePre<MqttState>, settings: StoreSettings<MqttState>) -> Result<Self> {
        Ok(Self {
            engine: pre.engine().clone(),
            session: mqtt_session::GuestIndices::new(&pre)?,
            aws: aws_mqtt::GuestIndices::new(&pre).ok(),
            aliyun: aliyun_mqtt::GuestIndices::new(&pre).ok(),
            generic: generic_mqtt::GuestIndices::new(&pre).ok(),
            pre,
            settings,
        })
    }

    /// Sets what each instance may take of the host, in place of the defaults.
    #[must_use]
    pub fn limits(mut self, limits: GuestLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets how long each call may take, in place of the defaults. Starting an instance and opening a session in it are calls
    /// too; what a call is told to wait comes on top of the deadline.
    #[must_use]
    pub fn call_budget(mut self, budget: CallBudget) -> Self {
        self.settings.budget = budget;
        self
    }

    /// Does this with each store that is made, after all else was set on it: for fuel, a limiter, or a debugger of your own.
    /// Epoch deadline and hostcall fuel are set anew with each call.
    #[must_use]
    pub fn on_store(mut self, prepare: impl Fn(&mut Store<MqttState>) + Send + Sync + 'static) -> Self {
        self.settings.prepare_with(prepare);
        self
    }

    /// What it takes to start an instance whose connections go through `transport`, and open a session in it.
    pub fn builder<'a>(&'a self, transport: Transport, config: &'a MqttConfig) -> MqttSessionBuilder<'a> {
        let state = MqttState::new(transport, &self.settings.limits);
        #[cfg(feature = "signer")]
        let state = state.signing(SigningPolicy::of_broker(&config.broker));
        MqttSessionBuilder { component: self, state, config, options: SessionOptions::default(), unfinished: &[] }
    }
}

/// A session that is about to be opened.
#[must_use = "nothing is started before `open`"]
pub struct MqttSessionBuilder<'a> {
    component: &'a MqttPre,
    state: MqttState,
    config: &'a MqttConfig,
    options: SessionOptions,
    unfinished: &'a [Unfinished],
}

impl<'a> MqttSessionBuilder<'a> {
    /// Sets bounds in place of those that the component has by default.
    pub fn options(mut self, options: SessionOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the messages that an earlier session [left unfinished](MqttSession::unfinished). They go before all others.
    pub fn unfinished(mut self, messages: &'a [Unfinished]) -> Self {
        self.unfinished = messages;
        self
    }

    /// Sets the secrets with which the host signs where the configuration leaves that to it: for the device of the
    /// configuration, and nothing but what that asks for.
    #[cfg(feature = "signer")]
    pub fn secrets(mut self, secrets: Arc<DeviceSecrets>) -> Self {
        self.state = self.state.with_secrets(secrets);
        self
    }

    /// Starts the instance and opens a session in it. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Configuration`] if the component says that this configuration or these options cannot work,
    /// [`OpenError::Runtime`] if it cannot be started.
    pub async fn open(self) -> Result<MqttSession, OpenError> {
        let Self { component, state, config, options, unfinished } = self;
        let mut store = GuestStore::new(&component.engine, state, &component.settings, MqttState::limiter);
        let (in_store, call) = store.begin()?;
        let instance = call.run(component.pre.instantiate_async(&mut *in_store)).await?;
        let (mut in_store, call) = store.begin()?;
        let guest = component.session.load(&mut in_store, &instance)?;
        let MqttConfig { broker, session } = config;
        let session = match broker {
            Broker::Aws(broker) => {
                let aws = exported(component.aws.as_ref(), "aws-mqtt")?.load(&mut in_store, &instance)?;
                call.run(aws.call_open(in_store, broker, session, options, unfinished)).await?
            }
            Broker::Aliyun(broker) => {
                let aliyun = exported(component.aliyun.as_ref(), "aliyun-mqtt")?.load(&mut in_store, &instance)?;
                call.run(aliyun.call_open(in_store, broker, session, options, unfinished)).await?
            }
            Broker::Generic(broker) => {
                let generic = exported(component.generic.as_ref(), "generic-mqtt")?.load(&mut in_store, &instance)?;
                call.run(generic.call_open(in_store, broker, session, options, unfinished)).await?
            }
        };
        let session = session.map_err(OpenError::Configuration)?;
        Ok(MqttSession::new(store, guest, session))
    }
}

/// What the world `mqtt` imports, and nothing else.
pub(super) fn linker(engine: &Engine) -> Result<Linker<MqttState>> {
    let mut linker = Linker::new(engine);
    io::error::add_to_linker::<_, Table>(&mut linker, MqttState::table)?;
    io::poll::add_to_linker::<_, Table>(&mut linker, MqttState::table)?;
    io::streams::add_to_linker::<_, Table>(&mut linker, MqttState::table)?;
    monotonic_clock::add_to_linker::<_, WasiClocks>(&mut linker, MqttState::clocks)?;
    dialer::add_to_linker::<_, Dials>(&mut linker, MqttState::dialer)?;
    interrupt::add_to_linker::<_, HasSelf<MqttState>>(&mut linker, |state| state)?;
    super::bindings::thingpost::iot::signer::add_to_linker::<_, HasSelf<MqttState>>(&mut linker, |state| state)?;
    Ok(linker)
}
