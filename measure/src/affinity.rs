//! On a small machine the kernel moves client and server between the same core and different ones as it sees fit, and
//! with that the cost of a publish changes by half in the midst of a run. In the field the two are different machines, so
//! here each has a core of its own, where the system can be told so.

#[cfg(target_os = "linux")]
mod linux {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// The cores of this process, the last one first.
    fn cores() -> Vec<usize> {
        let allowed = sched_getaffinity(None).unwrap_or_default();
        (0..CpuSet::MAX_CPU).rev().filter(|core| allowed.is_set(*core)).collect()
    }

    fn keep_to(cores: &[usize]) {
        let mut set = CpuSet::new();
        cores.iter().for_each(|core| set.set(*core));
        if !cores.is_empty() {
            // Who may not is measured with more noise.
            let _ = sched_setaffinity(None, &set);
        }
    }

    /// For the server.
    pub(crate) fn keep_to_the_last_core() {
        keep_to(cores().get(..1).unwrap_or_default());
    }

    /// Keeps this thread, and those that it starts, off the core of the server.
    pub fn leave_the_last_core() {
        keep_to(cores().get(1..).unwrap_or_default());
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::keep_to_the_last_core;
#[cfg(target_os = "linux")]
pub use linux::leave_the_last_core;

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_to_the_last_core() {}

/// Keeps this thread, and those that it starts, off the core of the server.
#[cfg(not(target_os = "linux"))]
pub fn leave_the_last_core() {}
