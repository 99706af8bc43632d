//! What operators see of it: a log, numbers, and a listener where machines ask for both health and numbers.

mod admin;
mod log;
mod measured;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;

pub use admin::Admin;
pub use log::{LogError, LogFormat, init_log};
pub use measured::Measured;
pub use metrics::{Metrics, MetricsError};
