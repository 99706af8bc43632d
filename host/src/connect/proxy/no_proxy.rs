//! What is reached without the proxy: servers inside the network, which a proxy for the outside often does not reach.
//!
//! The list is that of the variable `NO_PROXY`, for which there is no standard. Read here is what curl reads
//! (<https://curl.se/docs/manpage.html#--noproxy>), and beside it ports and `*.`, which others have and which name nothing else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::route::Endpoint;

/// The destinations that are reached without a proxy. Empty by default.
///
/// Parsed from a list with commas or white space between: `*` is all; `example.com`, with or without a dot before it, is that name
/// and all below it; an address is that address, and with `/BITS` its network. With `:PORT` it is for that port alone.
///
/// ```
/// use thingpost_host::NoProxy;
///
/// let no_proxy: NoProxy = "localhost, .factory.example, 10.0.0.0/8".parse()?;
/// assert!(no_proxy.matches("broker.factory.example", 8883));
/// assert!(!no_proxy.matches("example", 8883));
/// # Ok::<(), thingpost_host::NoProxyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoProxy {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name and all below it, in lower case, without a dot before or after it.
    Name(String),
    Network {
        address: IpAddr,
        bits: u8,
    },
}

impl NoProxy {
    /// All destinations.
    pub fn all() -> Self {
        Self { rules: vec![Rule { hosts: Hosts::All, port: None }] }
    }

    /// Whether this destination is reached without a proxy.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        self.includes(&Endpoint::new(host, port))
    }

    /// Whether this destination, in its normal form, is reached without a proxy.
    pub(crate) fn includes(&self, to: &Endpoint) -> bool {
        let address = to.host.parse().ok().map(|address: IpAddr| address.to_canonical());
        self.rules.iter().filter(|rule| rule.port.is_none_or(|port| port == to.port)).any(|rule| match &rule.hosts {
            Hosts::All => true,
            Hosts::Network { address: network, bits } => {
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
            Hosts::Name(name) => address.is_none() && is_below(&to.host, name),
        })
    }
}

/// Whether `host` is this name, or one below it.
fn is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let ignored = 32 - u32::from(bits);
            address.to_bits().checked_shr(ignored) == network.to_bits().checked_shr(ignored)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let ignored = 128 - u32::from(bits);
            address.to_bits().checked_shr(ignored) == network.to_bits().checked_shr(ignored)
        }
        _ => false,
    }
}

impl FromStr for NoProxy {
    type Err = NoProxyError;

    fn from_str(list: &str) -> Result<Self, NoProxyError> {
        let entries = list.split(|character: char| character == ',' || character.is_whitespace());
        let rules = entries.filter(|entry| !entry.is_empty()).map(rule).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }
}

/// An entry without what stands before its host: of one that is the URL of a proxy, that is the password.
fn without_user(entry: &str) -> String {
    entry.rsplit_once('@').map_or_else(|| entry.to_owned(), |(_, host)| format!("..@{host}"))
}

fn rule(entry: &str) -> Result<Rule, NoProxyError> {
    if let Some(hosts) = network(entry).map_err(|fault| fault.of(entry))? {
        return Ok(Rule { hosts, port: None });
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !port.contains([']', '/']) => match port.parse() {
            Ok(port @ 1..) => (host, Some(port)),
            _ => return Err(NoProxyError::Port(without_user(entry))),
        },
        _ => (entry, None),
    };
    let hosts = match (host, network(host).map_err(|fault| fault.of(entry))?) {
        ("*", _) => Hosts::All,
        (_, Some(network)) => network,
        (name, None) => {
            let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
            let name = name.strip_prefix('.').unwrap_or(name);
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            if name.is_empty() || name.contains(['/', '[', ']', ':']) {
                return Err(NoProxyError::Host(without_user(entry)));
            }
            Hosts::Name(name)
        }
    };
    Ok(Rule { hosts, port })
}

/// The number of bits is none that such an address has.
struct WrongBits;

impl WrongBits {
    fn of(self, entry: &str) -> NoProxyError {
        NoProxyError::Bits(without_user(entry))
    }
}

/// An address or a network, if it is one. The brackets of an address of IPv6 may also be around its bits.
fn network(text: &str) -> Result<Option<Hosts>, WrongBits> {
    let unwrapped = |text| str::strip_prefix(text, '[').and_then(|rest| rest.strip_suffix(']'));
    let text = unwrapped(text).unwrap_or(text);
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (unwrapped(address).unwrap_or(address), Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(digits) => match digits.parse() {
            Ok(bits) if bits <= most => bits,
            // It may have a port after it.
            _ if digits.contains(':') => return Ok(None),
            _ => return Err(WrongBits),
        },
    };
    // A host is compared as the IPv4 address that it stands for.
    let address = if bits == most { address.to_canonical() } else { address };
    let bits = if address.is_ipv4() { bits.min(32) } else { bits };
    Ok(Some(Hosts::Network { address, bits }))
}

