//! Running a component with exactly what it asks for.
//!
//! A stock runtime links all of WASI and lets the guest choose. Here a component gets the interfaces of its world and
//! nothing else: no files, no environment, no standard output, no entropy, no sockets. A component that imports anything
//! more is refused when it is loaded, not when it first tries. For that a publisher and a session on an MQTT broker have
//! a linker each: the one that sends requests cannot dial, and the one that dials cannot send requests.

mod bindings;
mod calls;
mod data_plane;
#[cfg(feature = "mqtt")]
mod dialer;
mod engine;
mod executable;
#[cfg(feature = "mqtt")]
mod guest_error;
#[cfg(feature = "incoming-handler")]
mod incoming_handler;
mod interfaces;
#[cfg(feature = "mqtt")]
mod interrupt;
mod linker;
#[cfg(feature = "mqtt")]
mod mqtt;
mod outgoing_handler;
mod provisioning;
mod publisher;
#[cfg(feature = "signer")]
mod signer;
mod state;
pub mod types;

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Result};

pub use calls::{CallBudget, CallError};
pub use data_plane::DataPlane;
#[cfg(feature = "compiler")]
pub use engine::CompilationCache;
#[cfg(feature = "incoming-handler")]
pub use incoming_handler::{
    AnswerCutShort, HandlerAnswer, HandlerBody, HandlerInstance, HandlerLinker, HandlerPre, HandlerState,
    LoadHandlerError,
};
#[cfg(feature = "mqtt")]
pub use interrupt::Interrupt;
#[cfg(feature = "mqtt")]
pub use mqtt::{MqttPre, MqttSession, MqttSessionBuilder};
pub use provisioning::Provisioning;
pub use publisher::{OpenError, Publisher, PublisherBuilder, PublisherPre};
#[cfg(feature = "signer")]
pub use signer::{DeviceSecrets, SIGNATURES_PER_MINUTE, SharedCredential};

use calls::{StoreSettings, Ticker};
#[cfg(feature = "incoming-handler")]
use engine::HandlerPool;
#[cfg(feature = "interpreter")]
use engine::interpreted;
use engine::{config, pooling, without_reservations};
use executable::explained;
#[cfg(feature = "mqtt")]
pub use mqtt::state::MqttState;
pub use state::PublisherState;

/// The engine and its linkers: one for a process.
pub struct Runtime {
    engine: Engine,
    /// None if the engine's epoch is somebody else's matter.
    ticker: Option<Arc<Ticker>>,
    linker: Linker<PublisherState>,
    #[cfg(feature = "mqtt")]
    mqtt_linker: Linker<MqttState>,
    /// What is reserved, if that was done for components that serve HTTP.
    #[cfg(feature = "incoming-handler")]
    handlers: Option<HandlerPool>,
}

impl Runtime {
    /// A runtime with the settings that suit many short-lived instances, and a compiler.
    ///
    /// # Errors
    ///
    /// The engine cannot be set up on this machine: it may not give out so many addresses, or no memory that can be executed.
    #[cfg(feature = "compiler")]
    pub fn new(cache: &CompilationCache) -> Result<Self> {
        let (compiled, _) = Self::tuned(pooling, || {
            let mut config = config();
            config.cache(cache.open());
            config
        })?;
        #[cfg(feature = "interpreter")]
        if !executable::can_run(&compiled.engine) {
            tracing::info!("this machine forbids memory that is made executable: components are interpreted");
            return Self::interpreted(cache);
        }
        Ok(compiled)
    }

    /// A runtime with the settings of `new` that interprets its components, by wasmtime's Pulley, in place of running machine code:
    /// for machines that forbid memory that is made executable. `new` finds out whether this is one. What it
    /// [precompiles](Self::precompile) is for [`Self::interpreted_for_precompiled`] alone.
    ///
    /// # Errors
    ///
    /// The engine cannot be set up on this machine: it may not give out so many addresses.
    #[cfg(all(feature = "compiler", feature = "interpreter"))]
    pub fn interpreted(cache: &CompilationCache) -> Result<Self> {
        let (runtime, _) = Self::tuned(pooling, || {
            let mut config = interpreted();
            config.cache(cache.open());
            config
        })?;
        Ok(runtime)
    }

