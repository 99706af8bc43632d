//! Values that every platform has, at the border: messages, outcomes, requests and answers.
//!
//! Most are wanted by some of the components only, and what a component does not use is not compiled into it.

pub mod endpoint;
#[cfg(any(feature = "codec", feature = "publisher", feature = "sans-io"))]
pub mod explained;
#[cfg(any(feature = "codec", feature = "sans-io"))]
pub mod http;
pub mod message;
#[cfg(any(feature = "publisher", feature = "sans-io"))]
pub mod options;
pub mod outcome;
#[cfg(any(feature = "codec", feature = "publisher"))]
pub mod request_error;
pub mod sign_method;
#[cfg(any(feature = "mqtt", feature = "sans-io"))]
pub mod transport_error;
