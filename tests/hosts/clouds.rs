//! Both clouds under the name `localhost`, which each host finds by itself, and the settings of a function that publishes to them.

use serde_json::{Value, json};
use thingpost_emulator::{AccessKey, AliyunEmulator, AliyunOptions, Authority, AwsEmulator, AwsOptions, Entry};

use super::plain_front::PlainFront;
use crate::fixtures::aliyun::{DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY};

const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
/// Nothing that a host says or answers may have it in it.
pub const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-central-1";
/// What callers of the default device show.
pub const TOKEN: &str = "open-sesame-4711";

pub struct Clouds {
    pub authority: Authority,
    pub aws: AwsEmulator,
    pub aliyun: AliyunEmulator,
    plain: [PlainFront; 2],
}

impl Clouds {
    pub async fn start() -> Self {
        let authority = Authority::new();
        let options = AwsOptions { region: Some(REGION.to_owned()), ..AwsOptions::new(&authority, "localhost") };
        let aws = AwsEmulator::start(options).await.unwrap();
        aws.add_access_key(AccessKey {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
        });
        let aliyun = AliyunEmulator::start(AliyunOptions::new(&authority, "localhost")).await.unwrap();
        aliyun.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET);
        let plain =
            [PlainFront::start(&authority, aws.addr_alpn()).await, PlainFront::start(&authority, aliyun.addr()).await];
        Self { authority, aws, aliyun, plain }
    }

    /// Over TLS: the default device on AWS, and `pump` on Aliyun.
    pub fn settings(&self) -> Value {
        both(aws(self.aws.addr_alpn().port()), aliyun(self.aliyun.addr().port()))
    }

    /// Both without TLS.
    pub fn plain_settings(&self) -> Value {
        both(self.plain_aws(), self.plain_aliyun())
    }

    /// AWS alone, without TLS.
    pub fn plain_aws(&self) -> Value {
        plain(aws(self.plain[0].port()))
    }

    /// Aliyun alone, without TLS.
    pub fn plain_aliyun(&self) -> Value {
        plain(aliyun(self.plain[1].port()))
    }

    /// What arrived with this payload, and was accepted.
    pub fn accepted(entries: Vec<Entry>, payload: &[u8]) -> Vec<Entry> {
        entries.into_iter().filter(|entry| entry.payload == payload && entry.disposition.is_accepted()).collect()
    }
}

fn aws(port: u16) -> Value {
    json!({
        "platform": "aws", "endpoint": "localhost", "port": port.to_string(), "auth": "sigv4", "region": REGION,
        "access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY, "token": TOKEN,
    })
}

fn aliyun(port: u16) -> Value {
    json!({
        "platform": "aliyun", "endpoint": "localhost", "port": port.to_string(),
        "product_key": PRODUCT_KEY, "device_name": DEVICE_NAME, "device_secret": DEVICE_SECRET,
    })
}

/// As functions may publish on loopback, for tests.
fn plain(mut settings: Value) -> Value {
    settings["scheme"] = "http".into();
    settings
}

fn both(mut default: Value, mut pump: Value) -> Value {
    pump["name"] = "pump".into();
    default["devices"] = json!([pump]);
    default
}

/// As a store of names and values has them: a list is a text.
pub fn as_texts(settings: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    settings.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
