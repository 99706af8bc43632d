//! Who signs where it is not the component: in the world `publish` nobody.

use alloc::borrow::ToOwned;
use alloc::string::String;

use thingpost::aliyun::Signing;
use thingpost::{ConfigurationProblem, Platform};

/// Refuses a configuration that needs somebody.
pub fn check(platform: &Platform) -> Result<(), ConfigurationProblem> {
    match platform.is_signed_elsewhere() {
        true => Err(ConfigurationProblem::NoSigner),
        false => Ok(()),
    }
}

/// Never called, because of [`check`].
pub fn sign(_: &Signing) -> Result<String, String> {
    Err(ConfigurationProblem::NoSigner.text().to_owned())
}
