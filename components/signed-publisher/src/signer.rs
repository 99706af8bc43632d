//! Who signs where it is not the component: the host.

use alloc::borrow::ToOwned;
use alloc::string::String;

use thingpost::aliyun::Signing;
use thingpost::wasi::{Credential, Signs};
use thingpost::{ConfigurationProblem, Platform, Session};

use crate::bindings::thingpost::iot::signer;
pub use crate::host_signer::signature;

/// Every configuration will do.
pub fn check(_: &Platform) -> Result<(), ConfigurationProblem> {
    Ok(())
}

/// The host, for a device on this platform.
pub struct Signer<'a>(&'a Platform);

/// The signer for a device on this platform.
pub fn signer(platform: &Platform) -> Signer<'_> {
    Signer(platform)
}

impl Signs for Signer<'_> {
    fn sign(&self, signing: &Signing) -> Result<Credential, String> {
        // A session of another device is of no use; the second time the host signs.
        for _ in 0..2 {
            match crate::host_signer::sign(signing)? {
                signer::Credential::Signature(signature) => return Ok(Credential::Signature(signature)),
                signer::Credential::Session(text) => {
                    if let Ok(session) = self.0.import_session(&text) {
                        return Ok(Credential::Session(session));
                    }
                }
            }
        }
        Err("the host has nothing but sessions that are not of this device".to_owned())
    }

    fn obtained(&self, signing: &Signing, session: Option<&Session>) {
        let session = session.and_then(|session| self.0.export_session(session));
        signer::obtained(&signing.product_key, &signing.device_name, session.as_deref());
    }
}
