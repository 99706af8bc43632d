//! How the engine is set up for many short-lived instances.
//!
//! With wasmtime's own settings an instance gets its memory from the system and gives it back page by page. A publisher
//! that lives for one message then spends more on that than on the message.

#[cfg(feature = "compiler")]
use std::path::PathBuf;

#[cfg(feature = "incoming-handler")]
use wasmtime::component::Component;
#[cfg(feature = "compiler")]
use wasmtime::{Cache, CacheConfig};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

#[cfg(feature = "incoming-handler")]
use crate::limits::GuestLimits;

/// The place where compiled components are kept. Compiling the publisher takes a few hundred milliseconds, loading it from the
/// cache a few.
#[cfg(feature = "compiler")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompilationCache {
    /// In the folder that the system has for such things, shared with wasmtime's other users.
    System,
    /// In this folder.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

#[cfg(feature = "compiler")]
impl CompilationCache {
    /// The cache, where it can be had: without it all works as well, and begins more slowly.
    pub(super) fn open(&self) -> Option<Cache> {
        let mut settings = CacheConfig::new();
        match self {
            Self::System => {}
            Self::Folder(folder) => {
                settings.with_directory(folder);
            }
            Self::Off => return None,
        }
        let cache = Cache::new(settings);
        cache.inspect_err(|error| tracing::debug!("no compilation cache: {error:#}")).ok()
    }
}

/// How much a memory may grow in place where addresses are scarce: a batch of small messages.
const GROWTH: u64 = 1 << 20;

/// The settings that all runtimes here share.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config
}

/// The interpreter as a target of the compiler.
#[cfg(feature = "interpreter")]
const PULLEY: &str = match (cfg!(target_pointer_width = "64"), cfg!(target_endian = "little")) {
    (true, true) => "pulley64",
    (true, false) => "pulley64be",
    (false, true) => "pulley32",
    (false, false) => "pulley32be",
};

/// The settings for components that are interpreted.
#[cfg(feature = "interpreter")]
pub(super) fn interpreted() -> Config {
    let mut config = config();
    config.target(PULLEY).expect("wasmtime knows its own interpreter");
    config
}

/// Lets memories grow in place by little, for where addresses are scarce.
pub(super) fn without_reservations(config: &mut Config) {
    config.memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(GROWTH);
}

/// Publishers, and sessions on brokers, that may be open at once. Each reserves some 6 GiB of addresses, so a thousand of
/// them take a twentieth of what a process has, and they are twice as many as the default pool has connections for.
pub(super) const PUBLISHERS: u32 = 1000;

/// Core instances, and tables, of one component at most: tools split a component into its module and two small ones
/// that tie it to its imports.
const PARTS: u32 = 4;

/// Of each memory that is given back so much is cleared by hand and kept, for the next instance: what a publisher needs
/// for a small message. Given back to the system, it would come again page by page, each with a fault.
const RESIDENT_MEMORY: usize = 128 * 1024;
const RESIDENT_TABLE: usize = 16 * 1024;

/// Memory that is reserved once and kept.
pub(super) fn pooling() -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.linear_memory_keep_resident(RESIDENT_MEMORY).table_keep_resident(RESIDENT_TABLE);
    pool.total_component_instances(PUBLISHERS)
        .total_stacks(PUBLISHERS)
        .total_memories(PUBLISHERS)
        .total_core_instances(PUBLISHERS * PARTS)
        .total_tables(PUBLISHERS * PARTS)
        .max_memories_per_component(1)
        .max_core_instances_per_component(PARTS)
        .max_tables_per_component(PARTS);
    InstanceAllocationStrategy::Pooling(pool)
}

/// What is reserved for components of anybody's that serve HTTP.
#[cfg(feature = "incoming-handler")]
#[derive(Debug, Clone, Copy)]
pub(super) struct HandlerPool {
    instances: u32,
}

#[cfg(feature = "incoming-handler")]
impl HandlerPool {
    /// Memories of an instance, for as many instances as there can be: one of most components, three of one that is composed
    /// with a store and with settings. A component with more has fewer instances. Each is some 6 GiB of addresses, and of these a process
    /// has 128 TiB.
    const MEMORIES: u32 = 4;
    /// Tables of an instance, likewise. Interpreters of other languages have about ten, and a table takes a megabyte of addresses.
    const TABLES: u32 = 12;
    /// The elements of a table, as many as one instance may have by default.
    const TABLE_ELEMENTS: usize = 100_000;

    /// Room for so many instances.
    pub fn new(instances: u32) -> Self {
        Self { instances }
    }

    pub fn strategy(self) -> InstanceAllocationStrategy {
        let Self { instances } = self;
        let GuestLimits { instances: parts, tables, memories, .. } = GuestLimits::default();
        let [parts, tables, memories] = [parts, tables, memories].map(|most| u32::try_from(most).unwrap_or(u32::MAX));
        let mut pool = PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(RESIDENT_MEMORY).table_keep_resident(RESIDENT_TABLE);
        pool.total_component_instances(instances)
            .total_stacks(instances)
            // A number that is counted to, and nothing that is reserved.
            .total_core_instances(instances.saturating_mul(parts))
            .max_core_instances_per_component(parts)
            .total_memories(instances.saturating_mul(Self::MEMORIES))
            .max_memories_per_component(memories)
            .total_tables(instances.saturating_mul(Self::TABLES))
            .max_tables_per_component(tables)
            .table_elements(Self::TABLE_ELEMENTS);
        InstanceAllocationStrategy::Pooling(pool)
    }

    /// How many instances of this component there can be. None if that cannot be known: it brings modules from outside.
    pub fn most_instances_of(self, component: &Component) -> Option<usize> {
        let needed = component.resources_required()?;
        let most = |reserved: u32, needed: u32| self.instances.saturating_mul(reserved) / needed.max(1);
        let most = most(Self::MEMORIES, needed.num_memories).min(most(Self::TABLES, needed.num_tables));
        Some(most.min(self.instances) as usize)
    }
}
