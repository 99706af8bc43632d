//! AWS gives an endpoint as a host name, its SDKs want a URL, and people paste what they have. So both are understood; only
//! what names more than a host and a port is sent back, with the form that is meant.

use std::net::Ipv6Addr;
use std::str::FromStr;

use rustls::pki_types::ServerName;

use super::network::parse_port;
use crate::error::CliError;

/// `HOST`, `HOST:PORT` or `https://HOST[:PORT][/]`, in any case, perhaps with a dot at the end of the host or white space
/// around it all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointArgument {
    /// A host name in lower case without a dot at its end, or an address, IPv6 in brackets.
    pub host: String,
    /// Where it came with a port.
    pub port: Option<u16>,
}

impl EndpointArgument {
    /// The port, which can be given in two places and has a default.
    pub fn port(&self, option: &str, given: Option<u16>, default: u16) -> Result<u16, CliError> {
        match (self.port, given) {
            (Some(port), Some(other)) if port != other => Err(CliError::sentence(format!(
                "the endpoint {} comes with port {port}, and {option} is {other}: give one of them",
                self.host
            ))),
            (Some(port), _) | (None, Some(port)) => Ok(port),
            (None, None) => Ok(default),
        }
    }
}

impl FromStr for EndpointArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, ["https", "HTTPS"])
    }
}

impl EndpointArgument {
    /// `HOST`, `HOST:PORT` or `mqtts://HOST[:PORT][/]`.
    pub fn of_mqtt(text: &str) -> Result<Self, String> {
        Self::parse(text, ["mqtts", "MQTT over TLS"])
    }

    fn parse(text: &str, [expected, spoken]: [&str; 2]) -> Result<Self, String> {
        let text = text.trim();
        // Before any part of it is repeated.
        if text.contains('@') {
            return Err("user and password do not belong there; give the host alone, perhaps with a port".to_owned());
        }
        let (scheme, rest) = text.split_once("://").unwrap_or((expected, text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if text.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self { host: format!("[{}]", text.to_ascii_lowercase()), port: None });
        }
        let (host, port) = match authority.rsplit_once(':') {
            // Without a closing bracket after it: not a colon of an IPv6 address.
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if !is_host(&name) {
            return Err(format!(
                "`{host}` is not a host; give a DNS name or an IP address, with or without {expected}:// and a port"
            ));
        }
        if !matches!(path, "" | "/") || !scheme.eq_ignore_ascii_case(expected) {
            return Err(format!(
                "more than an endpoint, or not for {spoken}; give {authority} or {expected}://{authority}"
            ));
        }
        let port = port.map(|port| parse_port(port).map_err(|error| format!("the port: {error}"))).transpose()?;
        Ok(Self { host: name, port })
    }
}

/// What can be in a certificate, as the routes of the host ask it to be.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => ServerName::try_from(host).is_ok_and(|_| !host.contains(':') && !host.ends_with('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_come_with_its_scheme_and_its_port() {
        let endpoint = |host: &str, port| Ok(EndpointArgument { host: host.to_owned(), port });
        for (text, host, port) in [
            ("a.example", "a.example", None),
            ("a.example:8443", "a.example", Some(8443)),
            ("https://a.example", "a.example", None),
            ("https://a.example/", "a.example", None),
            ("HTTPS://a.example:443/", "a.example", Some(443)),
            ("A1-ATS.IOT.EU-WEST-1.AmazonAWS.com", "a1-ats.iot.eu-west-1.amazonaws.com", None),
            ("a.example.", "a.example", None),
            (" https://A.example.:8443/\r\n", "a.example", Some(8443)),
            ("\u{a0}a.example\t", "a.example", None),
            ("FE80::1", "[fe80::1]", None),
            ("192.0.2.1:443", "192.0.2.1", Some(443)),
            ("::1", "[::1]", None),
            ("[::1]", "[::1]", None),
            ("https://[::1]:443/", "[::1]", Some(443)),
        ] {
            assert_eq!(text.parse(), endpoint(host, port), "{text}");
        }
    }

    #[test]
    fn what_is_more_or_less_is_refused_with_what_is_meant() {
        for (text, words) in [
            ("", "not a host"),
            ("https://", "not a host"),
            (" ", "not a host"),
            (".", "not a host"),
            ("a.example..", "not a host"),
            ("a b", "not a host"),
            ("user@a.example", "user and password do not belong there"),
            ("[::1", "not a host"),
            ("[a.example]", "not a host"),
            ("a.example:", "the port"),
            ("a.example:0", "the port"),
            ("a.example:https", "the port"),
            ("https://a.example:8443/topics/t", "give a.example:8443 or https://a.example:8443"),
            ("a.example?qos=1", "give a.example or https://a.example"),
            ("http://a.example", "give a.example or https://a.example"),
            ("mqtts://a.example", "not for HTTPS"),
        ] {
            let error = text.parse::<EndpointArgument>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn an_endpoint_for_mqtt_has_the_scheme_of_mqtt() {
        let endpoint = EndpointArgument { host: "a.example".to_owned(), port: Some(8883) };
        assert_eq!(EndpointArgument::of_mqtt("mqtts://a.example:8883/"), Ok(endpoint));
        let error = EndpointArgument::of_mqtt("mqtt://a.example").unwrap_err();
        assert!(error.contains("not for MQTT over TLS; give a.example or mqtts://a.example"), "{error}");
    }

    #[test]
    fn a_port_is_given_once_or_twice_alike() {
        let endpoint: EndpointArgument = "a.example:8443".parse().unwrap();
        assert_eq!(endpoint.port("--port", None, 443).unwrap(), 8443);
        assert_eq!(endpoint.port("--port", Some(8443), 443).unwrap(), 8443);
        let error = endpoint.port("--port", Some(443), 443).unwrap_err().to_string();
        assert!(error.contains("8443") && error.contains("--port is 443"), "{error}");
        let bare: EndpointArgument = "a.example".parse().unwrap();
        assert_eq!(bare.port("--port", None, 443).unwrap(), 443);
    }
}
