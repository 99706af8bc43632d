//! A publisher: one instance of the component, bound to one device.

use std::fmt;
#[cfg(feature = "signer")]
use std::sync::Arc;

use wasmtime::component::{Instance, InstancePre, ResourceAny};
use wasmtime::{Engine, Result, Store};

use super::bindings::exports::thingpost::iot::publisher::Guest;
use super::calls::{CallBudget, GuestStore, OUTCOME_BYTES, StoreSettings};
use super::data_plane::DataPlane;
use super::interfaces::Interfaces;
use super::provisioning::Provisioning;
#[cfg(feature = "signer")]
use super::signer::{DeviceSecrets, SigningPolicy};
use super::state::PublisherState;
use super::types::{AliyunConfig, Error, Event, Message, Options, Platform, Property, Receipt, RequestError};
use crate::limits::GuestLimits;
use crate::transport::Transport;

/// Leaves every bound to the component.
impl Default for Options {
    fn default() -> Self {
        Self {
            timeout_ms: None,
            connect_timeout_ms: None,
            max_attempts: None,
            backoff_base_ms: None,
            backoff_max_ms: None,
            max_in_flight: None,
        }
    }
}

/// What the thing model made of a message: a publisher speaks HTTPS, and no reply comes over that.
const NO_REPLY: bool = false;

/// What the message that posts a property has around it.
const PROPERTY_BYTES: usize = 256;

/// A component that is compiled and linked, ready to be instantiated many times.
#[derive(Clone)]
pub struct PublisherPre {
    engine: Engine,
    pre: InstancePre<PublisherState>,
    interfaces: Interfaces,
    settings: StoreSettings<PublisherState>,
}

/// One instance of a component, for one device. Holds the device's token between calls.
///
/// If a call returns an error of wasmtime, the instance has trapped or was stopped, and is of no more use: the fate of the
/// messages of that call is unknown, and each later call fails with [`CallError::Lost`](super::CallError::Lost). So it is
/// after a call that was not awaited to its end.
pub struct Publisher {
    store: GuestStore<PublisherState>,
    instance: Instance,
    interfaces: Interfaces,
    guest: Guest,
    client: ResourceAny,
}

/// The reason why there is no publisher, or no session on a broker.
#[derive(Debug)]
pub enum OpenError {
    /// The component says that the configuration or the credential cannot work, and why.
    Configuration(String),
    /// The component could not be started.
    Runtime(wasmtime::Error),
}

impl PublisherPre {
    pub(super) fn new(pre: InstancePre<PublisherState>, settings: StoreSettings<PublisherState>) -> Result<Self> {
        Ok(Self { engine: pre.engine().clone(), interfaces: Interfaces::of(&pre)?, pre, settings })
    }

    /// Sets what each instance may take of the host, in place of the defaults. Options that ask for more requests under way
    /// raise what concerns those.
    #[must_use]
    pub fn limits(mut self, limits: GuestLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets how long each call may take, in place of the defaults. Starting an instance and opening a client in it are calls too.
    #[must_use]
    pub fn call_budget(mut self, budget: CallBudget) -> Self {
        self.settings.budget = budget;
        self
    }

    /// Does this with each store that is made, after all else was set on it: for fuel, a limiter, or a debugger of your own.
    /// Epoch deadline and hostcall fuel are set anew with each call.
    #[must_use]
    pub fn on_store(mut self, prepare: impl Fn(&mut Store<PublisherState>) + Send + Sync + 'static) -> Self {
        self.settings.prepare_with(prepare);
        self
    }

    /// What it takes to start an instance whose requests go through `transport`, for a device on this platform.
    pub fn builder<'a>(&'a self, transport: Transport, platform: &'a Platform) -> PublisherBuilder<'a> {
        let state = PublisherState::new(transport, &self.settings.limits);
        #[cfg(feature = "signer")]
        let state = state.signing(SigningPolicy::of_platform(platform));
        PublisherBuilder { component: self, state, platform, options: Options::default(), credential: None }
    }

    /// Starts an instance for what comes before the first message of a device on Aliyun IoT Platform.
    ///
    /// # Errors
    ///
    /// The component cannot be started.
    pub async fn provisioning(&self, transport: Transport) -> Result<Provisioning> {
        self.provisioning_in(PublisherState::new(transport, &self.settings.limits)).await
    }

    /// Starts an instance for what comes before the first message of a device on Aliyun IoT Platform, which signs with
    /// these secrets where a configuration leaves that to the host.
    ///
    /// # Errors
    ///
    /// The component cannot be started.
    #[cfg(feature = "signer")]
    pub async fn provisioning_with_secrets(
        &self,
        transport: Transport,
        secrets: Arc<DeviceSecrets>,
    ) -> Result<Provisioning> {
        self.provisioning_in(PublisherState::new(transport, &self.settings.limits).with_secrets(secrets)).await
    }

    async fn provisioning_in(&self, state: PublisherState) -> Result<Provisioning> {
        let (mut store, instance) = self.start(state, &self.settings).await?;
        let guest = self.interfaces.provisioning(store.begin()?.0, &instance)?;
        Ok(Provisioning::new(store, guest))
    }

    async fn start(
        &self,
        state: PublisherState,
        settings: &StoreSettings<PublisherState>,
    ) -> Result<(GuestStore<PublisherState>, Instance)> {
        let mut store = GuestStore::new(&self.engine, state, settings, PublisherState::limiter);
        let (in_store, call) = store.begin()?;
        let instance = call.run(self.pre.instantiate_async(in_store)).await?;
        Ok((store, instance))
    }
}

/// An instance that is about to be started.
#[must_use = "nothing is started before `open`"]
pub struct PublisherBuilder<'a> {
    component: &'a PublisherPre,
    state: PublisherState,
    platform: &'a Platform,
    options: Options,
    credential: Option<&'a str>,
}

