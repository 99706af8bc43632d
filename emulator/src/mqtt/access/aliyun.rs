//! A device of Aliyun has no certificate: it signs, and puts how it signs into its client id, behind a bar, where every
//! client library that checks client ids stumbles over it. What the platform makes of it is worked out here, by code
//! that shares nothing with the client.
//!
//! Where the documentation only says that something is refused, and not with which code, 5 is the code: for a
//! keep-alive outside 30 to 1200 seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;

use super::{Refusal, Ruling, Verdict, reason};
use crate::aliyun::sign::{self, Method};
use crate::ledger::Device;
use crate::mqtt::packet::{Connect, Publish};

const LONGEST_PAYLOAD: usize = 256 * 1024;
/// A payload, its topic, and what is around them.
pub(super) const LONGEST_PACKET: usize = LONGEST_PAYLOAD + 4 * 1024;
const LONGEST_CLIENT_ID: usize = 64;
const KEEP_ALIVE: std::ops::RangeInclusive<u16> = 30..=1200;
/// TLS.
const SECURE_MODE: &str = "2";

pub(in crate::mqtt) struct AliyunAccess {
    config: Arc<ServerConfig>,
    /// Secrets by product key and device name.
    devices: Mutex<HashMap<(String, String), String>>,
}

impl AliyunAccess {
    pub(in crate::mqtt) fn new(config: Arc<ServerConfig>) -> Self {
        Self { config, devices: Mutex::default() }
    }

    pub(in crate::mqtt) fn register(&self, product_key: &str, device_name: &str, device_secret: &str) {
        let name = (product_key.to_owned(), device_name.to_owned());
        self.devices().insert(name, device_secret.to_owned());
    }

    pub(in crate::mqtt) fn remove(&self, product_key: &str, device_name: &str) {
        self.devices().remove(&(product_key.to_owned(), device_name.to_owned()));
    }

    fn devices(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), String>> {
        self.devices.lock().expect("nothing panics while it holds the devices")
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn judge(&self, connect: &Connect<'_>) -> (Option<Device>, Verdict) {
        if connect.is_version_5() {
            return (None, Verdict::Refuse(Refusal::Version));
        }
        let Some(client_id) = ClientId::read(connect.client_id) else {
            return (None, Verdict::Refuse(Refusal::ClientId));
        };
        let wrong = || Verdict::Refuse(Refusal::Credentials);
        let Some((device_name, product_key)) = connect.user_name.and_then(|name| name.split_once('&')) else {
            return (None, wrong());
        };
        let owner = (product_key.to_owned(), device_name.to_owned());
        let device = Some(Device::Aliyun { product_key: product_key.to_owned(), device_name: device_name.to_owned() });
        let is_signed = {
            let devices = self.devices();
            let password = connect.password.and_then(|password| str::from_utf8(password).ok());
            devices.get(&owner).zip(password).is_some_and(|(secret, password)| {
                let content = client_id.content(product_key, device_name);
                sign::is_right(client_id.method, secret, &content, password)
            })
        };
        let verdict = if !is_signed {
            wrong()
        } else if !KEEP_ALIVE.contains(&connect.keep_alive) {
            Verdict::Refuse(Refusal::NotAuthorized)
        } else if connect.will.is_some() {
            Verdict::Close
        } else {
            Verdict::Admit
        };
        (device, verdict)
    }
}

/// About a message: neither QoS 2 nor retained messages are known.
pub(super) fn publish(publish: &Publish<'_>) -> Ruling {
    if publish.qos > 1 {
        Ruling::Close(reason::QOS_NOT_SUPPORTED)
    } else if publish.retain {
        Ruling::Close(reason::RETAIN_NOT_SUPPORTED)
    } else if publish.payload.len() > LONGEST_PAYLOAD {
        Ruling::Close(reason::PACKET_TOO_LARGE)
    } else {
        Ruling::Pass
    }
}

/// `{id}|securemode=2,signmethod=hmacsha1,timestamp=789|`.
#[derive(Debug, PartialEq, Eq)]
struct ClientId<'a> {
    id: &'a str,
    method: Method,
    timestamp: Option<&'a str>,
}

impl<'a> ClientId<'a> {
    /// Nothing when it has not that form, or asks for a way to sign that is not known.
    fn read(text: &'a str) -> Option<Self> {
        let (id, parameters) = text.strip_suffix('|')?.split_once('|')?;
        if id.is_empty() || id.chars().count() > LONGEST_CLIENT_ID {
            return None;
        }
        let mut known = BTreeMap::new();
        for parameter in parameters.split(',') {
            let (name, value) = parameter.split_once('=')?;
            if known.insert(name, value).is_some() {
                return None;
            }
        }
        if known.get("securemode") != Some(&SECURE_MODE) {
            return None;
        }
        let method = match known.get("signmethod") {
            None => Method::Md5,
            Some(name) => Method::from_name(name)?,
        };
        Some(Self { id, method, timestamp: known.get("timestamp").copied() })
    }

    /// What has to be signed.
    fn content(&self, product_key: &str, device_name: &str) -> String {
        let mut content = format!("clientId{}deviceName{device_name}productKey{product_key}", self.id);
        if let Some(timestamp) = self.timestamp {
            content.push_str("timestamp");
            content.push_str(timestamp);
        }
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_says_how_it_is_signed() {
        for (text, method, timestamp) in [
            ("12345|securemode=2,signmethod=hmacsha1,timestamp=789|", Method::Sha1, Some("789")),
            ("12345|timestamp=789,signmethod=hmacsha256,securemode=2|", Method::Sha256, Some("789")),
            ("12345|securemode=2,signmethod=hmacmd5|", Method::Md5, None),
            ("12345|securemode=2|", Method::Md5, None),
            ("12345|securemode=2,lan=C,_v=sdk-c-3.0.1|", Method::Md5, None),
        ] {
            assert_eq!(ClientId::read(text), Some(ClientId { id: "12345", method, timestamp }), "{text}");
        }
    }

    #[test]
    fn a_client_id_of_another_form_is_none() {
        let long = format!("{}|securemode=2|", "x".repeat(65));
        for text in [
            "",
            "12345",
            "|securemode=2|",
            "12345|securemode=2",
            "12345|securemode=3|",
            "12345|signmethod=hmacsha1|",
            "12345|securemode=2,signmethod=md5|",
            "12345|securemode=2,securemode=2|",
            "12345|securemode=2,|",
            "12345||",
            &long,
        ] {
            assert_eq!(ClientId::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_published_example_is_signed_right() {
        let client_id = ClientId::read("12345|securemode=2,signmethod=hmacsha1,timestamp=789|").unwrap();
        let content = client_id.content("pk", "device");
        assert_eq!(content, "clientId12345deviceNamedeviceproductKeypktimestamp789");
        let sign = "FAFD82A3D602B37FB0FA8B7892F24A477F851A14";
        assert!(sign::is_right(client_id.method, "secret", &content, sign));
        let without = ClientId { timestamp: None, ..client_id };
        assert_eq!(without.content("pk", "device"), "clientId12345deviceNamedeviceproductKeypk");
    }
}
