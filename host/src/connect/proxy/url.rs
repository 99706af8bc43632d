//! A proxy as people write it: a URL as curl takes it, with much that may be left out, and a password that must not be repeated
//! when something in it is wrong.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::{Proxy, ProxyProtocol};
use crate::percent;

/// What curl takes where no port is given.
const DEFAULT_PORT: u16 = 1080;

impl FromStr for Proxy {
    type Err = ProxyUrlError;

    /// Reads `[SCHEME://][USER:PASSWORD@]HOST[:PORT][/]`. The scheme is `http` where there is none, or `socks5`, or `socks5h`, which
    /// are the same here: the proxy looks the name up. The port is 1080 where there is none. User and password are
    /// percent-decoded; IPv6 addresses stand in brackets.
    fn from_str(url: &str) -> Result<Self, ProxyUrlError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let protocol = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyProtocol::Http,
            "socks5" | "socks5h" => ProxyProtocol::Socks5,
            scheme if scheme.len() <= 10 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(ProxyUrlError::Scheme(scheme.to_owned()));
            }
            // It may be anything, a password included.
            _ => return Err(ProxyUrlError::Malformed),
        };
        // A password may have any of these in it, as long as it is typed as it is.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let end = place.find(['/', '?', '#']).unwrap_or(place.len());
        let (host, port) = split(&place[..end])?;
        if !is_host(host) {
            return Err(ProxyUrlError::Host);
        }
        let proxy = match protocol {
            ProxyProtocol::Http => Self::http(host, port),
            ProxyProtocol::Socks5 => Self::socks5(host, port),
        };
        let Some(user) = user else { return Ok(proxy) };
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        proxy.credentials(&percent_decoded(user)?, &percent_decoded(password)?)
    }
}

/// Host and port of `HOST[:PORT]`.
fn split(authority: &str) -> Result<(&str, u16), ProxyUrlError> {
    match authority.rsplit_once(':') {
        // Without a closing bracket after it: not a colon of an IPv6 address.
        Some((host, port)) if !port.contains(']') => match port.parse() {
            _ if host.contains(':') && !host.starts_with('[') => Err(ProxyUrlError::Host),
            Ok(port @ 1..) => Ok((host, port)),
            _ => Err(ProxyUrlError::Port),
        },
        _ => Ok((authority, DEFAULT_PORT)),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => {
            let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            !host.is_empty() && host.len() <= 255 && host.bytes().all(is_of_name)
        }
    }
}

fn percent_decoded(text: &str) -> Result<String, ProxyUrlError> {
    let text = percent::decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| !text.contains(char::is_control)).ok_or(ProxyUrlError::Encoding)
}

/// The reason why a text is not the URL of a proxy. It has nothing of the text in it but a scheme, as there may be a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// Proxies of this scheme cannot be used.
    Scheme(String),
    /// It is no URL.
    Malformed,
    /// What stands for the host is none.
    Host,
    /// What stands for the port is no number from 1 to 65535.
    Port,
    /// User or password are not percent-encoded text in UTF-8, or have control characters in them.
    Encoding,
    /// The protocol cannot carry this user or this password.
    Credentials(ProxyProtocol),
}

impl fmt::Display for ProxyUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = "write [http://|socks5h://][USER:PASSWORD@]HOST:PORT";
        match self {
            Self::Scheme(scheme) if scheme == "https" => {
                f.write_str("the way to the proxy itself cannot be over TLS; give its port for http://, if it has one")
            }
            Self::Scheme(scheme) => write!(f, "there are no proxies for {scheme}:// here; {form}"),
            Self::Malformed => write!(f, "not the URL of a proxy; {form}"),
            Self::Host => write!(f, "no host name and no address where the host should be; {form}"),
            Self::Port => write!(f, "no number from 1 to 65535 where the port should be; {form}"),
            Self::Encoding => f.write_str(
                "user or password are not percent-encoded text; write %25 for %, %40 for @, %3A for : and %2F for /",
            ),
            Self::Credentials(ProxyProtocol::Http) => {
                f.write_str("a user with a colon cannot be told to an HTTP proxy; give another user")
            }
            Self::Credentials(ProxyProtocol::Socks5) => f.write_str(
                "to a SOCKS5 proxy user and password are told together, each with 1 to 255 bytes; give both",
            ),
        }
    }
}

impl std::error::Error for ProxyUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_as_curl_reads_it() {
        for (url, read) in [
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("http://Proxy.Example:3128/", "http://proxy.example:3128"),
            ("HTTP://proxy:8080/path?query", "http://proxy:8080"),
            ("proxy", "http://proxy:1080"),
            ("my_proxy:1", "http://my_proxy:1"),
            ("socks5://10.0.0.1", "socks5h://10.0.0.1:1080"),
            ("socks5h://[::1]:9050", "socks5h://[::1]:9050"),
            ("[fe80::1]", "http://[fe80::1]:1080"),
            (" http://proxy:1\n", "http://proxy:1"),
        ] {
            let proxy: Proxy = url.parse().unwrap();
            assert_eq!((proxy.to_string().as_str(), proxy.has_credentials()), (read, false), "{url}");
        }
    }

    #[test]
    fn user_and_password_are_percent_decoded_and_may_have_an_at_in_them() {
        let expected = |user, password| Proxy::http("p", 1).credentials(user, password);
        for (url, user, password) in [
            ("http://me:hunter2@p:1", "me", "hunter2"),
            ("me:hunter2@p:1", "me", "hunter2"),
            ("http://me@p:1", "me", ""),
            ("http://me:h%40nter%3a2@p:1", "me", "h@nter:2"),
            ("http://me:h@nter:/2#@p:1/", "me", "h@nter:/2#"),
            ("http://DOMAIN%5Cme:x%25y@p:1", "DOMAIN\\me", "x%y"),
            ("http://m%C3%BCller:x@p:1", "müller", "x"),
        ] {
            assert_eq!(url.parse(), expected(user, password), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, error) in [
            ("", ProxyUrlError::Host),
            ("http://", ProxyUrlError::Host),
            ("http://me:hunter2@", ProxyUrlError::Host),
            ("http://me:hunter2@a b:1", ProxyUrlError::Host),
            ("http://me:hunter2@::1:3128", ProxyUrlError::Host),
            ("http://me:hunter2@[::1:3128", ProxyUrlError::Host),
            ("http://me:hunter2@p:0", ProxyUrlError::Port),
            ("http://me:hunter2@p:", ProxyUrlError::Port),
            ("http://me:hunter2@p:70000", ProxyUrlError::Port),
            ("http://me:hunter2%@p:1", ProxyUrlError::Encoding),
            ("http://me:hunter2%zz@p:1", ProxyUrlError::Encoding),
            ("http://me:hunter2%ff@p:1", ProxyUrlError::Encoding),
            ("http://me:hunter2%0d%0a@p:1", ProxyUrlError::Encoding),
            ("http://m%3Ae:hunter2@p:1", ProxyUrlError::Credentials(ProxyProtocol::Http)),
            ("socks5://hunter2@p:1", ProxyUrlError::Credentials(ProxyProtocol::Socks5)),
            ("https://me:hunter2@p:1", ProxyUrlError::Scheme("https".to_owned())),
            ("socks4://p:1", ProxyUrlError::Scheme("socks4".to_owned())),
            ("hunter2:hunter2://p:1", ProxyUrlError::Malformed),
        ] {
            let found = url.parse::<Proxy>().unwrap_err();
            assert_eq!(found, error, "{url}");
            let text = found.to_string();
            assert!(!text.contains("hunter2") && text.contains("; "), "{text}");
        }
    }
}
