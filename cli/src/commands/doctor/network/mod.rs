//! From a name to an open socket, in two steps that can be told apart. To most programs a name that does not resolve, a port
//! without a listener and a firewall that swallows packets are one error; to the user who has to repair it they are three.

pub mod answer;
pub mod certificate;
pub mod endpoint;
pub mod handshake;
pub mod provider;
mod server_chain;
pub mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use thingpost_host::{
    ConnectTo, Endpoint, Resolver, Route, SystemResolver, is_out_of_descriptors, is_temporary_lookup_error,
};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::Finding;
use crate::device::network::{FoundProxy, Network, ProxyChoice};
use endpoint::Kind;

/// Long enough for a packet that was lost and sent again, short enough for a look at the side.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// What is spoken over a connection: of both there is one port for certificates, and one for whatever ALPN names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Https,
    Mqtt,
}

/// Whose server it is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Aws,
    Aliyun,
    /// A custom domain of AWS, or a broker that belongs to no cloud.
    Unknown,
}

impl Platform {
    fn of(host: &str) -> Self {
        match Kind::of(host).0 {
            Kind::Foreign if host.ends_with(".aliyuncs.com") => Self::Aliyun,
            Kind::Foreign => Self::Unknown,
            _ => Self::Aws,
        }
    }
}

impl Protocol {
    /// On which ports this platform speaks it.
    pub fn ports_of(self, platform: Platform) -> &'static str {
        match (platform, self) {
            (Platform::Aws, Self::Https) => "HTTPS of AWS is on 8443 and 443",
            (Platform::Aws, Self::Mqtt) => "MQTT of AWS is on 8883 and 443",
            (Platform::Aliyun, Self::Https) => "HTTPS of Aliyun is on 443",
            (Platform::Aliyun, Self::Mqtt) => "MQTT of Aliyun is on 1883 and 443, with TLS on both",
            (Platform::Unknown, Self::Https) => "HTTPS is mostly on 443, and of AWS on 8443 too",
            (Platform::Unknown, Self::Mqtt) => "MQTT with TLS is mostly on 8883, and of AWS on 443 too",
        }
    }

    /// The port on which certificates alone count.
    pub fn certificate_port(self) -> u16 {
        match self {
            Self::Https => 8443,
            Self::Mqtt => 8883,
        }
    }

    /// The ALPN protocol by which AWS asks for a certificate on 443.
    pub fn alpn_of_certificates(self) -> &'static str {
        match self {
            Self::Https => "x-amzn-http-ca",
            Self::Mqtt => "x-amzn-mqtt-ca",
        }
    }
}

/// Where a connection goes.
pub struct Destination {
    /// As the endpoint is called.
    pub endpoint: Endpoint,
    pub spoken: Protocol,
    /// As it is dialled, or as the proxy is asked for it.
    address: Endpoint,
    proxy: ProxyChoice,
}

impl Destination {
    pub fn new(host: &str, port: u16, network: &Network, spoken: Protocol) -> Self {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let endpoint = Endpoint { host: host.to_ascii_lowercase(), port };
        let address = ConnectTo::apply(network.connect_to(), &endpoint);
        let proxy = network.proxy_for(&endpoint.host, port);
        Self { endpoint, spoken, address, proxy }
    }

    /// With what the host shakes hands on this route.
    pub fn tls_config(&self, route: &Route) -> ClientConfig {
        let config = match self.spoken {
            Protocol::Https => route.tls_config(self.endpoint.port),
            Protocol::Mqtt => route.mqtt_tls_config(self.endpoint.port),
        };
        Arc::unwrap_or_clone(config)
    }

    /// The proxy that is asked for it.
    fn proxy(&self) -> Option<&FoundProxy> {
        match &self.proxy {
            ProxyChoice::Through(proxy) => Some(proxy),
            ProxyChoice::None { .. } | ProxyChoice::Past(..) => None,
        }
    }

    /// What is connected to first.
    fn next(&self) -> &Endpoint {
        self.proxy().map_or(&self.address, |found| found.proxy.endpoint())
    }

