//! Devices whose key is on a token.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::mechanism::MechanismType;
use cryptoki::object::Attribute;
use cryptoki::session::Session;
use cryptoki::types::AuthPin;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::version::{TLS12, TLS13};
use rustls::{SignatureScheme, SupportedProtocolVersion};
use thingpost_host::{ConnectError, Identity, IdentityError, PinError, Pkcs11Error, Pkcs11Key, Route, TransportError};
use thingpost_patience::within;

use crate::client::{publish, transport};
use crate::identities::says;
use crate::pki::Authority;
use crate::server::{Script, Server};
use crate::soft_token::{KINDS, Kind, PIN, Public, Tokens, generate, public_of, store, with_tokens};

const ALL: &str = "ALL";

/// What makes keys, and `more` to sign with them.
fn only(more: &str) -> String {
    format!("CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_EC_KEY_PAIR_GEN,{more}")
}

fn on_runtime(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(within(future));
}

fn server(ca: &Authority, version: &'static SupportedProtocolVersion) -> Server {
    let mut script = Script::new(ca);
    script.tls.clients = Some(ca.pem.clone());
    script.tls.versions = vec![version];
    script.start()
}

/// Publishes over a new connection, and looks at whom the server has seen.
async fn assert_shakes_hands(
    ca: &Authority,
    identity: Identity,
    certificate: &[u8],
    version: &'static SupportedProtocolVersion,
) {
    let server = server(ca, version);
    let transport = transport(Route::new("localhost", ca.roots()).identity(identity), &server);
    publish(&transport, "https://localhost/", "x").await.unwrap();
    assert_eq!(server.connections()[0].client.as_deref(), Some(certificate), "{version:?}");
}

fn identity_of(certificate: &[u8], key: Pkcs11Key) -> Result<Identity, IdentityError> {
    Identity::from_signing_key(vec![certificate.to_vec().into()], Arc::new(key))
}

fn open_error(tokens: &Tokens, path: &str) -> Pkcs11Error {
    let error = Pkcs11Key::open(&tokens.uri(path)).unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains(PIN) && !error.to_string().contains('\n'), "{told}");
    error
}

#[test]
fn keys_of_each_kind_shake_hands_by_tls_1_2_and_1_3() {
    with_tokens("pkcs11::keys_of_each_kind_shake_hands_by_tls_1_2_and_1_3", ALL, |tokens| {
        let session = tokens.add("Gateway 7");
        let ca = Authority::new("ca");
        for (id, kind) in (1..).zip(KINDS) {
            generate(&session, kind, "device", id, &[]);
            let uri = tokens.uri(&format!("token=Gateway%207;object=device;id=%{id:02x};type=private"));
            let key = Pkcs11Key::open(&uri).unwrap();
            let certificate = ca.issue_for("device", &public_of(&key));
            let identity = identity_of(&certificate, key).unwrap();
            assert!(!identity.is_limited_to_tls12());
            for version in [&TLS12, &TLS13] {
                on_runtime(assert_shakes_hands(&ca, identity.clone(), &certificate, version));
            }
        }
    });
}

/// Old cards do no more than the bare operation; PSS is then made here.
#[test]
fn a_token_that_only_knows_bare_rsa_shakes_hands() {
    with_tokens("pkcs11::a_token_that_only_knows_bare_rsa_shakes_hands", &only("CKM_RSA_X_509"), each_version);
}

#[test]
fn a_token_that_does_the_hashing_shakes_hands() {
    let mechanisms = only("CKM_SHA256_RSA_PKCS,CKM_SHA256_RSA_PKCS_PSS");
    with_tokens("pkcs11::a_token_that_does_the_hashing_shakes_hands", &mechanisms, each_version);
}

fn each_version(tokens: &Tokens) {
    let session = tokens.add("token");
    generate(&session, Kind::Rsa, "device", 1, &[]);
    let ca = Authority::new("ca");
    let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
    let certificate = ca.issue_for("device", &public_of(&key));
    let identity = identity_of(&certificate, key).unwrap();
    for version in [&TLS12, &TLS13] {
        // More than once: a padding that is wrong now and then is wrong.
        for _ in 0..8 {
            on_runtime(assert_shakes_hands(&ca, identity.clone(), &certificate, version));
        }
    }
}

