//! AWS tells a client as little as it can. A certificate that it does not know, a topic that is denied, a packet that
//! is too long: most of it is a connection that closes without a word, and only some of it has a code in MQTT 5. Which
//! is which stands here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::ServerConfig;
use rustls::server::ClientHello;

use super::authorizer::{Authorizers, Login, MqttAuthorizer};
use super::{EndpointPort, Greeting, Refusal, Ruling, Verdict, reason};
use crate::aws;
use crate::ledger::Device;
use crate::mqtt::packet::{Connect, Publish, Subscribe};
use crate::pki::DeviceCertificate;
use crate::platform::Peer;

/// With a client certificate.
const ALPN_MQTT_CA: &[u8] = b"x-amzn-mqtt-ca";
/// With a custom authorizer.
const ALPN_MQTT: &[u8] = b"mqtt";
const ALPN_HTTP_CA: &[u8] = b"x-amzn-http-ca";

/// What AWS tells clients of MQTT 5.
pub(super) const LONGEST_PACKET: usize = 149_504;
const LONGEST_PAYLOAD: usize = 128 * 1024;
const MOST_FILTERS: usize = 8;

/// The handshakes that clients can get.
pub(in crate::mqtt) struct Configurations {
    /// Selects no protocol: whatever a client offers is ignored rather than refused.
    mutual_tls: Arc<ServerConfig>,
    mqtt_ca: Arc<ServerConfig>,
    mqtt: Arc<ServerConfig>,
    http_ca: Arc<ServerConfig>,
    /// For those who offer nothing.
    http: Arc<ServerConfig>,
    /// For those who offer nothing that is known: the handshake fails with the alert that is there for it.
    none: Arc<ServerConfig>,
}

impl Configurations {
    /// Makes each of them by asking for it with whether a certificate is asked for, and the protocols.
    pub(in crate::mqtt) fn new<E>(make: impl Fn(bool, &[&[u8]]) -> Result<Arc<ServerConfig>, E>) -> Result<Self, E> {
        Ok(Self {
            mutual_tls: make(true, &[])?,
            mqtt_ca: make(true, &[ALPN_MQTT_CA])?,
            mqtt: make(false, &[ALPN_MQTT])?,
            http_ca: make(true, &[ALPN_HTTP_CA])?,
            http: make(false, &[])?,
            none: make(false, &[ALPN_MQTT_CA, ALPN_MQTT, ALPN_HTTP_CA])?,
        })
    }
}

pub(in crate::mqtt) struct AwsAccess {
    server_name: String,
    configurations: Configurations,
    account: Mutex<Account>,
}

/// What a test has said about the account.
#[derive(Default)]
pub(in crate::mqtt) struct Account {
    /// By fingerprint.
    certificates: HashMap<String, Certificate>,
    authorizers: Authorizers,
    /// By client id.
    denials: HashMap<String, Denials>,
}

struct Certificate {
    common_name: String,
    is_active: bool,
}

#[derive(Default)]
struct Denials {
    connect: bool,
    /// Beginnings of topics.
    publish: Vec<String>,
    /// Beginnings of filters.
    subscribe: Vec<String>,
}

impl Account {
    pub(in crate::mqtt) fn register(&mut self, device: &DeviceCertificate) {
        let certificate = Certificate { common_name: device.common_name.clone(), is_active: true };
        self.certificates.insert(device.fingerprint.clone(), certificate);
    }

    pub(in crate::mqtt) fn deactivate(&mut self, fingerprint: &str) {
        if let Some(certificate) = self.certificates.get_mut(fingerprint) {
            certificate.is_active = false;
        }
    }

    pub(in crate::mqtt) fn add_authorizer(&mut self, authorizer: MqttAuthorizer) {
        self.authorizers.add(authorizer);
    }

    pub(in crate::mqtt) fn deny_connect(&mut self, client_id: &str) {
        self.denials(client_id).connect = true;
    }

    pub(in crate::mqtt) fn deny_publish(&mut self, client_id: &str, prefix: &str) {
        self.denials(client_id).publish.push(prefix.to_owned());
    }

    pub(in crate::mqtt) fn deny_subscribe(&mut self, client_id: &str, prefix: &str) {
        self.denials(client_id).subscribe.push(prefix.to_owned());
    }

    pub(in crate::mqtt) fn allow_all(&mut self, client_id: &str) {
        self.denials.remove(client_id);
    }

    fn denials(&mut self, client_id: &str) -> &mut Denials {
        self.denials.entry(client_id.to_owned()).or_default()
    }

