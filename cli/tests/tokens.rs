//! Devices whose key is on a PKCS#11 token: SoftHSM, in a folder of the test.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs1KeyDer};
use thingpost_emulator::{Break, DeviceCertificate, Fault};

use crate::clouds::{AWS_TOPIC, Clouds, assert_explained};
use crate::command::{CommandLine, fixture};
use crate::mqtt::{Fronts, TOPIC, assert_failed, texts};
use crate::process::{Output, skipped};
use crate::reloading::{hang_up, heeds_hang_up};

const PIN: &str = "h7sh-t0ken-p1n";

/// Where distributions put the library.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
];

pub fn library() -> Option<&'static Path> {
    LIBRARIES.iter().map(Path::new).find(|file| file.is_file())
}

/// Says where SoftHSM has its tokens.
pub fn configure(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder.join("tokens")).unwrap();
    let conf = folder.join("softhsm2.conf");
    fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", folder.join("tokens").display()))
        .unwrap();
    conf
}

/// A token with the keys of devices.
struct Token<'a> {
    clouds: &'a Clouds,
    library: &'static Path,
    conf: PathBuf,
}

impl<'a> Token<'a> {
    /// Named `Gateway 7`, with the key of the device as `device`. None where SoftHSM is not installed.
    fn new(clouds: &'a Clouds, test: &str) -> Option<Self> {
        let Some(library) = library() else {
            skipped(&format!("tokens::{test}: SoftHSM is not installed (Debian: softhsm2)"));
            return None;
        };
        let token = Self { clouds, library, conf: configure(clouds.path("").as_path()) };
        token.util(&["--init-token", "--free", "--label", "Gateway 7", "--so-pin", "h7sh-s0-p1n", "--pin", PIN]);
        token.import(&clouds.path("private.pem.key"), "device", "01");
        clouds.write("pin.txt", format!("{PIN}\n"));
        Some(token)
    }

    fn util(&self, arguments: &[&str]) {
        let ran = Command::new("softhsm2-util").args(arguments).env("SOFTHSM2_CONF", &self.conf).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    fn import(&self, key: &Path, label: &str, id: &str) {
        let key = key.to_str().unwrap();
        self.util(&["--import", key, "--token", "Gateway 7", "--label", label, "--id", id, "--pin", PIN]);
    }

    fn uri(&self, path: &str) -> String {
        let pin = self.clouds.path("pin.txt");
        format!("pkcs11:{path}?module-path={}&pin-source=file:{}", self.library.display(), pin.display())
    }

    fn device(&self) -> String {
        self.uri("token=Gateway%207;object=device;type=private")
    }

    fn run(&self, line: CommandLine) -> Output {
        let output = self.clouds.run_in(line, &[("SOFTHSM2_CONF", self.conf.as_os_str())]);
        assert!(!output.stdout.contains(PIN) && !output.stderr.contains(PIN), "a PIN shows: {output:?}");
        output
    }

    /// That wrong input is answered with one line that has all these words, and without a connection.
    #[track_caller]
    fn assert_wrong(&self, key: impl AsRef<OsStr>, words: &[&str]) {
        self.clouds.assert_wrong(&self.run(self.clouds.publish_aws().with("--key", key)), words);
    }
}

/// A device with a key of RSA, which rcgen does not make; the key in the form that SoftHSM reads.
fn rsa_device(clouds: &Clouds) -> (DeviceCertificate, PathBuf) {
    let certificate = CertificateDer::from_pem_file(fixture("rsa.cert.pem")).unwrap();
    let hash = TLS13_AES_128_GCM_SHA256.tls13().unwrap().common.hash_provider.hash(&certificate);
    let key = PrivatePkcs1KeyDer::from_pem_file(fixture("rsa-pkcs1.key.pem")).unwrap();
    let key = key.secret_pkcs1_der();
    let long =
        |tag: u8, content: &[u8]| [&[tag, 0x82, (content.len() >> 8) as u8, content.len() as u8], content].concat();
    let rsa = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let whole = long(0x30, &[&[2, 1, 0], &rsa[..], &long(4, key)].concat());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(whole));
    let device = DeviceCertificate {
        common_name: "thingpost test device (RSA)".to_owned(),
        certificate_pem: fs::read_to_string(fixture("rsa.cert.pem")).unwrap(),
        private_key_pem: String::new(),
        fingerprint: hex::encode(hash.as_ref()),
    };
    (device, clouds.write("rsa.key", pem))
}

