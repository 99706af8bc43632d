//! wasmtime serve trusts public authorities only, and there is no way to give it another. So in front of an emulator stands this, on
//! loopback: without TLS for the host, and with TLS to the emulator.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use thingpost_emulator::Authority;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsConnector;

use crate::fixtures::blocking_http::tls;

/// Ends with its connections when it is dropped.
pub struct PlainFront {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl PlainFront {
    /// Of the server at that address, which is to have the name `localhost`.
    pub async fn start(authority: &Authority, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connector = TlsConnector::from(Arc::clone(&tls(authority, None)));
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let connector = connector.clone();
                connections.spawn(async move {
                    let name = ServerName::try_from("localhost").expect("a name");
                    let Ok(tcp) = TcpStream::connect(server).await else { return };
                    if let Ok(mut server) = connector.connect(name, tcp).await {
                        // Whatever ends a connection, the ledger has what arrived before.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { address, accepting }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for PlainFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
