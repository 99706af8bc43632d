//! Every line that says why nothing was tried is a sentence. Here the command is typed wrong in all the ways that there are, on
//! the files, secrets, settings and addresses that people have, and no line may show how it looks in the source, or a secret.

use std::path::Path;

use crate::clouds::{Clouds, SECRET};
use crate::command::CommandLine;
use crate::process::Output;

/// What stands in secrets that are refused.
const CANARY: &str = "c4nary";

/// That it is one line, names all these, and does not look like source.
#[track_caller]
fn assert_sentence(output: &Output, names: &[&str]) {
    assert_eq!(output.code, Some(2), "{output:?}");
    let line = output.only_complaint();
    for name in names {
        assert!(line.contains(name), "{name:?} is not in: {line}");
    }
    for artefact in
        ["Some(", "None", "Err(", "Ok(", "Os {", "{ ", " }", "\\\"", "\\n", "\\u{", "::<", "Custom {", "PathBuf"]
    {
        assert!(!line.contains(artefact), "{artefact:?} is in: {line}");
    }
    output.assert_without(&[CANARY.to_owned(), SECRET.to_owned()]);
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test is text")
}

/// Lines of all commands that take a device of AWS or of Aliyun.
fn aws(clouds: &Clouds) -> Vec<CommandLine> {
    vec![
        clouds.publish_aws(),
        clouds.aws(&["shadow", "get"]).with("--thing", "kitchen"),
        clouds.aws(&["retained", "list"]),
        clouds.aws(&["mqtt", "publish"]).with("--topic", "t").with("--message", "m"),
        clouds.aws(&["mqtt", "subscribe"]).with("--topic", "t"),
    ]
}

fn register(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["register", "aliyun"])
        .with("--region", "cn-shanghai")
        .with("--product-key", "pk")
        .with("--device-name", "dn")
        .with("--secret-file", clouds.path("new-secret"))
        .with("--product-secret-file", clouds.write("product.txt", "pr0duct"))
}

fn mqtt_aliyun(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["mqtt", "publish"])
        .with("--endpoint", "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com")
        .with("--product-key", "pk")
        .with("--device-name", "dn")
        .with("--client-id", "c")
        .with("--topic", "/pk/dn/user/update")
        .with("--message", "m")
        .with("--ca", clouds.path("ca.pem"))
}

#[test]
fn what_is_typed_wrong_is_named_in_a_sentence() {
    let clouds = Clouds::start();
    for line in aws(&clouds) {
        for (option, value) in [
            ("--endpoint", ""),
            ("--endpoint", "two words"),
            ("--endpoint", "a\"b"),
            ("--port", "0"),
            ("--port", "-1"),
            ("--port", "65536"),
            ("--timeout", "-1"),
            ("--timeout", "soon"),
            ("--connect-to", "nowhere"),
            ("--connect-to", "a:b:c:d"),
        ] {
            assert_sentence(&clouds.run(line.clone().with(option, value)), &[option]);
        }
        for option in ["--endpoint", "--cert", "--key"] {
            assert_sentence(&clouds.run(line.clone().without(option)), &[option]);
        }
    }
    for (line, option, value) in [
        (clouds.publish_aws(), "--qos", "2"),
        (clouds.publish_aws(), "--max-per-second", "0"),
        (clouds.publish_aws(), "--user-property", "no-pair"),
        (clouds.publish_aws(), "--message-expiry", "x"),
        (clouds.publish_aliyun(), "--sign-method", "hmacsha5"),
        (clouds.publish_aliyun(), "--timestamp", "later"),
        (mqtt_aliyun(&clouds), "--client-id-parameter", "no-pair"),
        (mqtt_aliyun(&clouds), "--mqtt", "4"),
        (mqtt_aliyun(&clouds), "--queue", "some"),
        (register(&clouds), "--region", "a.b"),
        (register(&clouds).and(&["--mqtt"]), "--instance-id", "a,b"),
    ] {
        assert_sentence(&clouds.run(line.with(option, value)), &[option]);
    }
}

