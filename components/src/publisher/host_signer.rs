//! The signer of world `publish-signed`: the host.

use alloc::borrow::ToOwned;

use thingpost::wasi::{Signed, Signs};
use thingpost::{ConfigError, Credential, NotSigned, Platform, Signing};

use crate::bindings::thingpost::iot::signer::{self, Proof};
pub use crate::signer::signature;

/// Every configuration will do.
pub fn check(_: &dyn Platform) -> Result<(), ConfigError> {
    Ok(())
}

/// The host, for a device on this platform.
pub struct Signer<'a>(&'a dyn Platform);

/// The signer for a device on this platform.
pub fn signer(platform: &dyn Platform) -> Signer<'_> {
    Signer(platform)
}

impl Signs for Signer<'_> {
    fn sign(&self, signing: &Signing) -> Result<Signed, NotSigned> {
        // A credential of another device is of no use; the second time the host signs.
        for _ in 0..2 {
            match crate::signer::sign(signing)? {
                Proof::Signature(signature) => return Ok(Signed::Signature(signature)),
                Proof::Credential(text) => {
                    if let Ok(credential) = self.0.import_credential(&text) {
                        return Ok(Signed::Credential(credential));
                    }
                }
            }
        }
        Err("the host has nothing but credentials that are not of this device".to_owned().into())
    }

    fn obtained(&self, credential: Option<&Credential>) {
        let credential = credential.and_then(|credential| self.0.export_credential(credential));
        signer::obtained(credential.as_deref());
    }
}
