//! One new connection: DNS, TCP, a proxy's consent if there is one, TLS.
//!
//! The whole of it ends by one deadline. A timeout that covers TCP alone, which is the usual one, leaves a device
//! hanging for minutes behind a load balancer that accepts and then says nothing.

pub(crate) mod alpn;
pub(crate) mod beside;
pub(crate) mod connect_to;
mod families;
mod happy_eyeballs;
mod lookups;
pub(crate) mod proxy;
pub(crate) mod resolver;
pub(crate) mod tls;

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tracing::Instrument;

use crate::clock::later;
use crate::connect::beside::Beside;
use crate::connect::families::{Family, Winners, in_order};
use crate::connect::happy_eyeballs::{Unusable, first_usable};
use crate::connect::lookups::Lookups;
use crate::connect::proxy::{Proxy, ProxyError};
use crate::connect::resolver::Resolver;
use crate::error::ConnectError;
use crate::files::path::is_out_of_descriptors;
use crate::observe::metered::Metered;
use crate::observe::{Counters, Handshake, span};
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

/// The stations of a connection: what is dialed, and the proxy that is asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Hops {
    pub(crate) address: Endpoint,
    pub(crate) proxy: Option<Proxy>,
}

/// Makes the connections of a pool, and knows what is the same for all its workloads: the network.
pub(crate) struct Connector {
    lookups: Lookups,
    winners: Winners,
    counters: Arc<Counters>,
}

impl Connector {
    pub(crate) fn new(resolver: Arc<dyn Resolver>, counters: Arc<Counters>) -> Self {
        Self { lookups: Lookups::new(resolver), winners: Winners::default(), counters }
    }

    /// Connects by these hops and shakes hands as a client of `server`. The caller has a place for one socket; further ones that are
    /// tried beside it have theirs by `beside`.
    pub(crate) async fn connect(
        &self,
        hops: &Hops,
        server: &ServerName<'static>,
        config: &Arc<ClientConfig>,
        deadline: ConnectDeadline,
        beside: Beside,
    ) -> Result<TlsStream<Metered>, ConnectError> {
        let has_tunnel = AtomicBool::new(false);
        let span = span::connect(&hops.address);
        let connecting = self.connect_by(hops, server, config, deadline, beside, &has_tunnel);
        let connected = connecting.instrument(span.clone()).await;
        let connected = match &hops.proxy {
            Some(proxy) => connected.map_err(|error| proxy.explain(error, has_tunnel.load(Ordering::Relaxed))),
            None => connected,
        };
        span::record_connection(&span, &connected);
        if let Ok(stream) = &connected {
            self.counters.handshake(Handshake::of(stream.get_ref().1));
        }
        connected
    }

    /// Connects to the destination or to the proxy, which is reached as any other host, and goes on from there. `has_tunnel` is
    /// told whether a proxy has opened the way, which is for the error alone.
    async fn connect_by(
        &self,
        hops: &Hops,
        server: &ServerName<'static>,
        config: &Arc<ClientConfig>,
        deadline: ConnectDeadline,
        mut beside: Beside,
        has_tunnel: &AtomicBool,
    ) -> Result<TlsStream<Metered>, ConnectError> {
        let next = hops.proxy.as_ref().map_or(&hops.address, Proxy::endpoint);
        let addresses = self.addresses(next, deadline).await?;
        let has_room = |sockets| beside.has_room(sockets);
        let handshake = |tcp| async move {
            let tcp = match &hops.proxy {
                Some(proxy) => {
                    let tunnel = proxy.tunnel(tcp, &hops.address).await;
                    tunnel.map_err(|error| unopened(proxy, error))?
                }
                None => tcp,
            };
            has_tunnel.store(true, Ordering::Relaxed);
            let metered = Metered::new(tcp, Arc::clone(&self.counters));
            let handshake = TlsConnector::from(Arc::clone(config)).connect(server.clone(), metered).await;
            handshake.map_err(unusable)
        };
        let (usable, stream) = first_usable(&addresses, deadline, has_room, open, handshake).await?;
        let family = Family::of(&usable);
        if addresses.iter().any(|address| Family::of(address) != family) {
            self.winners.note(&next.host, family);
        }
        Ok(stream)
    }

    /// The addresses of `address`, in the order in which to try them.
    async fn addresses(&self, address: &Endpoint, deadline: ConnectDeadline) -> Result<Vec<SocketAddr>, ConnectError> {
        let Endpoint { host, port } = address;
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(in_order(&[SocketAddr::new(ip, *port)], *port, None));
        }
        let found = timeout_at(deadline.at, self.lookups.addresses(host))
            .await
            .map_err(|_elapsed| ConnectError::DnsTimeout { after: deadline.after })?
            .map_err(unresolved)?;
        if found.is_empty() {
            let none = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
            return Err(ConnectError::Dns(none));
        }
        Ok(in_order(&found, *port, self.winners.lately(host)))
    }
}

async fn open(address: SocketAddr) -> Result<TcpStream, Unusable> {
    let tcp = TcpStream::connect(address).await.map_err(unconnected)?;
    // A publish is one small write that waits for its answer; Nagle would hold its tail back.
    tcp.set_nodelay(true).map_err(|error| Unusable::Tls(ConnectError::Closed(error.into())))?;
    Ok(tcp)
}

/// A proxy has its users whatever the address that it is asked at.
fn unopened(proxy: &Proxy, error: ProxyError) -> Unusable {
    let is_everywhere = matches!(error, ProxyError::Credentials { .. } | ProxyError::Destination);
    let error = proxy.fault(error);
    if is_everywhere { Unusable::Everywhere(error) } else { Unusable::Tls(error) }
}

/// A key that does not sign here, a token that refuses the PIN above all, signs at no other address either, and each of them would ask
/// it again. rustls passes on the faults of keys and providers as others, and has no such fault of the server.
fn unusable(handshake: io::Error) -> Unusable {
    let error = ConnectError::from_handshake(handshake);
    let is_ours = matches!(&error, ConnectError::Tls(rustls::Error::Other(_)));
    if is_ours { Unusable::Everywhere(error) } else { Unusable::Tls(error) }
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