    fn denies(&self, client_id: &str, what: impl Fn(&Denials) -> bool) -> bool {
        self.denials.get(client_id).is_some_and(what)
    }
}

fn begins_with_one(text: &str, prefixes: &[String]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()))
}

impl AwsAccess {
    pub(in crate::mqtt) fn new(server_name: &str, configurations: Configurations) -> Self {
        Self { server_name: server_name.to_owned(), configurations, account: Mutex::default() }
    }

    pub(in crate::mqtt) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().expect("nothing panics while it holds the account")
    }

    pub(super) fn choose(&self, port: EndpointPort, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !hello.server_name()?.eq_ignore_ascii_case(&self.server_name) {
            return None;
        }
        let configurations = &self.configurations;
        let config = if port == EndpointPort::AwsMutualTls {
            &configurations.mutual_tls
        } else if hello.alpn().is_none() {
            &configurations.http
        } else {
            let offers = |wanted: &[u8]| hello.alpn().is_some_and(|mut offered| offered.any(|name| name == wanted));
            // What AWS does with several that it knows is not documented; this is the order in which it names them.
            if offers(ALPN_MQTT_CA) {
                &configurations.mqtt_ca
            } else if offers(ALPN_MQTT) {
                &configurations.mqtt
            } else if offers(ALPN_HTTP_CA) {
                &configurations.http_ca
            } else {
                &configurations.none
            }
        };
        Some(Arc::clone(config))
    }

    pub(super) fn greet(&self, port: EndpointPort, peer: &Peer) -> Greeting {
        match (port, peer.alpn.as_deref()) {
            (EndpointPort::AwsAlpn, Some(ALPN_MQTT)) => Greeting::Mqtt,
            (EndpointPort::AwsAlpn, None | Some(ALPN_HTTP_CA)) => Greeting::Http,
            _ if self.knows(peer) => Greeting::Mqtt,
            _ => Greeting::Nothing,
        }
    }

    fn knows(&self, peer: &Peer) -> bool {
        let known = |fingerprint| self.account().certificates.get(fingerprint).is_some_and(|known| known.is_active);
        peer.fingerprint.as_ref().is_some_and(known)
    }

    pub(super) fn judge(&self, port: EndpointPort, peer: &Peer, connect: &Connect<'_>) -> (Option<Device>, Verdict) {
        let account = self.account();
        let refuse = Verdict::Refuse(Refusal::NotAuthorized);
        let device = if port == EndpointPort::AwsAlpn && peer.alpn.as_deref() == Some(ALPN_MQTT) {
            let login = Login::new(connect.user_name, connect.password);
            let Some(name) = account.authorizers.asked(&login) else {
                return (None, refuse);
            };
            let is_admitted = account.authorizers.admits(&name, &login);
            let device = Some(Device::Authorizer { name });
            if !is_admitted {
                return (device, refuse);
            }
            device
        } else {
            peer.fingerprint.clone().map(|fingerprint| {
                let common_name = account.certificates.get(&fingerprint).map(|known| known.common_name.clone());
                Device::Certificate { fingerprint, common_name }
            })
        };
        if connect.level < 4 {
            return (device, Verdict::Refuse(Refusal::Version));
        }
        let is_denied = account.denies(connect.client_id, |denials| denials.connect);
        (device, if is_denied { refuse } else { Verdict::Admit })
    }

    pub(super) fn publish(&self, client_id: &str, topic: &str, publish: &Publish<'_>) -> Ruling {
        if publish.qos > 1 {
            return Ruling::Close(reason::QOS_NOT_SUPPORTED);
        }
        if publish.payload.len() > LONGEST_PAYLOAD {
            return Ruling::Close(reason::PACKET_TOO_LARGE);
        }
        if !aws::is_publishable(topic) {
            return Ruling::Close(reason::TOPIC_INVALID);
        }
        if self.account().denies(client_id, |denials| begins_with_one(topic, &denials.publish)) {
            return Ruling::Deny;
        }
        Ruling::Pass
    }

    pub(super) fn subscribe(&self, client_id: &str, subscribe: &Subscribe<'_>) -> Ruling {
        if subscribe.filters.len() > MOST_FILTERS {
            return Ruling::Close(reason::QUOTA_EXCEEDED);
        }
        let is_denied =
            |denials: &Denials| subscribe.filters.iter().any(|(filter, _)| begins_with_one(filter, &denials.subscribe));
        if self.account().denies(client_id, is_denied) { Ruling::Deny } else { Ruling::Pass }
    }
}