#[test]
fn a_device_publishes_over_https_with_a_key_that_is_on_a_token() {
    let clouds = Clouds::start();
    let Some(token) = Token::new(&clouds, "a_device_publishes_over_https_with_a_key_that_is_on_a_token") else {
        return;
    };
    let (device, key) = rsa_device(&clouds);
    clouds.aws.register(&device);
    token.import(&key, "rsa", "02");
    // Neither key is in a file any more.
    fs::remove_file(key).unwrap();
    fs::remove_file(clouds.path("private.pem.key")).unwrap();
    let line = clouds.publish_aws().with("--key", token.device());
    let output = token.run(line.clone());
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let output = token.run(line.with("--cert", fixture("rsa.cert.pem")).with("--key", token.uri("id=%02")));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(clouds.aws_accepted(), ["21.5", "21.5"]);
    let seen = clouds.aws.ledger().accepted();
    assert_eq!(seen[0].topic.as_deref(), Some(AWS_TOPIC));
}

#[test]
fn a_device_publishes_over_mqtt_with_a_key_that_is_on_a_token() {
    let fronts = Fronts::start();
    let clouds = &fronts.clouds;
    let Some(token) = Token::new(clouds, "a_device_publishes_over_mqtt_with_a_key_that_is_on_a_token") else { return };
    let (device, key) = rsa_device(clouds);
    fronts.aws.register(&device);
    token.import(&key, "rsa", "02");
    let line = fronts.publish().with("--key", token.device());
    for line in [line.clone(), line.with("--cert", fixture("rsa.cert.pem")).with("--key", token.uri("object=rsa"))] {
        let output = token.run(line);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    }
    assert_eq!(texts(fronts.aws.ledger().payloads(TOPIC)), ["21.5", "21.5"]);
    // Nothing was sent for want of a signature, and nothing was connected to.
    let output = token.run(fronts.publish().with("--key", token.uri("object=nothing")));
    assert_failed(&output, 2, &["no private key for pkcs11:object=nothing", "pkcs11:object=device;id=%01"]);
}

#[test]
fn what_is_wrong_with_a_token_is_told_in_one_line() {
    let clouds = Clouds::start();
    let Some(token) = Token::new(&clouds, "what_is_wrong_with_a_token_is_told_in_one_line") else { return };
    let library = token.library.display();
    token
        .assert_wrong(token.uri("token=Gateway"), &["no token fits pkcs11:token=Gateway", "token=Gateway%207;serial="]);
    token.assert_wrong(token.uri("object=thing"), &["no private key for pkcs11:object=thing", "object=device;id=%01"]);
    token.assert_wrong("pkcs11:object=device?module-path=/nowhere/x.so", &["/nowhere/x.so", "module-path"]);
    token.assert_wrong(format!("pkcs11:?module-path={library}"), &["without a PIN", "pin-source"]);
    let with_value = format!("pkcs11:object=device?module-path={library}&pin-value={PIN}");
    token.assert_wrong(with_value, &["--key has a PIN in it", "list of processes", "pin-source=file:"]);
    token.assert_wrong("pkcs11:tokken=a", &["--key is no PKCS#11 URI", "tokken"]);
    token.assert_wrong("pkcs11:token=My Token", &["--key is no PKCS#11 URI", "%20"]);
    let missing = format!("pkcs11:?module-path={library}&pin-source=file:/nowhere/pin.txt");
    token.assert_wrong(missing, &["cannot read the PIN in /nowhere/pin.txt", "No such file"]);
    let other = clouds.write("other.pem", clouds.authority.issue_device("other").certificate_pem);
    let line = clouds.publish_aws().with("--key", token.device()).with("--cert", &other);
    clouds.assert_wrong(&token.run(line), &["pkcs11:token=Gateway%207", "does not belong", "other.pem"]);
    let line = clouds.publish_aws().with("--cert", token.uri("object=device;type=cert"));
    clouds.assert_wrong(&token.run(line), &["--cert is on a token", "--key"]);
    let line = clouds.publish_aws().with("--key", token.device()).with("--cert", token.uri("object=device"));
    clouds.assert_wrong(&token.run(line), &["no certificate for pkcs11:object=device"]);
    let lost = Token { clouds: &clouds, library: token.library, conf: clouds.path("nowhere.conf") };
    lost.assert_wrong(token.device(), &["does not start (C_Initialize says CKR_", "SOFTHSM2_CONF"]);
    clouds.write("pin.txt", "h7sh-wr0ng-p1n");
    token.assert_wrong(token.device(), &["the token Gateway 7 has refused the PIN", "lock"]);
}

