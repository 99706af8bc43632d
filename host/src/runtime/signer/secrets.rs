//! The secrets of all devices that a host signs for, in one place that shows none of them.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::super::bindings::thingpost::iot::signer::{Method, Refusal};
use super::rate::SignatureRate;

/// How many signatures a host gives for one device in any minute, to all components that it has opened with the same
/// [`DeviceSecrets`].
///
/// A device over HTTPS needs one in 7 days, as long as its token is good, and the platform takes 5 connections a minute over MQTT.
/// Where a platform ends each token after a few dozen messages, a batch of 5,000 takes some 140 in half a minute. Only a component
/// that collects signatures meets the bound; one in order that does so all the same is told how long to wait, and goes on after it.
pub const SIGNATURES_PER_MINUTE: u32 = 300;

/// The secrets of devices on Aliyun IoT Platform, by product key and device name.
///
/// A component gets signatures for the device that it was opened for, and for no other of these: what may be signed follows from
/// its configuration. See `docs/aliyun.md`.
#[derive(Default)]
pub struct DeviceSecrets {
    secrets: HashMap<String, HashMap<String, Arc<DeviceSecret>>>,
    shared: Option<Arc<dyn SharedCredential>>,
}

/// The secret of one device.
pub(super) struct DeviceSecret {
    secret: String,
    rate: Mutex<SignatureRate>,
}

/// One credential for several publishers that authenticate as the same device. Where a new one ends the older ones, they would do
/// nothing else but take it from each other.
pub trait SharedCredential: Send + Sync {
    /// Waits until one of them may authenticate. Gives what another has obtained meanwhile, as soon as it has; nothing if it is this
    /// one's turn, and then the others wait until it has said what came of it.
    fn take_turn(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>>;

    /// Takes what came of it, which is a secret. It comes from a guest: any text, of any length.
    fn obtained(&self, credential: Option<String>);
}

impl DeviceSecrets {
    /// A collection without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the secret of a device.
    #[must_use]
    pub fn with(mut self, product_key: &str, device_name: &str, device_secret: &str) -> Self {
        let secret = DeviceSecret { secret: device_secret.to_owned(), rate: Mutex::default() };
        self.secrets.entry(product_key.to_owned()).or_default().insert(device_name.to_owned(), secret.into());
        self
    }

    /// Has all publishers with these secrets share this credential. For one device, over HTTPS.
    #[must_use]
    pub fn sharing(&self, credential: Arc<dyn SharedCredential>) -> Self {
        Self { secrets: self.secrets.clone(), shared: Some(credential) }
    }

    pub(super) fn of(&self, (product_key, device_name): (&str, &str)) -> Option<&DeviceSecret> {
        self.secrets.get(product_key)?.get(device_name).map(Arc::as_ref)
    }

    pub(super) fn shared(&self) -> Option<&dyn SharedCredential> {
        self.shared.as_deref()
    }
}

impl DeviceSecret {
    /// The signature in lower-case hexadecimal, unless there were too many.
    pub fn sign(&self, method: Method, content: &str, now: Instant) -> Result<String, Refusal> {
        let taken = self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now, SIGNATURES_PER_MINUTE as usize);
        // Rounded up: after that time there is one.
        taken.map_err(|pause| {
            Refusal::RateLimited(u32::try_from(pause.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX))
        })?;
        Ok(match method {
            Method::HmacMd5 => hex_mac::<Hmac<Md5>>(&self.secret, content),
            Method::HmacSha1 => hex_mac::<Hmac<Sha1>>(&self.secret, content),
            Method::HmacSha256 => hex_mac::<Hmac<Sha256>>(&self.secret, content),
        })
    }
}

fn hex_mac<M: Mac + KeyInit>(key: &str, content: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(content.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Shows whose secrets there are, and none of them.
impl fmt::Debug for DeviceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let devices =
            self.secrets.iter().flat_map(|(product, devices)| devices.keys().map(move |name| (product, name)));
        f.debug_set().entries(devices).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_documented_example_with_every_method() {
        const CONTENT: &str = "clientId12345deviceNamedeviceproductKeypktimestamp789";
        let secrets = DeviceSecrets::new().with("pk", "device", "secret");
        for (method, signature) in [
            (Method::HmacSha1, "fafd82a3d602b37fb0fa8b7892f24a477f851a14"),
            (Method::HmacMd5, "14b198324fe55e1d3c88f2e705e201ee"),
            (Method::HmacSha256, "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57"),
        ] {
            let signed = secrets.of(("pk", "device")).unwrap().sign(method, CONTENT, Instant::now());
            assert_eq!(signed.as_deref(), Ok(signature));
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let shown = format!("{:?}", DeviceSecrets::new().with("pk", "device", "hunter2"));
        assert!(shown.contains("device") && shown.contains("pk") && !shown.contains("hunter2"), "{shown}");
    }
}
