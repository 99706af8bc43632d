//! User name and password for MQTT, of which one is a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::clouds::{Clouds, to};
use crate::command::CommandLine;
use crate::process::Output;

fn credentials(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["mqtt-credentials", "aliyun"])
        .with("--region", "cn-shanghai")
        .with("--product-key", "a1B2c3D4e5F")
        .with("--device-name", "thermometer")
        .with("--device-secret-file", clouds.path("secret.txt"))
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", to(clouds.aliyun.addr_iot_auth()))
}

#[track_caller]
fn done(output: Output) -> String {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout
}

#[test]
fn the_password_goes_into_a_private_file_and_the_rest_is_printed() {
    let clouds = Clouds::start();
    let path = clouds.path("token");
    for options in [&[][..], &["--json", "--force"]] {
        let printed = done(clouds.run(credentials(&clouds).with("--token-file", &path).and(options)));
        let token = fs::read_to_string(&path).unwrap();
        assert!(token.ends_with('\n') && token.len() > 16 && !printed.contains(token.trim()), "{printed}");
        assert!(printed.contains("username") && printed.contains("iot-as-mqtt.cn-shanghai.aliyuncs.com"), "{printed}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let line = credentials(&clouds).with("--token-file", &path);
    let output = clouds.run(line);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.only_complaint().contains("--token-file") && output.complaint().contains("--force"), "{output:?}");
}

#[test]
fn the_password_is_printed_only_where_that_is_asked_for() {
    let clouds = Clouds::start();
    let line = credentials(&clouds).and(&["--show-token"]);
    let text = done(clouds.run(line.clone()));
    let names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect();
    assert_eq!(names, ["username", "password", "host", "port"]);
    let value: Value = serde_json::from_str(&done(clouds.run(line.and(&["--json"])))).unwrap();
    assert!(value["password"].is_string() && value["port"] == 1883, "{value}");
    clouds.assert_usage(credentials(&clouds).and(&["--json"]), &["required", "--token-file", "--show-token"]);
    let both = credentials(&clouds).with("--token-file", clouds.path("token")).and(&["--show-token"]);
    clouds.assert_usage(both, &["--token-file", "cannot be used with", "--show-token"]);
}

#[test]
fn every_sign_method_and_timestamp_will_do() {
    let clouds = Clouds::start();
    for method in ["hmacmd5", "hmacsha1", "hmacsha256"] {
        for timestamp in ["now", "none"] {
            let line = credentials(&clouds).with("--sign-method", method).with("--timestamp", timestamp);
            done(clouds.run(line.with("--client-id", "gateway 7").and(&["--show-token"])));
        }
    }
}

#[test]
fn a_device_with_another_secret_gets_none_and_no_file() {
    let clouds = Clouds::start();
    let wrong = clouds.write("wrong.txt", "an0ther-s3cret");
    let line = credentials(&clouds).with("--token-file", clouds.path("token"));
    let output = clouds.run(line.clone().with("--device-secret-file", wrong));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().contains("401"), "{output:?}");
    clouds.assert_usage(line.clone().with("--client-id", ""), &["client id"]);
    clouds.assert_usage(
        line.with("--token-file", clouds.path("secret.txt")).and(&["--force"]),
        &["--device-secret-file"],
    );
    assert!(!clouds.path("token").exists());
}
