//! Tokens in a folder that lives as long as a test: SoftHSM, which is a library like that of any token.
//!
//! It finds its folder by a variable of the environment, and a library is loaded once in a process. So each test runs in a process of
//! its own, which is this program once more with the name of that test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm,
};
use rustls::sign::SigningKey;
use thingpost_host::{Pkcs11Key, Pkcs11Uri};

pub const PIN: &str = "h7sh-p1n";
const SO_PIN: &str = "h7sh-s0-p1n";

/// Where distributions put it.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

const CONF: &str = "SOFTHSM2_CONF";

pub fn library() -> Option<&'static Path> {
    LIBRARIES.iter().map(Path::new).find(|file| file.is_file())
}

/// Runs a test in a process of its own, with tokens that have these mechanisms. `name` is that of the test.
pub fn with_tokens(name: &str, mechanisms: &str, test: impl FnOnce(&Tokens)) {
    let Some(library) = library() else {
        // Past the harness, which shows nothing of a test that passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: SoftHSM is not installed (Debian: softhsm2)");
        return;
    };
    if let Some(conf) = env::var_os(CONF).filter(|_| env::var_os("THINGPOST_TEST_TOKENS").is_some()) {
        let folder = PathBuf::from(conf).parent().unwrap().to_owned();
        let client = Pkcs11::new(library).unwrap();
        client.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        return test(&Tokens { library, folder, client });
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let conf = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    let settings =
        format!("directories.tokendir = {}\nlog.level = ERROR\nslots.mechanisms = {mechanisms}\n", tokens.display());
    fs::write(&conf, settings).unwrap();
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", name])
        .env(CONF, &conf)
        .env("THINGPOST_TEST_TOKENS", "1")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name} in a process of its own: {}\n{said}", ran.status);
    assert!(said.contains("1 passed"), "{name} is not the name of one test:\n{said}");
    assert!(!said.contains(PIN), "a PIN shows");
}

/// The folder of tokens, empty at first.
pub struct Tokens {
    pub library: &'static Path,
    pub folder: PathBuf,
    pub client: Pkcs11,
}

/// A kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    /// Of a size that was good enough for long.
    Rsa1024,
    P256,
    P384,
}

pub const KINDS: [Kind; 3] = [Kind::Rsa, Kind::P256, Kind::P384];

/// The public half of a key on a token, for who issues a certificate.
pub struct Public {
    content: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl Public {
    /// Of a key that is on no token.
    pub fn of_pair(pair: &KeyPair) -> Self {
        Self { content: pair.der_bytes().to_vec(), algorithm: &PKCS_ECDSA_P256_SHA256 }
    }
}

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.content
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl Tokens {
    /// Makes a token, and a session in which its user is logged in.
    pub fn add(&self, label: &str) -> Session {
        let free = self
            .client
            .get_all_slots()
            .unwrap()
            .into_iter()
            .find(|slot| !self.client.get_token_info(*slot).unwrap().token_initialized());
        let slot = free.expect("there is always one more");
        self.client.init_token(slot, &AuthPin::from(SO_PIN), label).unwrap();
        // SoftHSM gives it another slot.
        let slots = self.client.get_slots_with_token().unwrap().into_iter();
        let slot = slots.rev().find(|slot| {
            let info = self.client.get_token_info(*slot).unwrap();
            info.label() == label && !info.user_pin_initialized()
        });
        let session = self.client.open_rw_session(slot.unwrap()).unwrap();
        session.login(UserType::So, Some(&AuthPin::from(SO_PIN))).unwrap();
        session.init_pin(&AuthPin::from(PIN)).unwrap();
        session.logout().unwrap();
        session.login(UserType::User, Some(&AuthPin::from(PIN))).unwrap();
        session
    }

    /// A URI with the library and the PIN behind it.
    pub fn uri(&self, path: &str) -> Pkcs11Uri {
        self.uri_with(path, PIN)
    }

    pub fn uri_with(&self, path: &str, pin: &str) -> Pkcs11Uri {
        let file = self.folder.join("pin.txt");
        fs::write(&file, format!("{pin}\n")).unwrap();
        format!("pkcs11:{path}?module-path={}&pin-source=file:{}", self.library.display(), file.display())
            .parse()
            .unwrap()
    }

    pub fn uri_without_pin(&self, path: &str) -> Pkcs11Uri {
        format!("pkcs11:{path}?module-path={}", self.library.display()).parse().unwrap()
    }
}

/// Makes a key on a token, with its public half beside it.
pub fn generate(session: &Session, kind: Kind, label: &str, id: u8, of_private: &[Attribute]) -> [ObjectHandle; 2] {
    let named = [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(vec![id])];
    let (mechanism, of_kind) = match kind {
        Kind::Rsa | Kind::Rsa1024 => {
            let bits = if kind == Kind::Rsa { 2048 } else { 1024 };
            let numbers = vec![Attribute::ModulusBits(bits.into()), Attribute::PublicExponent(vec![1, 0, 1])];
            (Mechanism::RsaPkcsKeyPairGen, numbers)
        }
        Kind::P256 => {
            (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])])
        }
        Kind::P384 => (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(vec![6, 5, 0x2b, 0x81, 4, 0, 0x22])]),
    };
    let public = [&named[..], &[Attribute::Verify(true), Attribute::Private(false)], &of_kind].concat();
    let usual =
        [Attribute::Sign(true), Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(false)];
    let usual = usual
        .into_iter()
        .filter(|attribute| !of_private.iter().any(|other| other.attribute_type() == attribute.attribute_type()));
    let private: Vec<_> = named.iter().cloned().chain(usual).chain(of_private.iter().cloned()).collect();
    let (public, private) = session.generate_key_pair(&mechanism, &public, &private).unwrap();
    [public, private]
}

/// The public half of a key, as the host shows it.
pub fn public_of(key: &Pkcs11Key) -> Public {
    let whole = key.public_key().expect("the token has it").to_vec();
    // What stands before it is as long as its kind says.
    let (head, algorithm) = match key.kind().as_str() {
        "RSA 2048" => (24, &PKCS_RSA_SHA256),
        "ECDSA P-256" => (26, &PKCS_ECDSA_P256_SHA256),
        "ECDSA P-384" => (23, &PKCS_ECDSA_P384_SHA384),
        other => panic!("{other}"),
    };
    Public { content: whole[head..].to_vec(), algorithm }
}

/// Puts a certificate onto a token.
pub fn store(session: &Session, certificate: &[u8], label: &str, id: u8) -> ObjectHandle {
    let template = [
        Attribute::Class(ObjectClass::CERTIFICATE),
        Attribute::CertificateType(cryptoki::object::CertificateType::X_509),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Label(label.into()),
        Attribute::Id(vec![id]),
        // Of the subject nobody asks here.
        Attribute::Subject(vec![0x30, 0]),
        Attribute::Value(certificate.to_vec()),
    ];
    session.create_object(&template).unwrap()
}
