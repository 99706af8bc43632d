//! Files of certificates, keys and authorities as people have them: joined, marked, converted, or something else altogether.

use std::fs;

use thingpost_host::{Identity, IdentityError, TrustRoots};

use crate::identities::{fixture, load, says};
use crate::pki::Authority;

fn text(name: &str) -> String {
    fs::read_to_string(fixture(name)).unwrap()
}

fn identity(certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Identity, IdentityError> {
    Identity::from_pem(certificate.as_ref(), key.as_ref())
}

fn certificates(identity: &Identity) -> String {
    format!("{identity:?}")
}

fn authorities(roots: &TrustRoots) -> String {
    format!("{roots:?}")
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// A text in every form that still is this text.
fn forms(text: &str) -> Vec<Vec<u8>> {
    vec![
        text.into(),
        text.trim_end().into(),
        text.replace('\n', "\r\n").into(),
        text.replace('\n', "\r").into(),
        text.replace('\n', "\\n").into(),
        text.replace('\n', " ").into(),
        text.replace('\n', "\n    ").into(),
        format!("\u{feff}{text}").into(),
        format!("Bag Attributes\n    friendlyName: é\n{text}\n# the end").into(),
        format!("{{\"certificatePem\": \"{}\"}}", text.replace('\n', "\\n")).into(),
        utf16(&format!("\u{feff}{text}"), u16::to_le_bytes),
        utf16(&format!("\u{feff}{text}"), u16::to_be_bytes),
        utf16(text, u16::to_le_bytes),
    ]
}

#[test]
fn blocks_that_are_joined_without_a_line_end_are_all_read() {
    let (authority, other) = (Authority::new("ca"), Authority::new("other"));
    let issued = authority.issue("device");
    let joined = format!("{}{}", issued.certificate.trim_end(), authority.pem);
    let chain = identity(&joined, &issued.key).unwrap();
    assert!(certificates(&chain).contains("certificates: 2"));
    let bundle = format!("{}{}", authority.pem.trim_end(), other.pem);
    assert!(authorities(&TrustRoots::from_pem(bundle.as_bytes()).unwrap()).contains("authorities: 2"));
}

#[test]
fn certificate_and_key_may_be_in_one_file() {
    let issued = Authority::new("ca").issue("device");
    for file in [
        format!("{}{}", issued.certificate.trim_end(), issued.key),
        format!("{}{}", issued.key.trim_end(), issued.certificate),
    ] {
        identity(&file, &file).unwrap();
    }
}

#[test]
fn a_file_reads_the_same_in_every_form_that_tools_and_editors_give_it() {
    let authority = Authority::new("ca");
    let issued = authority.issue("device");
    let chain = format!("{}{}", issued.certificate, authority.pem);
    for form in forms(&chain) {
        let identity = identity(&form, &issued.key).unwrap_or_else(|error| panic!("{error}"));
        assert!(certificates(&identity).contains("certificates: 2"), "{}", String::from_utf8_lossy(&form));
        let roots = TrustRoots::from_pem(&form).unwrap_or_else(|error| panic!("{error}"));
        assert!(authorities(&roots).contains("named: 2"), "{}", String::from_utf8_lossy(&form));
    }
    for form in forms(&issued.key) {
        identity(&issued.certificate, &form).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_block_that_is_broken_is_named_with_its_line() {
    let authority = Authority::new("ca");
    let lines = authority.pem.lines().count();
    for (second, what) in [
        ("-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned(), "END line is missing"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICAT-----\n".to_owned(), "another label"),
        ("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n".to_owned(), "not base64"),
        ("-----BEGIN CERTI\n".to_owned(), "cut off"),
    ] {
        let error = TrustRoots::from_pem(format!("{}{second}", authority.pem).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains(&format!("line {}", lines + 1)), "{error}");
    }
}

#[test]
fn a_trusted_certificate_is_read_unless_it_does_not_vouch_for_servers() {
    let roots = TrustRoots::from_pem_file(&fixture("trusted.cert.pem")).unwrap();
    assert!(authorities(&roots).contains("authorities: 1") && roots.left_out().is_empty());
    let good = text("ec.cert.pem");
    for name in ["trusted-for-mail.cert.pem", "distrusted.cert.pem"] {
        let error = TrustRoots::from_pem_file(&fixture(name)).unwrap_err().to_string();
        assert!(error.contains("line 1 is left out, as its settings keep it from vouching for servers"), "{error}");
        let bundle = format!("{good}{}", text(name));
        let roots = TrustRoots::from_pem(bundle.as_bytes()).unwrap();
        assert!(authorities(&roots).contains("authorities: 1"), "{roots:?}");
        let said = roots.left_out()[0].to_string();
        assert!(said.contains(&format!("TRUSTED CERTIFICATE of line {}", good.lines().count() + 1)), "{said}");
    }
    load("trusted.cert.pem", "rsa-pkcs1.key.pem").unwrap();
}

#[test]
fn of_several_keys_the_one_that_belongs_to_the_certificate_is_taken() {
    let certificate = text("ec.cert.pem");
    let (other, encrypted, own) = (text("rsa-pkcs1.key.pem"), text("pkcs8-encrypted.key.pem"), text("ec-sec1.key.pem"));
    for keys in [format!("{other}{own}"), format!("{own}{other}"), format!("{encrypted}{own}")] {
        identity(&certificate, keys).unwrap();
    }
    let error = identity(&certificate, format!("{other}{other}")).unwrap_err();
    assert!(matches!(error, IdentityError::Mismatch { .. }), "{error}");
}

#[test]
fn a_key_is_taken_for_what_it_is_whatever_its_label_says() {
    let (sec1, pkcs8) = (text("ec-sec1.key.pem"), Authority::new("ca").issue("device"));
    identity(text("ec.cert.pem"), sec1.replace("EC PRIVATE KEY", "PRIVATE KEY")).unwrap();
    identity(&pkcs8.certificate, pkcs8.key.replace("PRIVATE KEY", "RSA PRIVATE KEY")).unwrap();
    let encrypted = text("pkcs8-encrypted.key.pem").replace("ENCRYPTED PRIVATE KEY", "PRIVATE KEY");
    let error = identity(text("rsa.cert.pem"), encrypted).unwrap_err();
    assert!(matches!(error, IdentityError::EncryptedKey { .. }), "{error}");
}

#[test]
fn what_is_no_certificate_is_named_with_the_way_out() {
    for (file, words) in [
        ("ec.p12", &["PKCS#12", "openssl pkcs12 -in FILE -clcerts -nokeys"][..]),
        ("ec.p7b", &["PKCS#7", "openssl pkcs7 -inform DER"]),
        ("ec.request.pem", &["CERTIFICATE REQUEST", "give the certificate that came back"]),
        ("rsa.public.pem", &["it holds: PUBLIC KEY", "give the device certificate"]),
    ] {
        let error = load(file, "ec-sec1.key.pem").unwrap_err();
        assert!(matches!(error, IdentityError::NoCertificate { .. }), "{error}");
        says(&error, &[&[file], words].concat());
    }
    for (file, words) in
        [("ec.p12", ["PKCS#12", "-nocerts -nodes"]), ("ec.request.pem", ["REQUEST", "give an unencrypted"])]
    {
        let error = load("ec.cert.pem", file).unwrap_err();
        says(&error, &[&[file], &words[..]].concat());
    }
    let error = TrustRoots::from_pem_file(&fixture("ec.p12")).unwrap_err().to_string();
    assert!(error.contains("openssl pkcs12 -in FILE -cacerts -nokeys"), "{error}");
}

#[test]
fn what_stands_under_the_label_of_a_certificate_and_is_none_is_named() {
    let request = text("ec.request.pem").replace("CERTIFICATE REQUEST", "CERTIFICATE");
    let error = identity(&request, text("ec-sec1.key.pem")).unwrap_err();
    says(&error, &["certificate 1 in", "what stands there is a certificate request"]);
    let error = TrustRoots::from_pem(request.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("what stands there is a certificate request"), "{error}");
}

#[test]
fn a_file_of_authorities_alone_lacks_the_device() {
    let authority = Authority::new("ca");
    let error = identity(&authority.pem, &authority.issue("device").key).unwrap_err();
    says(&error, &["that of an authority", "give the device's own certificate"]);
}

#[test]
fn a_file_without_an_end_is_not_read_to_its_end() {
    let error = TrustRoots::from_pem_file("/dev/zero".as_ref()).unwrap_err().to_string();
    assert!(error.contains("larger than 16 MB"), "{error}");
}
