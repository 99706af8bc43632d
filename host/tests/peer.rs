//! A TLS server that does with each connection what the test says: for protocols that are not HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use thingpost_host::{DialedConnection, Pool, Route, Transport};
use thingpost_patience::patience;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::client::config_at;
use crate::pki::Authority;
use crate::server::ServerTls;

pub struct Peer {
    pub address: SocketAddr,
    /// Ends with it.
    _task: JoinSet<()>,
}

impl Peer {
    /// Shakes hands with all clients, and then does this. Those who fail to shake hands are forgotten.
    pub async fn start<F>(tls: &ServerTls, conduct: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let acceptor = TlsAcceptor::from(Arc::new(tls.config()));
        let socket = TcpSocket::new_v4().unwrap();
        // Less than the system would keep for a server that is late.
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(16).unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                tcp.set_nodelay(true).unwrap();
                if let Ok(tls) = acceptor.accept(tcp).await {
                    connections.spawn(conduct(tls));
                }
            }
        });
        Self { address, _task: task }
    }

    /// A connection to it, by a workload that trusts it.
    pub async fn dial(&self, route: Route) -> DialedConnection {
        let transport = Transport::new(Pool::default(), config_at("test", vec![route], self.address));
        transport.dial("localhost:8883", patience()).await.unwrap()
    }
}

/// A connection to a server that does this.
pub async fn streams_to<F>(
    conduct: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
) -> (DynInputStream, DynOutputStream, Peer)
where
    F: Future<Output = ()> + Send + 'static,
{
    let ca = Authority::new("ca");
    let peer = Peer::start(&ServerTls::new(&ca, "localhost"), conduct).await;
    let (input, output) = peer.dial(Route::new("localhost", ca.roots()).mqtt()).await.into_streams();
    (input, output, peer)
}
