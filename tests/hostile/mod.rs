//! Hostile guests. Each attack ends with an error that has a type, every message of a good guest in the same process and on
//! the same thread is delivered meanwhile, and the host grows by no more than [`GROWTH`].
//!
//! Memory that is resident belongs to a process, so each attack has one of its own: the test calls its own program for it.

mod alone;
mod attacks;
mod connections;
mod dials;
mod listener;
mod stage;

/// What a host may grow by at the hands of one guest, its own memory aside.
const GROWTH: u64 = 64 * 1024 * 1024;
