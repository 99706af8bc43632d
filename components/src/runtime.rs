//! What `std` would bring: an allocator and the end of a panic. Part of every component.
//!
//! `std` itself is left out because its panic machinery formats messages that no sandbox without output can
//! read, at several kilobytes for each component.

use core::alloc::Layout;
use core::arch::wasm32::{memory_grow, memory_size, unreachable};
use core::panic::PanicInfo;
use core::ptr::NonNull;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// Smaller than the allocator of `std`: 2 KB against 8 KB of each component.
#[global_allocator]
static ALLOCATOR: TalcSyncCell<Heap, WasmBinning> = TalcSyncCell::new_wasm(Heap { end: None });

const PAGE: usize = 64 * 1024;

/// What the bookkeeping of the allocator takes of what it is given, generously.
const BOOKKEEPING: usize = 64;

unsafe extern "C" {
    // By the linker: behind it is the part of the memory that is there from the start and has no owner.
    static __heap_base: u8;
}

/// First the part of the memory that is there from the start, then what the host adds. talc's own source leaves out the
/// first, so each instance has to ask the host for more before it has done anything: two system calls, and 5 of the 50
/// microseconds that a publish with an instance of its own takes.
#[derive(Debug)]
struct Heap {
    end: Option<NonNull<u8>>,
}

// SAFETY: allocates nothing itself.
unsafe impl Source for Heap {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let Some(end) = talc.source.end else {
            let base = (&raw const __heap_base).cast_mut();
            let size = memory_size::<0>() * PAGE - base.addr();
            // SAFETY: no other code uses what lies behind the heap's base, and it is claimed once.
            talc.source.end = unsafe { talc.claim(base, size) };
            if talc.source.end.is_none() && memory_grow::<0>(1) != usize::MAX {
                // Too little was left for the bookkeeping alone.
                // SAFETY: as above.
                talc.source.end = unsafe { talc.claim(base, size + PAGE) };
            }
            return talc.source.end.map(drop).ok_or(());
        };
        let pages = (layout.size() + layout.align() + BOOKKEEPING).div_ceil(PAGE);
        if memory_grow::<0>(pages) == usize::MAX {
            return Err(());
        }
        // SAFETY: no other code grows the memory, so the new pages follow on the end of the heap.
        talc.source.end = Some(unsafe { talc.extend(end, end.as_ptr().wrapping_add(pages * PAGE)) });
        Ok(())
    }
}

/// The host sees a trap with a backtrace; a message would go nowhere.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    unreachable()
}
