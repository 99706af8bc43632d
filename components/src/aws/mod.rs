//! AWS IoT Core at the border: its configurations, and the interfaces that know it.

#[cfg(feature = "codec")]
mod codec;
#[cfg(not(feature = "mqtt"))]
mod config;
#[cfg(feature = "publisher")]
mod data_plane;
#[cfg(feature = "sans-io")]
mod exchange;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(any(feature = "codec", feature = "publisher"))]
mod operation;
#[cfg(feature = "publisher")]
mod publisher;
