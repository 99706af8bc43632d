//! A device of Aliyun has no certificate: it signs, and puts how it signs into its client id, behind a bar, where every
//! client library that checks client ids stumbles over it. What the platform makes of it is worked out here, by code
//! that shares nothing with the client.
//!
//! Where the documentation only says that something is refused, and not with which code, 5 is the code: for a
//! keep-alive outside 30 to 1200 seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::ServerConfig;
use serde_json::json;

use super::{Refusal, Ruling, Verdict, reason};
use crate::aliyun::sign::{self, Method};
use crate::ledger::Device;
use crate::mqtt::packet::{Connect, Publish};
use crate::unique::unique_bytes;

const LONGEST_PAYLOAD: usize = 256 * 1024;
/// A payload, its topic, and what is around them.
pub(super) const LONGEST_PACKET: usize = LONGEST_PAYLOAD + 4 * 1024;
const LONGEST_CLIENT_ID: usize = 64;
const KEEP_ALIVE: std::ops::RangeInclusive<u16> = 30..=1200;

pub(in crate::mqtt) struct AliyunAccess {
    config: Arc<ServerConfig>,
    state: Mutex<State>,
}

/// By product key and device name.
type Name = (String, String);

#[derive(Default)]
struct State {
    devices: HashMap<Name, Known>,
    /// The secrets of products whose devices may register, by product key.
    products: HashMap<String, String>,
    /// Client ids and tokens of devices that have registered without being known before.
    device_tokens: HashMap<Name, (String, String)>,
    /// Devices and tokens by the name that the platform has for the device.
    iot_tokens: HashMap<String, (Name, String)>,
}

struct Known {
    /// Nothing until one is known.
    secret: Option<String>,
    /// Whether it has used its secret.
    is_active: bool,
}

impl AliyunAccess {
    pub(in crate::mqtt) fn new(config: Arc<ServerConfig>) -> Self {
        Self { config, state: Mutex::default() }
    }

    pub(in crate::mqtt) fn register(&self, product_key: &str, device_name: &str, device_secret: &str) {
        let known = Known { secret: Some(device_secret.to_owned()), is_active: false };
        self.state().devices.insert(name(product_key, device_name), known);
    }

    pub(in crate::mqtt) fn pre_register(&self, product_key: &str, device_name: &str) {
        self.state().devices.insert(name(product_key, device_name), Known { secret: None, is_active: false });
    }

    pub(in crate::mqtt) fn add_product(&self, product_key: &str, product_secret: &str) {
        self.state().products.insert(product_key.to_owned(), product_secret.to_owned());
    }

    pub(in crate::mqtt) fn add_device_token(
        &self,
        product_key: &str,
        device_name: &str,
        client_id: &str,
        device_token: &str,
    ) {
        let given_out = (client_id.to_owned(), device_token.to_owned());
        self.state().device_tokens.insert(name(product_key, device_name), given_out);
    }

    pub(in crate::mqtt) fn add_iot_token(&self, product_key: &str, device_name: &str, iot_id: &str, iot_token: &str) {
        let owner = name(product_key, device_name);
        self.state().iot_tokens.insert(iot_id.to_owned(), (owner, iot_token.to_owned()));
    }

    pub(in crate::mqtt) fn remove(&self, product_key: &str, device_name: &str) {
        let owner = name(product_key, device_name);
        let mut state = self.state();
        state.devices.remove(&owner);
        state.device_tokens.remove(&owner);
        state.iot_tokens.retain(|_, (other, _)| *other != owner);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the devices")
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
        let mut state = self.state();
        let Some(owner) = state.owner(&client_id, connect.user_name.unwrap_or_default()) else {
            return (None, Verdict::Refuse(Refusal::Credentials));
        };
        let device = Some(Device::Aliyun { product_key: owner.0.clone(), device_name: owner.1.clone() });
        let password = connect.password.and_then(|password| str::from_utf8(password).ok()).unwrap_or_default();
        let verdict = if !state.knows(&client_id, &owner, password) {
            Verdict::Refuse(Refusal::Credentials)
        } else if let AuthMethod::Registration { is_known, .. } = client_id.auth_method {
            // Of these the platform does not look at the keep-alive.
            state.issue(&owner, is_known)
        } else if !KEEP_ALIVE.contains(&connect.keep_alive) {
            Verdict::Refuse(Refusal::NotAuthorized)
        } else if connect.will.is_some() {
            Verdict::Close
        } else {
            if let Some(known) = state.devices.get_mut(&owner) {
                known.is_active = true;
            }
            Verdict::Admit
        };
        (device, verdict)
    }
}

impl State {
    /// Whose the user name is.
    fn owner(&self, client_id: &ClientId<'_>, user_name: &str) -> Option<Name> {
        if client_id.auth_method == AuthMethod::IotToken {
            return Some(self.iot_tokens.get(user_name)?.0.clone());
        }
        let (device_name, product_key) = user_name.split_once('&')?;
        Some(name(product_key, device_name))
    }

