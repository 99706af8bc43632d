//! Which hosts a workload may reach, and as whom.
//!
//! A sandboxed component can name any URL. What it must not be able to do is choose an identity: a component that can
//! list or pick client certificates holds them in all but name. So the choice is made here, by the destination alone,
//! and a destination that no route names is not reachable at all.

pub(crate) mod endpoint;
pub(crate) mod rate_limiter;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

use crate::connect::alpn::{Alpn, Protocol};
use crate::connect::proxy::{Proxy, RouteProxy};
use crate::connect::tls::{self, Cryptography};
use crate::identity::Identity;
use crate::route::endpoint::normal;
use crate::route::rate_limiter::RateLimiter;
use crate::trust::roots::TrustRoots;

pub use endpoint::Endpoint;

/// The oldest TLS version to accept. With 1.2 as the default, brokers that have no other can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MinimumTls {
    /// TLS 1.2 or 1.3.
    #[default]
    V1_2,
    /// TLS 1.3 only.
    V1_3,
}

/// The way to one destination: with which identity, roots and ALPN.
#[derive(Debug, Clone)]
pub struct Route {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) identity: Option<Identity>,
    pub(crate) roots: TrustRoots,
    pub(crate) alpn: Alpn,
    /// None: not for MQTT.
    pub(crate) mqtt_alpn: Option<Alpn>,
    pub(crate) minimum_tls: MinimumTls,
    pub(crate) cryptography: Cryptography,
    pub(crate) per_second: Option<NonZeroU32>,
    pub(crate) proxy: RouteProxy,
}

impl Route {
    /// A route to `host` for HTTPS alone, anonymous, with [`Alpn::Automatic`] and TLS 1.2 or newer.
    ///
    /// Unless it names a [`port`](Self::port), it is for 443 and 8443, and for [MQTT](Self::mqtt) for 8883 and 443. Other
    /// ports of the host are other services, which nobody has meant.
    pub fn new(host: impl Into<String>, roots: TrustRoots) -> Self {
        Self {
            host: host.into(),
            port: None,
            identity: None,
            roots,
            alpn: Alpn::default(),
            mqtt_alpn: None,
            minimum_tls: MinimumTls::default(),
            cryptography: Cryptography::default(),
            per_second: None,
            proxy: RouteProxy::default(),
        }
    }

    /// Makes it a route to this port and no other. A route with a port goes before one without; a host with several has a
    /// route for each.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Shows this identity to the server, if it asks for one.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets what to offer by ALPN to a server that is to speak HTTPS. [`Alpn::Automatic`] by default.
    #[must_use]
    pub fn alpn(mut self, alpn: Alpn) -> Self {
        self.alpn = alpn;
        self
    }

    /// Opens the route for MQTT as well. A guest that may dial says what it likes over the connection, HTTP included, and so
    /// past all that is looked at in a request: give this to ports of brokers, and to no others.
    #[must_use]
    pub fn mqtt(self) -> Self {
        self.mqtt_alpn(Alpn::default())
    }

    /// Opens the route for MQTT as well, with this offer by ALPN: a custom domain may serve both protocols on one port, and tells them apart
    /// by nothing else.
    #[must_use]
    pub fn mqtt_alpn(mut self, alpn: Alpn) -> Self {
        self.mqtt_alpn = Some(alpn);
        self
    }

    /// Sets the oldest TLS version to accept. [`MinimumTls::V1_2`] by default.
    #[must_use]
    pub fn minimum_tls(mut self, version: MinimumTls) -> Self {
        self.minimum_tls = version;
        self
    }

