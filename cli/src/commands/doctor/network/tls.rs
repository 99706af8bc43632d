//! Whether the two sides can come to trust each other on this socket, and if not, which of them does not.

use std::net::SocketAddr;
use std::time::Duration;

use thingpost_host::Route;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::endpoint::Kind;
use super::handshake::{Handshake, HandshakeError, shake};
use super::server_chain::fetch_server_chain;
use super::{Destination, Protocol, dial};
use crate::commands::doctor::finding::Finding;

/// Shakes hands over this socket, or else with the addresses that come after its own: an address counts as good when that is done.
pub async fn shake_hands_with_any(
    to: &Destination,
    route: &Route,
    tcp: TcpStream,
    addresses: &[SocketAddr],
    shows_certificate: bool,
    limit: Duration,
) -> (Finding, Option<Handshake>) {
    let (mut next, mut rest) = (Some(tcp), addresses);
    let mut failed: Vec<(Option<SocketAddr>, Finding)> = Vec::new();
    while let Some(tcp) = next.take() {
        let peer = tcp.peer_addr().ok();
        let (mut finding, handshake) = look_at(to, route, tcp, shows_certificate, limit).await;
        if handshake.is_some() {
            for (address, cause) in
                failed.iter().filter_map(|(peer, found)| Some((peer.as_ref()?, found.cause.as_ref()?)))
            {
                finding.warn(
                    format!("{address}: {cause}"),
                    "another address works; have this one repaired, or taken out of the name",
                );
            }
            return (finding, handshake);
        }
        failed.push((peer, finding));
        let after = rest.iter().position(|address| Some(*address) == peer).map_or(rest.len(), |at| at + 1);
        rest = &rest[after..];
        if !rest.is_empty() {
            next = dial(to, rest, limit).await.1;
        }
    }
    // The first of them speaks.
    let mut failures = failed.into_iter().map(|(_, finding)| finding);
    let mut first = failures.next().unwrap_or_else(Finding::new);
    failures.for_each(|finding| first.append(finding));
    (first, None)
}

/// Shakes hands, and says what was seen. `shows_certificate` says whether this side has one to show.
async fn look_at(
    to: &Destination,
    route: &Route,
    tcp: TcpStream,
    shows_certificate: bool,
    limit: Duration,
) -> (Finding, Option<Handshake>) {
    let peer = tcp.peer_addr().ok();
    match shake(to, route, tcp, limit).await {
        Ok(handshake) => {
            let finding = seen(to, &handshake, shows_certificate);
            (finding, Some(handshake))
        }
        Err(error) => {
            let trouble = HandshakeError::of(&error);
            let chain = match (&trouble, peer) {
                (
                    HandshakeError::Untrusted
                    | HandshakeError::OtherName
                    | HandshakeError::Time
                    | HandshakeError::Certificate,
                    Some(peer),
                ) => look_again(to, route, peer, limit).await,
                _ => Vec::new(),
            };
            let (cause, mut step) = trouble.explain(&error, to, chain.first());
            if matches!(trouble, HandshakeError::Untrusted) && Kind::of(&to.endpoint.host).0 == Kind::LegacyData {
                "take the endpoint with -ats: the root of this one is trusted no more".clone_into(&mut step);
            }
            let mut finding = Finding::failed(cause, step);
            for (number, details) in (1..).zip(&chain) {
                let names = match details.names.as_slice() {
                    [] => String::new(),
                    names => format!(", for {}", names.join(", ")),
                };
                finding.see(format!("shown, certificate {number}: {}{names}, {}", details.who(), details.validity()));
            }
            (finding, None)
        }
    }
}

async fn look_again(
    to: &Destination,
    route: &Route,
    peer: SocketAddr,
    limit: Duration,
) -> Vec<crate::commands::doctor::network::certificate::CertificateDetails> {
    match timeout(limit, to.open(peer)).await {
        Ok(Ok(tcp)) => fetch_server_chain(to, route, tcp, limit).await,
        _ => Vec::new(),
    }
}