    /// Whether the password is the right one.
    fn knows(&self, client_id: &ClientId<'_>, owner: &Name, password: &str) -> bool {
        let (product_key, device_name) = owner;
        let is_signed = |method, secret: &str, content: &str| sign::is_right(method, secret, content, password);
        match client_id.auth_method {
            AuthMethod::Signature { method, .. } => {
                let content = client_id.content(product_key, device_name);
                let secret = self.devices.get(owner).and_then(|known| known.secret.as_deref());
                secret.is_some_and(|secret| is_signed(method, secret, &content))
            }
            AuthMethod::DeviceToken => {
                self.device_tokens.get(owner).is_some_and(|(id, token)| id == client_id.id && token == password)
            }
            AuthMethod::IotToken => self.iot_tokens.values().any(|(it, token)| it == owner && token == password),
            AuthMethod::Registration { is_known, method, random } => {
                let content = format!("deviceName{device_name}productKey{product_key}random{random}");
                let may_register = match self.devices.get(owner) {
                    Some(known) => is_known && !known.is_active,
                    None => !is_known,
                };
                let secret = self.products.get(product_key);
                may_register && secret.is_some_and(|secret| is_signed(method, secret, &content))
            }
        }
    }

    /// Gives out a secret, or a client id and a token, after which no older ones are good.
    fn issue(&mut self, owner: &Name, is_known: bool) -> Verdict {
        let (product_key, device_name) = owner;
        let secret = hex::encode(&unique_bytes()[..16]);
        let (topic, payload) = if is_known {
            let payload = json!({ "productKey": product_key, "deviceName": device_name, "deviceSecret": secret });
            self.devices.insert(owner.clone(), Known { secret: Some(secret), is_active: false });
            ("/ext/register", payload)
        } else {
            let client_id = hex::encode(&unique_bytes()[..12]);
            let payload = json!({
                "productKey": product_key,
                "deviceName": device_name,
                "clientId": client_id,
                "deviceToken": secret,
            });
            self.device_tokens.insert(owner.clone(), (client_id, secret));
            ("/ext/regnwl", payload)
        };
        Verdict::Tell { topic, payload: payload.to_string().into_bytes() }
    }
}

fn name(product_key: &str, device_name: &str) -> Name {
    (product_key.to_owned(), device_name.to_owned())
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
    auth_method: AuthMethod<'a>,
}

/// How a device shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthMethod<'a> {
    /// By a signature with its secret: `securemode=2`, which is TLS.
    Signature { method: Method, timestamp: Option<&'a str> },
    /// By the token that it has got in a registration: `authType=connwl`.
    DeviceToken,
    /// By what `/auth/devicename` gives out: `securemode=-1`.
    IotToken,
    /// By a signature with the secret of its product: `authType=register` and `authType=regnwl`. Sources differ in which of the
    /// two has which secure mode, so both are taken.
    Registration { is_known: bool, method: Method, random: &'a str },
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
        let method = match known.get("signmethod") {
            None => Method::Md5,
            Some(name) => Method::from_name(name)?,
        };
        let auth_method = match (known.get("authType").copied(), *known.get("securemode")?) {
            (None, "2") => AuthMethod::Signature { method, timestamp: known.get("timestamp").copied() },
            (None, "-1") => AuthMethod::IotToken,
            (Some("connwl"), "-2") => AuthMethod::DeviceToken,
            (Some(kind @ ("register" | "regnwl")), "2" | "-2") => {
                let random = known.get("random").copied()?;
                AuthMethod::Registration { is_known: kind == "register", method, random }
            }
            _ => return None,
        };
        Some(Self { id, auth_method })
    }

    /// What a device has to sign with its secret.
    fn content(&self, product_key: &str, device_name: &str) -> String {
        let mut content = format!("clientId{}deviceName{device_name}productKey{product_key}", self.id);
        if let AuthMethod::Signature { timestamp: Some(timestamp), .. } = self.auth_method {
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
            let auth_method = AuthMethod::Signature { method, timestamp };
            assert_eq!(ClientId::read(text), Some(ClientId { id: "12345", auth_method }), "{text}");
        }
    }

    #[test]
    fn a_client_id_says_how_a_device_shows_who_it_is() {
        let registration = |is_known, method| AuthMethod::Registration { is_known, method, random: "7" };
        for (parameters, auth_method) in [
            ("securemode=-2,authType=connwl", AuthMethod::DeviceToken),
            ("authType=connwl,securemode=-2,_ss=1,ext=3,_v=4", AuthMethod::DeviceToken),
            ("securemode=-1,timestamp=2524608000000,signmethod=hmacsha1,gw=0", AuthMethod::IotToken),
            ("securemode=2,authType=register,random=7,signmethod=hmacsha1", registration(true, Method::Sha1)),
            ("securemode=-2,authType=register,random=7,instanceId=iot-1", registration(true, Method::Md5)),
            ("securemode=-2,authType=regnwl,random=7,signmethod=hmacsha256", registration(false, Method::Sha256)),
            ("random=7,authType=regnwl,securemode=2,signmethod=hmacsha256", registration(false, Method::Sha256)),
        ] {
            let text = format!("12345|{parameters}|");
            assert_eq!(ClientId::read(&text), Some(ClientId { id: "12345", auth_method }), "{text}");
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
            "12345|securemode=2,authType=connwl|",
            "12345|securemode=2,authType=register|",
            "12345|securemode=2,authType=id2|",
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
        assert!(sign::is_right(Method::Sha1, "secret", &content, sign));
        let without = ClientId::read("12345|securemode=2,signmethod=hmacsha1|").unwrap();
        assert_eq!(without.content("pk", "device"), "clientId12345deviceNamedeviceproductKeypk");
    }
}
