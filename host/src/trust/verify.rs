//! Whether a server is who it claims to be.
//!
//! Small servers have one certificate, signed by itself, and their users give it as the one to trust. Made the way
//! `openssl req -x509` makes it, it calls itself an authority, and the rules of the web forbid an authority to be a
//! server as well; every other tool lets it pass. So a certificate that the user named, byte for byte, is good for the
//! names in it and while it is valid. Everything else goes the usual way.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode;

use crate::error::UntrustedCertificate;
use crate::trust::roots::TrustRoots;

/// Checks servers against [`TrustRoots`].
#[derive(Debug)]
pub(crate) struct Verifier {
    /// None if no authority is trusted.
    chains: Option<Arc<WebPkiServerVerifier>>,
    roots: TrustRoots,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// With the signatures that `provider` can check.
    pub(crate) fn new(roots: &TrustRoots, provider: &Arc<CryptoProvider>) -> Self {
        let store = roots.authorities();
        let chains = (!store.is_empty()).then(|| {
            WebPkiServerVerifier::builder_with_provider(store, Arc::clone(provider))
                .build()
                .expect("there are roots, and no revocation lists that could be wrong")
        });
        Self { chains, roots: roots.clone(), algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.roots.names(server) {
            let untrusted = || Error::from(UntrustedCertificate::named(server, name, self.roots.setting()));
            let chains = self.chains.as_ref().ok_or_else(untrusted)?;
            let verified = chains.verify_server_cert(server, intermediates, name, ocsp_response, now);
            return verified.map_err(|error| match error {
                Error::InvalidCertificate(CertificateError::UnknownIssuer) => untrusted(),
                // That it calls itself an authority is what the library minds in one that was not named.
                Error::InvalidCertificate(CertificateError::Other(_)) if is_self_issued(server) => untrusted(),
                error => error,
            });
        }
        check_validity(server, now)?;
        verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, server, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, server, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_self_issued(server: &CertificateDer<'_>) -> bool {
    CertificateInner::<Raw>::from_der(server)
        .is_ok_and(|server| server.tbs_certificate().subject() == server.tbs_certificate().issuer())
}

fn check_validity(server: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let server = CertificateInner::<Raw>::from_der(server).map_err(|_| CertificateError::BadEncoding)?;
    let validity = server.tbs_certificate().validity();
    let time = |since_1970: Duration| UnixTime::since_unix_epoch(since_1970);
    let (begin, end) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
    if now < time(begin) {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: time(begin) }.into());
    }
    if now > time(end) {
        return Err(CertificateError::ExpiredContext { time: now, not_after: time(end) }.into());
    }
    Ok(())
}
