//! What comes before the first message of a device on Aliyun IoT Platform: its secret, the address of its instance,
//! credentials for MQTT.
//!
//! The outer result of each function is the instance's: its error means that the instance has trapped.

use wasmtime::Result;

use super::bindings::exports::thingpost::iot::aliyun_provisioning::Guest;
use super::calls::GuestStore;
#[cfg(feature = "signer")]
use super::signer::SigningPolicy;
use super::state::PublisherState;
use super::types::{Address, AliyunConfig, Error, MqttCredentials, Registered, Registration};

/// One instance, for devices that are not known yet.
pub struct Provisioning {
    store: GuestStore<PublisherState>,
    guest: Guest,
}

impl Provisioning {
    pub(super) fn new(store: GuestStore<PublisherState>, guest: Guest) -> Self {
        Self { store, guest }
    }

    /// Registers a device, with the secret of its product. The platform gives out the secret of the device once.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn register(
        &mut self,
        registration: &Registration,
        product_secret: &str,
        timeout_ms: Option<u32>,
    ) -> Result<Result<Registered, Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.call_register(store, registration, product_secret, timeout_ms)).await
    }

    /// Where the instance of a device is. The endpoint is `iot-auth-global.aliyuncs.com`, port 443.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn bootstrap(
        &mut self,
        endpoint: &str,
        port: u16,
        product_key: &str,
        device_name: &str,
        timeout_ms: Option<u32>,
    ) -> Result<Result<Address, Error>> {
        let (store, call) = self.store.begin()?;
        call.run(self.guest.call_bootstrap(store, endpoint, port, product_key, device_name, timeout_ms)).await
    }

    /// User name and password for MQTT. The endpoint of the configuration is one like `iot-auth.cn-shanghai.aliyuncs.com`.
    ///
    /// # Errors
    ///
    /// The instance has trapped.
    pub async fn mqtt_credentials(
        &mut self,
        config: &AliyunConfig,
        timeout_ms: Option<u32>,
    ) -> Result<Result<MqttCredentials, Error>> {
        let (store, call) = self.store.begin()?;
        #[cfg(feature = "signer")]
        store.data_mut().signer().set_policy(SigningPolicy::of(config));
        call.run(self.guest.call_get_mqtt_credentials(store, config, timeout_ms)).await
    }
}