    /// Shakes hands, encrypts and checks servers by this provider of cryptography, in place of ring: one that is certified, or that has
    /// fewer cipher suites. A [`RouteTable`] takes it if it can do the versions of TLS that are left to the route.
    ///
    /// Connections, and sessions of TLS, are shared among routes that have clones of one `Arc`, and with no others. The private key of
    /// an [`Identity`] from a file is loaded by ring all the same, and signs by it; one that the provider is to have goes through
    /// [`Identity::from_signing_key`], as its `key_provider` gives it.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use thingpost_host::rustls::crypto::{CryptoProvider, ring};
    /// use thingpost_host::{Route, TrustRoots};
    ///
    /// # fn route(roots: TrustRoots) -> Route {
    /// let mut provider = ring::default_provider();
    /// provider.cipher_suites.retain(|suite| *suite != ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256);
    /// let provider: Arc<CryptoProvider> = provider.into();
    /// Route::new("iot.example.com", roots).crypto_provider(provider)
    /// # }
    /// # let _ = route;
    /// ```
    #[must_use]
    pub fn crypto_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.cryptography = provider.into();
        self
    }

    /// Limits the route to so many requests per second, evenly spread, over all connections of this route. The connect timeout
    /// covers the wait for a turn too. Without this, requests go as they come.
    ///
    /// A connection that is [dialed](crate::Transport::dial) counts as one request, and what is then said over it as none.
    #[must_use]
    pub fn max_per_second(mut self, requests: NonZeroU32) -> Self {
        self.per_second = Some(requests);
        self
    }

    /// Goes through this proxy, whatever the [workload](crate::WorkloadConfig::proxy) says.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = RouteProxy::Through(proxy);
        self
    }

    /// Goes through no proxy, whatever the [workload](crate::WorkloadConfig::proxy) says.
    #[must_use]
    pub fn without_proxy(mut self) -> Self {
        self.proxy = RouteProxy::Direct;
        self
    }

    /// The protocols to offer by ALPN on this port.
    pub(crate) fn protocols(&self, protocol: Protocol, port: u16) -> Vec<Vec<u8>> {
        let alpn = match (protocol, &self.mqtt_alpn) {
            (Protocol::Mqtt, Some(alpn)) => alpn,
            (Protocol::Https | Protocol::Mqtt, _) => &self.alpn,
        };
        alpn.protocols(protocol, &self.host, port, self.identity.is_some())
    }
}

/// A route whose host has been checked.
#[derive(Debug)]
pub(crate) struct CheckedRoute {
    pub(crate) route: Route,
    /// Whose certificate the server must show, and the SNI unless it is an IP address.
    pub(crate) server_name: ServerName<'static>,
    pub(crate) rate_limiter: Option<Arc<RateLimiter>>,
}

/// A host, and its port unless the usual ones are meant.
type Destination = (String, Option<u16>);

/// All that a workload may reach. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RouteTable {
    routes: Arc<HashMap<Destination, Arc<CheckedRoute>>>,
}

impl RouteTable {
    /// A table of these routes.
    ///
    /// # Errors
    ///
    /// A host is no DNS name and no IP address, two routes are for one destination, or a provider of cryptography lacks what TLS needs.
    pub fn new(routes: Vec<Route>) -> Result<Self, RouteError> {
        let mut table = HashMap::with_capacity(routes.len());
        for mut route in routes {
            route.host = normal(&route.host);
            let Ok(server_name) = ServerName::try_from(route.host.clone()) else {
                return Err(RouteError::MalformedHost { host: route.host });
            };
            if tls::builder(&route).is_none() {
                return Err(RouteError::CryptoProvider { host: route.host });
            }
            let key = (route.host.clone(), route.port);
            if table.contains_key(&key) {
                return Err(RouteError::Duplicate { host: key.0, port: key.1 });
            }
            let rate_limiter = route.per_second.map(|pace| Arc::new(RateLimiter::new(pace)));
            table.insert(key, Arc::new(CheckedRoute { route, server_name, rate_limiter }));
        }
        Ok(Self { routes: Arc::new(table) })
    }

    /// Goes on with the paces of `before` where they are the same, as those who wait for a turn there take their places.
    pub(crate) fn keep_paces_of(&mut self, before: &Self) {
        let continued = self.routes.iter().map(|(destination, checked)| {
            let rate_limiter = before.routes.get(destination).and_then(|before| {
                let is_same = before.route.per_second == checked.route.per_second;
                before.rate_limiter.clone().filter(|_| is_same)
            });
            let checked = match rate_limiter {
                Some(_) => Arc::new(CheckedRoute {
                    route: checked.route.clone(),
                    server_name: checked.server_name.clone(),
                    rate_limiter,
                }),
                None => Arc::clone(checked),
            };
            (destination.clone(), checked)
        });
        self.routes = Arc::new(continued.collect());
    }

    /// The identities of all routes.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.routes.values().filter_map(|checked| checked.route.identity.as_ref())
    }

    /// The route to a destination, if there is one: that of its port before that of the host alone. Case does not matter.
    pub(crate) fn find(&self, protocol: Protocol, to: &Endpoint) -> Option<&Arc<CheckedRoute>> {
        let implied = protocol.implied_ports().contains(&to.port).then_some(None);
        [Some(Some(to.port)), implied].into_iter().flatten().find_map(|port| self.routes.get(&(to.host.clone(), port)))
    }
}

