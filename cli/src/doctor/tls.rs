//! Whether the two sides can come to trust each other on this socket, and if not, which of them does not.

use std::net::SocketAddr;
use std::time::Duration;

use thingpost_host::Route;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::endpoint::Kind;
use super::finding::Finding;
use super::handshake::{Handshake, Trouble, shake};
use super::look::look;
use super::network::Destination;

/// Shakes hands, and says what was seen. `shows_certificate` says whether this side has one to show.
pub async fn look_at(
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
            let trouble = Trouble::of(&error);
            let chain = match (&trouble, peer) {
                (Trouble::Untrusted | Trouble::OtherName | Trouble::Time | Trouble::Certificate, Some(peer)) => {
                    look_again(to, route, peer, limit).await
                }
                _ => Vec::new(),
            };
            let (cause, mut step) = trouble.explain(&error, to, chain.first());
            if matches!(trouble, Trouble::Untrusted) && Kind::of(&to.endpoint.host).0 == Kind::LegacyData {
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
) -> Vec<super::certificate::Details> {
    match timeout(limit, TcpStream::connect(peer)).await {
        Ok(Ok(tcp)) => look(to, route, tcp, limit).await,
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
    match (handshake.offered.is_empty(), handshake.chosen()) {
        (false, None) if is_of_aws || !handshake.has_sent => finding.fail(
            handshake.alpn(),
            "without this protocol AWS does not look at a certificate on port 443: something else answers here, or a \
             proxy in between has taken the offer out; try --port 8443",
        ),
        (false, None) => finding.warn(handshake.alpn(), "a custom domain may do without; see whether --publish works"),
        _ => finding.see(handshake.alpn()),
    }
    match (shows_certificate, handshake.was_asked, handshake.has_sent) {
        (true, true, true) => finding.see("the server has asked for a client certificate, and ours was sent"),
        (true, true, false) => finding.fail(
            "the server has asked for a client certificate, and takes no signature that our key can make",
            "give the device a certificate with another kind of key, such as RSA 2048 or ECDSA P-256",
        ),
        (true, false, _) => finding.fail(
            "the server has not asked for a client certificate",
            "check the port: AWS asks for it on 8443, and on 443 by the ALPN protocol x-amzn-http-ca",
        ),
        (false, true, _) => finding.see("the server has asked for a client certificate, and none was sent"),
        (false, false, _) => finding.see("no client certificate was asked for"),
    }
    finding
}