#[test]
fn what_the_component_refuses_of_a_configuration_is_a_sentence() {
    let clouds = Clouds::start();
    let secret = clouds.path("secret.txt");
    let signed = mqtt_aliyun(&clouds).with("--device-secret-file", secret);
    for (line, named) in [
        (clouds.publish_aliyun().with("--product-key", "p k"), "product key"),
        (clouds.publish_aliyun().with("--device-name", "d\nn"), "device name"),
        (clouds.publish_aliyun().with("--client-id", "a|b=c|"), "client id"),
        (clouds.publish_aliyun().with("--client-id", "x".repeat(65)), "client id"),
        (clouds.publish_aliyun().with("--topic", "/other/dn/user/update"), "topic"),
        (clouds.publish_aws().with("--topic", "a/+/b"), "topic"),
        (signed.clone().with("--client-id", "a,b"), "client id"),
        (signed.clone().with("--client-id-parameter", "securemode=3"), "parameter of the client id"),
        (signed.clone().with("--keep-alive", "1"), "keep-alive"),
        (signed.with("--session-expiry-at-disconnect", "9"), "--session-expiry"),
        (register(&clouds).with("--device-name", ""), "device name"),
    ] {
        assert_sentence(&clouds.run(line), &[named]);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_in_a_sentence() {
    let clouds = Clouds::start();
    let garbage = "-----BEGIN CERTIFICATE-----\n!!! no base64 !!!\n-----END CERTIFICATE-----\n";
    for path in [
        clouds.path("missing"),
        clouds.path(""),
        clouds.write("empty", ""),
        clouds.write("text", "hello"),
        clouds.write("binary", [0x30, 0x82, 0xff, 0, 1]),
        clouds.write("garbage", garbage),
        clouds.write("cut", &garbage[..40]),
        clouds.write("no-der", "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n"),
    ] {
        for line in [clouds.publish_aws(), clouds.aws(&["mqtt", "subscribe"]).with("--topic", "t")] {
            for option in ["--cert", "--key", "--ca"] {
                assert_sentence(&clouds.run(line.clone().with(option, &path)), &[text(&path)]);
            }
        }
    }
    let missing = clouds.path("missing");
    for (line, option) in [
        (clouds.publish_aws().without("--message"), "--file"),
        (clouds.publish_aws().without("--message"), "--lines"),
        (clouds.publish_aliyun(), "--device-secret-file"),
        (mqtt_aliyun(&clouds), "--device-token-file"),
        (mqtt_aliyun(&clouds).with("--iot-id", "i"), "--iot-token-file"),
        (register(&clouds), "--product-secret-file"),
    ] {
        assert_sentence(&clouds.run(line.with(option, &missing)), &[text(&missing)]);
    }
    let folder = clouds.path("no/such/folder/file");
    assert_sentence(
        &clouds.run(register(&clouds).with("--secret-file", &folder)),
        &["--secret-file", "no/such/folder"],
    );
}

#[test]
fn a_secret_that_cannot_be_one_is_named_in_a_sentence_and_not_shown() {
    let clouds = Clouds::start();
    let contents: [(&str, &[u8]); 6] = [
        ("blank", b"\n"),
        ("words", b"c4nary c4nary"),
        ("lines", b"c4nary\nc4nary"),
        ("unseen", "c4nary\u{200b}".as_bytes()),
        ("zero", b"c4nary\0"),
        ("binary", b"c4nary\xff\xfe\xfd"),
    ];
    for (name, content) in contents {
        let path = clouds.write(name, content);
        for (line, option, what) in [
            (clouds.publish_aliyun(), "--device-secret-file", "device secret"),
            (mqtt_aliyun(&clouds), "--device-secret-file", "device secret"),
            (mqtt_aliyun(&clouds), "--device-token-file", "device token"),
            (mqtt_aliyun(&clouds).with("--iot-id", "i"), "--iot-token-file", "iotToken"),
            (register(&clouds), "--product-secret-file", "product secret"),
            (register(&clouds).and(&["--mqtt"]), "--product-secret-file", "product secret"),
        ] {
            assert_sentence(&clouds.run(line.with(option, &path)), &[what]);
        }
    }
    for (line, variable) in [
        (clouds.publish_aliyun().without("--device-secret-file"), "THINGPOST_DEVICE_SECRET"),
        (mqtt_aliyun(&clouds), "THINGPOST_DEVICE_TOKEN"),
        (mqtt_aliyun(&clouds).with("--iot-id", "i"), "THINGPOST_IOT_TOKEN"),
        (register(&clouds).without("--product-secret-file"), "THINGPOST_PRODUCT_SECRET"),
    ] {
        for value in ["", "c4nary c4nary", "c4nary\u{a0}"] {
            assert_sentence(&clouds.run_with(line.clone(), variable, value), &[variable]);
        }
    }
}

#[test]
fn a_setting_that_names_nothing_to_trust_is_named_in_a_sentence() {
    let clouds = Clouds::start();
    for (variable, path) in [
        ("SSL_CERT_FILE", clouds.path("missing")),
        ("SSL_CERT_FILE", clouds.write("empty", "")),
        ("SSL_CERT_FILE", clouds.write("text", "hello")),
        ("SSL_CERT_DIR", clouds.path("missing")),
    ] {
        for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
            assert_sentence(&clouds.run_with(line.without("--ca"), variable, &path), &[variable]);
        }
    }
}
