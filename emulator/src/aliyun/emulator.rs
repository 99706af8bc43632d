//! A test wants to say what the account is like, let a client at it, and ask what became of it. The handle that it does
//! all this with stands here; every method is a line or two, and what they mean is elsewhere.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::attempts::AliyunAuthentications;
use super::chaos::{AliyunStrike, TokenChaos};
use super::cloud::Cloud;
use super::endpoint;
use super::http_service::HttpService;
use super::iot_auth::IotAuth;
use super::options::AliyunOptions;
use super::register::AliyunRegistration;
use super::registry::DeviceName;
use super::thing_model::AliyunThingPost;
use super::token::End;
use crate::chaos::Chaos;
use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::serve::{Connections, Deadlines, Port};
use crate::tls::ClientCertificates;

/// Aliyun IoT Platform on two ports of this machine: the one that takes messages, and the one that registers devices.
/// Dropping it closes them and aborts their connections.
pub struct AliyunEmulator {
    cloud: Arc<Cloud>,
    server_name: String,
    iot_auth_server_name: String,
    port: Port,
    iot_auth: Port,
}

impl AliyunEmulator {
    /// Binds the ports and starts to accept. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or no certificate can hold the server name.
    pub async fn start(options: AliyunOptions) -> io::Result<Self> {
        let AliyunOptions { authority, server_name, ip, keep_alive, token_form } = options;
        let iot_auth_server_name = endpoint::iot_auth(&server_name);
        let config = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let identity = authority.issue_server(&names).map_err(io::Error::other)?;
            identity.server_config(ClientCertificates::NotAsked, &[]).map_err(io::Error::other)
        };
        let local = ip.to_string();
        let front = config(&[&server_name, "localhost", &local])?;
        // A certificate of its own: one with all names would be good for a client that mixes them up.
        let iot_auth = config(&[&iot_auth_server_name, endpoint::GLOBAL_IOT_AUTH, "localhost", &local])?;

