//! Consoles, command lines and documentation give the endpoint of an account now as a host name, now as a URL, and a
//! client that glues the wrong one into its request fails far away from the mistake. An [`Endpoint`] is a bare host
//! name and a port, or it is refused with the reason.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

/// A bare host name and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

/// Why something is not an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointProblem {
    /// There is nothing.
    Empty,
    /// It has a scheme such as `https://`.
    Scheme,
    /// It has a path.
    Path,
    /// The host name has a port.
    Port,
    /// The port is 0.
    ZeroPort,
    /// It has a character that no host name has.
    Character,
}

impl EndpointProblem {
    /// What is wrong, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Empty => "the endpoint is empty",
            Self::Scheme => "the endpoint has a scheme: give the host name alone, without https://",
            Self::Path => "the endpoint has a path: give the host name alone",
            Self::Port => "the endpoint has a port in it: give the host name alone, and the port on its own",
            Self::ZeroPort => "port 0 cannot be connected to",
            Self::Character => "the endpoint has a character that no host name has",
        }
    }
}

impl Endpoint {
    /// Checks that this is a host name (or an address, IPv6 in brackets) and a port.
    pub fn new(host: &str, port: u16) -> Result<Self, EndpointProblem> {
        if host.is_empty() {
            return Err(EndpointProblem::Empty);
        }
        if host.as_bytes().windows(3).any(|bytes| bytes == b"://") {
            return Err(EndpointProblem::Scheme);
        }
        let has = |byte: u8| host.as_bytes().contains(&byte);
        if has(b'/') {
            return Err(EndpointProblem::Path);
        }
        let is_ip_v6 = host.starts_with('[') && host.ends_with(']');
        if !is_ip_v6 && has(b':') {
            return Err(EndpointProblem::Port);
        }
        let is_allowed = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || (is_ip_v6 && b"[:]".contains(&byte))
        };
        if !host.bytes().all(is_allowed) {
            return Err(EndpointProblem::Character);
        }
        if port == 0 {
            return Err(EndpointProblem::ZeroPort);
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// The host name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As a request names it: without the port where it is the scheme's own.
    pub(crate) fn authority(&self) -> String {
        match self.port {
            443 => self.host.clone(),
            port => [&self.host, ":", &u64::from(port).to_string()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_host_name_is_an_endpoint() {
        use EndpointProblem as P;
        for (host, problem) in [
            ("", P::Empty),
            ("https://a.example", P::Scheme),
            ("a.example/topics", P::Path),
            ("a.example:443", P::Port),
            ("a b.example", P::Character),
            ("a.example\n", P::Character),
            ("user@a.example", P::Character),
        ] {
            assert_eq!(Endpoint::new(host, 443), Err(problem), "{host:?}");
        }
        assert_eq!(Endpoint::new("a.example", 0), Err(P::ZeroPort));
    }

    #[test]
    fn the_port_of_the_scheme_is_left_out_of_the_authority() {
        assert_eq!(Endpoint::new("a.example", 443).unwrap().authority(), "a.example");
        assert_eq!(Endpoint::new("a.example", 8443).unwrap().authority(), "a.example:8443");
        assert_eq!(Endpoint::new("[::1]", 8443).unwrap().authority(), "[::1]:8443");
    }
}
