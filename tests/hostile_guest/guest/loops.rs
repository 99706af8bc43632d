//! Time: in the guest, in the host, and in nothing at all.

use std::hint::black_box;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::{Pollable, poll};

/// Computes for ever.
pub fn compute() -> String {
    let mut state = 1_u64;
    while black_box(state) != 0 {
        state = state.wrapping_mul(6_364_136_223_846_793_005) | 1;
    }
    "done".to_owned()
}

/// Has the host look at one timer two million times. Ends with a trap.
pub fn poll_list() -> String {
    let timer = monotonic_clock::subscribe_duration(0);
    let timers: Vec<&Pollable> = vec![&timer; 2_000_000];
    loop {
        black_box(poll(&timers));
    }
}

/// Waits for centuries.
pub fn wait() -> String {
    monotonic_clock::subscribe_duration(u64::MAX).block();
    "done".to_owned()
}