#[test]
fn a_file_with_a_pin_is_not_written_over() {
    let clouds = Clouds::start();
    let Some(token) = Token::new(&clouds, "a_file_with_a_pin_is_not_written_over") else { return };
    let lines = clouds.write("lines.txt", "one\n");
    let line = clouds.publish_aws().lines(lines).with("--key", token.device()).with("--failed", clouds.path("pin.txt"));
    assert_explained(&token.run(line), &["--failed and --key are both"]);
}

#[test]
fn the_doctor_looks_at_the_token() {
    let clouds = Clouds::start();
    let Some(token) = Token::new(&clouds, "the_doctor_looks_at_the_token") else { return };
    let line = clouds.publish_aws().of(&["doctor", "aws"]).without("--message").with("--key", token.device());
    let output = token.run(line.clone());
    assert_eq!(output.code, Some(0), "{output:?}");
    for words in ["private key ECDSA P-256 on the token Gateway 7 (SoftHSM v2, serial ", "the key belongs to it"] {
        assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
    }
    let output = token.run(line.clone().with("--key", token.uri("object=thing")));
    assert_ne!(output.code, Some(0));
    assert!(output.stdout.contains("object=device;id=%01"), "{output:?}");
    clouds.write("pin.txt", "h7sh-wr0ng-p1n");
    let output = token.run(line);
    assert_ne!(output.code, Some(0));
    assert!(output.stdout.contains("the token Gateway 7 has refused the PIN"), "{output:?}");
    assert!(!output.stdout.contains("before"), "it was asked once: {output:?}");
}

#[test]
fn a_wrong_pin_is_not_taken_up_by_a_run_that_is_logged_in() {
    let clouds = Clouds::start();
    let Some(token) = Token::new(&clouds, "a_wrong_pin_is_not_taken_up_by_a_run_that_is_logged_in") else { return };
    if !heeds_hang_up() {
        return;
    }
    let mut command = clouds.command(clouds.publish_aws().lines("-").with("--qos", "1").with("--key", token.device()));
    command.env("SOFTHSM2_CONF", &token.conf).stdin(Stdio::piped());
    let mut process = clouds.start_command(command);
    process.write(b"one\n");
    clouds.wait_for_aws(1);
    clouds.write("pin.txt", "h7sh-wr0ng-p1n");
    hang_up(&mut process, "what there was stays in use: the token Gateway 7 has refused the PIN");
    // The next attempt needs a new connection, and with it a signature.
    clouds.faults().push(Fault::BeforeAcceptance(Break::Close), 1);
    process.write(b"two\n");
    let output = clouds.checked(process.end());
    assert_eq!(output.stdout, "2 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert!(!output.stderr.contains("taken up"), "{output:?}");
}