    /// A connection by this address, with a proxy's consent if there is one.
    async fn open(&self, address: SocketAddr) -> Result<TcpStream, (ConnectFailureKind, String)> {
        let tcp = TcpStream::connect(address);
        let tcp = tcp.await.map_err(|error| (ConnectFailureKind::of(&error), text(&error)))?;
        match self.proxy() {
            Some(FoundProxy { proxy, .. }) => {
                let tunnel = proxy.tunnel(tcp, &self.address).await;
                tunnel.map_err(|error| (ConnectFailureKind::Proxy, format!("the proxy {error}")))
            }
            None => Ok(tcp),
        }
    }

    /// What is to be known of a proxy that is set, and not for this.
    fn of_unused_proxy(&self) -> String {
        match &self.proxy {
            ProxyChoice::None { for_http: Some(name) } => {
                format!("; {name} names a proxy for http:// alone: set HTTPS_PROXY if it is for HTTPS and MQTT too")
            }
            _ => String::new(),
        }
    }

    /// What to check where a name is unknown.
    fn spelling(&self) -> String {
        let place = self.proxy().map_or("the endpoint", |found| found.source);
        format!("check the spelling of {place}, and the name servers of this machine")
    }

    /// Whose it is.
    pub fn platform(&self) -> Platform {
        Platform::of(&self.endpoint.host)
    }

    /// Whether this is a name that one of the platforms gives. They have no addresses that are not of the Internet.
    fn is_of_platform(&self) -> bool {
        self.platform() != Platform::Unknown
    }
}

