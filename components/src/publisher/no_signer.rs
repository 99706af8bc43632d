//! The signer of world `publish`: none, so that a configuration that leaves signing to the host is refused.

use alloc::string::{String, ToString};

pub use thingpost::wasi::NoSigner as Signer;
use thingpost::{ConfigError, NotSigned, Platform, Signing};

/// Refuses a configuration that needs a signer.
pub fn check(platform: &dyn Platform) -> Result<(), ConfigError> {
    match platform.is_signed_externally() {
        true => Err(ConfigError::NoSigner),
        false => Ok(()),
    }
}

/// Never called, because of [`check`].
pub fn signature(_: &Signing) -> Result<String, NotSigned> {
    Err(ConfigError::NoSigner.to_string().into())
}

/// The signer for a device on this platform.
pub fn signer(_: &dyn Platform) -> Signer {
    Signer
}
