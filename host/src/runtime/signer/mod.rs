//! A device secret in the memory of a guest is a secret that the guest has. Here is the other way: the host keeps it and signs.
//! That alone gains little where the guest chooses what is signed: a signature of another device, or one without a time, is as
//! good as the secret. So a store signs for one device, and what it signs follows from the configuration that the embedder has
//! opened the component with ([`policy`]); how often is bounded as well ([`rate`]).

mod policy;
mod rate;
mod secrets;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::bindings::thingpost::iot::signer::{Host, Method, Proof, Refusal};
use super::state::PublisherState;

pub(super) use policy::SigningPolicy;
pub use secrets::{DeviceSecrets, SIGNATURES_PER_MINUTE, SharedCredential};

/// The signer of one store.
#[derive(Default)]
pub(super) struct StoreSigner {
    secrets: Arc<DeviceSecrets>,
    /// None: this component is not for a device that the host signs for.
    policy: Option<SigningPolicy>,
}

impl StoreSigner {
    pub fn set_secrets(&mut self, secrets: Arc<DeviceSecrets>) {
        self.secrets = secrets;
    }

    /// Signs for this device from now on, and for no other.
    pub fn set_policy(&mut self, policy: Option<SigningPolicy>) {
        self.policy = policy;
    }

    /// The signature of this text, if it is what the device signs to authenticate now.
    pub fn sign(&self, method: Method, content: &str) -> Result<String, Refusal> {
        let policy = self.policy.as_ref().ok_or(Refusal::NoSecret)?;
        let secret = self.secrets.of(policy.device()).ok_or(Refusal::NoSecret)?;
        policy.check(method, content, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())?;
        secret.sign(method, content, Instant::now())
    }

    fn shared(&self) -> Option<&dyn SharedCredential> {
        self.policy.as_ref().and(self.secrets.shared())
    }
}

impl Host for PublisherState {
    async fn sign(&mut self, method: Method, content: String) -> Result<Proof, Refusal> {
        // A guest that may not sign does not wait for a turn either.
        let signature = self.signer().sign(method, &content)?;
        if let Some(shared) = self.signer().shared()
            && let Some(credential) = shared.take_turn().await
        {
            return Ok(Proof::Credential(credential));
        }
        Ok(Proof::Signature(signature))
    }

    fn obtained(&mut self, credential: Option<String>) {
        if let Some(shared) = self.signer().shared() {
            shared.obtained(credential);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::types::{AliyunConfig, SignMethod, Signer, TimestampPolicy};

    const CONTENT: &str = "clientId12345deviceNamedeviceproductKeypk";

    fn signer(secrets: DeviceSecrets, device_name: &str) -> StoreSigner {
        let config = AliyunConfig {
            endpoint: "iot.example".to_owned(),
            port: 443,
            product_key: "pk".to_owned(),
            device_name: device_name.to_owned(),
            signer: Signer::Host,
            client_id: Some("12345".to_owned()),
            sign_method: SignMethod::HmacSha1,
            timestamp: TimestampPolicy::None,
        };
        StoreSigner { secrets: secrets.into(), policy: SigningPolicy::of(&config) }
    }

    fn secrets() -> DeviceSecrets {
        DeviceSecrets::new().with("pk", "device", "secret").with("pk", "other", "secret")
    }

    #[test]
    fn a_store_signs_for_the_device_that_it_was_opened_for_and_for_no_other_that_the_host_knows() {
        let signature = "3504e4df7ce4766d30f796ee973c9ce7fc5425cb";
        assert_eq!(signer(secrets(), "device").sign(Method::HmacSha1, CONTENT).as_deref(), Ok(signature));
        assert_eq!(signer(secrets(), "other").sign(Method::HmacSha1, CONTENT), Err(Refusal::NotAuthentication));
        assert_eq!(signer(secrets(), "third").sign(Method::HmacSha1, CONTENT), Err(Refusal::NoSecret));
    }

    #[test]
    fn a_store_that_was_opened_for_no_device_of_the_host_signs_nothing() {
        let signer = StoreSigner { secrets: secrets().into(), policy: None };
        assert_eq!(signer.sign(Method::HmacSha1, CONTENT), Err(Refusal::NoSecret));
    }

    #[test]
    fn all_stores_of_a_device_share_its_rate_and_what_is_refused_does_not_count() {
        let secrets = Arc::new(secrets());
        let store = || StoreSigner { secrets: Arc::clone(&secrets), ..signer(DeviceSecrets::new(), "device") };
        for _ in 0..2 * SIGNATURES_PER_MINUTE {
            assert_eq!(store().sign(Method::HmacSha1, "x"), Err(Refusal::NotAuthentication));
        }
        // The secret is the same however it is shared. A minute may pass in between, on a machine that is slow enough.
        let instant = Instant::now();
        let secret = secrets.of(("pk", "device")).unwrap();
        for _ in 0..SIGNATURES_PER_MINUTE {
            assert!(secret.sign(Method::HmacSha1, CONTENT, instant).is_ok());
        }
        let refused = secret.sign(Method::HmacSha1, CONTENT, instant);
        assert!(matches!(refused, Err(Refusal::RateLimited(1..=60_000))), "{refused:?}");
        assert!(secrets.of(("pk", "other")).unwrap().sign(Method::HmacSha1, CONTENT, instant).is_ok());
    }
}
