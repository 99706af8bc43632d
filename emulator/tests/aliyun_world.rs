//! An Aliyun emulator with the device `pk`/`device`, whose secret is `secret`, and clients that can sign.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thingpost_emulator::{AliyunEmulator, AliyunOptions, Authority};

use crate::client::{Client, Connection, Response};

pub const NAME: &str = "iot-as-http.cn-shanghai.aliyuncs.com";
pub const JSON: &str = "Content-Type: application/json\r\n";
pub const BYTES: &str = "Content-Type: application/octet-stream\r\n";
pub const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

pub struct World {
    pub emulator: AliyunEmulator,
    client: Client,
    iot_auth: Client,
}

pub async fn world() -> World {
    world_with(|_| {}).await
}

pub async fn world_with(change: impl FnOnce(&mut AliyunOptions)) -> World {
    let authority = Authority::new();
    let mut options = AliyunOptions::new(&authority, NAME);
    change(&mut options);
    let emulator = AliyunEmulator::start(options).await.unwrap();
    emulator.add_device("pk", "device", "secret");
    let iot_auth = Client::new(&authority, emulator.iot_auth_server_name());
    World { emulator, client: Client::new(&authority, NAME), iot_auth }
}

impl World {
    pub async fn connect(&self) -> Connection {
        self.client.connect(self.emulator.addr()).await.unwrap()
    }

    /// To the port that registers devices.
    pub async fn connect_iot_auth(&self) -> Connection {
        self.iot_auth.connect(self.emulator.addr_iot_auth()).await.unwrap()
    }

    /// One request on a connection of its own.
    pub async fn post(&self, target: &str, headers: &str, body: &[u8]) -> Response {
        self.connect().await.post(target, headers, body).await.unwrap()
    }

    /// A request to the port that registers devices.
    pub async fn post_iot_auth(&self, target: &str, headers: &str, body: &[u8]) -> Response {
        self.connect_iot_auth().await.post(target, headers, body).await.unwrap()
    }

    pub async fn auth(&self, body: &str) -> Response {
        self.post("/auth", JSON, body.as_bytes()).await
    }

    /// A form to the port that registers devices.
    pub async fn form(&self, target: &str, body: &str) -> Response {
        self.post_iot_auth(target, FORM, body.as_bytes()).await
    }

    pub async fn token(&self) -> String {
        self.token_of("device", "secret").await
    }

    pub async fn token_of(&self, device_name: &str, secret: &str) -> String {
        let response = self.auth(&signed_with(secret, &[("deviceName", device_name)])).await;
        let (_, token) = response.body.split_once(r#""token":""#).expect("the authentication is right");
        token.trim_end_matches(r#""}}"#).to_owned()
    }

    pub async fn publish(&self, token: &str, target: &str, payload: &[u8]) -> Response {
        self.post(target, &format!("{BYTES}password: {token}\r\n"), payload).await
    }
}

pub fn true_time_ms() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

/// The body of a right authentication with further or other fields, signed after they were put in.
pub fn signed(fields: &[(&str, &str)]) -> String {
    signed_with("secret", fields)
}

/// A signature with any secret.
pub fn signed_with(secret: &str, fields: &[(&str, &str)]) -> String {
    let mut all = BTreeMap::from([("clientId", "12345"), ("deviceName", "device"), ("productKey", "pk")]);
    all.extend(fields.iter().copied());
    let content: String = all.iter().filter(|(name, _)| **name != "version").map(|(n, v)| format!("{n}{v}")).collect();
    let sign = hmac_sha256(secret, &content);
    all.extend([("sign", sign.as_str()), ("signmethod", "hmacsha256")]);
    serde_json::to_string(&all).unwrap()
}

/// In lower-case hex.
pub fn hmac_sha256(secret: &str, content: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(content.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}
