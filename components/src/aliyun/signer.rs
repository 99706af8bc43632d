//! The choice of a signer, from WIT to the core.

use thingpost::Secret;
use thingpost::aliyun::Signer;

use crate::bindings::exports::thingpost::iot::aliyun_types as wit;

pub fn signer(signer: wit::Signer) -> Signer {
    match signer {
        wit::Signer::DeviceSecret(secret) => Signer::Secret(Secret::new(secret)),
        wit::Signer::Host => Signer::External,
    }
}
