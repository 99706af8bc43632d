//! Counts what the instances of one store have of memories and tables.
//!
//! wasmtime's own limiter looks at each memory alone, and a component may have many. Here it is the sum that counts. And a
//! guest that is merely refused says nothing but "unreachable", so what is too much ends in an error that names it.

use std::fmt;

use wasmtime::{Error, ResourceLimiter, Result};

use super::GuestLimits;

/// Keeps the memories and tables of one store within its [`GuestLimits`].
#[derive(Debug, Clone)]
pub struct GuestLimiter {
    limits: GuestLimits,
    memory_bytes: usize,
    table_elements: usize,
    /// What was granted last, for the case that it cannot be had.
    granted: usize,
}

/// The reason why a guest was stopped that wanted more memory or larger tables than its [`GuestLimits`] allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// It wanted its memories to have more bytes together than [`GuestLimits::memory_bytes`].
    Memory {
        /// So many bytes.
        wanted: usize,
        /// The limit.
        limit: usize,
    },
    /// It wanted its tables to have more elements together than [`GuestLimits::table_elements`].
    TableElements {
        /// So many elements.
        wanted: usize,
        /// The limit.
        limit: usize,
    },
}

impl GuestLimiter {
    pub(super) fn new(limits: &GuestLimits) -> Self {
        Self { limits: *limits, memory_bytes: 0, table_elements: 0, granted: 0 }
    }
}

/// The size of all together after one of them has grown.
fn grown(all: usize, current: usize, desired: usize) -> usize {
    all.saturating_add(desired.saturating_sub(current))
}

impl ResourceLimiter for GuestLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let (wanted, limit) = (grown(self.memory_bytes, current, desired), self.limits.memory_bytes);
        if wanted > limit {
            return Err(LimitExceeded::Memory { wanted, limit }.into());
        }
        // A memory that says itself how large it may become is told by "no", as everywhere.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.granted = wanted - self.memory_bytes;
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.memory_bytes -= std::mem::take(&mut self.granted);
        Err(error.context("the machine has no more memory for a guest"))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let (wanted, limit) = (grown(self.table_elements, current, desired), self.limits.table_elements);
        if wanted > limit {
            return Err(LimitExceeded::TableElements { wanted, limit }.into());
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.granted = wanted - self.table_elements;
        self.table_elements = wanted;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.table_elements -= std::mem::take(&mut self.granted);
        Err(error.context("the machine has no more memory for a table of a guest"))
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { wanted, limit } => {
                write!(f, "the guest was stopped at growing memory to {wanted} bytes: it may have {limit} bytes in all")
            }
            Self::TableElements { wanted, limit } => {
                write!(f, "the guest was stopped at growing tables to {wanted} elements: it may have {limit} in all")
            }
        }
    }
}

impl std::error::Error for LimitExceeded {}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> GuestLimiter {
        GuestLimits::default().memory_bytes(100).table_elements(10).limiter()
    }

    #[test]
    fn several_memories_share_what_one_guest_may_have() {
        let mut limiter = limiter();
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        let error = limiter.memory_growing(40, 41, None).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&LimitExceeded::Memory { wanted: 101, limit: 100 }));
    }

    #[test]
    fn several_tables_share_what_one_guest_may_have() {
        let mut limiter = limiter();
        assert!(limiter.table_growing(0, 10, None).unwrap());
        let error = limiter.table_growing(0, 1, None).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&LimitExceeded::TableElements { wanted: 11, limit: 10 }));
    }

    #[test]
    fn what_was_refused_or_could_not_be_had_does_not_count() {
        let mut limiter = limiter();
        assert!(!limiter.memory_growing(0, 80, Some(50)).unwrap());
        assert!(limiter.memory_growing(0, 80, None).unwrap());
        limiter.memory_grow_failed(Error::msg("no memory")).unwrap_err();
        assert!(limiter.memory_growing(0, 100, None).unwrap());
    }
}
