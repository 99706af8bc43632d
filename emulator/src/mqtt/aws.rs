//! AWS takes MQTT on two ports, and what a client has to show depends on the port and on four bytes of its handshake.
//! The handle that a test does all this with stands here.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::access::{AccessPolicy, AwsAccess, AwsConfigurations, EndpointPort, MqttAuthorizer};
use super::ledger::MqttLedger;
use super::link_faults::LinkFaults;
use super::tls_proxy::TlsProxy;
use crate::chaos::Chaos;
use crate::pki::{Authority, DeviceCertificate};
use crate::serve::{Connections, Port};
use crate::tls::ClientCertificates;

/// The MQTT endpoint of AWS IoT Core on two ports of this machine, in front of a broker. Dropping it closes them and
/// aborts their connections; the broker lives on.
///
/// On both, clients have to send the endpoint's name as SNI. A certificate that is not known, or none where one is
/// needed, is told by closing the connection after the handshake.
pub struct AwsMqtt {
    proxy: Arc<TlsProxy>,
    access: Arc<AwsAccess>,
    server_name: String,
    mutual_tls: Port,
    alpn: Port,
}

impl AwsMqtt {
    /// Binds the ports and starts to accept. Must be called inside a tokio runtime. The broker need not run yet.
    ///
    /// # Errors
    /// When loopback cannot be bound, or no certificate can hold the server name.
    pub async fn start(authority: &Authority, server_name: &str, broker: &Path) -> io::Result<Self> {
        let identity = authority.issue_server(&[server_name.to_owned()]).map_err(io::Error::other)?;
        let configurations = AwsConfigurations::new(|certificate, alpn| {
            let clients = if certificate { ClientCertificates::AnyOrNone } else { ClientCertificates::NotAsked };
            identity.server_config(clients, alpn).map_err(io::Error::other)
        })?;
        let access = Arc::new(AwsAccess::new(server_name, configurations));
        let proxy = TlsProxy::new(AccessPolicy::Aws(Arc::clone(&access)), broker);
        let mutual_tls = proxy.open(EndpointPort::AwsMutualTls).await?;
        let alpn = proxy.open(EndpointPort::AwsAlpn).await?;
        Ok(Self { proxy, access, server_name: server_name.to_owned(), mutual_tls, alpn })
    }

    /// The name that clients have to ask for.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The port that stands for 8883: a client certificate, and no matter what ALPN.
    pub fn addr_mutual_tls(&self) -> SocketAddr {
        self.mutual_tls.address()
    }

    /// The port that stands for 443, which routes by ALPN: `x-amzn-mqtt-ca` needs a client certificate, `mqtt` a custom
    /// authorizer. `x-amzn-http-ca`, or none at all, leads to a server for HTTP, of which there is only its 400. With
    /// none that is known the handshake fails.
    pub fn addr_alpn(&self) -> SocketAddr {
        self.alpn.address()
    }

    /// What passed, by either port.
    pub fn ledger(&self) -> MqttLedger {
        self.proxy.ledger.clone()
    }

    /// What is to go wrong, on either port.
    pub fn link(&self) -> LinkFaults {
        self.proxy.link.clone()
    }

    /// Begins a bad day, on both ports, in the place of one that there was.
    pub fn chaos(&self, plan: Chaos) {
        self.proxy.conditions.set(plan);
    }

    /// Ends the bad day. Connections that are held to something go on being held to it.
    pub fn calm(&self) {
        self.proxy.conditions.calm();
    }

    /// Makes a certificate known and active, whichever authority signed it.
    pub fn register(&self, device: &DeviceCertificate) {
        self.access.account().register(device);
    }

    /// Makes a certificate inactive. New connections with it are closed after their handshake; those that there are go
    /// on.
    pub fn deactivate(&self, fingerprint: &str) {
        self.access.account().deactivate(fingerprint);
    }

    /// Adds a custom authorizer, or replaces the one of that name. Others are refused with 5, or 0x87 in MQTT 5.
    pub fn register_authorizer(&self, authorizer: impl Into<MqttAuthorizer>) {
        self.access.account().add_authorizer(authorizer.into());
    }

    /// Denies a client to connect: it is refused with 5, or 0x87 in MQTT 5.
    pub fn deny_connect(&self, client_id: &str) {
        self.access.account().deny_connect(client_id);
    }

    /// Denies a client to publish to topics that begin like this. Its connection is closed without a word; in MQTT 5 it
    /// is told with 0x87, in a PUBACK if there is one.
    pub fn deny_publish(&self, client_id: &str, topic_prefix: &str) {
        self.access.account().deny_publish(client_id, topic_prefix);
    }

    /// Denies a client to subscribe to filters that begin like this. A SUBSCRIBE with such a filter in it is refused as
    /// a whole, with 0x80, or 0x87 in MQTT 5.
    pub fn deny_subscribe(&self, client_id: &str, filter_prefix: &str) {
        self.access.account().deny_subscribe(client_id, filter_prefix);
    }

    /// Takes back everything that was denied to a client.
    pub fn allow_all(&self, client_id: &str) {
        self.access.account().allow_all(client_id);
    }

    /// How many connections there have been to the port that stands for 8883.
    pub fn connections_mutual_tls(&self) -> Connections {
        self.mutual_tls.connections()
    }

    /// How many connections there have been to the port that stands for 443.
    pub fn connections_alpn(&self) -> Connections {
        self.alpn.connections()
    }
}

impl fmt::Debug for AwsMqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsMqtt")
            .field("server_name", &self.server_name)
            .field("addr_mutual_tls", &self.addr_mutual_tls())
            .field("addr_alpn", &self.addr_alpn())
            .finish_non_exhaustive()
    }
}
