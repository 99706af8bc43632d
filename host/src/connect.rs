//! One new connection: DNS, TCP, TLS.
//!
//! The whole of it ends by one deadline. A timeout that covers TCP alone, which is the usual one, leaves a device
//! hanging for minutes behind a load balancer that accepts and then says nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock::later;
use crate::error::{Attempt, ConnectError, Phase};
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

/// Dials `address` and shakes hands as a client of `server`.
pub(crate) async fn connect(
    address: &Endpoint,
    server: &ServerName<'static>,
    config: &Arc<ClientConfig>,
    deadline: ConnectDeadline,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let tcp = dial(address, deadline).await?;
    // A publish is one small write that waits for its answer; Nagle would hold its tail back.
    tcp.set_nodelay(true).map_err(|error| ConnectError::Closed(error.into()))?;
    let handshake = TlsConnector::from(Arc::clone(config)).connect(server.clone(), tcp);
    timeout_at(deadline.at, handshake)
        .await
        .map_err(|_elapsed| ConnectError::Timeout { phase: Phase::Tls, after: deadline.after })?
        .map_err(ConnectError::from_handshake)
}

async fn dial(address: &Endpoint, deadline: ConnectDeadline) -> Result<TcpStream, ConnectError> {
    let addresses: Vec<_> = timeout_at(deadline.at, lookup_host((address.host.as_str(), address.port)))
        .await
        .map_err(|_elapsed| ConnectError::DnsTimeout { after: deadline.after })?
        .map_err(ConnectError::Dns)?
        .collect();
    if addresses.is_empty() {
        let none = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        return Err(ConnectError::Dns(none));
    }
    dial_any(&addresses, deadline).await
}

/// Tries the addresses in the order of the resolver. Each has an equal share of the time that is left, so that a dead
/// first address (a broken IPv6, most often) cannot use up what the second one needs.
async fn dial_any(addresses: &[SocketAddr], deadline: ConnectDeadline) -> Result<TcpStream, ConnectError> {
    let mut attempts = Vec::new();
    for (&address, left) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let now = Instant::now();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let share = deadline.at.saturating_duration_since(now) / left;
        match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => attempts.push(Attempt { address, error: Some(error) }),
            Err(_elapsed) => attempts.push(Attempt { address, error: None }),
        }
    }
    if attempts.iter().all(|attempt| attempt.error.is_none()) {
        return Err(ConnectError::Timeout { phase: Phase::Tcp, after: deadline.after });
    }
    Err(ConnectError::Unreachable(attempts))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn an_address_that_fails_does_not_keep_from_the_next() {
        let live = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let dead = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addresses = [dead.local_addr().unwrap(), live.local_addr().unwrap()];
        drop(dead);
        let deadline = ConnectDeadline::begin(Duration::from_secs(5));
        let tcp = dial_any(&addresses, deadline).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), addresses[1]);
    }
}
