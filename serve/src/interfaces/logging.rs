//! `wasi:logging`: lines of guests in the log of the server.
//!
//! Who writes a log decides what is in it. A guest that says too much fills the disk, one that ends a line early writes
//! the next in the name of the server, and neither has to mean it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use thingpost_host::runtime::HandlerState;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use super::Grants;

use bindings::wasi::logging::logging::{self, Level};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit/deps/logging",
        world: "wasi:logging/imports",
    });
}

/// What all guests together may say. Cheap to clone.
#[derive(Clone, Default)]
pub struct GuestLog(Arc<Mutex<Allowance>>);

/// Lines of one window of time.
#[derive(Default)]
struct Allowance {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

/// A window, and the lines that are written in it.
const WINDOW: Duration = Duration::from_secs(10);
const LINES: u32 = 1000;

/// Bytes of a line, and of its context.
const MESSAGE_BYTES: usize = 4096;
const CONTEXT_BYTES: usize = 128;

impl Allowance {
    /// Whether one line more is written, and how many were not since the last one that was.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            (self.since, self.lines) = (Some(now), 0);
        }
        if self.lines == LINES {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

struct HasLog;

impl HasData for HasLog {
    type Data<'a> = &'a mut GuestLog;
}

pub(super) fn add(linker: &mut Linker<HandlerState<Grants>>) -> Result<()> {
    logging::add_to_linker::<_, HasLog>(linker, |state| {
        state.data_mut().log.as_mut().expect("the interface is offered only where there is a log")
    })
}

impl logging::Host for GuestLog {
    fn log(&mut self, level: Level, context: String, message: String) {
        let left_out = self.0.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        let Some(left_out) = left_out else { return };
        if left_out > 0 {
            tracing::warn!(target: "guest", "{left_out} lines of guests were left out: more than {LINES} in {WINDOW:?}");
        }
        let (context, message) = (one_line(&context, CONTEXT_BYTES), one_line(&message, MESSAGE_BYTES));
        match level {
            Level::Trace => tracing::trace!(target: "guest", context, "{message}"),
            Level::Debug => tracing::debug!(target: "guest", context, "{message}"),
            Level::Info => tracing::info!(target: "guest", context, "{message}"),
            Level::Warn => tracing::warn!(target: "guest", context, "{message}"),
            Level::Error | Level::Critical => tracing::error!(target: "guest", context, "{message}"),
        }
    }
}

/// The beginning of a text, without what ends a line or drives a terminal.
fn one_line(text: &str, bytes: usize) -> String {
    let ends_a_line = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    let cut = &text[..text.floor_char_boundary(bytes)];
    let mut line: String = cut.chars().map(|character| if ends_a_line(character) { ' ' } else { character }).collect();
    if cut.len() < text.len() {
        line.push_str(" ..");
    }
    line
}

impl fmt::Debug for GuestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestLog").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out_and_counted() {
        let (mut allowance, start) = (Allowance::default(), Instant::now());
        for _ in 0..LINES {
            assert_eq!(allowance.take(start), Some(0));
        }
        assert_eq!(allowance.take(start + WINDOW / 2), None);
        assert_eq!(allowance.take(start + WINDOW / 2), None);
        assert_eq!(allowance.take(start + WINDOW), Some(2));
        assert_eq!(allowance.take(start + WINDOW), Some(0));
    }

    #[test]
    fn a_guest_writes_no_line_in_the_name_of_the_server_and_none_without_end() {
        assert_eq!(one_line("a\nINFO all is well\x1b[31m\u{2028}", 100), "a INFO all is well [31m ");
        assert_eq!(one_line(&"ü".repeat(100), 9), format!("{} ..", "ü".repeat(4)));
    }
}
