//! What an instance keeps from one request to the next, where its host uses it for several: settings that need not be read
//! again, and a token that need not be obtained again.

use alloc::boxed::Box;
use core::cell::Cell;

use super::devices::Devices;

struct Kept(Cell<Option<Box<Devices>>>);

// SAFETY: a component has one thread.
unsafe impl Sync for Kept {}

static KEPT: Kept = Kept(Cell::new(None));

/// Takes it out, so that it is in the hands of the caller alone.
pub fn take() -> Option<Devices> {
    KEPT.0.take().map(|devices| *devices)
}

/// Puts it back.
pub fn put(devices: Option<Devices>) {
    KEPT.0.set(devices.map(Box::new));
}
