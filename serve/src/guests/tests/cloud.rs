//! A server with TLS that answers a message when a test allows it.

use std::net::SocketAddr;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use thingpost_host::TrustRoots;

use super::*;

pub struct Cloud {
    pub address: SocketAddr,
    /// Messages wait here for their answer.
    pub gate: Barrier,
    roots: TrustRoots,
}

impl Cloud {
    pub async fn start() -> Self {
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let roots = TrustRoots::from_pem(certified.cert.pem().as_bytes()).unwrap();
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, gate) = (TlsAcceptor::from(Arc::new(tls)), Barrier::closed());
        tokio::spawn({
            let gate = gate.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, gate) = (acceptor.clone(), gate.clone());
                    tokio::spawn(async move {
                        let mut stream = acceptor.accept(stream).await.unwrap();
                        let mut message = Vec::new();
                        while !message.ends_with(b"21.5") {
                            assert_ne!(stream.read_buf(&mut message).await.unwrap(), 0);
                        }
                        gate.pass().await;
                        let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
                        let _ = stream.shutdown().await;
                    });
                }
            }
        });
        Self { address, gate, roots }
    }

    pub fn transport(&self) -> Transport {
        to(vec![Route::new("localhost", self.roots.clone()).port(self.address.port())])
    }

    pub fn path(&self, path: &str) -> String {
        format!("{path}?localhost:{}", self.address.port())
    }
}
