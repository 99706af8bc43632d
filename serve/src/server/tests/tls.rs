//! TLS towards the devices, whose certificate is renewed by replacing a file as all others are.

use std::io;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::reload::{follower, look};
use super::*;

/// Puts another certificate there, and gives it.
pub fn renew(desk: &Desk) -> CertificateDer<'static> {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    desk.write("tls.crt", certified.cert.pem());
    desk.write("tls.key", certified.signing_key.serialize_pem());
    certified.cert.der().clone()
}

async fn connect(server: &Server, trusted: &CertificateDer<'static>) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.local_addr()).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// One request on a connection that stays.
async fn colour(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    stream.write_all(b"GET /config/colour HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"0\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let answer = String::from_utf8(answer).unwrap();
    Ok(unchunked(answer.split_once("\r\n\r\n").unwrap().1))
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_who_connects_and_who_is_connected_stays() {
    let desk = Desk::new();
    let first = renew(&desk);
    desk.configure(GENEROUS);
    let config = text(&desk.file()).replace("[listen]", "[listen]\ntls = { cert = \"tls.crt\", key = \"tls.key\" }");
    desk.write("serve.toml", config);
    let (mut follower, loaded) = follower(&desk);
    let server = Server::start(loaded, None).await.unwrap();
    let mut early = connect(&server, &first).await.unwrap();
    assert_eq!(colour(&mut early).await.unwrap(), "blue");

    let second = renew(&desk);
    let said = look(&mut follower, &server).await;
    assert!(said.starts_with("taken up: ") && said.ends_with("/tls.key"), "{said}");
    assert_eq!(colour(&mut early).await.unwrap(), "blue");
    assert!(connect(&server, &first).await.is_err(), "it is not shown any more");
    let mut late = connect(&server, &second).await.unwrap();
    assert_eq!(colour(&mut late).await.unwrap(), "blue");

    desk.write("ca.pem", thingpost_emulator::Authority::new().ca_pem());
    let config = text(&desk.file()).replace(" key = ", " client_ca = \"ca.pem\", key = ");
    desk.write("serve.toml", config);
    assert!(look(&mut follower, &server).await.starts_with("taken up: "));
    let without_certificate = async { colour(&mut connect(&server, &second).await?).await };
    assert!(without_certificate.await.is_err(), "from now on clients have to show one");
    assert_eq!(colour(&mut late).await.unwrap(), "blue");
}
