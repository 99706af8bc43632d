//! Standard output that was closed before the process began: `thingpost ... >&-`. The standard library opens the null device
//! in its place before `main`, so that no other file ends up under its number; and every write from then on is a success.
//! A message that was printed there and acknowledged is lost. That the null device itself is there (`>/dev/null`)
//! is a wish, and cannot be told from it by then: so it is looked at before.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether there was no standard output when the process began.
pub fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Run by the loader, before the standard library.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "what runs before `main` stands in a section of the program that the loader knows")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        use std::os::fd::BorrowedFd;
        // SAFETY: the number is asked about and not used; that there is no such file is what is to be found out.
        let stdout = unsafe { BorrowedFd::borrow_raw(1) };
        if rustix::io::fcntl_getfd(stdout) == Err(rustix::io::Errno::BADF) {
            IS_CLOSED.store(true, Ordering::Relaxed);
        }
    }
    look
};