/// The reason why a list is not one of destinations, with the entry that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoProxyError {
    /// No host and no network.
    Host(String),
    /// The port is not a number from 1 to 65535.
    Port(String),
    /// The bits of a network are more than an address has, or no number.
    Bits(String),
}

impl fmt::Display for NoProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entry, why) = match self {
            Self::Host(entry) => (entry, "is no host and no network"),
            Self::Port(entry) => (entry, "has no port from 1 to 65535 after the colon"),
            Self::Bits(entry) => (entry, "has no number of bits after the slash that such an address has"),
        };
        write!(f, "`{entry}` {why}; write names, addresses, networks such as 10.0.0.0/8, or *, with commas between")
    }
}

impl std::error::Error for NoProxyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_url_of_a_proxy_is_not_told() {
        for entry in ["http://alice:h7sh@127.0.0.1:3128", "http://alice:h7sh@p.example:x", "alice:h7sh@10.0.0.0/99"] {
            let error = entry.parse::<NoProxy>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("h7sh"), "{error:?}");
        }
    }

    #[track_caller]
    fn check(list: &str, yes: &[&str], no: &[&str]) {
        let list: NoProxy = list.parse().unwrap();
        for (hosts, expected) in [(yes, true), (no, false)] {
            for host in hosts {
                assert_eq!(list.matches(host, 443), expected, "{host} in {list:?}");
            }
        }
    }

    #[test]
    fn a_name_stands_for_itself_and_all_below_it_but_for_no_other_ending() {
        let no = ["badexample.com", "example.com.evil.test", "com", "example.org"];
        for list in
            ["example.com", ".example.com", "*.example.com", "EXAMPLE.com.", "other, example.com", "a\texample.com"]
        {
            check(list, &["example.com", "www.example.com", "A.B.Example.COM", "example.com."], &no);
        }
        check("", &[], &["example.com", "127.0.0.1"]);
        check(" , ,", &[], &["example.com"]);
    }

    #[test]
    fn a_star_is_all() {
        for list in ["*", "a,*", " * "] {
            check(list, &["example.com", "127.0.0.1", "::1"], &[]);
        }
        assert_eq!("*".parse(), Ok(NoProxy::all()));
    }

    #[test]
    fn addresses_and_networks_match_addresses_alone() {
        check("127.0.0.1", &["127.0.0.1", "::ffff:127.0.0.1"], &["127.0.0.2", "localhost"]);
        check("10.0.0.0/8,192.168.1.0/24", &["10.255.0.1", "192.168.1.9"], &["11.0.0.1", "192.168.2.1", "10.example"]);
        check("0.0.0.0/0", &["203.0.113.7"], &["::1", "a.example"]);
        check("::1,fd00::/8,[2001:db8::7]", &["::1", "[::1]", "fd12::1", "2001:db8::7"], &["fe80::1", "2001:db8::8"]);
        check("::ffff:127.0.0.1", &["127.0.0.1"], &["127.0.0.2"]);
        check("localhost", &["localhost"], &["127.0.0.1"]);
        check("[fd00::]/8,[2001:db8::/32]", &["fd12::1", "2001:db8:7::1"], &["fe80::1", "2001:db9::1"]);
        check("::1/64", &["::1", "::2"], &["::1:0:0:0:1"]);
    }

    #[test]
    fn a_port_restricts_an_entry_to_itself() {
        check(
            "a.example:443,b.example:8443,127.0.0.1:443,[::1]:8443,*:1",
            &["a.example", "x.a.example", "127.0.0.1"],
            &["b.example", "::1"],
        );
        check(
            "10.0.0.0/8:443,192.168.0.0/16:8443,[fd00::]/8:443,[fe80::/10]:8443",
            &["10.1.2.3", "fd12::1"],
            &["192.168.0.1", "fe80::1"],
        );
    }

    #[test]
    fn an_entry_that_names_nothing_is_refused_by_its_name() {
        for entry in [
            "10.0.0.0/33",
            "::1/129",
            "10.0.0.0/x",
            "10.0.0.0/33:443",
            "10.0.0.0/8:0",
            "10.0.0.0/8:x",
            "[::1]/129",
            "[::1",
            "[a.example]",
            "::1:x",
            "a.example:",
            "a.example:0",
            "a.example:99999",
            "a/b",
            ".",
            "https://a.example",
        ] {
            let error = format!("b.example,{entry}").parse::<NoProxy>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{entry}`")), "{error}");
        }
    }
}
