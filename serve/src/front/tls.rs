//! TLS towards the devices. The certificate of a gateway is renewed as those of its devices are, by replacing a file, and the server
//! that has it goes on.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::ring;
use rustls::server::{NoClientAuth, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};
use thingpost_host::{Identity, TrustRoots};

/// What the server shows, and whom it lets in. Cheap to clone; all clones follow a change.
#[derive(Clone)]
pub struct ServerTls(Arc<Mutex<Arc<ServerConfig>>>);

/// The reason why there is no TLS with these authorities of clients.
#[derive(Debug)]
pub struct ClientRootsError(VerifierBuilderError);

impl ServerTls {
    /// Shows this certificate; with `client_roots`, lets in no client without a certificate of one of these authorities.
    ///
    /// # Errors
    ///
    /// There is no authority among `client_roots`.
    pub fn new(identity: &Identity, client_roots: Option<&TrustRoots>) -> Result<Self, ClientRootsError> {
        Ok(Self(Arc::new(Mutex::new(config(identity, client_roots)?))))
    }

    /// Shows another certificate, and asks for others, from the next connection on.
    ///
    /// # Errors
    ///
    /// As with [`new`](Self::new), and then all stays as it is.
    pub fn replace(&self, identity: &Identity, client_roots: Option<&TrustRoots>) -> Result<(), ClientRootsError> {
        let config = config(identity, client_roots)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn config(identity: &Identity, client_roots: Option<&TrustRoots>) -> Result<Arc<ServerConfig>, ClientRootsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = match client_roots.map(TrustRoots::authorities) {
        None => Arc::new(NoClientAuth),
        Some(roots) => verifier(roots, &provider)?,
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has suites for both versions")
        .with_client_cert_verifier(verifier);
    let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(
    roots: Arc<RootCertStore>,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, ClientRootsError> {
    WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider)).build().map_err(ClientRootsError)
}

/// Shows nothing of the key.
impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

impl fmt::Display for ClientRootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no client can be checked: {}; give the certificate of the authority that signs those of the clients",
            self.0
        )
    }
}

impl std::error::Error for ClientRootsError {}
