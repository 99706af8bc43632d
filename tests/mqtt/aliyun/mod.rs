//! Devices of Aliyun IoT Platform: no certificate, but a signature in the CONNECT, which the component makes or the host.

pub mod broker;
mod refusals;
mod signing;
mod topics;
