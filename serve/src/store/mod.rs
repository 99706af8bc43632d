//! Names and values that outlive the process.
//!
//! On `wasmtime serve` a value is gone with the request that has set it, so a component that keeps a token there fetches one for each
//! message. Here it is in SQLite: after all that was measured the engine with the least memory, and by far the longest record
//! under power loss. [`Database`] is a file that is looked after, and [`Buckets`] what guests keep in it; what keeps something else
//! has a file of its own.

mod buckets;
mod database;
mod error;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use buckets::{Buckets, KeyPage};
pub use database::Database;
pub use error::StoreError;

/// Where guests keep values, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The file. None, the default: in memory, until the process ends.
    pub path: Option<PathBuf>,
    /// The names of buckets that a guest may open. Default `""` and `default`, the usual ones of wasmtime and of others.
    pub buckets: Vec<String>,
    /// Bytes that the file may have. Default 16 MiB.
    pub max_bytes: u64,
}

impl StoreSettings {
    /// The fewest bytes in which something can be kept.
    pub const LEAST_BYTES: u64 = 64 * 1024;
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { path: None, buckets: vec![String::new(), "default".to_owned()], max_bytes: 16 * 1024 * 1024 }
    }
}
