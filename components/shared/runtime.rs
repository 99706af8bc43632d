//! What `std` would bring: an allocator and the end of a panic. Part of every component.
//!
//! `std` itself is left out because its panic machinery formats messages that nobody in a sandbox without output can
//! read, at several kilobytes for each component.

use core::panic::PanicInfo;

/// Smaller than the allocator of `std`: 2 KB against 8 KB of each component.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// The host sees a trap with a backtrace; a message would go nowhere.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