    /// A runtime for components of anybody's that serve HTTP, with room for so many instances at once, and a compiler. Where the
    /// machine forbids memory that is made executable and the feature `interpreter` is there, they are interpreted, as with `new`.
    ///
    /// # Errors
    ///
    /// As with `new`.
    #[cfg(all(feature = "compiler", feature = "incoming-handler"))]
    pub fn for_handlers(cache: &CompilationCache, instances: u32) -> Result<Self> {
        let cached = |config: fn() -> Config| {
            move || {
                let mut config = config();
                config.cache(cache.open());
                config
            }
        };
        let compiled = Self::with_room_for_handlers(instances, cached(config))?;
        #[cfg(feature = "interpreter")]
        if !executable::can_run(&compiled.engine) {
            tracing::info!("this machine forbids memory that is made executable: components are interpreted");
            return Self::with_room_for_handlers(instances, cached(interpreted));
        }
        Ok(compiled)
    }

    /// A runtime with the settings of `for_handlers`, for components that are
    /// [compiled already](Self::load_handler_precompiled).
    ///
    /// # Errors
    ///
    /// As with `new`.
    #[cfg(feature = "incoming-handler")]
    pub fn for_precompiled_handlers(instances: u32) -> Result<Self> {
        Self::with_room_for_handlers(instances, config)
    }

    #[cfg(feature = "incoming-handler")]
    fn with_room_for_handlers(instances: u32, config: impl Fn() -> Config) -> Result<Self> {
        let pool = HandlerPool::new(instances);
        let (runtime, is_pooled) = Self::tuned(|| pool.strategy(), config)?;
        Ok(Self { handlers: is_pooled.then_some(pool), ..runtime })
    }

    /// A runtime that interprets its components, for what another one has [precompiled](Self::precompile) that does.
    ///
    /// # Errors
    ///
    /// As with `interpreted`.
    #[cfg(feature = "interpreter")]
    pub fn interpreted_for_precompiled() -> Result<Self> {
        Self::tuned(pooling, interpreted).map(|(runtime, _)| runtime)
    }

    /// A runtime with the settings of `new`, for components that are [compiled already](Self::load_precompiled).
    ///
    /// # Errors
    ///
    /// As with `new`.
    pub fn for_precompiled() -> Result<Self> {
        Self::tuned(pooling, config).map(|(runtime, _)| runtime)
    }

    /// The runtime, and whether it has its pool.
    fn tuned(pooling: impl Fn() -> InstanceAllocationStrategy, config: impl Fn() -> Config) -> Result<(Self, bool)> {
        match Self::with_config(config().allocation_strategy(pooling())) {
            // The pool reserves terabytes of addresses. Where a limit forbids that, instances start more slowly.
            Err(error) => {
                tracing::debug!("no pooling allocator: {error:#}");
                let mut config = config();
                without_reservations(&mut config);
                Ok((Self::with_config(&config)?, false))
            }
            Ok(runtime) => Ok((runtime, true)),
        }
    }

    /// A runtime with an engine of your own settings. Epoch interruption is switched on in any case, and the epoch goes on by
    /// itself: without it nothing ends a guest that computes for ever.
    ///
    /// # Errors
    ///
    /// wasmtime does not take these settings, or not on this machine.
    pub fn with_config(config: &Config) -> Result<Self> {
        let engine = Engine::new(config.clone().epoch_interruption(true))?;
        let ticker = Ticker::start(&engine)?;
        Self::over(engine, Some(Arc::new(ticker)))
    }

    /// A runtime with an engine that you have already, and that has stores of others too. Its epoch is yours: for
    /// [`CallBudget::cpu`] to be kept it needs [`Config::epoch_interruption`] and a tick about every 10 ms
    /// ([`Engine::increment_epoch`]), which is also how often a guest that computes gives way to other tasks. Without either,
    /// guests compute for as long as they like.
    ///
    /// # Errors
    ///
    /// The engine is without component model.
    pub fn with_engine(engine: Engine) -> Result<Self> {
        Self::over(engine, None)
    }

