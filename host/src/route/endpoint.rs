//! Where a request goes, read from what a guest says.
//!
//! Readers of URLs are lenient, each in its own way: one takes `host:+443` for port 443, another `host:99999` for no port,
//! and brackets around a name for nothing at all. What one of them lets pass and the next one reads differently is how a
//! request gets to where no route leads, or a server to see a `Host` that nobody checked. So this is the one reader here: it
//! takes a host and a port and nothing else, and all that goes out is written from what it has understood.

use std::fmt;
use std::net::Ipv6Addr;

use rustls::pki_types::ServerName;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A DNS name in lower case, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: normal(host), port }
    }

    /// The endpoint that this authority (RFC 3986, section 3.2) names: `HOST`, `HOST:PORT`, an IPv6 address in brackets. None if
    /// it is anything else, or has no port and there is none to be assumed.
    pub(crate) fn of_authority(authority: &str, assumed: Option<u16>) -> Option<Self> {
        let (host, rest) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (address, rest) = bracketed.split_once(']')?;
                (address.parse::<Ipv6Addr>().ok()?.to_string(), rest)
            }
            None => {
                let (host, rest) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
                let host = normal(host);
                ServerName::try_from(host.as_str()).ok().filter(|_| !host.ends_with('.'))?;
                (host, rest)
            }
        };
        let port = match rest.strip_prefix(':') {
            Some(digits) => port(digits)?,
            None if rest.is_empty() => assumed?,
            None => return None,
        };
        Some(Self { host, port })
    }

    /// `Host` of an HTTPS request: without the port where that is the scheme's own, as those who sign a request write it too.
    pub(crate) fn host_header(&self) -> String {
        let mut header = self.to_string();
        if self.port == HTTPS_PORT {
            header.truncate(header.rfind(':').unwrap_or(header.len()));
        }
        header
    }
}

/// Of an HTTPS request that names none (RFC 9110, section 4.2.2).
pub(crate) const HTTPS_PORT: u16 = 443;

/// Digits alone: the parser of the standard library takes a sign too.
fn port(digits: &str) -> Option<u16> {
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().ok().filter(|port| *port > 0),
        false => None,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The form in which hosts are compared: lower case, no dot at the end, IPv6 in its shortest spelling and without the
/// brackets it wears in a URL.
pub(super) fn normal(host: &str) -> String {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match address.parse::<Ipv6Addr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        for (authority, host, port) in [
            ("a.example", "a.example", 443),
            ("A.Example.", "a.example", 443),
            ("a.example:8443", "a.example", 8443),
            ("a.example:0443", "a.example", 443),
            ("192.0.2.1:1", "192.0.2.1", 1),
            ("[::1]", "::1", 443),
            ("[0:0::1]:65535", "::1", 65535),
        ] {
            assert_eq!(Endpoint::of_authority(authority, Some(443)), Some(Endpoint::new(host, port)), "{authority}");
        }
        assert_eq!(Endpoint::of_authority("a.example", None), None, "there is no port to be assumed");
    }

    #[test]
    fn what_another_reader_might_take_for_a_host_is_none() {
        for authority in [
            "",
            ":443",
            "a.example:",
            "a.example:+443",
            "a.example:-1",
            "a.example:0",
            "a.example:65536",
            "a.example:99999",
            "a.example:443:443",
            "a.example: 443",
            "a.example:4_43",
            "[a.example]",
            "[a.example]:443",
            "[::1",
            "::1",
            "[::1]443",
            "[::1%25lo]",
            "[127.0.0.1]",
            "u@a.example",
            "u:p@a.example:443",
            "a.example/b",
            "a b",
            "a.example..",
            "a%2eexample",
            "https://a.example",
            "a.example:443@b.example",
        ] {
            assert_eq!(Endpoint::of_authority(authority, Some(443)), None, "{authority}");
        }
    }

    #[test]
    fn the_host_header_has_no_port_where_it_is_that_of_https() {
        for (host, port, header) in [
            ("a.example", 443, "a.example"),
            ("a.example", 8443, "a.example:8443"),
            ("::1", 443, "[::1]"),
            ("::1", 1, "[::1]:1"),
        ] {
            assert_eq!(Endpoint::new(host, port).host_header(), header);
        }
    }
}
