//! Every line that says why nothing was tried is a sentence. Here the command is typed wrong in all the ways that there are, on
//! the files, secrets, settings and addresses that people have, and no line may show how it looks in the source, or a secret.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
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

const CREDENTIALS: &str = "AWS_SHARED_CREDENTIALS_FILE";
const CONFIG: &str = "AWS_CONFIG_FILE";

fn sigv4(clouds: &Clouds) -> CommandLine {
    clouds.publish_aws_anonymously().and(&["--sigv4"])
}

/// Runs it with these and no other settings of AWS.
fn run_with_aws(clouds: &Clouds, line: CommandLine, variables: &[(&str, &OsStr)]) -> Output {
    let nowhere = clouds.path("no-file-of-aws");
    let files = [(CREDENTIALS, nowhere.as_os_str()), (CONFIG, nowhere.as_os_str())];
    clouds.run_in(line, &files.into_iter().chain(variables.iter().copied()).collect::<Vec<_>>())
}

/// What is no text, and holds a secret.
fn binary() -> OsString {
    OsString::from_vec(b"c4nary\xff".to_vec())
}

#[test]
fn a_profile_that_has_no_key_to_give_is_named_in_a_sentence() {
    let clouds = Clouds::start();
    let section = |settings: &str| format!("[default]\n{settings}\n").into_bytes();
    for (content, named) in [
        (section("aws_access_key_id = c4nary\naws_secret_access_key = c4nary c4nary"), "secret access key"),
        (section("aws_access_key_id = c4nary c4nary\naws_secret_access_key = c4nary"), "access key id"),
        (section("aws_access_key_id = c4nary\naws_secret_access_key = c4nary\n aws_session_token = x"), "secret"),
        (section("aws_access_key_id = c4nary"), "aws_secret_access_key"),
        (section("aws_secret_access_key = c4nary"), "aws_access_key_id"),
        (section("aws_access_key_id = c4nary\naws_secret_access_key c4nary"), "line 3"),
        (section("aws_secret_access_key = c4nary\0"), "aws_access_key_id"),
        (section("region = eu-central-1"), "profile default"),
        (section("credential_process = echo c4nary"), "credential_process"),
        (b"[default\naws_secret_access_key = c4nary\n".to_vec(), "line 1"),
        (b"aws_secret_access_key = c4nary\n".to_vec(), "line 1"),
        (b"  c4nary\n".to_vec(), "line 1"),
        (br#"{"AccessKeyId":"c4nary"}"#.to_vec(), "line 1"),
        (b"\xff\xfe[\0d\0e\0f\0".to_vec(), "UTF-8"),
        (b"[default]\naws_secret_access_key = c4nary\xff\n".to_vec(), "UTF-8"),
    ] {
        let file = clouds.write("settings", content);
        for variable in [CREDENTIALS, CONFIG] {
            assert_sentence(&run_with_aws(&clouds, sigv4(&clouds), &[(variable, file.as_os_str())]), &[named]);
        }
    }
    let folder = clouds.path("");
    for variable in [CREDENTIALS, CONFIG] {
        let output = run_with_aws(&clouds, sigv4(&clouds), &[(variable, folder.as_os_str())]);
        assert_sentence(&output, &[text(&folder), variable]);
    }
    for profile in ["other", "a\nb", "[x]"] {
        let line = sigv4(&clouds).with("--profile", profile);
        assert_sentence(&run_with_aws(&clouds, line, &[]), &["no profile", "--profile"]);
    }
    assert_sentence(&run_with_aws(&clouds, sigv4(&clouds).with("--profile", ""), &[]), &["--profile"]);
}

#[test]
fn a_variable_of_aws_that_has_no_key_is_named_in_a_sentence() {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";
    let clouds = Clouds::start();
    let binary = binary();
    let text = OsStr::new;
    let token = "AWS_SESSION_TOKEN";
    for (variables, named) in [
        (&[(ID, text("c4nary"))][..], SECRET_KEY),
        (&[(SECRET_KEY, text("c4nary"))], ID),
        (&[(ID, text("c4nary")), (SECRET_KEY, text(""))], SECRET_KEY),
        (&[(ID, text("c4 nary")), (SECRET_KEY, text("c4nary"))], "access key id"),
        (&[(ID, text("c4nary")), (SECRET_KEY, text("c4nary\nc4nary"))], "secret access key"),
        (&[(ID, text("c4nary")), (SECRET_KEY, &binary)], SECRET_KEY),
        (&[(ID, text("c4nary")), (SECRET_KEY, text("c4nary")), (token, text("c4nary c4nary"))], "session token"),
        (&[(ID, text("c4nary")), (SECRET_KEY, text("c4nary")), (token, &binary)], token),
        (&[("AWS_PROFILE", &binary)], "AWS_PROFILE"),
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", text("/c4nary"))], "AWS_WEB_IDENTITY_TOKEN_FILE"),
    ] {
        assert_sentence(&run_with_aws(&clouds, sigv4(&clouds), variables), &[named]);
    }
    let key = [(ID, text("c4nary")), (SECRET_KEY, text("c4nary"))];
    let elsewhere = || sigv4(&clouds).with("--endpoint", "iot.example.com");
    for (region, named) in [(text("eu central"), "region"), (&binary, "AWS_REGION")] {
        let variables = [&key[..], &[("AWS_REGION", region)]].concat();
        assert_sentence(&run_with_aws(&clouds, elsewhere(), &variables), &[named]);
    }
    assert_sentence(&run_with_aws(&clouds, sigv4(&clouds).with("--region", "eu central"), &key), &["region"]);
}

#[test]
fn a_container_whose_variables_lead_to_no_key_is_told_in_a_sentence() {
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let clouds = Clouds::start();
    let binary = binary();
    for (variable, value) in [
        (FULL, OsStr::new("c4nary")),
        (FULL, OsStr::new("http://")),
        (FULL, OsStr::new("http:///c4nary")),
        (FULL, OsStr::new("http://localhost:99999/c4nary")),
        (FULL, OsStr::new("http://localhost:0/c4nary")),
        (FULL, OsStr::new("ftp://localhost/c4nary")),
        (FULL, OsStr::new("http://localhost/c4nary c4nary")),
        (FULL, OsStr::new("http://127.0.0.1:1/c4nary")),
        (FULL, OsStr::new("http://c4nary.example/")),
        (FULL, OsStr::new("http://user:c4nary@localhost/")),
        (FULL, &binary),
        // Behind the address these would be another port and another host.
        (RELATIVE, OsStr::new("c4nary")),
        (RELATIVE, OsStr::new(":99/c4nary")),
        (RELATIVE, OsStr::new("@c4nary.example/")),
        (RELATIVE, OsStr::new("/c4nary c4nary")),
        (RELATIVE, &binary),
    ] {
        assert_sentence(&run_with_aws(&clouds, sigv4(&clouds), &[(variable, value)]), &[variable]);
    }
    let refusing = (FULL, OsStr::new("http://127.0.0.1:1/x"));
    let missing = clouds.path("missing");
    let folder = clouds.path("");
    let lines = clouds.write("lines", "c4nary\nc4nary\n");
    let no_text = clouds.write("no-text", b"c4nary\xff");
    for path in [&missing, &folder, &lines, &no_text] {
        let variables = [refusing, (TOKEN_FILE, path.as_os_str())];
        assert_sentence(&run_with_aws(&clouds, sigv4(&clouds), &variables), &[TOKEN_FILE]);
    }
    for token in [OsStr::new("c4nary\nc4nary"), &binary] {
        assert_sentence(&run_with_aws(&clouds, sigv4(&clouds), &[refusing, (TOKEN, token)]), &[TOKEN]);
    }
}

#[test]
fn a_file_that_cannot_be_kept_from_one_run_to_the_next_is_named_in_a_sentence() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\n");
    symlink(clouds.path("nowhere"), clouds.path("dangling")).unwrap();
    let signed = mqtt_aliyun(&clouds).with("--device-secret-file", clouds.path("secret.txt"));
    let runs = [
        (clouds.by_role_alias(clouds.publish_aws()), "--session-file"),
        (clouds.publish_aliyun(), "--session-file"),
        (clouds.publish_aws().lines(&lines), "--failed"),
        (clouds.publish_aliyun().lines(&lines), "--failed"),
        (clouds.aws(&["mqtt", "publish"]).with("--topic", "t").lines(&lines), "--failed"),
        (clouds.aws(&["mqtt", "publish"]).with("--topic", "t").with("--message", "m"), "--unfinished"),
        (signed.clone(), "--unfinished"),
    ];
    for (line, option) in runs {
        for path in [clouds.path("no/such/folder/file"), clouds.path(""), clouds.path("lines/file")] {
            assert_sentence(&clouds.run(line.clone().with(option, &path)), &[option, text(&path), "another file"]);
        }
        if option != "--failed" {
            for path in [Path::new("/dev/null"), &clouds.path("dangling")] {
                assert_sentence(&clouds.run(line.clone().with(option, path)), &[option, text(path), "another file"]);
            }
        }
        assert_sentence(&clouds.run(line.clone().with(option, "")), &[option]);
        let input = clouds.path("ca.pem");
        assert_sentence(&clouds.run(line.with(option, &input)), &[option, "--ca", "another file"]);
    }
    let message = |id: u32, topic: &str| {
        format!(
            r#"{{"id":{id},"attempts":1,"packet_id":5,"topic":"{topic}","payload_base64":"YzRuYXJ5","qos":1,"retain":false}}"#
        )
    };
    let file = |version: u32, messages: &[String]| {
        format!(r#"{{"version":{version},"unfinished":[{}]}}"#, messages.join(",")).into_bytes()
    };
    let topic = "/pk/dn/user/update";
    for content in [
        b"c4nary".to_vec(),
        b"c4nary\xff".to_vec(),
        b"[]".to_vec(),
        br#"{"version":1,"unfinished":"c4nary"}"#.to_vec(),
        br#"{"version":1,"unfinished":[{"topic":"c4nary"}]}"#.to_vec(),
        file(1, &[message(1, topic).replace("YzRuYXJ5", "c4nary!")]),
        file(1, &[message(1, topic).replace("\"qos\":1", "\"qos\":2")]),
        file(1, &[message(1, topic), message(2, topic)]),
        file(2, &[message(1, topic)]),
        file(1, &[message(1, "/other/dn/user/update")]),
    ] {
        let path = clouds.write("unfinished", content);
        assert_sentence(&clouds.run(signed.clone().with("--unfinished", &path)), &["--unfinished", text(&path)]);
    }
}

#[test]
fn a_session_file_that_is_something_else_is_named_in_a_sentence_and_the_message_goes_all_the_same() {
    let clouds = Clouds::start();
    for content in [
        &b"c4nary"[..],
        b"c4nary\xff",
        b"[\"c4nary\"]",
        br#"{"version":"1","obtainedUnixMs":1,"token":"c4nary"}"#,
        br#"{"version":9,"obtainedUnixMs":1,"token":"c4nary"}"#,
        br#"{"version":1,"obtainedUnixMs":1,"token":["c4nary"]}"#,
        br#"{"version":1,"obtainedUnixMs":18446744073709551615,"token":"c4nary"}"#,
    ] {
        let path = clouds.write("session", content);
        let output = clouds.run(clouds.publish_aliyun().with("--session-file", &path));
        assert_eq!(output.code, Some(0), "{output:?}");
        let said: Vec<&str> = output.stderr.lines().collect();
        assert!(
            matches!(said[..], [line] if line.contains("--session-file") && line.contains(text(&path))),
            "{said:?}"
        );
        output.assert_without(&[CANARY.to_owned()]);
    }
}
