//! From a route to a TLS configuration.
//!
//! One configuration serves exactly one pool key. It owns its session store, so a ticket that was given to one identity
//! cannot resume the session of another; resumption skips the client certificate, and a shared store would let the
//! wrong device in without either side noticing.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, ProtocolVersion, SupportedProtocolVersion, WantsVerifier};

use crate::connect::alpn::Protocol;
use crate::identity::Identity;
use crate::route::{MinimumTls, Route};
use crate::trust::verify::Verifier;

/// The crypto provider of this crate, for keys in files and for routes that have no other. Named explicitly everywhere: the
/// process-wide default belongs to the embedder, and asking for it panics when two providers are compiled in.
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    &PROVIDER
}

/// The cryptography of a route. It is the same as another if it is that very one: connections are not shared between two of them,
/// whatever they can do.
#[derive(Clone)]
pub(crate) struct Cryptography(Arc<CryptoProvider>);

impl Cryptography {
    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.0
    }
}

impl Default for Cryptography {
    fn default() -> Self {
        Self(Arc::clone(provider()))
    }
}

impl From<Arc<CryptoProvider>> for Cryptography {
    fn from(provider: Arc<CryptoProvider>) -> Self {
        Self(provider)
    }
}

impl PartialEq for Cryptography {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cryptography {}

impl Hash for Cryptography {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for Cryptography {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cryptography").field("cipher_suites", &self.0.cipher_suites.len()).finish_non_exhaustive()
    }
}

impl Route {
    /// The TLS configuration of an HTTPS connection to this port of the route's host, made afresh, with which a
    /// handshake can be looked at more closely than by [`Transport`](crate::Transport).
    ///
    /// # Panics
    ///
    /// If the route has a [provider](Self::crypto_provider) that no [`RouteTable`](crate::RouteTable) would take.
    pub fn tls_config(&self, port: u16) -> Arc<ClientConfig> {
        client_config(self, self.protocols(Protocol::Https, port))
    }

    /// The TLS configuration of an MQTT connection to this port of the route's host, made afresh.
    ///
    /// # Panics
    ///
    /// As with [`tls_config`](Self::tls_config).
    pub fn mqtt_tls_config(&self, port: u16) -> Arc<ClientConfig> {
        client_config(self, self.protocols(Protocol::Mqtt, port))
    }
}

/// Whether this side was done with the handshake before the server had looked at its certificate, so that the refusal of the
/// handshake may come where an answer is expected. In TLS 1.2 the server has the last word in the handshake.
pub(crate) fn ends_handshake_early(connection: &ClientConnection) -> bool {
    connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
}

/// What a route demands of TLS, or none where its provider cannot do that.
pub(crate) fn builder(route: &Route) -> Option<ConfigBuilder<ClientConfig, WantsVerifier>> {
    // A key that cannot sign in TLS 1.3 would show no certificate there, and the server say that there is none.
    let is_limited = route.identity.as_ref().is_some_and(Identity::is_limited_to_tls12);
    let wanted: &[&SupportedProtocolVersion] = match route.minimum_tls {
        MinimumTls::V1_2 if is_limited => &[&TLS12],
        MinimumTls::V1_2 => &[&TLS13, &TLS12],
        MinimumTls::V1_3 => &[&TLS13],
    };
    let provider = route.cryptography.provider();
    let can_do = |version: &SupportedProtocolVersion| {
        provider.cipher_suites.iter().any(|suite| suite.version().version == version.version)
    };
    let versions: Vec<_> = wanted.iter().copied().filter(|version| can_do(version)).collect();
    ClientConfig::builder_with_provider(Arc::clone(provider)).with_protocol_versions(&versions).ok()
}

/// A fresh configuration for `route` with this ALPN offer. SNI is on, early data is off: bytes of a request that the
/// server may act on before the handshake is over could be replayed.
pub(crate) fn client_config(route: &Route, alpn: Vec<Vec<u8>>) -> Arc<ClientConfig> {
    let builder = builder(route)
        .expect("ring has cipher suites for TLS 1.2 and 1.3, and a table of routes has looked at any other provider")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier::new(&route.roots, route.cryptography.provider())));
    let mut config = match &route.identity {
        // Shown to any server on this route that asks. The list of acceptable issuers in the server's question is
        // ignored on purpose: AWS signs device certificates with an authority that its servers do not list.
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn;
    Arc::new(config)
}