/// Looks the name up.
pub async fn look_up(to: &Destination, limit: Duration) -> (Finding, Vec<SocketAddr>) {
    let Destination { endpoint, address, proxy, .. } = to;
    let mut finding = Finding::new();
    if address != endpoint {
        finding.see(format!("--connect-to takes {address} for {endpoint}"));
    }
    match proxy {
        ProxyChoice::None { for_http: None } => {}
        ProxyChoice::None { for_http: Some(name) } => finding.see(format!(
            "{name} is for http:// alone, and nothing here is that: no proxy is asked; for one, set HTTPS_PROXY or give --proxy"
        )),
        ProxyChoice::Past(FoundProxy { proxy, source }, list) => {
            finding.see(format!("{list} has {endpoint} reached without the proxy {proxy} of {source}"));
        }
        ProxyChoice::Through(FoundProxy { proxy, source }) => {
            let user = if proxy.has_credentials() { ", with user and password" } else { "" };
            let names = match address.host.parse::<IpAddr>() {
                Ok(_) => String::new(),
                Err(_) => format!(", which looks up {} itself", address.host),
            };
            finding.see(format!("through the proxy {proxy} of {source}{user}{names}"));
        }
    }
    let next = to.next();
    if let Ok(ip) = next.host.parse::<IpAddr>() {
        if next == endpoint {
            finding.see(format!("{ip} is an address: there is nothing to look up"));
        }
        return (finding, vec![SocketAddr::new(ip, next.port)]);
    }
    let host = &next.host;
    let addresses: Vec<_> = match timeout(limit, SystemResolver::default().resolve(host)).await {
        Ok(Ok(addresses)) => addresses.into_iter().map(|found| with_port(found, next.port)).collect(),
        Ok(Err(error)) => {
            let step = match is_out_of_descriptors(&error) {
                true => RAISE_LIMIT.to_owned(),
                false if is_temporary_lookup_error(&error) => format!(
                    "check this machine's network, and its name servers (/etc/resolv.conf): none of them has given an answer about \
                     any name{}; then {}",
                    to.of_unused_proxy(),
                    to.spelling()
                ),
                false => to.spelling(),
            };
            finding.fail(format!("no address is known for {host} ({error})"), step);
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
        finding.fail(format!("{host} has no address"), to.spelling());
    } else {
        let texts: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
        finding.see(format!("{host} is {}", texts.join(", ")));
        if to.is_of_platform() && next == endpoint {
            check_addresses(&mut finding, &addresses);
        }
    }
    (finding, addresses)
}

fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

/// A platform is somewhere else. Names that lead to this machine or nowhere are the work of a filter, or of a file of hosts that
/// was forgotten.
fn check_addresses(finding: &mut Finding, addresses: &[SocketAddr]) {
    match addresses.iter().map(|address| (address.ip(), place(address.ip()))).find(|(_, place)| *place != AddressScope::Internet) {
        Some((ip, AddressScope::Nowhere)) => finding.warn(
            format!("{ip} is no address that anybody has: so filters of names answer about what they block"),
            FILTERED,
        ),
        Some((ip, AddressScope::Here)) => finding.warn(
            format!("{ip} is an address of this machine itself"),
            "look into the file of hosts (/etc/hosts), and at the name servers of this machine",
        ),
        Some((ip, AddressScope::Private)) => finding.see(format!(
            "{ip} is a private address: right for an endpoint in a VPC, otherwise the work of a file of hosts or of a name \
             server of this network"
        )),
        Some((_, AddressScope::Internet)) | None => {}
    }
}

const FILTERED: &str = "ask whoever runs the name servers of this network to let the endpoint pass, or use others";

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressScope {
    Internet,
    Private,
    Here,
    Nowhere,
}

fn place(ip: IpAddr) -> AddressScope {
    let ip = ip.to_canonical();
    let is_private = match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    match ip {
        ip if ip.is_unspecified() => AddressScope::Nowhere,
        ip if ip.is_loopback() => AddressScope::Here,
        _ if is_private => AddressScope::Private,
        _ => AddressScope::Internet,
    }
}

/// Connects to one of the addresses, in their order, and sees what becomes of each.
pub async fn dial(to: &Destination, addresses: &[SocketAddr], limit: Duration) -> (Finding, Option<TcpStream>) {
    let mut finding = Finding::new();
    let mut failures = Vec::new();
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    for address in addresses {
        let begin = Instant::now();
        match timeout(share, to.open(*address)).await {
            Ok(Ok(tcp)) => {
                for FailedConnect { address, why, text } in failures {
                    match why {
                        ConnectFailureKind::Silence => finding.warn(
                            format!("{address}: {text}"),
                            "another address works, and connections are made with it a moment later: check the way to this one",
                        ),
                        _ => finding.see(format!("{address}: {text}")),
                    }
                }
                let place = if to.proxy().is_some() { ", and by the proxy there to the destination," } else { "" };
                finding.see(format!("connected to {address}{place} in {}", milliseconds(begin.elapsed())));
                return (finding, Some(tcp));
            }
            Ok(Err((why, text))) => failures.push(FailedConnect { address: *address, why, text }),
            Err(_elapsed) => {
                let text = format!("no answer within {}", seconds(share));
                failures.push(FailedConnect { address: *address, why: ConnectFailureKind::Silence, text });
            }
        }
    }
    say_why(&mut finding, to, failures).await;
    (finding, None)
}

/// What says most comes first: on half of all machines one of the addresses is of IPv6, and there is no way to any of those.
async fn say_why(finding: &mut Finding, to: &Destination, mut failures: Vec<FailedConnect>) {
    failures.sort_by_key(|failure| failure.why);
    let step = step(to, &failures).await;
    for FailedConnect { address, why, text } in failures {
        match why {
            ConnectFailureKind::Proxy => finding.fail_with(format!("{address}: {text}"), &step),
            _ => finding.fail(format!("{address}: {text}"), step.clone()),
        }
    }
}

struct FailedConnect {
    address: SocketAddr,
    why: ConnectFailureKind,
    text: String,
}

/// Why there is no connection. What comes first says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ConnectFailureKind {
    /// This process may not open more files.
    Limit,
    /// The proxy gives no way.
    Proxy,
    /// There was an answer, and there is no listener.
    Refused,
    Other,
    /// It took too long.
    Silence,
    NoWay,
}

impl ConnectFailureKind {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            _ if is_out_of_descriptors(error) => Self::Limit,
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Self::NoWay,
            _ => Self::Other,
        }
    }
}

const RAISE_LIMIT: &str = "this process may open too few files: raise the limit (`ulimit -n 1024`; LimitNOFILE in a unit of \
                           systemd)";

