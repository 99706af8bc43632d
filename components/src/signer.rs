//! The signer that is not the component: the host, asked through the interface `signer`.
//!
//! Of every component whose world imports `signer`.

use alloc::borrow::ToOwned;
use alloc::string::String;

use thingpost::{NotSigned, Retry, SignMethod, Signing};

use crate::bindings::thingpost::iot::signer::{self, Method, Proof, Refusal};

/// Has the host sign, where nothing but a signature will do.
pub fn signature(signing: &Signing) -> Result<String, NotSigned> {
    match sign(signing)? {
        Proof::Signature(signature) => Ok(signature),
        Proof::Credential(_) => Err("the host has a credential for what needs a signature".to_owned().into()),
    }
}

/// Has the host sign, or hand out what another process has obtained.
pub fn sign(signing: &Signing) -> Result<Proof, NotSigned> {
    let method = match signing.method {
        SignMethod::HmacMd5 => Method::HmacMd5,
        SignMethod::HmacSha1 => Method::HmacSha1,
        SignMethod::HmacSha256 => Method::HmacSha256,
    };
    signer::sign(method, &signing.content).map_err(not_signed)
}

fn not_signed(refusal: Refusal) -> NotSigned {
    let (reason, retry) = match refusal {
        Refusal::NoSecret => ("the host has no secret of this device".to_owned(), Retry::Never),
        Refusal::NotAuthentication => ("this is not what the device signs to authenticate".to_owned(), Retry::Never),
        Refusal::NoTimestamp => ("the host signs nothing without a time for this device".to_owned(), Retry::Never),
        Refusal::TimestampTooFar => {
            ("the time is too far from that of the host: set the clock of the host".to_owned(), Retry::Never)
        }
        Refusal::RateLimited(pause_ms) => {
            ("the host has signed too often for this device".to_owned(), Retry::AfterMs(pause_ms.into()))
        }
        Refusal::Other(reason) => (reason, Retry::Never),
    };
    NotSigned { reason, retry }
}
