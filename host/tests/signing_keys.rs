//! Keys of an embedder's own, of which this crate sees nothing but signatures.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm as OfCertificate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{OtherError, SignatureAlgorithm, SignatureScheme};
use thingpost_host::{
    ConnectError, Identity, IdentityError, Pool, PoolLimits, Resolver, Resolving, Route, RouteTable, Transport,
    TransportError, WorkloadConfig,
};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::client::{publish, transport, within};
use crate::identities::{fixture, says};
use crate::pki::{Authority, Issued};
use crate::server::Script;

/// A key that shows its public half, or not, and signs by some schemes alone.
#[derive(Debug)]
struct Elsewhere {
    key: Arc<dyn SigningKey>,
    shows_itself: bool,
    schemes: fn(SignatureScheme) -> bool,
}

impl SigningKey for Elsewhere {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let offered: Vec<_> = offered.iter().copied().filter(|scheme| (self.schemes)(*scheme)).collect();
        self.key.choose_scheme(&offered)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key().filter(|_| self.shows_itself)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

/// The public half of a key of RSA, which rcgen does not make.
struct Rsa(Vec<u8>);

impl PublicKeyData for Rsa {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static OfCertificate {
        &PKCS_RSA_SHA256
    }
}

fn elsewhere(key: PrivateKeyDer<'static>, shows_itself: bool) -> Arc<Elsewhere> {
    let key = rustls::crypto::ring::default_provider().key_provider.load_private_key(key).unwrap();
    Arc::new(Elsewhere { key, shows_itself, schemes: |_| true })
}

fn key_of(issued: &Issued) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_key_that_only_signs_shakes_hands() {
    within(async {
        let ca = Authority::new("ca");
        for shows_itself in [true, false] {
            let issued = ca.issue("device");
            let chain = vec![issued.der().into(), CertificateDer::from_pem_slice(ca.pem.as_bytes()).unwrap()];
            let identity = Identity::from_signing_key(chain, elsewhere(key_of(&issued), shows_itself)).unwrap();
            let mut script = Script::new(&ca);
            script.tls.clients = Some(ca.pem.clone());
            let server = script.start();
            let transport = transport(Route::new("localhost", ca.roots()).identity(identity), &server);
            publish(&transport, "https://localhost/", "x").await.unwrap();
            assert_eq!(server.connections()[0].client, Some(issued.der()));
        }
    })
    .await;
}

/// A key whose signatures fail, as those of a token that was given a wrong PIN do.
#[derive(Debug)]
struct Failing(Arc<dyn SigningKey>, Arc<AtomicUsize>);

impl SigningKey for Failing {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = self.0.choose_scheme(offered)?.scheme();
        Some(Box::new(FailingSigner(scheme, Arc::clone(&self.1))))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct FailingSigner(SignatureScheme, Arc<AtomicUsize>);

impl Signer for FailingSigner {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Err(rustls::Error::Other(OtherError(Arc::new(io::Error::other("the PIN is wrong")))))
    }

    fn scheme(&self) -> SignatureScheme {
        self.0
    }
}

/// Knows two addresses of whatever it is asked for.
struct TwoAddresses;

impl Resolver for TwoAddresses {
    fn resolve(&self, _: &str) -> Resolving {
        Box::pin(async { Ok([Ipv4Addr::LOCALHOST, OTHER].map(|ip| SocketAddr::from((ip, 0))).to_vec()) })
    }
}

/// Beside the loopback address that the server has.
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The server at another address.
async fn relay(address: SocketAddr, server: SocketAddr) -> JoinSet<()> {
    let listener = TcpListener::bind(address).await.unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut here, _) = listener.accept().await.unwrap();
            let mut there = TcpStream::connect(server).await.unwrap();
            let _ = copy_bidirectional(&mut here, &mut there).await;
        }
    });
    task
}