    fn over(engine: Engine, ticker: Option<Arc<Ticker>>) -> Result<Self> {
        Ok(Self {
            ticker,
            linker: linker::linker(&engine)?,
            #[cfg(feature = "mqtt")]
            mqtt_linker: mqtt::linker(&engine)?,
            #[cfg(feature = "incoming-handler")]
            handlers: None,
            engine,
        })
    }

    /// Compiles a component of world `publish` or `publish-signed`, or takes it from the cache, and checks that it imports
    /// nothing else. `publish-signed` needs the feature `signer`.
    ///
    /// # Errors
    ///
    /// These bytes are no component, or one of another world.
    #[cfg(feature = "compiler")]
    pub fn load(&self, component: &[u8]) -> Result<PublisherPre> {
        self.publisher(&Component::new(&self.engine, component).map_err(explained)?)
    }

    /// Compiles a component of world `mqtt`, or takes it from the cache, and checks that it imports nothing else.
    ///
    /// # Errors
    ///
    /// These bytes are no component, or one of another world.
    #[cfg(all(feature = "compiler", feature = "mqtt"))]
    pub fn load_mqtt(&self, component: &[u8]) -> Result<MqttPre> {
        self.mqtt(&Component::new(&self.engine, component).map_err(explained)?)
    }

    /// What components that serve HTTP may import, to be added to; see [`HandlerLinker`].
    ///
    /// # Errors
    ///
    /// The engine is without component model.
    #[cfg(feature = "incoming-handler")]
    pub fn handler_linker<X: Send + 'static>(&self) -> Result<HandlerLinker<X>> {
        HandlerLinker::new(&self.engine)
    }

    /// Compiles a component that exports `wasi:http/incoming-handler@0.2`, or takes it from the cache, and checks that it imports
    /// nothing but what `linker` offers.
    ///
    /// ```no_run
    /// use http_body_util::Full;
    /// use thingpost_host::bytes::Bytes;
    /// use thingpost_host::http::Request;
    /// use thingpost_host::runtime::{CompilationCache, Runtime};
    /// use thingpost_host::{Pool, RouteTable, Transport, WorkloadConfig};
    /// use tokio::sync::oneshot;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::for_handlers(&CompilationCache::System, 100)?;
    /// let linker = runtime.handler_linker::<()>()?;
    /// let component = runtime.load_handler(&std::fs::read("edge-min.wasm")?, &linker)?;
    ///
    /// // For each instance: where its requests may go, and as whom. Here, nowhere.
    /// let transport = Transport::new(Pool::default(), WorkloadConfig::new("edge", RouteTable::new(Vec::new())?));
    /// let mut instance = component.instantiate(transport, ()).await?;
    ///
    /// // For each request: the answer comes while the guest goes on.
    /// let (answer, answered) = oneshot::channel();
    /// let request = Request::get("http://localhost/healthz").body(Full::<Bytes>::default())?;
    /// let (ended, answered) = tokio::join!(instance.handle(request, answer), answered);
    /// ended?;
    /// println!("the guest says {}", answered??.status());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// These bytes are no such component.
    #[cfg(all(feature = "compiler", feature = "incoming-handler"))]
    pub fn load_handler<X: Send + 'static>(
        &self,
        component: &[u8],
        linker: &HandlerLinker<X>,
    ) -> std::result::Result<HandlerPre<X>, LoadHandlerError> {
        self.handler(Component::new(&self.engine, component), linker)
    }

    /// Compiles a component for this machine and the settings of this runtime, for [`Self::load_precompiled`] or
    /// `load_mqtt_precompiled`: for those who cannot wait for a compiler, or do not want one, on the machine that publishes.
    ///
    /// # Errors
    ///
    /// These bytes are no component.
    #[cfg(feature = "compiler")]
    pub fn precompile(&self, component: &[u8]) -> Result<Vec<u8>> {
        self.engine.precompile_component(component)
    }

    /// Loads what `precompile` made, without a compiler: the file is mapped, not read.
    ///
    /// # Errors
    ///
    /// It was made by another version of wasmtime, or for another machine or other settings, or of a component of another
    /// world.
    ///
    /// # Safety
    ///
    /// The file is machine code that runs outside of any sandbox. It must come from `precompile`, and nobody may be able to
    /// write to it.
    #[expect(unsafe_code, reason = "machine code cannot be checked, so it is the caller's word that counts")]
    pub unsafe fn load_precompiled(&self, file: &Path) -> Result<PublisherPre> {
        // SAFETY: as the caller has promised.
        self.publisher(&unsafe { Component::deserialize_file(&self.engine, file) }.map_err(explained)?)
    }

    /// Loads what `precompile` made of a component that exports `wasi:http/incoming-handler@0.2`, with the same settings of the pool:
    /// those of [`Self::for_precompiled_handlers`] for what a runtime of `for_handlers` has compiled.
    ///
    /// # Errors
    ///
    /// As with [`Self::load_precompiled`], and where the component imports what `linker` does not offer.
    ///
    /// # Safety
    ///
    /// As with [`Self::load_precompiled`].
    #[cfg(feature = "incoming-handler")]
    #[expect(unsafe_code, reason = "machine code cannot be checked, so it is the caller's word that counts")]
    pub unsafe fn load_handler_precompiled<X: Send + 'static>(
        &self,
        file: &Path,
        linker: &HandlerLinker<X>,
    ) -> std::result::Result<HandlerPre<X>, LoadHandlerError> {
        // SAFETY: as the caller has promised.
        let component = unsafe { Component::deserialize_file(&self.engine, file) };
        self.handler(component, linker)
    }

    /// Loads what `precompile` made of a component of world `mqtt`.
    ///
    /// # Errors
    ///
    /// As with [`Self::load_precompiled`].
    ///
    /// # Safety
    ///
    /// As with [`Self::load_precompiled`].
    #[cfg(feature = "mqtt")]
    #[expect(unsafe_code, reason = "machine code cannot be checked, so it is the caller's word that counts")]
    pub unsafe fn load_mqtt_precompiled(&self, file: &Path) -> Result<MqttPre> {
        // SAFETY: as the caller has promised.
        self.mqtt(&unsafe { Component::deserialize_file(&self.engine, file) }.map_err(explained)?)
    }

    #[cfg(feature = "incoming-handler")]
    fn handler<X: Send + 'static>(
        &self,
        component: Result<Component>,
        linker: &HandlerLinker<X>,
    ) -> std::result::Result<HandlerPre<X>, LoadHandlerError> {
        let component = component.map_err(explained).map_err(LoadHandlerError::Component)?;
        HandlerPre::new(&component, linker, StoreSettings::new(self.ticker.clone()), self.handlers)
    }

    fn publisher(&self, component: &Component) -> Result<PublisherPre> {
        let settings = StoreSettings::new(self.ticker.clone());
        PublisherPre::new(self.linker.instantiate_pre(component)?, settings)
    }

    #[cfg(feature = "mqtt")]
    fn mqtt(&self, component: &Component) -> Result<MqttPre> {
        let settings = StoreSettings::new(self.ticker.clone());
        MqttPre::new(self.mqtt_linker.instantiate_pre(component)?, settings)
    }
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::engine::PUBLISHERS;
    use super::types::{AwsAuthentication, AwsConfig, Cause, Message, Platform, Qos};
    use super::*;
    use crate::{Pool, RouteTable, Transport, WorkloadConfig};

    fn platform() -> Platform {
        let authentication = AwsAuthentication::Certificate;
        Platform::Aws(AwsConfig { endpoint: "iot.example".to_owned(), port: 8443, authentication })
    }

    async fn open(component: &PublisherPre) -> Publisher {
        let workload = WorkloadConfig::new("w", RouteTable::new(Vec::new()).unwrap());
        let transport = Transport::new(Pool::default(), workload);
        component.builder(transport, &platform()).open().await.unwrap()
    }

    fn cached() -> Config {
        let mut config = config();
        config.cache(CompilationCache::System.open());
        config
    }

    fn component(config: &Config) -> PublisherPre {
        Runtime::with_config(config).unwrap().load(thingpost_artifacts::PUBLISHER.bytes).unwrap()
    }

    #[tokio::test]
    async fn as_many_publishers_can_be_open_as_the_pool_is_made_for() {
        let component = component(cached().allocation_strategy(pooling()));
        let mut publishers = Vec::new();
        for _ in 0..PUBLISHERS {
            publishers.push(open(&component).await);
        }
    }

    #[cfg(feature = "interpreter")]
    #[tokio::test]
    async fn an_interpreted_component_comes_to_the_same_outcome_compiled_beforehand_or_now() {
        let runtime = Runtime::interpreted(&CompilationCache::Off).unwrap();
        let bytes = thingpost_artifacts::PUBLISHER.bytes;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), runtime.precompile(bytes).unwrap()).unwrap();
        let without_compiler = Runtime::interpreted_for_precompiled().unwrap();
        #[expect(unsafe_code, reason = "the file was just made, for this user alone")]
        // SAFETY: it comes from `precompile`, and nobody else writes to it.
        let precompiled = unsafe { without_compiler.load_precompiled(file.path()) }.unwrap();
        let compiled = component(&cached());
        let message = Message::new("a", *b"21.5", Qos::AtMostOnce);
        let mut outcomes = Vec::new();
        for component in [runtime.load(bytes).unwrap(), precompiled, compiled] {
            outcomes.push(format!("{:?}", open(&component).await.publish(&message).await.unwrap()));
        }
        assert!(outcomes[0].starts_with("Err"), "there is no route: {}", outcomes[0]);
        assert!(outcomes[0] == outcomes[1] && outcomes[1] == outcomes[2], "{outcomes:?}");
    }

    #[tokio::test]
    async fn a_publish_leaves_nothing_behind_in_the_store() {
        let mut publisher = open(&component(&cached())).await;
        // There is no route, so the request goes as far as the host and no further.
        let error = publisher.publish(&Message::new("a", *b"21.5", Qos::AtMostOnce)).await.unwrap().unwrap_err();
        assert!(matches!(error.cause, Cause::Transport(_)), "{error:?}");
        assert!(publisher.is_tidy(), "a million publishes would fill the table of resources");
    }

    #[tokio::test]
    async fn a_call_that_was_dropped_in_the_middle_leaves_an_instance_that_says_so() {
        let mut publisher = open(&component(&cached())).await;
        let message = Message::new("a", *b"21.5", Qos::AtMostOnce);
        // The host answers in a task of its own, so that the call has to wait.
        {
            let mut call = pin!(publisher.publish(&message));
            assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        }
        let error = publisher.publish(&message).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(CallError::Lost { .. })), "{error:#}");
    }

    #[tokio::test]
    async fn an_embedder_has_a_hook_on_each_store_and_may_set_what_it_likes() {
        let component = component(&cached()).on_store(|store| store.set_max_component_handles(0));
        let workload = WorkloadConfig::new("w", RouteTable::new(Vec::new()).unwrap());
        let transport = Transport::new(Pool::default(), workload);
        let opened = component.builder(transport, &platform()).open().await;
        assert!(matches!(opened, Err(OpenError::Runtime(_))), "the client has a handle");
    }

    #[tokio::test]
    async fn an_engine_that_an_embedder_has_already_runs_publishers() {
        for has_epochs in [true, false] {
            let engine = Engine::new(cached().epoch_interruption(has_epochs)).unwrap();
            let runtime = Runtime::with_engine(engine.clone()).unwrap();
            let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes).unwrap();
            let mut publisher = open(&component).await;
            let message = Message::new("a", *b"21.5", Qos::AtMostOnce);
            publisher.publish(&message).await.unwrap().unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_guest_that_takes_too_much_memory_ends_and_says_so() {
        let component = component(&cached());
        let message = |bytes| Message::new("a", vec![0; bytes], Qos::AtMostOnce);
        let sixteen_megabytes = vec![message(128 * 1024); 128];
        assert_eq!(open(&component).await.publish_all(&sixteen_megabytes).await.unwrap().len(), 128);
        let trap = open(&component).await.publish(&message(300 * 1024 * 1024)).await.unwrap_err();
        assert!(format!("{trap:#}").contains("growing memory"), "{trap:#}");
    }
}
