//! What stands in the log of a component that serves HTTP.
//!
//! A request that makes a guest trap can be sent again and again, and each time the guest says why, on its standard error: twenty
//! thousand lines in a second. So there are so many lines in ten seconds, for all instances of a component together, and then
//! how many were left out.

use std::time::Instant;

use wasmtime::Error;
use wasmtime_wasi_http::Error as WasiError;

use crate::limits::LimitExceeded;
use crate::observe::LogLimiter;
use crate::runtime::calls::CallError;

/// Lines that guests may print in ten seconds.
const PRINTED: u32 = 1000;
/// Lines about how guests have ended, in ten seconds.
const ENDINGS: u32 = 10;

/// The log of all instances of a component.
pub(super) struct HandlerLog {
    printed: LogLimiter,
    endings: LogLimiter,
}

impl Default for HandlerLog {
    fn default() -> Self {
        Self { printed: LogLimiter::new(PRINTED), endings: LogLimiter::new(ENDINGS) }
    }
}

impl HandlerLog {
    /// A guest has printed a line.
    pub fn printed(&self, stream: &'static str, line: &str) {
        if let Some(left_out) = self.printed.admit(Instant::now()) {
            if left_out > 0 {
                tracing::warn!("{left_out} lines of guests before this were left out here, as there were so many");
            }
            tracing::info!(stream, "{line}");
        }
    }

    /// A guest was not started.
    pub fn not_started(&self, error: &Error) {
        self.ending(format_args!("no instance of the component could be started: {}", error.root_cause()));
    }

    /// A guest was stopped, or has trapped.
    pub fn ended(&self, error: &Error) {
        match (error.downcast_ref::<CallError>(), error.downcast_ref::<LimitExceeded>()) {
            (Some(stopped), _) => self.ending(format_args!("{stopped}")),
            (_, Some(exceeded)) => self.ending(format_args!("{exceeded}")),
            // Without the addresses of its functions, which come with it line by line.
            _ => self.ending(format_args!("the guest has trapped: {}", error.root_cause())),
        }
    }

    /// A guest says that it has no answer, or has one that is none.
    pub fn no_answer(&self, error: &WasiError) {
        self.ending(format_args!("the guest has no answer: {error}"));
    }

    fn ending(&self, line: std::fmt::Arguments<'_>) {
        if let Some(left_out) = self.endings.admit(Instant::now()) {
            if left_out > 0 {
                tracing::warn!("{left_out} ends of guests before this were left out here, as there were so many");
            }
            tracing::warn!("{line}");
        }
    }
}
