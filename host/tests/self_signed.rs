//! A server whose one certificate calls itself an authority, as `openssl req -x509` makes it.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::version::{TLS12, TLS13};
use thingpost_host::{ConnectError, Route, TransportError, TrustRoots};

use crate::client::{publish, transport, within};
use crate::pki::{Authority, Issued};
use crate::server::Script;

fn self_signed(host: &str, change: impl FnOnce(&mut CertificateParams)) -> Issued {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    Issued { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

/// A server that shows this certificate, reached by a client that trusts that one.
async fn reach(shown: Issued, trusted: &str, tls: &'static rustls::SupportedProtocolVersion) -> Option<TransportError> {
    let mut script = Script::new(&Authority::new("unused"));
    script.tls.certificate = shown;
    script.tls.versions = vec![tls];
    let server = script.start();
    let route = Route::new("localhost", TrustRoots::from_pem(trusted.as_bytes()).unwrap());
    publish(&transport(route, &server), "https://localhost/", "x").await.err()
}

fn is_certificate_error(error: Option<TransportError>) {
    let error = error.expect("the server is refused");
    assert!(matches!(error, TransportError::Connect { error: ConnectError::Certificate(_), .. }), "{error}");
}

#[tokio::test]
async fn the_certificate_that_the_user_named_is_trusted() {
    within(async {
        for tls in [&TLS12, &TLS13] {
            let certificate = self_signed("localhost", |_| {});
            let trusted = certificate.certificate.clone();
            assert!(reach(certificate, &trusted, tls).await.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_is_not_trusted_is_named_and_only_one_for_this_host_is_to_be_trusted() {
    within(async {
        let trusted = self_signed("localhost", |_| {}).certificate;
        for (host, words, not) in [
            ("localhost", ["CN=portal.lan, issued by CN=portal.lan", "add the server's CA"], "on the way"),
            ("portal.lan", ["CN=portal.lan, issued by CN=portal.lan", "on the way"], "add the server's CA"),
        ] {
            let shown = self_signed(host, |params| {
                params.distinguished_name.push(rcgen::DnType::CommonName, "portal.lan");
            });
            let text = reach(shown, &trusted, &TLS13).await.unwrap().to_string();
            assert!(words.iter().all(|word| text.contains(word)) && !text.contains(not), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn another_one_of_the_same_name_is_not() {
    within(async {
        let trusted = self_signed("localhost", |_| {}).certificate;
        is_certificate_error(reach(self_signed("localhost", |_| {}), &trusted, &TLS13).await);
    })
    .await;
}

#[tokio::test]
async fn it_is_good_for_its_own_names_and_while_it_is_valid() {
    within(async {
        let other = self_signed("other.example", |_| {});
        let trusted = other.certificate.clone();
        is_certificate_error(reach(other, &trusted, &TLS13).await);

        let expired = self_signed("localhost", |params| params.not_after = rcgen::date_time_ymd(2002, 1, 1));
        let trusted = expired.certificate.clone();
        is_certificate_error(reach(expired, &trusted, &TLS13).await);

        let early = self_signed("localhost", |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1));
        let trusted = early.certificate.clone();
        is_certificate_error(reach(early, &trusted, &TLS13).await);
    })
    .await;
}

#[tokio::test]
async fn whoever_shows_it_must_have_its_key() {
    within(async {
        let certificate = self_signed("localhost", |_| {});
        let trusted = certificate.certificate.clone();
        let stolen = Issued { certificate: certificate.certificate, key: self_signed("localhost", |_| {}).key };
        for tls in [&TLS12, &TLS13] {
            assert!(reach(stolen.clone(), &trusted, tls).await.is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_is_no_authority_is_trusted_and_those_that_it_signed_are_not() {
    within(async {
        for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.is_ca = is_ca;
            let key = KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap().pem();
            let named = Issued { certificate: certificate.clone(), key: key.serialize_pem() };
            assert!(reach(named, &certificate, &TLS13).await.is_none());

            let issuer = Issuer::new(params, key);
            let key = KeyPair::generate().unwrap();
            let signed = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let signed = signed.signed_by(&key, &issuer).unwrap().pem();
            let signed = Issued { certificate: signed, key: key.serialize_pem() };
            for others in ["", &Authority::new("ca").pem] {
                is_certificate_error(reach(signed.clone(), &format!("{certificate}{others}"), &TLS13).await);
            }
        }
    })
    .await;
}