#[test]
fn a_token_without_pss_shakes_hands_by_tls_1_2() {
    with_tokens("pkcs11::a_token_without_pss_shakes_hands_by_tls_1_2", &only("CKM_RSA_PKCS"), |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::Rsa, "device", 1, &[]);
        let ca = Authority::new("ca");
        let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
        assert!(key.schemes().all(|scheme| format!("{scheme:?}").contains("PKCS1")));
        let certificate = ca.issue_for("device", &public_of(&key));
        let identity = identity_of(&certificate, key).unwrap();
        assert!(identity.is_limited_to_tls12());
        on_runtime(assert_shakes_hands(&ca, identity, &certificate, &TLS12));
    });
}

#[test]
fn a_token_that_cannot_sign_with_a_key_says_what_it_lacks() {
    let name = "pkcs11::a_token_that_cannot_sign_with_a_key_says_what_it_lacks";
    with_tokens(name, &only("CKM_RSA_PKCS"), |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::P256, "device", 1, &[]);
        let error = open_error(tokens, "object=device");
        assert!(matches!(error, Pkcs11Error::NoMechanism { .. }), "{error}");
        assert!(error.to_string().contains("CKM_ECDSA"), "{error}");
    });
}

/// Some makers leave a key one mechanism alone, whatever the token has.
#[test]
fn a_key_is_used_only_by_what_it_is_allowed() {
    with_tokens("pkcs11::a_key_is_used_only_by_what_it_is_allowed", ALL, |tokens| {
        let session = tokens.add("token");
        let allowed = Attribute::AllowedMechanisms(vec![MechanismType::SHA256_RSA_PKCS_PSS]);
        generate(&session, Kind::Rsa, "device", 1, &[allowed]);
        let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
        assert_eq!(key.schemes().collect::<Vec<_>>(), [SignatureScheme::RSA_PSS_SHA256]);
        let ca = Authority::new("ca");
        let certificate = ca.issue_for("device", &public_of(&key));
        let identity = identity_of(&certificate, key).unwrap();
        on_runtime(assert_shakes_hands(&ca, identity, &certificate, &TLS13));
        generate(&session, Kind::Rsa, "mute", 2, &[Attribute::Sign(false)]);
        assert!(matches!(open_error(tokens, "object=mute"), Pkcs11Error::MayNotSign { .. }));
    });
}

#[test]
fn a_key_that_wants_its_pin_for_each_signature_gets_it() {
    with_tokens("pkcs11::a_key_that_wants_its_pin_for_each_signature_gets_it", ALL, |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::Rsa, "device", 1, &[Attribute::AlwaysAuthenticate(true)]);
        let ca = Authority::new("ca");
        let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
        let certificate = ca.issue_for("device", &public_of(&key));
        let identity = identity_of(&certificate, key).unwrap();
        for version in [&TLS12, &TLS13] {
            on_runtime(assert_shakes_hands(&ca, identity.clone(), &certificate, version));
        }
        // SoftHSM hashes for RSA alone.
        generate(&session, Kind::P256, "other", 2, &[Attribute::AlwaysAuthenticate(true)]);
        let error = open_error(tokens, "object=other");
        assert!(error.to_string().contains("wants its PIN each time"), "{error}");
    });
}

#[test]
fn a_pin_that_is_refused_for_a_signature_is_tried_once_and_never_again() {
    with_tokens("pkcs11::a_pin_that_is_refused_for_a_signature_is_tried_once_and_never_again", ALL, |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::Rsa, "device", 1, &[Attribute::AlwaysAuthenticate(true)]);
        let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
        let sign = || key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).unwrap().sign(b"hello");
        sign().unwrap();
        // The process is logged in and stays so, with a PIN that is none any more.
        session.set_pin(&AuthPin::from(PIN), &AuthPin::from("n3w-pin")).unwrap();
        let refused = |expected: PinError| {
            let rustls::Error::Other(error) = sign().unwrap_err() else { panic!("no error of the token") };
            match error.0.downcast_ref::<Pkcs11Error>() {
                Some(Pkcs11Error::Pin { error, .. }) => assert_eq!(*error, expected),
                other => panic!("{other:?}"),
            }
        };
        refused(PinError::Wrong);
        for _ in 0..5 {
            refused(PinError::RefusedBefore);
        }
        let slot = tokens.client.get_slots_with_initialized_token().unwrap()[0];
        assert!(!tokens.client.get_token_info(slot).unwrap().user_pin_locked());
    });
}