impl<'a> PublisherBuilder<'a> {
    /// Sets bounds in place of those that the component has by default.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Sets the token or temporary key that an earlier publisher of the same device [had](Publisher::credential), so that this
    /// one need not obtain another. One that is no longer good is replaced.
    pub fn credential(mut self, credential: Option<&'a str>) -> Self {
        self.credential = credential;
        self
    }

    /// Sets the secrets with which the host signs where the platform's configuration leaves that to it: for the device of the
    /// configuration, and nothing but what that asks for. Only a component of world `publish-signed` asks for a signature.
    #[cfg(feature = "signer")]
    pub fn secrets(mut self, secrets: Arc<DeviceSecrets>) -> Self {
        self.state = self.state.with_secrets(secrets);
        self
    }

    /// Starts the instance and opens a client in it. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Configuration`] if the component says that this configuration, these options or this credential cannot
    /// work, [`OpenError::Runtime`] if it cannot be started.
    pub async fn open(self) -> Result<Publisher, OpenError> {
        let Self { component, mut state, platform, options, credential } = self;
        let mut settings = component.settings.clone();
        if let Some(requests) = options.max_in_flight {
            settings.limits = settings.limits.at_least_in_flight(usize::try_from(requests).unwrap_or(usize::MAX));
            state = state.with_limits(&settings.limits);
        }
        let (mut store, instance) = component.start(state, &settings).await?;
        let (in_store, call) = store.begin()?;
        let guest = component.interfaces.publisher(in_store, &instance)?;
        let client = match platform {
            Platform::Aws(config) => {
                let aws = component.interfaces.aws(in_store, &instance)?;
                call.run(aws.call_open(in_store, config, options, credential)).await?
            }
            Platform::Aliyun(config) => {
                let aliyun = component.interfaces.aliyun(in_store, &instance)?;
                call.run(aliyun.call_open(in_store, config, options, credential)).await?
            }
        };
        let client = client.map_err(OpenError::Configuration)?;
        Ok(Publisher { store, instance, interfaces: component.interfaces.clone(), guest, client })
    }
}

impl Publisher {
    /// Publishes one message and waits for its outcome.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn publish(&mut self, message: &Message) -> Result<Result<Receipt, Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.client().call_publish(store, self.client, message)).await
    }

    /// Publishes many messages, several at once. The outcomes are in the order of the messages.
    ///
    /// The instance holds all messages of a call, and has 256 MiB for them and for what it makes of them: give it more
    /// than 16 MiB in several calls.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn publish_all(&mut self, messages: &[Message]) -> Result<Vec<Result<Receipt, Error>>> {
        let (store, call) = self.store.begin_for(messages.len().saturating_mul(OUTCOME_BYTES))?;
        call.run(self.guest.client().call_publish_all(store, self.client, messages)).await
    }

    /// The other operations of the AWS data plane. For a device on another platform each of them fails.
    pub fn aws(&mut self) -> DataPlane<'_> {
        DataPlane::new(&mut self.store, &self.interfaces, self.instance, self.client)
    }

    /// The messages that post properties of a device on Aliyun IoT Platform: one for each 200, numbered from `first_id` on.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn property_post(
        &mut self,
        device: &AliyunConfig,
        first_id: u32,
        properties: &[Property],
    ) -> Result<Result<Vec<Message>, RequestError>> {
        let given: usize = properties.iter().map(|property| property.identifier.len() + property.value.len()).sum();
        let (store, call) =
            self.store.begin_for(given.saturating_add(properties.len().saturating_mul(PROPERTY_BYTES)))?;
        let guest = self.interfaces.thing_model(store, &self.instance)?;
        let AliyunConfig { product_key, device_name, .. } = device;
        call.run(guest.call_property_post(store, product_key, device_name, first_id, properties, NO_REPLY)).await
    }

    /// The message that posts an event of a device on Aliyun IoT Platform.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn event_post(
        &mut self,
        device: &AliyunConfig,
        id: u32,
        event: &Event,
    ) -> Result<Result<Message, RequestError>> {
        let (store, call) = self.store.begin_for(event.value.len())?;
        let guest = self.interfaces.thing_model(store, &self.instance)?;
        let AliyunConfig { product_key, device_name, .. } = device;
        call.run(guest.call_event_post(store, product_key, device_name, id, event, NO_REPLY)).await
    }

    /// The device's token or temporary key, for the next publisher of the same device. A secret.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn credential(&mut self) -> Result<Option<String>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.client().call_credential(store, self.client)).await
    }

    /// Whether the guest holds no resource of the host.
    #[cfg(test)]
    pub(super) fn is_tidy(&mut self) -> bool {
        self.store.data_mut().table().is_empty()
    }
}

impl From<wasmtime::Error> for OpenError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Runtime(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(problem) => f.write_str(problem),
            Self::Runtime(error) => write!(f, "the component cannot be started: {error:#}"),
        }
    }
}

impl std::error::Error for OpenError {}
