//! Who signs where it is not the component: in the world `publish` nobody.

use alloc::borrow::ToOwned;
use alloc::string::String;

use thingpost::aliyun::Signing;
use thingpost::wasi::{Credential, Signs};
use thingpost::{ConfigurationProblem, Platform, Session};

/// Refuses a configuration that needs somebody.
pub fn check(platform: &Platform) -> Result<(), ConfigurationProblem> {
    match platform.is_signed_elsewhere() {
        true => Err(ConfigurationProblem::NoSigner),
        false => Ok(()),
    }
}

/// Never called, because of [`check`].
pub fn signature(_: &Signing) -> Result<String, String> {
    Err(ConfigurationProblem::NoSigner.text().to_owned())
}

/// Signs for no device.
pub struct Signer;

/// The signer for a device on this platform.
pub fn signer(_: &Platform) -> Signer {
    Signer
}

impl Signs for Signer {
    fn sign(&self, signing: &Signing) -> Result<Credential, String> {
        signature(signing).map(Credential::Signature)
    }

    fn obtained(&self, _: &Signing, _: Option<&Session>) {}
}
