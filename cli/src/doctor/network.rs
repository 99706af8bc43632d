//! From a name to an open socket, in two steps that can be told apart. To most programs a name that does not resolve, a port
//! that nobody listens on and a firewall that swallows packets are one error; to whoever has to repair it they are three.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use thingpost_host::{ConnectTo, Endpoint};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::finding::Finding;

/// Long enough for a packet that was lost and sent again, short enough for a look at the side.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// Where a connection goes.
pub struct Destination {
    /// As the endpoint is called.
    pub endpoint: Endpoint,
    /// As it is dialled.
    address: Endpoint,
}

impl Destination {
    pub fn new(host: &str, port: u16, overrides: &[ConnectTo]) -> Self {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let endpoint = Endpoint { host: host.to_ascii_lowercase(), port };
        let address = ConnectTo::apply(overrides, &endpoint);
        Self { endpoint, address }
    }
}

/// Looks the name up.
pub async fn look_up(to: &Destination, limit: Duration) -> (Finding, Vec<SocketAddr>) {
    let Destination { endpoint, address } = to;
    let mut finding = Finding::new();
    if address != endpoint {
        finding.see(format!("--connect-to takes {address} for {endpoint}"));
    }
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        if address == endpoint {
            finding.see(format!("{ip} is an address: there is nothing to look up"));
        }
        return (finding, vec![SocketAddr::new(ip, address.port)]);
    }
    let host = &address.host;
    let addresses: Vec<_> = match timeout(limit, lookup_host((host.as_str(), address.port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            finding.fail(
                format!("no address is known for {host} ({error})"),
                "check the spelling of the endpoint, and the name servers of this machine",
            );
            return (finding, Vec::new());
        }
        Err(_elapsed) => {
            finding.fail(
                format!("no name server has answered about {host} within {}", seconds(limit)),
                "check the network, and the name servers of this machine",
            );
            return (finding, Vec::new());
        }
    };
    if addresses.is_empty() {
        finding.fail(format!("{host} has no address"), "check the spelling of the endpoint");
    } else {
        let texts: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
        finding.see(format!("{host} is {}", texts.join(", ")));
    }
    (finding, addresses)
}

/// Connects to one of the addresses, in their order, and sees what becomes of each.
pub async fn dial(to: &Destination, addresses: &[SocketAddr], limit: Duration) -> (Finding, Option<TcpStream>) {
    let mut finding = Finding::new();
    let mut failures = Vec::new();
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    for address in addresses {
        let begin = Instant::now();
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                for Failure { address, kind, text } in failures {
                    match kind {
                        None => finding.warn(
                            format!("{address}: {text}"),
                            "another address works, but every connection waits for this one first: check the way there",
                        ),
                        Some(_) => finding.see(format!("{address}: {text}")),
                    }
                }
                finding.see(format!("connected to {address} in {}", milliseconds(begin.elapsed())));
                return (finding, Some(tcp));
            }
            Ok(Err(error)) => {
                failures.push(Failure { address: *address, kind: Some(error.kind()), text: text(&error) })
            }
            Err(_elapsed) => {
                let text = format!("no answer within {}", seconds(share));
                failures.push(Failure { address: *address, kind: None, text });
            }
        }
    }
    let step = step(to, &failures).await;
    for Failure { address, text, .. } in failures {
        finding.fail(format!("{address}: {text}"), step.clone());
    }
    (finding, None)
}

struct Failure {
    address: SocketAddr,
    /// None: it took too long.
    kind: Option<io::ErrorKind>,
    text: String,
}

fn text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => format!("no way there ({error})"),
        _ => error.to_string(),
    }
}

async fn step(to: &Destination, failures: &[Failure]) -> String {
    let Destination { endpoint, address } = to;
    if address != endpoint {
        return format!("check --connect-to: nobody answers at {address}");
    }
    let unreachable = |kind| matches!(kind, io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable);
    if failures.iter().all(|failure| failure.kind.is_some_and(unreachable)) {
        return "check this machine's network: there is no way to any address".to_owned();
    }
    if endpoint.port == 8443 {
        return match is_open(failures, 443).await {
            true => "a firewall blocks port 8443, and 443 is open: give --port 443".to_owned(),
            false => "a firewall may block port 8443: try --port 443".to_owned(),
        };
    }
    format!("check that nothing between here and there blocks port {}", endpoint.port)
}

/// Whether the same machines listen on another port.
async fn is_open(failures: &[Failure], port: u16) -> bool {
    for Failure { address, .. } in failures {
        let other = SocketAddr::new(address.ip(), port);
        if matches!(timeout(SECOND_LOOK, TcpStream::connect(other)).await, Ok(Ok(_))) {
            return true;
        }
    }
    false
}

pub fn milliseconds(duration: Duration) -> String {
    format!("{} ms", duration.as_millis().max(1))
}

pub fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
