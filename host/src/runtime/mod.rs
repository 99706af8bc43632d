//! Running a component with exactly what it asks for.
//!
//! A stock runtime links all of WASI and lets the guest choose. Here a component gets the interfaces of its world and
//! nothing else: no files, no environment, no standard output, no entropy, no sockets. A component that imports anything
//! more is refused when it is loaded, not when it first tries. For that a publisher and a session on an MQTT broker have
//! a linker each: the one that sends requests cannot dial, and the one that dials cannot send requests.

mod bindings;
mod data_plane;
mod dialer;
mod guest_error;
mod interfaces;
mod interrupt;
mod mqtt;
mod outgoing_handler;
mod provisioning;
mod publisher;
mod secrets;
mod state;
pub mod types;

use std::path::{Path, PathBuf};

use wasmtime::component::{Component, HasData, HasSelf, Linker, ResourceTable};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};
use wasmtime_wasi::clocks::WasiClocks;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};
use wasmtime_wasi_io::bindings::wasi::io;

pub use data_plane::DataPlane;
pub use interrupt::Interrupt;
pub use mqtt::{DEFAULT_SESSION_OPTIONS, MqttPre, MqttSession};
pub use provisioning::Provisioning;
pub use publisher::{DEFAULT_OPTIONS, OpenError, Publisher, PublisherPre};

pub use secrets::{DeviceSecrets, SharedSession};

use mqtt::state::MqttState;
use state::StoreState;

/// The engine and its linkers: one for a process.
pub struct Runtime {
    engine: Engine,
    linker: Linker<StoreState>,
    mqtt_linker: Linker<MqttState>,
}

/// Where compiled components are kept. Compiling the publisher takes a few hundred milliseconds, loading it from the
/// cache a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompilationCache {
    /// In the folder that the system has for such things, shared with wasmtime's other users.
    System,
    /// In this folder.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

impl Runtime {
    /// A runtime with the settings that suit many short-lived instances.
    pub fn new(cache: &CompilationCache) -> Result<Self> {
        match Self::with_config(config(cache).allocation_strategy(pooling())) {
            // The pool reserves terabytes of addresses. Where a limit forbids that, instances start more slowly.
            Err(error) => {
                tracing::debug!("no pooling allocator: {error:#}");
                Self::with_config(
                    config(cache).memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(GROWTH),
                )
            }
            runtime => runtime,
        }
    }

    /// A runtime with an engine of your own settings.
    pub fn with_config(config: &Config) -> Result<Self> {
        let engine = Engine::new(config)?;
        let (linker, mqtt_linker) = (linker(&engine)?, mqtt::linker(&engine)?);
        Ok(Self { engine, linker, mqtt_linker })
    }

    /// Compiles a component of world `publish` or `publish-signed`, or takes it from the cache, and checks that it imports
    /// nothing else.
    pub fn load(&self, component: &[u8]) -> Result<PublisherPre> {
        let component = Component::new(&self.engine, component)?;
        PublisherPre::new(self.linker.instantiate_pre(&component)?)
    }

    /// The same for a component of world `mqtt`.
    pub fn load_mqtt(&self, component: &[u8]) -> Result<MqttPre> {
        let component = Component::new(&self.engine, component)?;
        MqttPre::new(self.mqtt_linker.instantiate_pre(&component)?)
    }
}

impl Runtime {
    /// Compiles a component for this machine and the settings of this runtime, for [`Self::load_precompiled`] or
    /// [`Self::load_mqtt_precompiled`]: for those who cannot wait for a compiler, or do not want one, on the machine that publishes.
    pub fn precompile(&self, component: &[u8]) -> Result<Vec<u8>> {
        self.engine.precompile_component(component)
    }

    /// Loads what [`Self::precompile`] made, without a compiler: the file is mapped, not read. Fails if it was made by
    /// another version of wasmtime, or for another machine or other settings.
    ///
    /// # Safety
    ///
    /// The file is machine code that runs outside of any sandbox. It must come from `precompile`, and nobody may be able to
    /// write to it.
    #[expect(unsafe_code, reason = "machine code cannot be checked, so it is the caller's word that counts")]
    pub unsafe fn load_precompiled(&self, file: &Path) -> Result<PublisherPre> {
        // SAFETY: as the caller has promised.
        let component = unsafe { Component::deserialize_file(&self.engine, file) }?;
        PublisherPre::new(self.linker.instantiate_pre(&component)?)
    }

    /// The same for a component of world `mqtt`.
    ///
    /// # Safety
    ///
    /// As with [`Self::load_precompiled`].
    #[expect(unsafe_code, reason = "machine code cannot be checked, so it is the caller's word that counts")]
    pub unsafe fn load_mqtt_precompiled(&self, file: &Path) -> Result<MqttPre> {
        // SAFETY: as the caller has promised.
        let component = unsafe { Component::deserialize_file(&self.engine, file) }?;
        MqttPre::new(self.mqtt_linker.instantiate_pre(&component)?)
    }
}

/// How much a memory may grow in place where addresses are scarce: a batch of small messages.
const GROWTH: u64 = 1 << 20;

