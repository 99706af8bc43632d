//! Servers that are not AWS, each in its own way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use thingpost_patience::patience;

use super::certificates::{Root, Signed};

/// An address without a listener.
pub fn nobody() -> SocketAddr {
    listener().local_addr().unwrap()
}

/// Accepts, and says nothing.
pub fn silent() -> SocketAddr {
    serve(|mut tcp| {
        // Until the client has had enough.
        let _ = tcp.read_to_end(&mut Vec::new());
    })
}

/// Hears the client's first words, answers with this and closes.
pub fn answering(answer: &'static [u8]) -> SocketAddr {
    serve(move |mut tcp| {
        let _ = tcp.read(&mut [0; 4096]);
        let _ = tcp.write_all(answer);
    })
}

/// Speaks TLS with this certificate, and answers each request with this text.
pub fn tls(certificate: &Signed, answer: &'static [u8]) -> SocketAddr {
    let config = builder().with_no_client_auth();
    over_tls(config.with_single_cert(vec![certificate.der()], certificate.key()).unwrap(), answer)
}

/// Speaks TLS as well, knows one ALPN protocol, and refuses clients that offer another.
pub fn tls_with_alpn(certificate: &Signed, protocol: &[u8]) -> SocketAddr {
    let config = builder().with_no_client_auth();
    let mut config = config.with_single_cert(vec![certificate.der()], certificate.key()).unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    over_tls(config, b"")
}

/// A server of TLS that lets in only clients that this root has signed.
pub fn strict_tls(certificate: &Signed, clients: &Root, answer: &'static [u8]) -> SocketAddr {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(clients.der())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let config = builder().with_client_cert_verifier(verifier);
    over_tls(config.with_single_cert(vec![certificate.der()], certificate.key()).unwrap(), answer)
}

fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

fn over_tls(config: ServerConfig, answer: &'static [u8]) -> SocketAddr {
    let config = Arc::new(config);
    serve(move |mut tcp| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = Stream::new(&mut connection, &mut tcp);
        // A client that refuses the certificate ends it here.
        if matches!(tls.read(&mut [0; 4096]), Ok(1..)) {
            let _ = tls.write_all(answer);
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        // Closed with something unread, a socket is reset, and the last words on it are lost.
        let _ = tcp.shutdown(Shutdown::Write);
        let _ = tcp.read_to_end(&mut Vec::new());
    })
}

/// Each connection on a thread of its own, until the tests end.
fn serve(conversation: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = listener();
    let address = listener.local_addr().unwrap();
    let conversation = Arc::new(conversation);
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let conversation = Arc::clone(&conversation);
            thread::spawn(move || {
                // For a client that has stalled.
                tcp.set_read_timeout(Some(patience())).unwrap();
                conversation(tcp);
            });
        }
    });
    address
}

fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}
