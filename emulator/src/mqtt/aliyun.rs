//! Aliyun takes MQTT on one kind of port, and knows a device by what it has signed. The handle that a test does all
//! this with stands here.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::access::{AccessPolicy, AliyunAccess, EndpointPort};
use super::ledger::MqttLedger;
use super::link_faults::LinkFaults;
use super::tls_proxy::TlsProxy;
use crate::chaos::Chaos;
use crate::pki::Authority;
use crate::serve::{Connections, Port};
use crate::tls::ClientCertificates;

/// The MQTT endpoint of Aliyun IoT Platform on a port of this machine, in front of a broker. Dropping it closes the
/// port and aborts its connections; the broker lives on.
///
/// | A client that | gets |
/// |---|---|
/// | speaks MQTT 5 | CONNACK 1, as from a server that knows 3.1.1 only |
/// | has a client id of another form, or with a `securemode` of none of its ways to log in | CONNACK 2 |
/// | is not known, has signed wrong, or has another token | CONNACK 4 |
/// | registers (`authType=register` or `regnwl`), signed with the secret of its product | a message on `/ext/register` or `/ext/regnwl`, and 15 seconds |
/// | has a keep-alive outside 30 to 1200 seconds | CONNACK 5, which is not documented |
/// | has a will | a closed connection |
/// | publishes with QoS 2, retained, or more than 256 KiB | a closed connection |
/// | connects while the same device is connected | admitted, and the other connection is closed |
pub struct AliyunMqtt {
    proxy: Arc<TlsProxy>,
    access: Arc<AliyunAccess>,
    server_name: String,
    port: Port,
}

impl AliyunMqtt {
    /// Binds the port and starts to accept. Must be called inside a tokio runtime. The broker need not run yet.
    ///
    /// # Errors
    /// When loopback cannot be bound, or no certificate can hold the server name.
    pub async fn start(authority: &Authority, server_name: &str, broker: &Path) -> io::Result<Self> {
        let names = [server_name, "localhost", "127.0.0.1"].map(str::to_owned);
        let identity = authority.issue_server(&names).map_err(io::Error::other)?;
        let config = identity.server_config(ClientCertificates::NotAsked, &[]).map_err(io::Error::other)?;
        let access = Arc::new(AliyunAccess::new(config));
        let proxy = TlsProxy::new(AccessPolicy::Aliyun(Arc::clone(&access)), broker);
        let port = proxy.open(EndpointPort::Only).await?;
        Ok(Self { proxy, access, server_name: server_name.to_owned(), port })
    }

    /// The name that stands in its certificate, next to `localhost` and 127.0.0.1.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The port, which stands for 443 and 1883 alike.
    pub fn addr(&self) -> SocketAddr {
        self.port.address()
    }

    /// What passed.
    pub fn ledger(&self) -> MqttLedger {
        self.proxy.ledger.clone()
    }

    /// What is to go wrong.
    pub fn link(&self) -> LinkFaults {
        self.proxy.link.clone()
    }

    /// Begins a bad day, in the place of one that there was.
    pub fn chaos(&self, plan: Chaos) {
        self.proxy.conditions.set(plan);
    }

    /// Ends the bad day. Connections that are held to something go on being held to it.
    pub fn calm(&self) {
        self.proxy.conditions.calm();
    }

    /// Makes a device known, or gives it another secret.
    pub fn register_device(&self, product_key: &str, device_name: &str, device_secret: &str) {
        self.access.register(product_key, device_name, device_secret);
    }

    /// Makes a device known that has no secret yet.
    pub fn pre_register(&self, product_key: &str, device_name: &str) {
        self.access.pre_register(product_key, device_name);
    }

    /// Lets the devices of a product register with its secret.
    pub fn add_product(&self, product_key: &str, product_secret: &str) {
        self.access.add_product(product_key, product_secret);
    }

    /// Admits a device by the client id and the token that a registration has given out.
    pub fn add_device_token(&self, product_key: &str, device_name: &str, client_id: &str, device_token: &str) {
        self.access.add_device_token(product_key, device_name, client_id, device_token);
    }

    /// Admits a device by what `/auth/devicename` has given out.
    pub fn add_iot_token(&self, product_key: &str, device_name: &str, iot_id: &str, iot_token: &str) {
        self.access.add_iot_token(product_key, device_name, iot_id, iot_token);
    }

    /// Forgets a device. A connection that it has goes on.
    pub fn remove_device(&self, product_key: &str, device_name: &str) {
        self.access.remove(product_key, device_name);
    }

    /// How many connections there have been.
    pub fn connections(&self) -> Connections {
        self.port.connections()
    }
}

impl fmt::Debug for AliyunMqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunMqtt")
            .field("server_name", &self.server_name)
            .field("addr", &self.addr())
            .finish_non_exhaustive()
    }
}
