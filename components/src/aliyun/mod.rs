//! Aliyun IoT Platform at the border: its configurations, and the interfaces that know it.

#[cfg(feature = "codec")]
mod codec;
#[cfg(any(feature = "publisher", feature = "sans-io"))]
mod config;
#[cfg(feature = "sans-io")]
mod exchange;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "publisher")]
mod provisioning;
#[cfg(feature = "publisher")]
mod publisher;
#[cfg(any(feature = "codec", feature = "publisher"))]
mod registration;
#[cfg(any(feature = "mqtt", feature = "publisher", feature = "sans-io"))]
mod signer;
#[cfg(any(feature = "codec", feature = "publisher"))]
mod thing_model;