/// The state of the token as its library tells it, before and after.
#[test]
fn a_wrong_pin_is_tried_once_and_never_again() {
    with_tokens("pkcs11::a_wrong_pin_is_tried_once_and_never_again", ALL, |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::P256, "device", 1, &[]);
        session.logout().unwrap();
        let wrong = tokens.uri_with("object=device", "h7sh-wr0ng");
        let pin_error = |uri| match Pkcs11Key::open(uri).unwrap_err() {
            Pkcs11Error::Pin { token, error } => {
                assert_eq!(token, "token");
                error
            }
            other => panic!("{other}"),
        };
        assert_eq!(pin_error(&wrong), PinError::Wrong);
        let has_been_refused = || {
            let slot = tokens.client.get_slots_with_initialized_token().unwrap()[0];
            tokens.client.get_token_info(slot).unwrap().user_pin_count_low()
        };
        assert!(has_been_refused());
        for _ in 0..5 {
            assert_eq!(pin_error(&wrong), PinError::RefusedBefore);
        }
        let right = tokens.uri("object=device");
        let key = Pkcs11Key::open(&right).unwrap();
        assert!(!has_been_refused(), "the right PIN clears the count");
        let told = format!("{key:?} {right:?} {wrong:?} {:?}", tokens.uri_with("object=device", "h7sh-wr0ng"));
        assert!(!told.contains("h7sh"), "{told}");
    });
}

/// A second login is no login, so the token itself would take any PIN while it is logged in.
#[test]
fn a_wrong_pin_is_refused_while_the_right_one_is_logged_in_and_the_key_that_was_there_goes_on() {
    let name = "pkcs11::a_wrong_pin_is_refused_while_the_right_one_is_logged_in_and_the_key_that_was_there_goes_on";
    with_tokens(name, ALL, |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::P256, "device", 1, &[]);
        session.logout().unwrap();
        let (right, wrong) = (tokens.uri("object=device"), "h7sh-wr0ng");
        let ca = Authority::new("ca");
        let key = Pkcs11Key::open(&right).unwrap();
        let certificate = ca.issue_for("device", &public_of(&key));
        let identity = identity_of(&certificate, key).unwrap();
        on_runtime(assert_shakes_hands(&ca, identity.clone(), &certificate, &TLS13));
        let pin_error = || match Pkcs11Key::open(&tokens.uri_with("object=device", wrong)).unwrap_err() {
            Pkcs11Error::Pin { error, .. } => error,
            other => panic!("{other}"),
        };
        assert_eq!(pin_error(), PinError::Wrong);
        on_runtime(assert_shakes_hands(&ca, identity.clone(), &certificate, &TLS13));
        assert_eq!(pin_error(), PinError::RefusedBefore);
        on_runtime(assert_shakes_hands(&ca, identity, &certificate, &TLS13));
        let slot = tokens.client.get_slots_with_initialized_token().unwrap()[0];
        assert!(
            !tokens.client.get_token_info(slot).unwrap().user_pin_count_low(),
            "the right PIN has cleared the count"
        );

        // The PIN of the token is changed, and then the file.
        session.set_pin(&AuthPin::from(PIN), &AuthPin::from("n3w-pin")).unwrap();
        let key = Pkcs11Key::open(&tokens.uri_with("object=device", "n3w-pin")).unwrap();
        let identity = identity_of(&certificate, key).unwrap();
        on_runtime(assert_shakes_hands(&ca, identity, &certificate, &TLS13));
    });
}

#[test]
fn a_key_of_rsa_that_no_server_takes_is_refused_when_it_is_loaded() {
    with_tokens("pkcs11::a_key_of_rsa_that_no_server_takes_is_refused_when_it_is_loaded", ALL, |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::Rsa1024, "device", 1, &[]);
        let error = open_error(tokens, "object=device");
        assert!(matches!(error, Pkcs11Error::UnsupportedKey { .. }), "{error}");
        assert!(error.to_string().contains("RSA of 1024 bits is not supported; give RSA of 2048 bits"), "{error}");
    });
}

