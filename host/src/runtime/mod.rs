//! Running a component with exactly what it asks for.
//!
//! A stock runtime links all of WASI and lets the guest choose. Here a component gets the interfaces of the world
//! `publish` and nothing else: no files, no environment, no standard output, no entropy, no sockets. A component that
//! imports anything more is refused when it is loaded, not when it first tries.

mod bindings;
mod publisher;
mod state;

use std::path::PathBuf;

use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};
use wasmtime_wasi::clocks::WasiClocks;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_io::bindings::wasi::io;

pub use bindings::exports::thingpost::iot::types;
pub use publisher::{DEFAULT_OPTIONS, OpenError, Publisher, PublisherPre};

use state::StoreState;

/// The engine and its linker: one for a process.
pub struct Runtime {
    engine: Engine,
    linker: Linker<StoreState>,
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
                Self::with_config(&config(cache))
            }
            runtime => runtime,
        }
    }

    /// A runtime with an engine of your own settings.
    pub fn with_config(config: &Config) -> Result<Self> {
        let engine = Engine::new(config)?;
        let linker = linker(&engine)?;
        Ok(Self { engine, linker })
    }

    /// Compiles a component of world `publish`, or takes it from the cache, and checks that it imports nothing else.
    pub fn load(&self, component: &[u8]) -> Result<PublisherPre> {
        let component = Component::new(&self.engine, component)?;
        PublisherPre::new(self.linker.instantiate_pre(&component)?)
    }
}

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

fn pooling() -> InstanceAllocationStrategy {
    InstanceAllocationStrategy::Pooling(PoolingAllocationConfig::new())
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
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Ok(linker)
}
