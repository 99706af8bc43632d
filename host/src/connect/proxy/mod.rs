//! A way out of a network that has only one: factories, hospitals and offices let nothing out but what asks their proxy.
//!
//! The proxy is asked for a way to host and port, and from there on it carries bytes: TLS, ALPN and the device certificate are
//! between this host and the server, as without it. What a proxy refuses, no server has seen, so all of it is *not sent*.
//!
//! Names are looked up by the proxy, by SOCKS5 as well: networks that have one often know no names of the outside.

mod error;
mod http_connect;
pub(crate) mod no_proxy;
mod socks5;
mod url;

use std::fmt;
use std::sync::Arc;

use tokio::net::TcpStream;

pub use error::{ProxyError, ProxyRefusal};
pub use url::ProxyUrlError;

use crate::error::{ConnectError, Phase};
use crate::route::Endpoint;

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyProtocol {
    /// CONNECT of HTTP/1.1 (<https://www.rfc-editor.org/rfc/rfc9110#name-connect>), with Basic authentication.
    Http,
    /// SOCKS5 (<https://www.rfc-editor.org/rfc/rfc1928>), with user and password (<https://www.rfc-editor.org/rfc/rfc1929>).
    Socks5,
}

/// A proxy, and as whom it is asked. Parsed from a URL as curl takes it, or made from its parts. Cheap to clone.
///
/// Neither `Display` nor `Debug` shows user and password.
///
/// ```
/// use thingpost_host::Proxy;
///
/// let proxy: Proxy = "http://gateway:s3cret@proxy.example:3128".parse()?;
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128");
/// assert_eq!(Proxy::socks5("proxy.example", 1080).to_string(), "socks5h://proxy.example:1080");
/// # Ok::<(), thingpost_host::ProxyUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    shared: Arc<Shared>,
}

#[derive(PartialEq, Eq, Hash)]
struct Shared {
    protocol: ProxyProtocol,
    endpoint: Endpoint,
    credentials: Option<Credentials>,
}

#[derive(PartialEq, Eq, Hash)]
struct Credentials {
    user: String,
    password: String,
}

impl Proxy {
    /// A proxy that is asked by CONNECT.
    pub fn http(host: &str, port: u16) -> Self {
        Self::new(ProxyProtocol::Http, Endpoint::new(host, port), None)
    }

    /// A proxy that is asked by SOCKS5.
    pub fn socks5(host: &str, port: u16) -> Self {
        Self::new(ProxyProtocol::Socks5, Endpoint::new(host, port), None)
    }

    fn new(protocol: ProxyProtocol, endpoint: Endpoint, credentials: Option<Credentials>) -> Self {
        Self { shared: Arc::new(Shared { protocol, endpoint, credentials }) }
    }

    /// Sets as whom the proxy is asked, in place of what was set before.
    ///
    /// # Errors
    ///
    /// The protocol cannot carry them: a user with a colon by HTTP; by SOCKS5 one of more than 255 bytes or of none, and likewise a
    /// password.
    pub fn credentials(self, user: &str, password: &str) -> Result<Self, ProxyUrlError> {
        let Shared { protocol, endpoint, .. } = &*self.shared;
        let fits = match protocol {
            ProxyProtocol::Http => !user.contains(':'),
            ProxyProtocol::Socks5 => [user, password].iter().all(|text| (1..=255).contains(&text.len())),
        };
        if !fits {
            return Err(ProxyUrlError::Credentials(*protocol));
        }
        let credentials = Credentials { user: user.to_owned(), password: password.to_owned() };
        Ok(Self::new(*protocol, endpoint.clone(), Some(credentials)))
    }

    /// How it is spoken to.
    pub fn protocol(&self) -> ProxyProtocol {
        self.shared.protocol
    }

    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Whether it is told a user and a password.
    pub fn has_credentials(&self) -> bool {
        self.shared.credentials.is_some()
    }

