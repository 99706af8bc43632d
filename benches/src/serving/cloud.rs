//! A cloud that takes two seconds for each message, with TLS and without: a stock host trusts no authority of ours.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;
use thingpost_emulator::{Authority, ClientCertificates};
use thingpost_measure::Failure;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";
const TAKES: Duration = Duration::from_secs(2);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 65\r\n\r\n\
    {\"message\":\"OK\",\"traceId\":\"6d6cb8a8-4d8a-4d8a-8d8a-4d8a4d8a4d8a\"}";

pub struct SlowCloud {
    plain: SocketAddr,
    pub tls: SocketAddr,
    pub ca: NamedTempFile,
}

impl SlowCloud {
    pub async fn start() -> Result<Self, Failure> {
        let authority = Authority::new();
        let ca = NamedTempFile::new()?;
        std::fs::write(ca.path(), authority.ca_pem())?;
        let identity = authority.issue_server(&[NAME.to_owned()])?;
        let acceptor = TlsAcceptor::from(identity.server_config(ClientCertificates::AnyOrNone, &[])?);
        let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let this = Self { plain: plain.local_addr()?, tls: tls.local_addr()?, ca };
        tokio::spawn(accept(plain, None));
        tokio::spawn(accept(tls, Some(acceptor)));
        Ok(this)
    }

    pub fn plain_settings(&self) -> String {
        settings("127.0.0.1", self.plain.port(), "http")
    }

    pub fn tls_settings(&self) -> String {
        settings(NAME, 443, "https")
    }
}

fn settings(endpoint: &str, port: u16, scheme: &str) -> String {
    format!(
        r#"{{"platform":"aws","endpoint":"{endpoint}","port":"{port}","scheme":"{scheme}","auth":"sigv4","region":"eu-central-1","access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY","timeout_ms":"60000"}}"#
    )
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>) {
    let tls = tls.map(Arc::new);
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve(stream).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream).await;
                    }
                }
            }
        });
    }
}

/// Requests have a body of four bytes here.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        if buffer.len() < end + 8 {
            continue;
        }
        buffer.drain(..end + 8);
        tokio::time::sleep(TAKES).await;
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}
