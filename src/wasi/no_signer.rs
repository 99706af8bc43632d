//! The signer of those who have none.

use alloc::string::ToString;

use super::{Signed, Signs};
use crate::config_error::ConfigError;
use crate::credential::Credential;
use crate::signing::{NotSigned, Signing};

/// Signs for no device: where the configuration has the secrets, it is not asked.
pub struct NoSigner;

impl Signs for NoSigner {
    fn sign(&self, _: &Signing) -> Result<Signed, NotSigned> {
        Err(ConfigError::NoSigner.to_string().into())
    }

    fn obtained(&self, _: Option<&Credential>) {}
}
