//! Not every test is about a cloud, and no benchmark is. For them there is a proxy that checks nothing, with the same
//! ledger and the same faults.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::access::{AccessPolicy, EndpointPort, PlainAccess};
use super::ledger::MqttLedger;
use super::link_faults::LinkFaults;
use super::tls_proxy::TlsProxy;
use crate::chaos::Chaos;
use crate::pki::Authority;
use crate::serve::{Connections, Port};
use crate::tls::ClientCertificates;

/// A broker's MQTT over TLS, on a port of this machine. Dropping it closes the port and aborts its connections; the
/// broker lives on.
pub struct PlainMqtt {
    proxy: Arc<TlsProxy>,
    server_name: String,
    port: Port,
}

impl PlainMqtt {
    /// Binds the port and starts to accept. Clients are asked for a certificate, and need none. Must be called inside a
    /// tokio runtime. The broker need not run yet.
    ///
    /// # Errors
    /// When loopback cannot be bound, or no certificate can hold the server name.
    pub async fn start(authority: &Authority, server_name: &str, broker: &Path) -> io::Result<Self> {
        Self::start_with(authority, server_name, broker, false).await
    }

    /// As [`PlainMqtt::start`], but connections without a certificate are closed after their handshake. Any certificate
    /// will do.
    ///
    /// # Errors
    /// When loopback cannot be bound, or no certificate can hold the server name.
    pub async fn start_with_certificates(authority: &Authority, server_name: &str, broker: &Path) -> io::Result<Self> {
        Self::start_with(authority, server_name, broker, true).await
    }

    async fn start_with(authority: &Authority, server_name: &str, broker: &Path, needed: bool) -> io::Result<Self> {
        let names = [server_name, "localhost", "127.0.0.1"].map(str::to_owned);
        let identity = authority.issue_server(&names).map_err(io::Error::other)?;
        let config = identity.server_config(ClientCertificates::AnyOrNone, &[]).map_err(io::Error::other)?;
        let proxy = TlsProxy::new(AccessPolicy::Plain(PlainAccess::new(config, needed)), broker);
        let port = proxy.open(EndpointPort::Only).await?;
        Ok(Self { proxy, server_name: server_name.to_owned(), port })
    }

    /// The name that stands in its certificate, next to `localhost` and 127.0.0.1.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The port.
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

    /// How many connections there have been.
    pub fn connections(&self) -> Connections {
        self.port.connections()
    }
}

impl fmt::Debug for PlainMqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainMqtt")
            .field("server_name", &self.server_name)
            .field("addr", &self.addr())
            .finish_non_exhaustive()
    }
}
