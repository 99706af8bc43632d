//! Consoles, command lines and documentation give the endpoint of an account now as a host name, now as a URL, and a
//! client that glues the wrong one into its request fails far away from the mistake. An [`Endpoint`] is a bare host
//! name and a port, or it is refused with the reason.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;

/// A bare host name, in lower case, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

/// Why something is not an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is nothing.
    Empty,
    /// It is more than a host name: it has a scheme, a path or a port. This is the host name in it.
    NotBare(String),
    /// The port is 0.
    ZeroPort,
    /// It has a character that no host name has.
    Character,
}

impl EndpointError {
    /// What is wrong, in words.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Empty => "the endpoint is empty".to_owned(),
            Self::NotBare(host) => {
                let parts = ["the endpoint must be a host name alone, without https://, port and path: ", host];
                parts.concat()
            }
            Self::ZeroPort => "port 0 cannot be connected to".to_owned(),
            Self::Character => "the endpoint has a character that no host name has".to_owned(),
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl core::error::Error for EndpointError {}

impl Endpoint {
    /// Checks that this is a host name (or an address, IPv6 in brackets) and a port.
    ///
    /// Names of hosts do not differ by case, and a dot at the end says no more than that the name is whole. Neither goes
    /// further than this: signatures, sessions and what the name tells are about the same name, however it was typed.
    ///
    /// # Errors
    ///
    /// An empty host, a character that no host name has, more than a host (a scheme, a port, a path), or the port 0.
    pub fn new(host: &str, port: u16) -> Result<Self, EndpointError> {
        let bare = bare(host);
        if matches!(bare, "" | ".") {
            return Err(EndpointError::Empty);
        }
        let is_ip_v6 = bare.starts_with('[') && bare.ends_with(']');
        let is_allowed = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || (is_ip_v6 && b"[:]".contains(&byte))
        };
        if !bare.bytes().all(is_allowed) {
            return Err(EndpointError::Character);
        }
        if bare.len() < host.len() {
            return Err(EndpointError::NotBare(bare.to_owned()));
        }
        if port == 0 {
            return Err(EndpointError::ZeroPort);
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        Ok(Self { host, port })
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
    pub fn authority(&self) -> String {
        match self.port {
            443 => self.host.clone(),
            port => [&self.host, ":", &u64::from(port).to_string()].concat(),
        }
    }
}

/// The host name in what people give for one.
fn bare(given: &str) -> &str {
    let bytes = given.as_bytes();
    let start = bytes.windows(3).position(|window| window == b"://").map_or(0, |at| at + 3);
    let rest = given.get(start..).unwrap_or_default();
    let is_end = |byte: &u8| matches!(byte, b'/' | b'?' | b':');
    let end = match rest.bytes().position(|byte| byte == b']') {
        Some(bracket) if rest.starts_with('[') => bracket + 1,
        _ => rest.as_bytes().iter().position(is_end).unwrap_or(rest.len()),
    };
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_host_name_is_an_endpoint() {
        use EndpointError as P;
        for (host, problem) in [
            ("", P::Empty),
            ("https://", P::Empty),
            (".", P::Empty),
            ("a b.example", P::Character),
            ("a.example\n", P::Character),
            ("user@a.example", P::Character),
            ("[::1", P::Character),
        ] {
            assert_eq!(Endpoint::new(host, 443), Err(problem), "{host:?}");
        }
        assert_eq!(Endpoint::new("a.example", 0), Err(P::ZeroPort));
    }

    #[test]
    fn what_is_more_than_a_host_name_is_refused_with_the_host_name_in_it() {
        for (given, bare) in [
            ("https://a.example", "a.example"),
            ("https://a.example:8443/topics/x?qos=1", "a.example"),
            ("a.example/topics", "a.example"),
            ("a.example:443", "a.example"),
            ("a.example?x", "a.example"),
            ("https://[::1]:8443/", "[::1]"),
            ("[::1]:443", "[::1]"),
        ] {
            let problem = Endpoint::new(given, 443).unwrap_err();
            assert_eq!(problem, EndpointError::NotBare(bare.into()), "{given:?}");
            assert!(problem.text().ends_with(bare) && Endpoint::new(bare, 443).is_ok());
        }
    }

    #[test]
    fn a_host_name_is_the_same_in_any_case_and_with_a_dot_at_its_end() {
        let expected = Endpoint::new("a1-ats.iot.eu-central-1.amazonaws.com", 443).unwrap();
        for given in ["A1-ATS.IOT.EU-CENTRAL-1.AMAZONAWS.COM", "a1-ats.iot.eu-central-1.amazonaws.com."] {
            assert_eq!(Endpoint::new(given, 443).as_ref(), Ok(&expected), "{given}");
        }
        assert_eq!(Endpoint::new("[FE80::1]", 443).unwrap().host(), "[fe80::1]");
    }

    #[test]
    fn the_port_of_the_scheme_is_left_out_of_the_authority() {
        assert_eq!(Endpoint::new("a.example", 443).unwrap().authority(), "a.example");
        assert_eq!(Endpoint::new("a.example", 8443).unwrap().authority(), "a.example:8443");
        assert_eq!(Endpoint::new("[::1]", 8443).unwrap().authority(), "[::1]:8443");
    }
}