fn text(error: &io::Error) -> String {
    match ConnectFailureKind::of(error) {
        ConnectFailureKind::Refused => "connection refused".to_owned(),
        ConnectFailureKind::NoWay => format!("no way there ({error})"),
        ConnectFailureKind::Limit
        | ConnectFailureKind::Proxy
        | ConnectFailureKind::Other
        | ConnectFailureKind::Silence => error.to_string(),
    }
}

/// What most likely keeps connections from being made, given what else is known here.
async fn step(to: &Destination, failures: &[FailedConnect]) -> String {
    let Destination { endpoint, address, spoken, proxy } = to;
    let all = |why| failures.iter().all(|failure| failure.why == why);
    let any_place = |there| failures.iter().any(|failure| place(failure.address.ip()) == there);
    if failures.iter().any(|failure| failure.why == ConnectFailureKind::Limit) {
        return RAISE_LIMIT.to_owned();
    }
    if let ProxyChoice::Through(FoundProxy { proxy, source }) = proxy {
        return match failures.iter().all(|failure| failure.why == ConnectFailureKind::Silence) {
            true => format!(
                "check that the proxy {proxy} of {source} is there, and can reach {address}, or give it more time with --timeout"
            ),
            false => format!("check the proxy of {source}: nobody answers at {}", proxy.endpoint()),
        };
    }
    if address != endpoint {
        return format!("check --connect-to: nobody answers at {address}");
    }
    if to.is_of_platform() && any_place(AddressScope::Nowhere) {
        return FILTERED.to_owned();
    }
    if let ProxyChoice::Past(FoundProxy { source, .. }, list) = proxy {
        return format!(
            "{source} names a proxy, and {list} has {endpoint} reached without it: if nobody gets out of this network but by that \
             proxy, take {} out of {list}",
            endpoint.host
        );
    }
    if all(ConnectFailureKind::NoWay) && failures.iter().all(|failure| failure.address.is_ipv6()) {
        return "this machine has no way to IPv6 addresses, and knows no other of this name: check its network, and its name \
                servers"
            .to_owned();
    }
    if all(ConnectFailureKind::NoWay) {
        return "check this machine's network: there is no way to any address".to_owned();
    }
    let port = match to.platform() {
        // Of its two ports for MQTT one is the usual one of HTTPS.
        Platform::Aliyun => 1883,
        Platform::Aws | Platform::Unknown => spoken.certificate_port(),
    };
    if endpoint.port == port {
        return match is_open(failures, 443).await {
            true => format!("a firewall blocks port {port}, and 443 is open: give --port 443"),
            false if to.platform() == Platform::Unknown => format!(
                "a firewall may block port {port}: try --port 443 if the server has that too (AWS has), or ask who runs the firewall{}",
                to.of_unused_proxy()
            ),
            false => format!("a firewall may block port {port}: try --port 443{}", to.of_unused_proxy()),
        };
    }
    format!(
        "check that nothing between here and there blocks port {}, and give --proxy if only a proxy leads out of this network{}",
        endpoint.port,
        to.of_unused_proxy()
    )
}