        let cloud = Arc::new(Cloud::new(&server_name, keep_alive, token_form));
        let front = HttpService::new(front, Arc::clone(&cloud));
        let port = Port::open(ip, Arc::new(front), Deadlines::default()).await?;
        let iot_auth = IotAuth::new(iot_auth, Arc::clone(&cloud));
        let iot_auth = Port::open(ip, Arc::new(iot_auth), Deadlines::default()).await?;
        Ok(Self { cloud, server_name, iot_auth_server_name, port, iot_auth })
    }

    /// The name that stands in the certificate of the port for messages.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The name that stands in the certificate of the port that registers devices, next to
    /// `iot-auth-global.aliyuncs.com`: for `iot-as-http.cn-shanghai.aliyuncs.com` that is
    /// `iot-auth.cn-shanghai.aliyuncs.com`, for an instance's name the same, and `iot-auth.` in front of a name that is
    /// not of Aliyun's form.
    pub fn iot_auth_server_name(&self) -> &str {
        &self.iot_auth_server_name
    }

    /// The port for messages: `/auth` and `/topic/…`.
    pub fn addr(&self) -> SocketAddr {
        self.port.address()
    }

    /// The port that registers devices, which stands for 443 of another host: `/auth/register/device`,
    /// `/auth/bootstrap` and `/auth/devicename`.
    pub fn addr_iot_auth(&self) -> SocketAddr {
        self.iot_auth.address()
    }

    /// Every message.
    pub fn ledger(&self) -> Ledger {
        self.cloud.ledger.clone()
    }

    /// What is to go wrong next, on whichever port. Requests to the port that registers devices are struck as requests
    /// for a token are.
    pub fn faults(&self) -> Faults {
        self.cloud.faults.clone()
    }

    /// Makes a device known, or gives it another secret.
    pub fn add_device(&self, product_key: &str, device_name: &str, device_secret: &str) {
        self.cloud.state().registry.add_device(DeviceName::new(product_key, device_name), device_secret);
    }

    /// Makes a product known whose devices may or may not register themselves, or changes that and its secret.
    pub fn add_product(&self, product_key: &str, product_secret: &str, registration: bool) {
        self.cloud.state().registry.add_product(product_key, product_secret, registration);
    }

    /// Makes a device known that has no secret yet and may fetch one. One of that name is deleted before, with its
    /// secret and its tokens.
    pub fn pre_register(&self, product_key: &str, device_name: &str) {
        let device = DeviceName::new(product_key, device_name);
        let mut state = self.cloud.state();
        state.tokens.end_those_of(&device, End::Revoked);
        state.registry.pre_register(device);
    }

    /// Every request to register a device that had all its parameters, in their order, whatever it was told.
    pub fn registrations(&self) -> Vec<AliyunRegistration> {
        self.cloud.state().registry.registrations.clone()
    }

    /// Sends devices on to this MQTT host, whatever their product. To begin with it is the one that documentation gives
    /// for the server name and the product, with port 1883.
    pub fn set_mqtt_endpoint(&self, host: &str, port: u16) {
        self.cloud.state().mqtt.choose(host, port);
    }

    /// Lets all tokens that exist now expire: each use of them is answered with 20001.
    pub fn expire_tokens(&self) {
        self.cloud.state().tokens.end_all(End::Expired);
    }

    /// As [`AliyunEmulator::expire_tokens`], but only those of one device.
    pub fn expire_tokens_of(&self, product_key: &str, device_name: &str) {
        self.cloud.state().tokens.end_those_of(&DeviceName::new(product_key, device_name), End::Expired);
    }

    /// Forgets all tokens that exist now: each use of them is answered with 20003.
    pub fn revoke_tokens(&self) {
        self.cloud.state().tokens.end_all(End::Revoked);
    }

    /// As [`AliyunEmulator::revoke_tokens`], but only those of one device.
    pub fn revoke_tokens_of(&self, product_key: &str, device_name: &str) {
        self.cloud.state().tokens.end_those_of(&DeviceName::new(product_key, device_name), End::Revoked);
    }

    /// Whether a new token revokes the older ones of its device. The documentation does not say that it does. Off at
    /// first.
    pub fn keep_only_the_latest_token(&self, on: bool) {
        self.cloud.state().tokens.only_the_latest = on;
    }

    /// How long tokens made from now on are good for. Seven days to begin with, by the emulator's clock.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.cloud.state().tokens.set_lifetime(lifetime);
    }

    /// Begins a bad day on both ports, in the place of one that there was. [`AliyunChaos`](crate::AliyunChaos) alone is one
    /// too: trouble with tokens and nothing else.
    pub fn chaos(&self, plan: impl Into<Chaos>) {
        let plan = plan.into();
        self.cloud.state().chaos = plan.tokens.clone().map(TokenChaos::new);
        self.cloud.conditions.set(plan);
    }

    /// Ends the bad day. What it has done to tokens stays done.
    pub fn calm(&self) {
        self.cloud.state().chaos = None;
        self.cloud.conditions.calm();
    }

    /// What chaos has done to tokens so far, in its order.
    pub fn strikes(&self) -> Vec<AliyunStrike> {
        self.cloud.state().strikes.clone()
    }

    /// Every message that was taken on a topic of the thing model, in their order, as the thing model reads it.
    pub fn thing_model(&self) -> Vec<AliyunThingPost> {
        self.cloud.state().thing_posts.clone()
    }

    /// Whether answers say `Info`, as one page of the documentation once did, instead of `info`.
    pub fn answer_with_capital_info(&self, capital: bool) {
        self.cloud.state().capital_info = capital;
    }

    /// Answers one more publish request with this code, before any check. The message is not taken.
    pub fn next_code(&self, code: u32) {
        self.cloud.state().next_codes.push_back(code);
    }

    /// Answers one more request to `/auth` with this code, before any check.
    pub fn next_authentication_code(&self, code: u32) {
        self.cloud.state().next_authentication_codes.push_back(code);
    }

    /// Answers one more request to a door of the port that registers devices with this code, before any check.
    pub fn next_iot_auth_code(&self, code: u32) {
        self.cloud.state().next_iot_auth_codes.push_back(code);
    }

    /// How many requests to `/auth` the platform has decided about, whatever it decided. One that a fault ended before
    /// does not count.
    pub fn authentications(&self) -> u64 {
        self.cloud.state().authentications
    }

    /// What one device did at `/auth`.
    pub fn authentications_of(&self, product_key: &str, device_name: &str) -> AliyunAuthentications {
        self.cloud.state().attempts.of(&DeviceName::new(product_key, device_name))
    }

    /// How many connections there have been to the port for messages.
    pub fn connections(&self) -> Connections {
        self.port.connections()
    }

    /// How many connections there have been to the port that registers devices.
    pub fn iot_auth_connections(&self) -> Connections {
        self.iot_auth.connections()
    }

    /// Sets the emulator's clock to true time plus this many milliseconds. It decides about time stamps and the end of
    /// tokens, and shows in the `Date` header.
    pub fn shift_clock_ms(&self, offset_ms: i64) {
        self.cloud.clock.set_offset_ms(offset_ms);
    }
}

impl fmt::Debug for AliyunEmulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunEmulator")
            .field("server_name", &self.server_name)
            .field("addr", &self.addr())
            .field("iot_auth_server_name", &self.iot_auth_server_name)
            .field("addr_iot_auth", &self.addr_iot_auth())
            .finish_non_exhaustive()
    }
}
