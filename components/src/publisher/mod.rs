//! Worlds `publish` and `publish-signed`: an exchange driven through `wasi:http`.
//!
//! The two differ in who signs where the component has no secret, and in nothing else.

pub mod client;
#[cfg(feature = "host-signer")]
pub mod host_signer;
#[cfg(not(feature = "host-signer"))]
pub mod no_signer;

#[cfg(feature = "host-signer")]
pub use host_signer as signer;
#[cfg(not(feature = "host-signer"))]
pub use no_signer as signer;