#[test]
fn what_is_not_there_is_told_by_what_is() {
    with_tokens("pkcs11::what_is_not_there_is_told_by_what_is", ALL, |tokens| {
        let error = open_error(tokens, "token=Gateway");
        assert!(error.to_string().contains("there is none at all"), "{error}");
        let session = tokens.add("Gateway 7");
        let error = open_error(tokens, "token=Gateway;object=device");
        assert!(
            matches!(error, Pkcs11Error::NoToken { .. }) && error.to_string().contains("token=Gateway%207;serial=")
        );
        let error = open_error(tokens, "object=device");
        assert!(error.to_string().contains("has none at all"), "{error}");

        generate(&session, Kind::P256, "device", 0x0a, &[]);
        let error = open_error(tokens, "object=thing");
        assert!(error.to_string().contains("pkcs11:object=device;id=%0A"), "{error}");
        let error = open_error(tokens, "id=0A");
        assert!(error.to_string().contains("%01%02"), "{error}");
        for fits_not in [
            "serial=1",
            "model=x",
            "manufacturer=x",
            "slot-id=12345",
            "slot-description=x",
            "slot-manufacturer=x",
            "library-manufacturer=x",
            "library-description=x",
            "library-version=9.9",
        ] {
            let error = open_error(tokens, fits_not);
            assert!(matches!(error, Pkcs11Error::NoToken { .. }), "{fits_not}: {error}");
            assert_eq!(error.to_string().contains(";slot-id="), fits_not.starts_with("slot-id"), "{error}");
        }
        assert!(matches!(open_error(tokens, "object=device;type=cert"), Pkcs11Error::Type { .. }));

        generate(&session, Kind::P256, "device", 0x0b, &[]);
        let error = open_error(tokens, "object=device");
        assert!(matches!(error, Pkcs11Error::SeveralObjects { .. }), "{error}");
        assert!(error.to_string().contains("id=%0A") && error.to_string().contains("id=%0B"), "{error}");
        let info = tokens.client.get_token_info(tokens.client.get_slots_with_initialized_token().unwrap()[0]).unwrap();
        let library = tokens.client.get_library_info().unwrap();
        let exact = format!(
            "token=Gateway%207;serial={};model={};manufacturer={};library-version={};object=device;id=%0b",
            info.serial_number(),
            info.model().replace(' ', "%20"),
            info.manufacturer_id().replace(' ', "%20"),
            library.library_version(),
        );
        Pkcs11Key::open(&tokens.uri(&exact)).unwrap();

        let _other = tokens.add("Gateway 8");
        let error = open_error(tokens, "object=device;id=%0b");
        assert!(matches!(error, Pkcs11Error::SeveralTokens { .. }), "{error}");
        assert!(error.to_string().contains("Gateway%207") && error.to_string().contains("Gateway%208"), "{error}");
    });
}

#[test]
fn without_a_pin_the_way_to_give_one_is_named() {
    with_tokens("pkcs11::without_a_pin_the_way_to_give_one_is_named", ALL, |tokens| {
        let session = tokens.add("token");
        generate(&session, Kind::P256, "device", 1, &[]);
        session.logout().unwrap();
        let error = Pkcs11Key::open(&tokens.uri_without_pin("object=device")).unwrap_err();
        assert!(error.to_string().contains("pin-source"), "{error}");
        let file = tokens.folder.join("nowhere.txt");
        let uri = format!("pkcs11:?module-path={}&pin-source={}", tokens.library.display(), file.display());
        let error = Pkcs11Key::open(&uri.parse().unwrap()).unwrap_err();
        assert!(
            error.to_string().contains("cannot read the PIN in") && error.to_string().contains("nowhere.txt"),
            "{error}"
        );
        let uri = format!("pkcs11:object=device?module-path={}&pin-value={PIN}", tokens.library.display());
        let key = Pkcs11Key::open(&uri.parse().unwrap()).unwrap();
        assert!(key.token().starts_with("token (SoftHSM v2, serial "), "{}", key.token());
    });
}

/// A key, and a certificate for it.
fn key_and_certificate(tokens: &Tokens, session: &Session, ca: &Authority) -> (Pkcs11Key, Vec<u8>) {
    generate(session, Kind::P256, "device", 1, &[]);
    let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
    let certificate = ca.issue_for("device", &public_of(&key));
    (key, certificate)
}

#[test]
fn a_session_that_is_lost_is_opened_again() {
    with_tokens("pkcs11::a_session_that_is_lost_is_opened_again", ALL, |tokens| {
        let session = tokens.add("token");
        let ca = Authority::new("ca");
        let (key, certificate) = key_and_certificate(tokens, &session, &ca);
        let identity = identity_of(&certificate, key).unwrap();
        let shakes_hands = || on_runtime(assert_shakes_hands(&ca, identity.clone(), &certificate, &TLS13));
        shakes_hands();
        // All sessions of a process share the login.
        session.logout().unwrap();
        shakes_hands();
        // As if the token had been pulled, or the process forked: the library knows no session any more.
        tokens.client.clone().finalize().unwrap();
        shakes_hands();
        shakes_hands();
    });
}

