//! A platform knows a device by its certificate, and a device trusts a platform by its root. Certificates in files
//! would expire, and the same private key would lie in every checkout; so every emulator run makes its own authority.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

/// A certificate authority of this run, with its key in memory only. Clones are the same authority.
///
/// A second authority plays the foreign one: its device certificates are well made and unknown to the server.
#[derive(Clone)]
pub struct Authority {
    inner: Arc<Inner>,
}

struct Inner {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// The certificate of one device with its private key, as files for a client would have it.
#[derive(Clone)]
pub struct DeviceCertificate {
    /// The common name in the subject.
    pub common_name: String,
    /// One `CERTIFICATE` block.
    pub certificate_pem: String,
    /// One `PRIVATE KEY` block: PKCS#8, ECDSA on P-256.
    pub private_key_pem: String,
    /// SHA-256 of the certificate's DER form in lower-case hex: what AWS calls the certificate id.
    pub fingerprint: String,
}

/// What a TLS server shows, and the key that goes with it.
pub struct ServerIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Makes a new authority with a key of its own.
    ///
    /// # Panics
    /// When the operating system has no randomness for a key.
    #[expect(clippy::new_without_default, reason = "a default would hide that a key is made")]
    pub fn new() -> Self {
        let key = new_key();
        let mut params = CertificateParams::default();
        // The name has a part of the key in it: two authorities of one test must not look alike to a client that
        // finds issuers by name.
        let name = format!("thingpost emulator {}", &hex::encode(Sha256::digest(key.public_key_raw()))[..8]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).expect("the parameters are constant and valid");
        Self { inner: Arc::new(Inner { pem: certificate.pem(), issuer: Issuer::new(params, key) }) }
    }

    /// The root certificate that a client has to trust.
    pub fn ca_pem(&self) -> &str {
        &self.inner.pem
    }

    /// Issues a client certificate. It is unknown to every emulator until it is registered there.
    ///
    /// # Panics
    /// When the operating system has no randomness for a key.
    pub fn issue_device(&self, common_name: &str) -> DeviceCertificate {
        let key = new_key();
        let mut params = leaf(ExtendedKeyUsagePurpose::ClientAuth);
        params.distinguished_name.push(DnType::CommonName, common_name);
        let certificate = params.signed_by(&key, &self.inner.issuer).expect("a UTF-8 common name is always valid");
        DeviceCertificate {
            common_name: common_name.to_owned(),
            certificate_pem: certificate.pem(),
            private_key_pem: key.serialize_pem(),
            fingerprint: fingerprint(certificate.der()),
        }
    }

    /// A server certificate for DNS names and IP addresses. An error when one of the names is neither.
    pub fn issue_server(&self, names: &[String]) -> Result<ServerIdentity, rcgen::Error> {
        let key = new_key();
        let mut params = leaf(ExtendedKeyUsagePurpose::ServerAuth);
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        let certificate = params.signed_by(&key, &self.inner.issuer)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCertificate")
            .field("common_name", &self.common_name)
            .field("fingerprint", &self.fingerprint)
            .field("private_key_pem", &"<redacted>")
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a certificate's DER form in lower-case hex.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the operating system has randomness for a key")
}

fn leaf(usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::default();
    // rcgen puts a placeholder there, and a device must have exactly the name it was given.
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn a_fingerprint_is_the_hash_of_the_certificate_in_the_pem() {
        let device = Authority::new().issue_device("thermometer-7");
        let der = CertificateDer::from_pem_slice(device.certificate_pem.as_bytes()).unwrap();
        assert_eq!(device.fingerprint, fingerprint(&der));
        assert!(device.private_key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    }

    #[test]
    fn a_private_key_is_not_in_the_debug_output() {
        let authority = Authority::new();
        let device = authority.issue_device("thermometer-7");
        let shown = format!("{authority:?} {device:?}");
        assert!(shown.contains("thermometer-7"));
        assert!(!shown.contains("PRIVATE KEY-----"));
    }

    #[test]
    fn a_name_that_no_certificate_can_hold_is_an_error() {
        assert!(Authority::new().issue_server(&["größe".to_owned()]).is_err());
    }
}