/// Whether the same machines listen on another port.
async fn is_open(failures: &[FailedConnect], port: u16) -> bool {
    for FailedConnect { address, .. } in failures {
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use thingpost_host::Proxy;

    use super::*;

    /// Far beyond what anything here takes.
    const PATIENCE: Duration = Duration::from_secs(60);

    const AWS: &str = "a1b2-ats.iot.eu-central-1.amazonaws.com";

    fn to(host: &str, port: u16) -> Destination {
        Destination::new(host, port, &Network::default(), Protocol::Https)
    }

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 8443)
    }

    fn failure(ip: &str, why: ConnectFailureKind) -> FailedConnect {
        FailedConnect { address: address(ip), why, text: String::new() }
    }

    #[tokio::test]
    async fn a_dead_first_address_is_seen_and_the_next_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addresses = [dead.local_addr().unwrap(), listener.local_addr().unwrap()];
        drop(dead);
        let (finding, tcp) = dial(&to("a.example", 443), &addresses, PATIENCE).await;
        assert!(tcp.is_some() && !finding.has_failed(), "{finding:?}");
        assert_eq!(finding.seen[0], format!("{}: connection refused", addresses[0]));
    }

    #[tokio::test]
    async fn of_several_addresses_the_one_that_says_most_speaks() {
        let failure = |ip, why, text: &str| FailedConnect { text: text.to_owned(), ..failure(ip, why) };
        for why in [ConnectFailureKind::NoWay, ConnectFailureKind::Silence, ConnectFailureKind::Other] {
            let failures = vec![
                failure("2001:db8::7", why, "much less"),
                failure("198.51.100.7", ConnectFailureKind::Refused, "refused"),
            ];
            let mut finding = Finding::new();
            say_why(&mut finding, &to("a.example", 443), failures).await;
            assert_eq!(finding.cause, Some("198.51.100.7:8443: refused".to_owned()), "{why:?}");
        }
    }

    #[tokio::test]
    async fn nobody_at_any_address_is_no_connection() {
        let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let refused = dead.local_addr().unwrap();
        drop(dead);
        let (finding, tcp) = dial(&to("a.example", refused.port()), &[refused], PATIENCE).await;
        assert!(tcp.is_none());
        assert_eq!(finding.cause, Some(format!("{refused}: connection refused")));
    }

    #[tokio::test]
    async fn the_likeliest_reason_for_no_connection_comes_first() {
        let (v4, v6) = ("198.51.100.7", "2001:db8::7");
        let proxy = || FoundProxy { proxy: Proxy::http("proxy.example", 3128), source: "HTTPS_PROXY" };
        let through = || ProxyChoice::Through(proxy());
        for (host, failures, proxy, words) in [
            (AWS, vec![failure(v4, ConnectFailureKind::Limit)], through(), "ulimit -n"),
            (
                AWS,
                vec![failure("0.0.0.0", ConnectFailureKind::Refused)],
                ProxyChoice::None { for_http: None },
                "name servers",
            ),
            (AWS, vec![failure(v4, ConnectFailureKind::Refused)], through(), "check the proxy of HTTPS_PROXY"),
            (AWS, vec![failure(v4, ConnectFailureKind::Silence)], through(), "is there, and can reach"),
            (
                AWS,
                vec![failure(v4, ConnectFailureKind::Silence)],
                ProxyChoice::Past(proxy(), "NO_PROXY"),
                "out of NO_PROXY",
            ),
            (AWS, vec![failure(v6, ConnectFailureKind::NoWay)], ProxyChoice::None { for_http: None }, "no way to IPv6"),
            (
                AWS,
                vec![failure(v4, ConnectFailureKind::NoWay), failure(v6, ConnectFailureKind::NoWay)],
                ProxyChoice::None { for_http: None },
                "check this machine's network",
            ),
            (
                "a.example",
                vec![failure(v4, ConnectFailureKind::Other)],
                ProxyChoice::None { for_http: None },
                "blocks port 443",
            ),
        ] {
            let step = step(&Destination { proxy, ..to(host, 443) }, &failures).await;
            assert!(step.contains(words), "{words}: {step}");
        }
    }

    #[test]
    fn a_platform_is_not_on_this_machine_and_not_nowhere() {
        for (ip, warns, words) in [
            ("0.0.0.0", true, "filters of names"),
            ("::", true, "filters of names"),
            ("127.0.0.1", true, "this machine itself"),
            ("::ffff:127.0.0.1", true, "this machine itself"),
            ("10.1.2.3", false, "private address"),
            ("fd00::1", false, "private address"),
        ] {
            let mut finding = Finding::new();
            check_addresses(&mut finding, &[address(ip)]);
            assert!(finding.seen[0].contains(words), "{ip}: {finding:?}");
            assert_eq!(finding.next_step.is_some(), warns, "{ip}");
        }
        let mut finding = Finding::new();
        check_addresses(&mut finding, &[address("198.51.100.7"), address("2001:db8::7")]);
        assert!(finding.seen.is_empty(), "{finding:?}");
    }
}
