//! One new connection: DNS, TCP, a proxy's consent if there is one, TLS.
//!
//! The whole of it ends by one deadline. A timeout that covers TCP alone, which is the usual one, leaves a device
//! hanging for minutes behind a load balancer that accepts and then says nothing.

mod addresses;
pub(crate) mod alpn;
pub(crate) mod connect_to;
pub(crate) mod proxy;
pub(crate) mod tls;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock::later;
use crate::connect::addresses::{Unusable, first_usable};
use crate::connect::proxy::Proxy;
use crate::error::ConnectError;
use crate::files::path::is_out_of_descriptors;
use crate::route::Endpoint;

/// The connect timeout of one request, begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectDeadline {
    pub(crate) at: Instant,
    /// How long it was, for the error.
    pub(crate) after: Duration,
}

impl ConnectDeadline {
    pub(crate) fn begin(after: Duration) -> Self {
        Self { at: later(after), after }
    }
}

/// What is dialed: host and port, and the proxy that is asked for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    pub(crate) address: Endpoint,
    pub(crate) proxy: Option<Proxy>,
}

/// Goes this way and shakes hands as a client of `server`.
pub(crate) async fn connect(
    way: &Way,
    server: &ServerName<'static>,
    config: &Arc<ClientConfig>,
    deadline: ConnectDeadline,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let has_tunnel = AtomicBool::new(false);
    let connected = connect_by(way, server, config, deadline, &has_tunnel).await;
    match &way.proxy {
        Some(proxy) => connected.map_err(|error| proxy.explain(error, has_tunnel.load(Ordering::Relaxed))),
        None => connected,
    }
}

/// Connects to the destination or to the proxy, which is reached as any other host, and goes on from there. `has_tunnel` is told
/// whether a proxy has opened the way, which is for the error alone.
async fn connect_by(
    way: &Way,
    server: &ServerName<'static>,
    config: &Arc<ClientConfig>,
    deadline: ConnectDeadline,
    has_tunnel: &AtomicBool,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let next = way.proxy.as_ref().map_or(&way.address, Proxy::endpoint);
    let addresses = resolve(next, deadline).await?;
    let has_tcp = AtomicBool::new(false);
    let has_tcp = &has_tcp;
    let open = |address| async move {
        let tcp = TcpStream::connect(address).await.map_err(unconnected)?;
        has_tcp.store(true, Ordering::Relaxed);
        // A publish is one small write that waits for its answer; Nagle would hold its tail back.
        tcp.set_nodelay(true).map_err(|error| Unusable::Tls(ConnectError::Closed(error.into())))?;
        let tcp = match &way.proxy {
            Some(proxy) => {
                let tunnel = proxy.tunnel(tcp, &way.address).await;
                tunnel.map_err(|error| Unusable::Tls(proxy.fault(error)))?
            }
            None => tcp,
        };
        has_tunnel.store(true, Ordering::Relaxed);
        let handshake = TlsConnector::from(Arc::clone(config)).connect(server.clone(), tcp).await;
        handshake.map_err(|error| Unusable::Tls(ConnectError::from_handshake(error)))
    };
    first_usable(&addresses, deadline, open, || has_tcp.load(Ordering::Relaxed)).await
}

async fn resolve(address: &Endpoint, deadline: ConnectDeadline) -> Result<Vec<SocketAddr>, ConnectError> {
    let addresses: Vec<_> = timeout_at(deadline.at, lookup_host((address.host.as_str(), address.port)))
        .await
        .map_err(|_elapsed| ConnectError::DnsTimeout { after: deadline.after })?
        .map_err(unresolved)?
        .collect();
    if addresses.is_empty() {
        let none = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        return Err(ConnectError::Dns(none));
    }
    Ok(addresses)
}

/// Resolvers need files and sockets, and some call it an unknown host where they got none.
fn unresolved(error: io::Error) -> ConnectError {
    let none_left = || File::open(HARMLESS).is_err_and(|error| is_out_of_descriptors(&error));
    match is_out_of_descriptors(&error) || none_left() {
        true => ConnectError::OutOfDescriptors,
        false => ConnectError::Dns(error),
    }
}

/// A file that can always be opened, if any can.
const HARMLESS: &str = "/dev/null";

/// Without a socket no address is to blame.
fn unconnected(error: io::Error) -> Unusable {
    match is_out_of_descriptors(&error) {
        true => Unusable::Here(ConnectError::OutOfDescriptors),
        false => Unusable::Tcp(error),
    }
}
