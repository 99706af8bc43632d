use std::fs;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use thingpost_host::{Identity, IdentityError, Route, TrustRoots};

use crate::pki::Authority;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub fn load(certificate: &str, key: &str) -> Result<Identity, IdentityError> {
    Identity::from_pem_files(&fixture(certificate), &fixture(key))
}

pub fn says(error: &IdentityError, words: &[&str]) {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[test]
fn a_pkcs1_key_as_aws_hands_it_out_loads() {
    load("rsa.cert.pem", "rsa-pkcs1.key.pem").unwrap();
}

#[test]
fn a_certificate_of_version_1_loads() {
    load("rsa-v1.cert.pem", "rsa-pkcs1.key.pem").unwrap();
    let error = load("rsa-v1.cert.pem", "ec-sec1.key.pem").unwrap_err();
    assert!(matches!(error, IdentityError::Mismatch { .. }));
}

#[test]
fn a_sec1_key_loads() {
    load("ec.cert.pem", "ec-sec1.key.pem").unwrap();
}

#[test]
fn a_pkcs8_key_loads() {
    let issued = Authority::new("ca").issue("device");
    assert!(issued.key.contains("BEGIN PRIVATE KEY"));
    issued.identity();
}

#[test]
fn a_chain_loads_with_the_device_first() {
    let authority = Authority::new("ca");
    let issued = authority.issue("device");
    let chain = format!("{}{}", issued.certificate, authority.pem);
    let identity = Identity::from_pem(chain.as_bytes(), issued.key.as_bytes()).unwrap();
    assert!(format!("{identity:?}").contains("certificates: 2"));
}

#[test]
fn a_chain_with_the_device_last_is_refused_with_its_position() {
    let authority = Authority::new("ca");
    let issued = authority.issue("device");
    let chain = format!("{}{}", authority.pem, issued.certificate);
    let error = Identity::from_pem(chain.as_bytes(), issued.key.as_bytes()).unwrap_err();
    assert!(matches!(error, IdentityError::LeafNotFirst { position: 2, .. }));
    says(&error, &["number 2", "put it first"]);
}

#[test]
fn of_a_chain_the_certificate_that_cannot_be_used_is_named() {
    let authority = Authority::new("ca");
    let issued = authority.issue("device");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (chain, position) in [(broken.to_owned(), 1), (format!("{}{broken}", authority.pem), 2)] {
        let error = Identity::from_pem(chain.as_bytes(), issued.key.as_bytes()).unwrap_err();
        says(&error, &[&format!("certificate {position} in"), "cannot be used"]);
    }
}

#[test]
fn the_key_of_another_certificate_is_refused_and_both_files_are_named() {
    let error = load("rsa.cert.pem", "ec-sec1.key.pem").unwrap_err();
    assert!(matches!(error, IdentityError::Mismatch { .. }));
    says(&error, &["rsa.cert.pem", "ec-sec1.key.pem"]);
}

#[test]
fn swapped_files_are_recognised() {
    let error = load("rsa-pkcs1.key.pem", "rsa.cert.pem").unwrap_err();
    assert!(matches!(error, IdentityError::NoCertificate { .. }));
    says(&error, &["rsa-pkcs1.key.pem", "swapped"]);

    let error = load("rsa.cert.pem", "ec.cert.pem").unwrap_err();
    assert!(matches!(error, IdentityError::NoPrivateKey { .. }));
    says(&error, &["ec.cert.pem", "swapped"]);
}

#[test]
fn the_public_half_of_a_key_is_recognised() {
    let error = load("rsa.cert.pem", "rsa.public.pem").unwrap_err();
    assert!(matches!(error, IdentityError::NoPrivateKey { .. }));
    says(&error, &["rsa.public.pem", "public half"]);
}

#[test]
fn an_encrypted_key_is_answered_with_the_command_that_decrypts_it() {
    for key in ["pkcs8-encrypted.key.pem", "rsa-pkcs1-encrypted.key.pem"] {
        let error = load("rsa.cert.pem", key).unwrap_err();
        assert!(matches!(error, IdentityError::EncryptedKey { .. }), "{error:?}");
        says(&error, &[key, "openssl pkey -in"]);
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = load("rsa.cert.pem", "nowhere.pem").unwrap_err();
    assert!(matches!(error, IdentityError::Unreadable { .. }));
    says(&error, &["nowhere.pem", "cannot read"]);
}

#[test]
fn an_empty_file_and_a_der_file_are_told_from_a_wrong_one() {
    let directory = tempfile::tempdir().unwrap();
    let (empty, der) = (directory.path().join("empty"), directory.path().join("der"));
    fs::write(&empty, "").unwrap();
    fs::write(&der, KeyPair::generate().unwrap().serialize_der()).unwrap();
    let certificate = fixture("rsa.cert.pem");
    let error = Identity::from_pem_files(&certificate, &empty).unwrap_err();
    says(&error, &["it is empty"]);
    let error = Identity::from_pem_files(&certificate, &der).unwrap_err();
    says(&error, &["-inform DER"]);
}

#[test]
fn a_broken_key_is_not_quoted() {
    let pem = fs::read_to_string(fixture("rsa-pkcs1.key.pem")).unwrap();
    let secret = pem.lines().nth(3).unwrap();
    let broken = pem.replace(secret, &format!("*{secret}"));
    let certificate = fs::read(fixture("rsa.cert.pem")).unwrap();
    let error = Identity::from_pem(&certificate, broken.as_bytes()).unwrap_err();
    assert!(matches!(error, IdentityError::Malformed { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains(&secret[..16]));
}

#[test]
fn a_key_that_cannot_sign_is_refused() {
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let certificate = fs::read(fixture("rsa.cert.pem")).unwrap();
    let error = Identity::from_pem(&certificate, pem.as_bytes()).unwrap_err();
    assert!(matches!(error, IdentityError::UnsupportedKey { .. }));
    says(&error, &["P-256"]);
}

#[test]
fn an_expired_certificate_is_not_refused_here() {
    let issued = Authority::new("ca").issue_with("device", |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    issued.identity();
}

#[test]
fn every_load_is_a_new_generation_and_a_clone_is_not() {
    let issued = Authority::new("ca").issue("device");
    let (first, second) = (issued.identity(), issued.identity());
    assert_ne!(first.generation(), second.generation());
    assert_eq!(first.generation(), first.clone().generation());
}

#[test]
fn nothing_that_prints_shows_the_key() {
    let issued = Authority::new("ca").issue("device");
    let identity = issued.identity();
    let route = Route::new("a.example", TrustRoots::system_or_webpki().unwrap()).identity(identity.clone());
    let printed = format!("{identity:?} {route:?}");
    for line in issued.key.lines().chain(issued.certificate.lines()) {
        assert!(line.starts_with("-----") || !printed.contains(line));
    }
    // Nor as a list of bytes.
    assert!(!printed.contains("48, "), "{printed}");
    assert!(printed.len() < 500, "{printed}");
}