/// Each other address would have the key asked again.
#[tokio::test]
async fn a_key_that_does_not_sign_ends_the_race_of_addresses() {
    within(async {
        let ca = Authority::new("ca");
        let issued = ca.issue("device");
        for version in [&TLS13, &TLS12] {
            let asked = Arc::<AtomicUsize>::default();
            let key = Failing(elsewhere(key_of(&issued), true), Arc::clone(&asked));
            let identity = Identity::from_signing_key(vec![issued.der().into()], Arc::new(key)).unwrap();
            let mut script = Script::new(&ca);
            script.tls.clients = Some(ca.pem.clone());
            script.tls.versions = vec![version];
            let server = script.start();
            let port = server.address.port();
            let _other = relay((OTHER, port).into(), server.address).await;
            let pool = Pool::with_resolver(PoolLimits::default(), Arc::new(TwoAddresses));
            let route = Route::new("localhost", ca.roots()).port(port).identity(identity);
            let config = WorkloadConfig::new("w", RouteTable::new(vec![route]).unwrap());
            let url = format!("https://localhost:{port}/");
            let error = publish(&Transport::new(pool, config), &url, "x").await.unwrap_err();
            assert!(matches!(error, TransportError::Connect { error: ConnectError::Tls(_), .. }), "{error:?}");
            assert_eq!(asked.load(Ordering::Relaxed), 1, "{error}");
        }
    })
    .await;
}

#[test]
fn a_key_of_another_certificate_is_refused_whether_it_shows_itself_or_not() {
    let ca = Authority::new("ca");
    let (device, other) = (ca.issue("device"), ca.issue("other"));
    for shows_itself in [true, false] {
        let load = |chain: &[&Issued]| {
            let chain = chain.iter().map(|issued| issued.der().into()).collect();
            Identity::from_signing_key(chain, elsewhere(key_of(&device), shows_itself)).unwrap_err()
        };
        let error = load(&[&other]);
        assert!(matches!(error, IdentityError::Mismatch { .. }), "{error}");
        says(&error, &["the signing key", "the chain", "does not belong"]);
        let error = load(&[&other, &device]);
        assert!(matches!(error, IdentityError::LeafNotFirst { position: 2, .. }), "{error}");
        assert!(matches!(load(&[]), IdentityError::Mismatch { .. }));
    }
    let error = Identity::from_signing_key(vec![vec![0x30, 0].into()], elsewhere(key_of(&device), true)).unwrap_err();
    assert!(matches!(error, IdentityError::UnusableCertificate { position: 1, .. }), "{error}");
}

/// Many tokens pad RSA in one way alone. In TLS 1.3 they would show no certificate, and the server say that there is none.
#[tokio::test]
async fn a_key_that_cannot_sign_in_tls_1_3_speaks_tls_1_2() {
    within(async {
        let key = elsewhere(PrivateKeyDer::from_pem_file(fixture("rsa-pkcs1.key.pem")).unwrap(), false);
        let schemes = |scheme| matches!(scheme, SignatureScheme::RSA_PKCS1_SHA256);
        let limited = Arc::new(Elsewhere { key: Arc::clone(&key.key), shows_itself: false, schemes });
        let ca = Authority::new("ca");
        // What stands before the numbers of a key of 2048 bits is 24 bytes long.
        let certificate = ca.issue_for("device", &Rsa(key.key.public_key().unwrap()[24..].to_vec()));
        let certificate = CertificateDer::from(certificate);
        for (key, is_limited) in [(limited, true), (key, false)] {
            let identity = Identity::from_signing_key(vec![certificate.clone()], key).unwrap();
            assert_eq!(identity.is_limited_to_tls12(), is_limited);
            let mut script = Script::new(&ca);
            script.tls.clients = Some(ca.pem.clone());
            script.tls.versions = vec![&TLS13, &TLS12];
            let server = script.start();
            let transport = transport(Route::new("localhost", ca.roots()).identity(identity), &server);
            publish(&transport, "https://localhost/", "x").await.unwrap();
            assert_eq!(server.connections()[0].client.as_deref(), Some(certificate.as_ref()));
        }
    })
    .await;
}