    /// Asks for a way to `to`, over a connection to the proxy. It waits as long as the proxy lets it. What is read afterwards
    /// begins with the first byte of the server, even if that came together with the answer of the proxy.
    ///
    /// # Errors
    ///
    /// The proxy refuses, ends the connection, or is none.
    pub async fn tunnel(&self, mut tcp: TcpStream, to: &Endpoint) -> Result<TcpStream, ProxyError> {
        // The host of an override may be any text.
        if to.host.is_empty() || to.host.len() > 255 || !to.host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ProxyError::Destination);
        }
        let credentials = self.shared.credentials.as_ref();
        match self.protocol() {
            ProxyProtocol::Http => http_connect::ask(&mut tcp, to, credentials).await?,
            ProxyProtocol::Socks5 => socks5::ask(&mut tcp, to, credentials).await?,
        }
        Ok(tcp)
    }

    /// What kept from connecting, as the fault of the proxy where it is one. `has_tunnel` says whether it had opened the way.
    pub(crate) fn explain(&self, error: ConnectError, has_tunnel: bool) -> ConnectError {
        let error = match error {
            ConnectError::Dns(_)
            | ConnectError::DnsTimeout { .. }
            | ConnectError::Unreachable(_)
            | ConnectError::Timeout { phase: Phase::Tcp, .. } => ProxyError::Unreachable(Box::new(error)),
            ConnectError::Timeout { phase: Phase::Tls, after, .. } if !has_tunnel => ProxyError::Timeout { after },
            ConnectError::Timeout { phase: Phase::Tls, after, .. } => {
                // The address is that of the proxy.
                ProxyError::NoTls(Box::new(ConnectError::Timeout { phase: Phase::Tls, addresses: Vec::new(), after }))
            }
            ConnectError::Closed(_) | ConnectError::Tls(rustls::Error::InvalidMessage(_)) if has_tunnel => {
                ProxyError::NoTls(Box::new(error))
            }
            other => return other,
        };
        self.fault(error)
    }

    /// The proxy named with its fault.
    pub(crate) fn fault(&self, error: ProxyError) -> ConnectError {
        ConnectError::Proxy { proxy: self.clone(), error }
    }
}

impl fmt::Display for Proxy {
    /// `SCHEME://HOST:PORT`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol() {
            ProxyProtocol::Http => "http",
            ProxyProtocol::Socks5 => "socks5h",
        };
        write!(f, "{scheme}://{}", self.endpoint())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("url", &format_args!("{self}"))
            .field("has_credentials", &self.has_credentials())
            .finish_non_exhaustive()
    }
}

/// The proxy of a route.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum RouteProxy {
    /// That of the workload, unless its exceptions name the destination.
    #[default]
    OfWorkload,
    /// None.
    Direct,
    /// This one.
    Through(Proxy),
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    #[test]
    fn user_and_password_are_never_shown() {
        for proxy in [Proxy::http("p.example", 3128), Proxy::socks5("p.example", 1080)] {
            let proxy = proxy.credentials("gateway", "hunter2").unwrap();
            let shown = format!("{proxy} {proxy:?} {:?}", proxy.fault(ProxyError::Destination));
            assert!(shown.contains("p.example") && !shown.contains("gateway") && !shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn credentials_that_the_protocol_cannot_carry_are_refused() {
        let http = Proxy::http("p.example", 3128);
        assert!(http.clone().credentials("a:b", "c").is_err());
        assert!(http.clone().credentials("a", "b:c").is_ok());
        assert!(http.credentials("a", "").is_ok());
        let socks = Proxy::socks5("p.example", 1080);
        for (user, password) in [("", "b"), ("a", ""), (&*"a".repeat(256), "b"), ("a", &*"b".repeat(256))] {
            assert!(socks.clone().credentials(user, password).is_err());
        }
        assert!(socks.credentials("a:b", &"c".repeat(255)).is_ok());
    }

    #[test]
    fn what_keeps_from_reaching_the_proxy_is_not_told_as_if_it_were_the_destination() {
        let proxy = Proxy::http("p.example", 3128);
        let after = Duration::from_secs(1);
        let unknown = || ConnectError::Dns(io::Error::other("no such host"));
        assert!(matches!(
            proxy.explain(unknown(), false),
            ConnectError::Proxy { error: ProxyError::Unreachable(_), .. }
        ));
        let silence = || ConnectError::Timeout { phase: Phase::Tls, addresses: Vec::new(), after };
        assert!(matches!(
            proxy.explain(silence(), false),
            ConnectError::Proxy { error: ProxyError::Timeout { .. }, .. }
        ));
        let no_tls = proxy.explain(silence(), true);
        assert!(
            matches!(&no_tls, ConnectError::Proxy { error: ProxyError::NoTls(_), .. }),
            "the proxy may hold it back"
        );
        let alert = ConnectError::Alert(rustls::AlertDescription::UnknownCA);
        assert!(matches!(proxy.explain(alert, true), ConnectError::Alert(_)), "it is the destination that speaks");
        assert!(matches!(proxy.explain(ConnectError::OutOfDescriptors, false), ConnectError::OutOfDescriptors));
    }
}