/// The reason why routes do not make a [`RouteTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The host is no DNS name and no IP address.
    MalformedHost {
        /// As given.
        host: String,
    },
    /// The [provider](Route::crypto_provider) of a route has no cipher suites for a version of TLS that the route may speak, or nothing
    /// to exchange keys by.
    CryptoProvider {
        /// The host of the route.
        host: String,
    },
    /// Two routes name the same destination.
    Duplicate {
        /// The host of both.
        host: String,
        /// The port of both.
        port: Option<u16>,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedHost { host } => write!(
                f,
                "`{host}` is not a host; give a DNS name or an IP address alone, without scheme, port or path"
            ),
            Self::CryptoProvider { host } => write!(
                f,
                "the crypto provider of the route to {host} has no cipher suite or key exchange for the versions of TLS that the route \
                 allows; give a provider that has, or allow another version"
            ),
            Self::Duplicate { host, port: Some(port) } => {
                write!(f, "two routes to {host} on port {port}; keep one of them")
            }
            Self::Duplicate { host, port: None } => {
                write!(f, "two routes to {host}; keep one, or give them different ports")
            }
        }
    }
}

impl std::error::Error for RouteError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(host: &str) -> Route {
        Route::new(host, TrustRoots::system_or_webpki().unwrap())
    }

    fn found<'a>(table: &'a RouteTable, host: &str, port: u16) -> Option<&'a Route> {
        table.find(Protocol::Https, &Endpoint::new(host, port)).map(|checked| &checked.route)
    }

    #[test]
    fn the_exact_port_goes_before_the_host_alone() {
        let table =
            RouteTable::new(vec![route("a.example").minimum_tls(MinimumTls::V1_3), route("a.example").port(8443)])
                .unwrap();
        assert_eq!(found(&table, "a.example", 8443).unwrap().port, Some(8443));
        assert_eq!(found(&table, "a.example", 443).unwrap().port, None);
        assert!(found(&table, "b.example", 443).is_none());
    }

    #[test]
    fn a_route_with_a_port_opens_no_other() {
        let table = RouteTable::new(vec![route("a.example").port(8443)]).unwrap();
        assert!(found(&table, "a.example", 443).is_none());
    }

    #[test]
    fn a_route_without_a_port_opens_those_of_its_protocol_and_not_all_that_listen_there() {
        let table = RouteTable::new(vec![route("a.example").mqtt()]).unwrap();
        let open = |protocol| {
            let ports =
                (1..=u16::MAX).filter(|port| table.find(protocol, &Endpoint::new("a.example", *port)).is_some());
            ports.collect::<Vec<_>>()
        };
        assert_eq!(open(Protocol::Https), [443, 8443]);
        assert_eq!(open(Protocol::Mqtt), [443, 8883]);
    }

    #[test]
    fn https_and_mqtt_on_one_port_each_have_their_own_alpn() {
        let offer = |name: &[u8]| Alpn::Offer(vec![name.to_vec()]);
        let route = route("iot.example.com").alpn(offer(b"x-amzn-http-ca")).mqtt_alpn(offer(b"x-amzn-mqtt-ca"));
        assert_eq!(route.protocols(Protocol::Https, 443), [b"x-amzn-http-ca"]);
        assert_eq!(route.protocols(Protocol::Mqtt, 443), [b"x-amzn-mqtt-ca"]);
    }

    #[test]
    fn case_and_brackets_do_not_matter() {
        let table = RouteTable::new(vec![route("A.Example"), route("0:0::1")]).unwrap();
        assert!(found(&table, "a.eXAMPLE", 443).is_some());
        assert!(found(&table, "[::1]", 443).is_some());
    }

    #[test]
    fn two_routes_to_one_destination_are_refused() {
        let twice = vec![route("a.example").port(1), route("A.EXAMPLE").port(1)];
        assert_eq!(
            RouteTable::new(twice).unwrap_err(),
            RouteError::Duplicate { host: "a.example".into(), port: Some(1) }
        );
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for host in ["", "https://a.example", "a.example:443", "*.example", "a/b", "a b"] {
            assert!(matches!(RouteTable::new(vec![route(host)]), Err(RouteError::MalformedHost { .. })), "{host}");
        }
    }
}
