//! A second handshake that only looks. When a certificate is refused, the one thing that helps is to see it, and the
//! handshake that refused it does not hand it out. This one notes what the server shows and then refuses it whatever it is:
//! it never comes to its end, so no key is agreed on, no client certificate is shown, and nothing can be sent over it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use thingpost_host::Route;
use tokio::net::TcpStream;

use super::Destination;
use super::certificate::CertificateDetails;
use super::handshake::connect;

/// Takes notes, and trusts none.
#[derive(Debug)]
struct ChainRecorder {
    schemes: Vec<SignatureScheme>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for ChainRecorder {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = [server].into_iter().chain(intermediates);
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) =
            chain.map(|der| der.clone().into_owned()).collect();
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _server: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _server: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// The certificates that the server shows over this socket, its own first. None if it does not come to that.
pub async fn fetch_server_chain(
    to: &Destination,
    route: &Route,
    tcp: TcpStream,
    limit: Duration,
) -> Vec<CertificateDetails> {
    let mut config = to.tls_config(route);
    let schemes = config.crypto_provider().signature_verification_algorithms.supported_schemes();
    let onlooker = Arc::new(ChainRecorder { schemes, chain: Mutex::default() });
    config.dangerous().set_certificate_verifier(onlooker.clone());
    // It fails in any case; what counts is what was seen on the way.
    let _ = connect(to, config, tcp, limit).await;
    let chain = onlooker.chain.lock().unwrap_or_else(PoisonError::into_inner);
    chain.iter().filter_map(|der| CertificateDetails::of(der)).collect()
}
