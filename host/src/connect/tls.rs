//! From a route to a TLS configuration.
//!
//! One configuration serves exactly one pool key. It owns its session store, so a ticket that was given to one identity
//! cannot resume the session of another; resumption skips the client certificate, and a shared store would let the
//! wrong device in without either side noticing.

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};

use crate::connect::alpn::Protocol;
use crate::identity::Identity;
use crate::route::{MinimumTls, Route};
use crate::trust::verify::Verifier;

/// The one crypto provider of this crate. Named explicitly everywhere: the process-wide default belongs to the
/// embedder, and asking for it panics when two providers are compiled in.
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    &PROVIDER
}

impl Route {
    /// The TLS configuration of an HTTPS connection to this port of the route's host, made afresh, with which a
    /// handshake can be looked at more closely than by [`Transport`](crate::Transport).
    pub fn tls_config(&self, port: u16) -> Arc<ClientConfig> {
        client_config(self, self.protocols(Protocol::Https, port))
    }

    /// The TLS configuration of an MQTT connection to this port of the route's host, made afresh.
    pub fn mqtt_tls_config(&self, port: u16) -> Arc<ClientConfig> {
        client_config(self, self.protocols(Protocol::Mqtt, port))
    }
}

/// Whether this side was done with the handshake before the server had looked at its certificate, so that the refusal of the
/// handshake may come where an answer is expected. In TLS 1.2 the server has the last word in the handshake.
pub(crate) fn ends_handshake_early(connection: &ClientConnection) -> bool {
    connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
}

/// A fresh configuration for `route` with this ALPN offer. SNI is on, early data is off: bytes of a request that the
/// server may act on before the handshake is over could be replayed.
pub(crate) fn client_config(route: &Route, alpn: Vec<Vec<u8>>) -> Arc<ClientConfig> {
    // A key that cannot sign in TLS 1.3 would show no certificate there, and the server say that there is none.
    let is_limited = route.identity.as_ref().is_some_and(Identity::is_limited_to_tls12);
    let versions: &[_] = match route.minimum_tls {
        MinimumTls::V1_2 if is_limited => &[&TLS12],
        MinimumTls::V1_2 => &[&TLS13, &TLS12],
        MinimumTls::V1_3 => &[&TLS13],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_protocol_versions(versions)
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier::new(&route.roots)));
    let mut config = match &route.identity {
        // Shown to any server on this route that asks. The list of acceptable issuers in the server's question is
        // ignored on purpose: AWS signs device certificates with an authority that its servers do not list.
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn;
    Arc::new(config)
}
