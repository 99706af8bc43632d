//! A hand-held client. A proper one would hide what these tests are about: it would retry, refuse odd answers, or open
//! a second connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use thingpost_emulator::{Authority, DeviceCertificate};
use thingpost_patience::patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How to connect.
pub struct Client {
    config: ClientConfig,
    roots: RootCertStore,
    server_name: String,
}

impl Client {
    /// Trusts the authority and shows no certificate.
    pub fn new(authority: &Authority, server_name: &str) -> Self {
        Self::build(authority, server_name, None)
    }

    pub fn with_certificate(authority: &Authority, server_name: &str, device: &DeviceCertificate) -> Self {
        Self::build(authority, server_name, Some(device))
    }

    fn build(authority: &Authority, server_name: &str, device: Option<&DeviceCertificate>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(roots.clone());
        let config = match device {
            None => builder.with_no_client_auth(),
            Some(device) => {
                let chain = CertificateDer::from_pem_slice(device.certificate_pem.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(device.private_key_pem.as_bytes()).unwrap();
                let key = provider.key_provider.load_private_key(key).unwrap();
                // Unlike the usual way this lets a test pair a certificate with a key that is not its own.
                let pair = SingleCertAndKey::from(CertifiedKey::new(vec![chain], key));
                builder.with_client_cert_resolver(Arc::new(pair))
            }
        };
        Self { config, roots, server_name: server_name.to_owned() }
    }

    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// TLS 1.2, where the client proves its key in another message.
    pub fn tls12(mut self) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::clone(self.config.crypto_provider()));
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS12]).unwrap();
        let mut config = builder.with_root_certificates(self.roots.clone()).with_no_client_auth();
        config.client_auth_cert_resolver = Arc::clone(&self.config.client_auth_cert_resolver);
        config.alpn_protocols = self.config.alpn_protocols;
        self.config = config;
        self
    }

    pub fn without_sni(mut self) -> Self {
        self.config.enable_sni = false;
        self
    }

    pub async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        let name = ServerName::try_from(self.server_name.clone()).unwrap();
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        in_time(async {
            let tcp = TcpStream::connect(address).await?;
            let stream = connector.connect(name, tcp).await?;
            Ok(Connection { stream, unread: Vec::new() })
        })
        .await
    }
}

pub struct Connection {
    pub stream: TlsStream<TcpStream>,
    unread: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// Everything before the empty line, as it was on the wire.
    pub head: String,
    pub body: String,
}

impl Response {
    pub fn status_line(&self) -> &str {
        self.head.split("\r\n").next().unwrap()
    }

    pub fn status(&self) -> u16 {
        self.status_line().split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// By its exact name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Connection {
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        in_time(async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    /// Sends a POST with its length and reads the answer.
    pub async fn post(&mut self, target: &str, headers: &str, body: &[u8]) -> io::Result<Response> {
        self.request("POST", target, headers, body).await
    }

    /// Sends a request with its length and reads the answer.
    pub async fn request(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) -> io::Result<Response> {
        self.send(&request(method, target, headers, body)).await?;
        self.answer().await
    }

    /// Reads one answer. An error of the kind `UnexpectedEof` when the connection ends before it does.
    pub async fn answer(&mut self) -> io::Result<Response> {
        in_time(async {
            let end = loop {
                if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                    break end;
                }
                self.read_more().await?;
            };
            let head = String::from_utf8(self.unread.drain(..end + 4).collect()).unwrap();
            let mut response = Response { head: head[..end].to_owned(), body: String::new() };
            let length = response
                .head
                .split("\r\n")
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            while self.unread.len() < length {
                self.read_more().await?;
            }
            response.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
            Ok(response)
        })
        .await
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        in_time(async {
            self.stream.read_to_end(&mut self.unread).await?;
            Ok(std::mem::take(&mut self.unread))
        })
        .await
    }

    /// Whether nothing arrives for a while.
    pub async fn is_silent(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.unread);
        tokio::time::timeout(Duration::from_millis(300), read).await.is_err()
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A POST with its length, and with headers that each end in CRLF.
pub fn post(target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    request("POST", target, headers, body)
}

/// A request with any method.
pub fn request(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes =
        format!("{method} {target} HTTP/1.1\r\nHost: emulator\r\n{headers}Content-Length: {length}\r\n\r\n")
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience(), work).await.expect("a test waits for nothing that long")
}