fn seen(to: &Destination, handshake: &Handshake, shows_certificate: bool) -> Finding {
    let mut finding = Finding::new();
    finding.see(handshake.protocol());
    if let Some(server) = handshake.server() {
        finding.see(format!("server {}, {}", server.who(), server.age().text()));
    }
    let is_of_aws = Kind::of(&to.endpoint.host).0 != Kind::Foreign;
    match (handshake.offered.is_empty(), handshake.chosen(), to.spoken) {
        (false, None, Protocol::Https) if is_of_aws || !handshake.has_sent => finding.fail(
            handshake.alpn(),
            "without this protocol AWS does not look at a certificate on port 443: something else answers here, or a \
             proxy in between has taken the offer out; try --port 8443",
        ),
        (false, None, Protocol::Mqtt) if is_of_aws => finding.fail(
            handshake.alpn(),
            "without this protocol AWS takes no MQTT on port 443: something else answers here, or a proxy in between has taken \
             the offer out; with a certificate try --port 8883",
        ),
        (false, None, _) => {
            finding.warn(handshake.alpn(), "a custom domain may do without; see whether --publish works");
        }
        _ => finding.see(handshake.alpn()),
    }
    match (shows_certificate, handshake.was_asked, handshake.has_sent) {
        (true, true, true) => finding.see("the server has asked for a client certificate, and ours was sent"),
        (true, true, false) => finding.fail(
            "the server has asked for a client certificate, and takes no signature that our key can make",
            "give the device a certificate with another kind of key, such as RSA 2048 or ECDSA P-256",
        ),
        // Another server may know the device by something else, or take all that come.
        (true, false, _) if !is_of_aws => finding.warn(
            "the server has not asked for a client certificate",
            "see whether --publish works; AWS would have asked",
        ),
        (true, false, _) => finding.fail(
            "the server has not asked for a client certificate",
            format!(
                "check the port: AWS asks for it on {}, and on 443 by the ALPN protocol {}",
                to.spoken.certificate_port(),
                to.spoken.alpn_of_certificates()
            ),
        ),
        (false, true, _) => finding.see("the server has asked for a client certificate, and none was sent"),
        (false, false, _) => finding.see("no client certificate was asked for"),
    }
    finding
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::Arc;
    use std::thread;

    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{ServerConfig, ServerConnection, Stream};
    use thingpost_host::TrustRoots;

    use super::*;
    use crate::commands::doctor::finding::Outcome;
    use crate::device::Network;

    /// Far beyond what anything here takes.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Serves one connection.
    fn serve(conversation: impl FnOnce(std::net::TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || conversation(listener.accept().unwrap().0));
        address
    }

    fn no_tls() -> SocketAddr {
        serve(|mut tcp| {
            let _ = tcp.read(&mut [0; 4096]);
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        })
    }

    #[tokio::test]
    async fn an_address_without_tls_keeps_nobody_from_the_next() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let pem = certificate.pem();
        let good = serve(move |mut tcp| {
            let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
                );
            let mut connection = ServerConnection::new(Arc::new(config.unwrap())).unwrap();
            // Until the client goes.
            let _ = Stream::new(&mut connection, &mut tcp).read_to_end(&mut Vec::new());
        });
        let addresses = [no_tls(), no_tls(), good];
        let to = Destination::new("a.example", 443, &Network::default(), Protocol::Https);
        let route = Route::new("a.example", TrustRoots::from_pem(pem.as_bytes()).unwrap());
        let (_, tcp) = dial(&to, &addresses, PATIENCE).await;
        let (finding, handshake) = shake_hands_with_any(&to, &route, tcp.unwrap(), &addresses, false, PATIENCE).await;
        assert!(handshake.is_some() && finding.outcome == Outcome::Warned, "{finding:?}");
        let cause = finding.cause.unwrap();
        assert!(cause.contains(&addresses[0].to_string()) && cause.contains("does not speak TLS"), "{cause}");

        let addresses = [no_tls(), no_tls()];
        let (_, tcp) = dial(&to, &addresses, PATIENCE).await;
        let (finding, handshake) = shake_hands_with_any(&to, &route, tcp.unwrap(), &addresses, false, PATIENCE).await;
        assert!(handshake.is_none() && finding.has_failed(), "{finding:?}");
    }
}
