//! Files that are not what they are given as. Their user reads one line that names the file.

use std::path::PathBuf;

use crate::clouds::Clouds;
use crate::command::fixture;

/// Broken files of every kind, with a word that says what is wrong.
fn broken(clouds: &Clouds) -> Vec<(PathBuf, &'static str)> {
    let garbage = "-----BEGIN CERTIFICATE-----\n!!! no base64 !!!\n-----END CERTIFICATE-----\n";
    vec![
        (clouds.path("missing"), "No such file"),
        (clouds.path(""), "Is a directory"),
        (clouds.write("empty", ""), "it is empty"),
        (clouds.write("blank", "\n \n"), "it is empty"),
        (clouds.write("text", "hello"), "it is not PEM"),
        (clouds.write("binary", [0x30, 0x82, 0xff, 0, 1]), "it is not PEM"),
        (clouds.write("garbage", garbage), "broken PEM"),
        (clouds.write("cut", &garbage[..40]), "END line is missing"),
    ]
}

#[test]
fn a_broken_certificate_is_named() {
    let clouds = Clouds::start();
    for (path, what) in broken(&clouds) {
        clouds.assert_usage(clouds.publish_aws().with("--cert", &path), &[path.to_str().unwrap(), what]);
    }
    let path = clouds.write("no-der", "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n");
    clouds.assert_usage(clouds.publish_aws().with("--cert", path), &["no-der", "cannot be used"]);
}

#[test]
fn a_broken_private_key_is_named() {
    let clouds = Clouds::start();
    for (path, what) in broken(&clouds) {
        let path = match std::fs::read_to_string(&path) {
            Ok(text) if text.contains("CERTIFICATE") => {
                clouds.write("private", text.replace("CERTIFICATE", "PRIVATE KEY"))
            }
            _ => path,
        };
        clouds.assert_usage(clouds.publish_aws().with("--key", &path), &[path.to_str().unwrap(), what]);
    }
    let path = clouds.write("no-key", "-----BEGIN PRIVATE KEY-----\nZm9v\n-----END PRIVATE KEY-----\n");
    clouds.assert_usage(clouds.publish_aws().with("--key", path), &["no-key", "cannot be used"]);
}

#[test]
fn a_broken_file_of_authorities_is_named() {
    let clouds = Clouds::start();
    for (path, what) in broken(&clouds) {
        for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
            clouds.assert_usage(line.with("--ca", &path), &[path.to_str().unwrap(), what]);
        }
    }
    let key = clouds.path("private.pem.key");
    clouds.assert_usage(clouds.publish_aws().with("--ca", key), &["private.pem.key", "it holds: PRIVATE KEY"]);
}

#[test]
fn a_swapped_certificate_and_key_are_recognised() {
    let clouds = Clouds::start();
    let (certificate, key) = (clouds.path("device.pem.crt"), clouds.path("private.pem.key"));
    let line = clouds.publish_aws().with("--cert", &key).with("--key", &certificate);
    clouds.assert_usage(line, &["private.pem.key", "swapped?"]);
    clouds.assert_usage(clouds.publish_aws().with("--key", &certificate), &["device.pem.crt", "swapped?"]);
}

#[test]
fn a_key_of_another_certificate_is_recognised_and_both_are_named() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().with("--key", fixture("ec-sec1.key.pem"));
    clouds.assert_usage(line, &["ec-sec1.key.pem", "does not belong to", "device.pem.crt"]);
}

#[test]
fn an_encrypted_key_comes_with_the_command_that_decrypts_it() {
    let clouds = Clouds::start();
    for key in ["pkcs8-encrypted.key.pem", "rsa-pkcs1-encrypted.key.pem"] {
        let line = clouds.publish_aws().with("--cert", fixture("rsa.cert.pem")).with("--key", fixture(key));
        clouds.assert_usage(line, &[key, "passphrase", "openssl pkey"]);
    }
}

#[test]
fn a_public_key_is_not_taken_for_the_private_one() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().with("--key", fixture("rsa.public.pem"));
    clouds.assert_usage(line, &["rsa.public.pem", "public half"]);
}

#[test]
fn a_message_that_cannot_be_read_is_named() {
    let clouds = Clouds::start();
    let line = |path| clouds.publish_aws().without("--message").with("--file", path);
    clouds.assert_usage(line(clouds.path("missing")), &["cannot read the message", "missing", "No such file"]);
    clouds.assert_usage(line(clouds.path("")), &["cannot read the message", "Is a directory"]);
}

#[test]
fn a_message_beyond_128_kb_is_not_sent_however_large_it_is() {
    let clouds = Clouds::start();
    let file = clouds.write("large", vec![b'x'; 131_073]);
    for path in [file, PathBuf::from("/dev/zero")] {
        for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
            let line = line.without("--message").with("--file", &path);
            clouds.assert_usage(line, &["payload", "128 KB (131072 bytes)"]);
        }
    }
}

#[test]
fn lines_that_cannot_be_read_are_named() {
    let clouds = Clouds::start();
    let line = |path| clouds.publish_aws().lines(path);
    clouds.assert_usage(line(clouds.path("missing")), &["cannot read lines", "missing", "No such file"]);
    clouds.assert_usage(line(clouds.path("")), &["cannot read lines", "directory"]);
}

#[test]
fn a_secret_file_that_has_no_secret_is_named() {
    let clouds = Clouds::start();
    let line = |path| clouds.publish_aliyun().with("--device-secret-file", path);
    clouds.assert_usage(line(clouds.path("missing")), &["device secret", "missing", "No such file"]);
    clouds.assert_usage(line(clouds.path("")), &["device secret", "Is a directory"]);
    for content in ["", "\n", "\r\n"] {
        clouds.assert_usage(line(clouds.write("nothing", content)), &["no device secret", "nothing", "empty"]);
    }
    clouds.assert_usage(line(clouds.write("binary", [0xff, 0xfe])), &["device secret", "binary", "UTF-8"]);
}

#[test]
fn a_file_name_cannot_break_the_line() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().with("--cert", clouds.path("a\nb\x1b[31m"));
    clouds.assert_usage(line, &["cannot read", "No such file"]);
}