#[test]
fn a_token_with_another_key_under_the_same_name_does_not_sign() {
    let name = "pkcs11::a_token_with_another_key_under_the_same_name_does_not_sign";
    with_tokens(name, ALL, |tokens| {
        let session = tokens.add("token");
        let ca = Authority::new("ca");
        let (key, certificate) = key_and_certificate(tokens, &session, &ca);
        let identity = identity_of(&certificate, key).unwrap();
        for object in session.find_objects(&[Attribute::Id(vec![1])]).unwrap() {
            session.destroy_object(object).unwrap();
        }
        generate(&session, Kind::P256, "device", 1, &[]);
        on_runtime(async {
            let server = server(&ca, &TLS13);
            let transport = transport(Route::new("localhost", ca.roots()).identity(identity), &server);
            let error = publish(&transport, "https://localhost/", "x").await.unwrap_err();
            assert!(matches!(error, TransportError::Connect { error: ConnectError::Tls(_), .. }), "{error}");
            assert!(error.to_string().contains("another key as pkcs11:object=device"), "{error}");
            assert!(server.bodies().is_empty());
        });
    });
}

#[test]
fn a_certificate_on_the_token_goes_with_its_key() {
    with_tokens("pkcs11::a_certificate_on_the_token_goes_with_its_key", ALL, |tokens| {
        let session = tokens.add("token");
        let ca = Authority::new("ca");
        let (_, certificate) = key_and_certificate(tokens, &session, &ca);
        store(&session, &certificate, "device", 1);
        let key = tokens.uri("token=token;object=device");
        let identity =
            Identity::from_token(&tokens.uri_without_pin("token=token;object=device;type=cert"), &key).unwrap();
        on_runtime(assert_shakes_hands(&ca, identity, &certificate, &TLS13));

        let other = Public::of_pair(&rcgen::KeyPair::generate().unwrap());
        store(&session, &ca.issue_for("other", &other), "other", 2);
        let error = Identity::from_token(&tokens.uri_without_pin("object=other"), &key).unwrap_err();
        assert!(matches!(error, IdentityError::Mismatch { .. }), "{error}");
        says(&error, &["pkcs11:token=token;object=device", "pkcs11:object=other", "does not belong"]);
        let error = Identity::from_token(&tokens.uri_without_pin("object=nothing"), &key).unwrap_err();
        says(&error, &["no certificate for pkcs11:object=nothing", "pkcs11:object=device;id=%01"]);
    });
}

#[test]
fn a_certificate_in_a_file_is_matched_even_if_the_token_keeps_no_public_key() {
    let name = "pkcs11::a_certificate_in_a_file_is_matched_even_if_the_token_keeps_no_public_key";
    with_tokens(name, ALL, |tokens| {
        let session = tokens.add("token");
        let ca = Authority::new("ca");
        let [public, _] = generate(&session, Kind::P256, "device", 1, &[]);
        let key = Pkcs11Key::open(&tokens.uri("object=device")).unwrap();
        let certificate = ca.issue_for("device", &public_of(&key));
        session.destroy_object(public).unwrap();
        let uri = tokens.uri("object=device");
        assert!(
            Pkcs11Key::open(&uri).unwrap().public_key().is_none(),
            "a private key of a curve shows nothing of itself"
        );
        let write = |name: &str, certificate: &[u8]| -> PathBuf {
            let path = tokens.folder.join(name);
            let pem = pem_of(certificate);
            fs::write(&path, pem).unwrap();
            path
        };
        let identity = Identity::from_pem_file_and_token(&write("device.pem", &certificate), &uri).unwrap();
        on_runtime(assert_shakes_hands(&ca, identity, &certificate, &TLS12));
        let other = ca.issue("other");
        let error = Identity::from_pem_file_and_token(&write("other.pem", &other.der()), &uri).unwrap_err();
        assert!(matches!(error, IdentityError::Mismatch { .. }), "{error}");
        says(&error, &["other.pem", "pkcs11:object=device"]);
        let key_file = tokens.folder.join("key.pem");
        fs::write(&key_file, &other.key).unwrap();
        assert!(PrivateKeyDer::from_pem_file(&key_file).is_ok());
        let error = Identity::from_pem_file_and_token(&key_file, &uri).unwrap_err();
        assert!(matches!(error, IdentityError::NoCertificate { .. }), "{error}");
    });
}

fn pem_of(certificate: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in certificate.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place > three.len() { '=' } else { digit });
        }
    }
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    assert_eq!(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().as_ref(), certificate);
    pem
}