fn config(cache: &CompilationCache) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    let mut settings = CacheConfig::new();
    match cache {
        CompilationCache::System => {}
        CompilationCache::Folder(folder) => {
            settings.with_directory(folder);
        }
        CompilationCache::Off => return config,
    }
    match Cache::new(settings) {
        Ok(cache) => {
            config.cache(Some(cache));
        }
        Err(error) => tracing::debug!("no compilation cache: {error:#}"),
    }
    config
}

/// Publishers, and sessions on brokers, that may be open at once. Each reserves some 6 GiB of addresses, so a thousand of
/// them take a twentieth of what a process has, and they are twice as many as the default pool has connections for.
const PUBLISHERS: u32 = 1000;

/// Core instances, and tables, of one component at most: tools split a component into its module and two small ones
/// that tie it to its imports.
const PARTS: u32 = 4;

/// Of each memory that is given back so much is cleared by hand and kept, for the next instance: what a publisher needs
/// for a small message. Given back to the system, it would come again page by page, each with a fault.
const RESIDENT_MEMORY: usize = 128 * 1024;
const RESIDENT_TABLE: usize = 16 * 1024;

fn pooling() -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(PUBLISHERS)
        .total_stacks(PUBLISHERS)
        .total_memories(PUBLISHERS)
        .total_core_instances(PUBLISHERS * PARTS)
        .total_tables(PUBLISHERS * PARTS)
        .max_memories_per_component(1)
        .max_core_instances_per_component(PARTS)
        .max_tables_per_component(PARTS)
        .linear_memory_keep_resident(RESIDENT_MEMORY)
        .table_keep_resident(RESIDENT_TABLE);
    InstanceAllocationStrategy::Pooling(pool)
}

/// For interfaces whose functions need the table of resources and nothing else.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

fn linker(engine: &Engine) -> Result<Linker<StoreState>> {
    let mut linker = Linker::new(engine);
    io::error::add_to_linker::<_, Table>(&mut linker, StoreState::table)?;
    io::poll::add_to_linker::<_, Table>(&mut linker, StoreState::table)?;
    io::streams::add_to_linker::<_, Table>(&mut linker, StoreState::table)?;
    monotonic_clock::add_to_linker::<_, WasiClocks>(&mut linker, StoreState::clocks)?;
    wall_clock::add_to_linker::<_, WasiClocks>(&mut linker, StoreState::clocks)?;
    let options = LinkOptions::default();
    http::types::add_to_linker::<_, WasiHttp>(&mut linker, &(&options).into(), StoreState::http)?;
    outgoing_handler::add_to_linker(&mut linker)?;
    bindings::thingpost::iot::signer::add_to_linker::<_, HasSelf<StoreState>>(&mut linker, |state| state)?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use super::types::{AwsAuthentication, AwsConfig, Cause, Message, Platform, Qos};
    use super::*;
    use crate::{Pool, RouteTable, Transport, WorkloadConfig};

    async fn open(component: &PublisherPre) -> Publisher {
        let workload = WorkloadConfig::new("w", RouteTable::new(Vec::new()).unwrap());
        let transport = Transport::new(Pool::default(), workload);
        let authentication = AwsAuthentication::Certificate;
        let platform = Platform::Aws(AwsConfig { endpoint: "iot.example".to_owned(), port: 8443, authentication });
        component.open(transport, &platform, &DEFAULT_OPTIONS, None).await.unwrap()
    }

    fn component(config: &Config) -> PublisherPre {
        Runtime::with_config(config).unwrap().load(thingpost_artifacts::PUBLISHER.bytes).unwrap()
    }

    #[tokio::test]
    async fn as_many_publishers_can_be_open_as_the_pool_is_made_for() {
        let component = component(config(&CompilationCache::System).allocation_strategy(pooling()));
        let mut publishers = Vec::new();
        for _ in 0..PUBLISHERS {
            publishers.push(open(&component).await);
        }
    }

    #[tokio::test]
    async fn a_publish_leaves_nothing_behind_in_the_store() {
        let mut publisher = open(&component(&config(&CompilationCache::System))).await;
        // There is no route, so the request goes as far as the host and no further.
        let error = publisher.publish(&Message::new("a", *b"21.5", Qos::AtMostOnce)).await.unwrap().unwrap_err();
        assert!(matches!(error.cause, Cause::Transport(_)), "{error:?}");
        assert!(publisher.is_tidy(), "a million publishes would fill the table of resources");
    }

    #[tokio::test]
    async fn a_guest_that_takes_too_much_memory_ends_and_says_so() {
        let component = component(&config(&CompilationCache::System));
        let message = |bytes| Message::new("a", vec![0; bytes], Qos::AtMostOnce);
        let sixteen_megabytes = vec![message(128 * 1024); 128];
        assert_eq!(open(&component).await.publish_all(&sixteen_megabytes).await.unwrap().len(), 128);
        let trap = open(&component).await.publish(&message(300 * 1024 * 1024)).await.unwrap_err();
        assert!(format!("{trap:#}").contains("growing memory"), "{trap:#}");
    }
}
