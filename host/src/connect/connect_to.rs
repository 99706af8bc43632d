//! Reaching a host at another address, as curl's `--connect-to` does.
//!
//! The emulator and every test server listen on loopback, on a port of the system's choosing, while certificates, SNI,
//! the `Host` header and the ALPN rules all speak of the real name and port. Editing `/etc/hosts` cannot change a port;
//! changing the URL changes all of them. This override changes the address and nothing else.

use std::fmt;
use std::str::FromStr;

use crate::route::Endpoint;

/// One override: connections to `HOST:PORT` go to `ADDR:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    host: Option<String>,
    port: Option<u16>,
    address: Option<String>,
    to_port: Option<u16>,
}

impl ConnectTo {
    /// The address to dial for `endpoint`: that of the first override which matches, else its own.
    pub fn apply(overrides: &[Self], endpoint: &Endpoint) -> Endpoint {
        overrides
            .iter()
            .find(|over| {
                over.host.as_deref().is_none_or(|host| host == endpoint.host)
                    && over.port.is_none_or(|port| port == endpoint.port)
            })
            .map_or_else(
                || endpoint.clone(),
                |over| Endpoint {
                    host: over.address.clone().unwrap_or_else(|| endpoint.host.clone()),
                    port: over.to_port.unwrap_or(endpoint.port),
                },
            )
    }
}

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    /// Reads `HOST:PORT:ADDR:PORT`. An empty `HOST` or `PORT` on the left matches any, on the right keeps what it was. IPv6
    /// addresses stand in brackets.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| ConnectToError { text: text.to_owned(), reason };
        let mut rest = text;
        let mut parts = Vec::with_capacity(4);
        loop {
            let (part, after) = if let Some(bracketed) = rest.strip_prefix('[') {
                let (address, after) = bracketed.split_once(']').ok_or_else(|| error(ConnectToReason::Bracket))?;
                (address, after)
            } else {
                let end = rest.find(':').unwrap_or(rest.len());
                rest.split_at(end)
            };
            parts.push(part);
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix(':').ok_or_else(|| error(ConnectToReason::Bracket))?;
        }
        let [host, port, address, to_port] = parts[..] else {
            return Err(error(ConnectToReason::Parts(parts.len())));
        };
        let some = |name: &str| (!name.is_empty()).then(|| name.to_ascii_lowercase());
        let number = |digits: &str| match digits {
            "" => Ok(None),
            digits => match digits.parse() {
                Ok(0) | Err(_) => Err(error(ConnectToReason::Port(digits.to_owned()))),
                Ok(port) => Ok(Some(port)),
            },
        };
        Ok(Self { host: some(host), port: number(port)?, address: some(address), to_port: number(to_port)? })
    }
}

/// A text that is not `HOST:PORT:ADDR:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectToError {
    text: String,
    reason: ConnectToReason,
}

/// The reason why a text is not `HOST:PORT:ADDR:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectToReason {
    /// So many parts instead of four.
    Parts(usize),
    /// Not a port number from 1 to 65535.
    Port(String),
    /// A bracket that is not closed, or text right after it.
    Bracket,
}

impl ConnectToError {
    /// The reason why it is not.
    pub fn reason(&self) -> &ConnectToReason {
        &self.reason
    }
}

impl fmt::Display for ConnectToError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.text)?;
        match &self.reason {
            ConnectToReason::Parts(count) => write!(f, "has {count} parts instead of four")?,
            ConnectToReason::Port(port) => write!(f, "has `{port}` where a port should be")?,
            ConnectToReason::Bracket => f.write_str("has brackets that do not enclose an address")?,
        }
        f.write_str("; write HOST:PORT:ADDR:PORT, for example iot.example.com:443:127.0.0.1:8443 or ::[::1]:8443")
    }
}

impl std::error::Error for ConnectToError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(overrides: &[&str], host: &str, port: u16) -> String {
        let overrides: Vec<ConnectTo> = overrides.iter().map(|o| o.parse().unwrap()).collect();
        ConnectTo::apply(&overrides, &Endpoint::new(host, port)).to_string()
    }

    #[test]
    fn the_first_override_that_matches_wins() {
        let overrides = ["a.example:443:127.0.0.1:1", "A.Example::127.0.0.1:2", "::[::1]:3"];
        assert_eq!(dial(&overrides, "a.example", 443), "127.0.0.1:1");
        assert_eq!(dial(&overrides, "a.example", 8443), "127.0.0.1:2");
        assert_eq!(dial(&overrides, "b.example", 443), "[::1]:3");
        assert_eq!(dial(&[], "b.example", 443), "b.example:443");
    }

    #[test]
    fn empty_parts_match_any_and_keep_what_was() {
        assert_eq!(dial(&[":443::8443"], "a.example", 443), "a.example:8443");
        assert_eq!(dial(&[":443::8443"], "a.example", 80), "a.example:80");
        assert_eq!(dial(&["::localhost:"], "a.example", 80), "localhost:80");
    }

    #[test]
    fn bracketed_addresses_may_stand_on_both_sides() {
        assert_eq!(dial(&["[::1]:443:[fe80::1]:8443"], "::1", 443), "[fe80::1]:8443");
    }

    #[test]
    fn a_wrong_form_is_answered_with_the_right_one() {
        for (text, reason) in [
            ("a:443:127.0.0.1", ConnectToReason::Parts(3)),
            ("", ConnectToReason::Parts(1)),
            ("a:1:b:2:c", ConnectToReason::Parts(5)),
            ("a:https:b:1", ConnectToReason::Port("https".into())),
            ("a:1:b:70000", ConnectToReason::Port("70000".into())),
            ("a:1:b:0", ConnectToReason::Port("0".into())),
            ("a:1:[::1:2", ConnectToReason::Bracket),
            ("a:1:[::1]2", ConnectToReason::Bracket),
        ] {
            let error = text.parse::<ConnectTo>().unwrap_err();
            assert_eq!(error.reason(), &reason, "{text}");
            assert!(error.to_string().contains("write HOST:PORT:ADDR:PORT"));
        }
    }
}
