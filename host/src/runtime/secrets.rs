//! A device secret in the memory of a guest is a secret that the guest has. Here is the other way: the host keeps it and
//! signs, and what it signs can be nothing but the authentication of that very device.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::bindings::thingpost::iot::signer::{Host, Method, Proof};
use super::state::StoreState;

/// The secrets of devices on Aliyun IoT Platform, by product key and device name.
#[derive(Default)]
pub struct DeviceSecrets {
    secrets: HashMap<(String, String), String>,
    shared: Option<Arc<dyn SharedSession>>,
}

/// One session for several publishers that authenticate as the same device. Where a new session ends the older ones, they would do
/// nothing else but take it from each other.
pub trait SharedSession: Send + Sync {
    /// Waits until one of them may authenticate. Gives what another has obtained meanwhile, as soon as it has; nothing if it is this
    /// one's turn, and then the others wait until it has said what came of it.
    fn take_turn(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>>;

    /// Takes what came of it, which is a secret.
    fn obtained(&self, session: Option<String>);
}

impl DeviceSecrets {
    /// A collection without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the secret of a device.
    #[must_use]
    pub fn with(mut self, product_key: &str, device_name: &str, device_secret: &str) -> Self {
        self.secrets.insert((product_key.to_owned(), device_name.to_owned()), device_secret.to_owned());
        self
    }

    /// Has all publishers with these secrets share this session. For one device, over HTTPS.
    #[must_use]
    pub fn sharing(&self, session: Arc<dyn SharedSession>) -> Self {
        Self { secrets: self.secrets.clone(), shared: Some(session) }
    }

    pub(super) fn sign(
        &self,
        product_key: &str,
        device_name: &str,
        method: Method,
        content: &str,
    ) -> Result<String, String> {
        let device = (product_key.to_owned(), device_name.to_owned());
        let secret = self.secrets.get(&device).ok_or("the host has no secret of this device")?;
        if !is_authentication(product_key, device_name, content) {
            return Err("this is not what the device signs to authenticate".to_owned());
        }
        Ok(match method {
            Method::HmacMd5 => hex_mac::<Hmac<Md5>>(secret, content),
            Method::HmacSha1 => hex_mac::<Hmac<Sha1>>(secret, content),
            Method::HmacSha256 => hex_mac::<Hmac<Sha256>>(secret, content),
        })
    }
}

fn hex_mac<M: Mac + KeyInit>(key: &str, content: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(content.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Whether a device signs this to authenticate: a guest is not to have anything else signed, a registration least of all.
fn is_authentication(product_key: &str, device_name: &str, content: &str) -> bool {
    let Some(rest) = content.strip_prefix("clientId") else { return false };
    let names = format!("deviceName{device_name}productKey{product_key}");
    // The client id may be anything, this text included, so it is the last one that counts.
    let Some((_, rest)) = rest.rsplit_once(&names) else { return false };
    match rest.strip_prefix("timestamp") {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => rest.is_empty(),
    }
}

impl Host for StoreState {
    async fn sign(&mut self, group: String, device: String, method: Method, content: String) -> Result<Proof, String> {
        // A guest that may not sign does not wait for a turn either.
        let signature = self.secrets().sign(&group, &device, method, &content)?;
        if let Some(shared) = &self.secrets().shared
            && let Some(session) = shared.take_turn().await
        {
            return Ok(Proof::Credential(session));
        }
        Ok(Proof::Signature(signature))
    }

    fn obtained(&mut self, _group: String, _device: String, credential: Option<String>) {
        if let Some(shared) = &self.secrets().shared {
            shared.obtained(credential);
        }
    }
}

/// Shows whose secrets there are, and none of them.
impl fmt::Debug for DeviceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &str = "clientId12345deviceNamedeviceproductKeypktimestamp789";

    #[test]
    fn signs_the_documented_example() {
        let secrets = DeviceSecrets::new().with("pk", "device", "secret");
        let signature = secrets.sign("pk", "device", Method::HmacSha1, CONTENT);
        assert_eq!(signature.as_deref(), Ok("fafd82a3d602b37fb0fa8b7892f24a477f851a14"));
    }

    #[test]
    fn signs_nothing_but_the_authentication_of_that_device() {
        let secrets = DeviceSecrets::new().with("pk", "device", "secret");
        let signs = |content: &str| secrets.sign("pk", "device", Method::HmacSha1, content).is_ok();
        assert!(signs("clientId1deviceNamedeviceproductKeypk"));
        for content in [
            "",
            "deviceNamedeviceproductKeypkrandom7",
            "clientId1deviceNameotherproductKeypk",
            "clientId1deviceNamedeviceproductKeypkx",
            "clientId1deviceNamedeviceproductKeypktimestamp",
            "clientId1deviceNamedeviceproductKeypktimestamp7x",
            "clientId1deviceNamedeviceproductKeypk789",
        ] {
            assert!(!signs(content), "{content}");
        }
        assert!(secrets.sign("pk", "other", Method::HmacSha1, CONTENT).is_err());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let shown = format!("{:?}", DeviceSecrets::new().with("pk", "device", "hunter2"));
        assert!(shown.contains("device") && !shown.contains("hunter2"), "{shown}");
    }
}
