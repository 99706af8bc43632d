//! Kinds of keys and signatures: those that are supported in every spelling, and those that are not by their name.

use std::fs;

use rustls::version::{TLS12, TLS13};
use thingpost_host::{Identity, IdentityError, Route, TrustRoots};

use crate::client::{publish, transport, within};
use crate::identities::{fixture, load, says};
use crate::pki::{Authority, Issued};
use crate::server::Script;

#[test]
fn an_ec_key_without_its_point_finds_it_in_the_certificate() {
    for key in ["ec-sec1-no-point.key.pem", "ec-pkcs8-no-point.key.pem"] {
        load("ec.cert.pem", key).unwrap_or_else(|error| panic!("{error}"));
        let error = load("rsa.cert.pem", key).unwrap_err();
        assert!(matches!(error, IdentityError::Mismatch { .. }), "{error}");
        let other = Authority::new("ca").issue("device").certificate;
        let error = Identity::from_pem(other.as_bytes(), &fs::read(fixture(key)).unwrap()).unwrap_err();
        assert!(matches!(error, IdentityError::Mismatch { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_device_whose_key_has_no_point_shows_who_it_is() {
    within(async {
        let authority = Authority::new("ca");
        let device = load("ec.cert.pem", "ec-pkcs8-no-point.key.pem").unwrap();
        for version in [&TLS12, &TLS13] {
            let mut script = Script::new(&authority);
            script.tls.clients = Some(fs::read_to_string(fixture("ec.cert.pem")).unwrap());
            script.tls.versions = vec![version];
            let server = script.start();
            let route = Route::new("localhost", authority.roots()).identity(device.clone());
            // The certificate calls itself an authority, for which some servers refuse it; the signature is good in any case.
            let outcome = publish(&transport(route, &server), "https://localhost/", "x").await;
            let said = outcome.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("decrypt_error"), "{said}");
        }
    })
    .await;
}

#[test]
fn a_kind_of_key_that_is_not_supported_is_named_with_those_that_are() {
    for (certificate, key, name) in [
        ("p521.cert.pem", "p521.key.pem", "ECDSA P-521 is not supported"),
        ("rsa-8192.cert.pem", "rsa-8192.key.pem", "RSA of 8192 bits is not supported"),
        ("rsa-exponent-3.cert.pem", "rsa-exponent-3.key.pem", "RSA with the public exponent 3 is not supported"),
    ] {
        let error = load(certificate, key).unwrap_err();
        assert!(matches!(error, IdentityError::UnsupportedKey { .. }), "{error}");
        says(&error, &[key, name, "RSA of 2048, 3072 or 4096 bits, ECDSA P-256 or P-384, or Ed25519"]);
    }
    let error = load("ec.cert.pem", "ec-explicit.key.pem").unwrap_err();
    says(&error, &["by an equation", "openssl ec -in KEY -param_enc named_curve"]);
}

#[test]
fn a_key_that_is_damaged_is_no_kind_of_its_own() {
    let certificate = fs::read(fixture("ec.cert.pem")).unwrap();
    let key = fs::read_to_string(fixture("ec-sec1.key.pem")).unwrap();
    let lines: Vec<&str> = key.lines().collect();
    let cut = [lines[0], lines[1], lines[lines.len() - 1]].join("\n");
    let error = Identity::from_pem(&certificate, cut.as_bytes()).unwrap_err();
    says(&error, &["damaged"]);
}

#[tokio::test]
async fn a_signature_that_is_not_supported_is_named_where_a_server_has_it() {
    within(async {
        for (server, roots, named) in [
            ("sha512.server.pem", "sha512.ca.pem", &["signed by ECDSA with SHA-512", "not supported"][..]),
            ("p521.server.pem", "p521.ca.pem", &["ECDSA with SHA-384", "a key of ECDSA P-521", "not supported"]),
        ] {
            let mut script = Script::new(&Authority::new("unused"));
            let read = |name| fs::read_to_string(fixture(name)).unwrap();
            script.tls.certificate = Issued { certificate: read(server), key: read("ec-sec1.key.pem") };
            let server = script.start();
            let route = Route::new("localhost", TrustRoots::from_pem_file(&fixture(roots)).unwrap());
            let error = publish(&transport(route, &server), "https://localhost/", "x").await.unwrap_err().to_string();
            for word in named {
                assert!(error.contains(word), "`{word}` is missing in: {error}");
            }
            assert!(!error.contains("add the server's CA") && error.len() < 400, "{error}");
        }
    })
    .await;
}
