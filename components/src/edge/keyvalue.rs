//! The credential of a device where all instances find it, `wasi:keyvalue`. Most hosts make an instance for each request, and
//! a new token of Aliyun ends the one before it: instances that each authenticate for themselves are soon throttled, and take
//! each other's token away.
//!
//! A store that fails costs no message. An authentication is made then that might have been spared.

use alloc::string::String;

use thingpost::edge::Device;
use thingpost::wasi::{NoSigner, Signed, Signs};
use thingpost::{Credential, NotSigned, Signing};

use crate::bindings::keyvalue::store::{Bucket, open};

/// Where the credential of one device is kept.
pub struct Kept<'a> {
    device: &'a Device,
    bucket: &'a str,
}

/// Keeps the credential of this device in this bucket.
pub fn kept<'a>(device: &'a Device, bucket: &'a str) -> Kept<'a> {
    Kept { device, bucket }
}

impl Kept<'_> {
    fn place(&self) -> Option<(Bucket, &str)> {
        let key = self.device.credential_key.as_deref()?;
        Some((open(self.bucket).ok()?, key))
    }
}

impl Signs for Kept<'_> {
    fn sign(&self, signing: &Signing) -> Result<Signed, NotSigned> {
        NoSigner.sign(signing)
    }

    fn obtained(&self, _: Option<&Credential>) {}

    fn recall(&self) -> Option<Credential> {
        let (bucket, key) = self.place()?;
        let text = String::from_utf8(bucket.get(key).ok()??).ok()?;
        // What is none of this device is as good as nothing, and is written over.
        self.device.platform.import_credential(&text).ok()
    }

    fn keep(&self, credential: &Credential) {
        if let Some(text) = self.device.platform.export_credential(credential)
            && let Some((bucket, key)) = self.place()
        {
            let _ = bucket.set(key, text.as_bytes());
        }
    }
}
