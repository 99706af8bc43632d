//! A device asks where it belongs.

use crate::clouds::{Clouds, to};
use crate::command::CommandLine;

const HOST: &str = "iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com";

fn bootstrap(clouds: &Clouds) -> CommandLine {
    clouds.aliyun.set_mqtt_endpoint(HOST, 1883);
    CommandLine::new(&["bootstrap", "aliyun"])
        .with("--product-key", "a1B2c3D4e5F")
        .with("--device-name", "thermometer")
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", to(clouds.aliyun.addr_iot_auth()))
}

#[test]
fn the_address_is_all_that_is_printed() {
    let clouds = Clouds::start();
    let output = clouds.run(bootstrap(&clouds));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout, format!("{HOST}:1883\n"));
    let output = clouds.run(bootstrap(&clouds).and(&["--json"]));
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["host"], &value["port"]), (&HOST.into(), &1883.into()));
}

#[test]
fn a_device_that_nobody_knows_belongs_nowhere() {
    let clouds = Clouds::start();
    let line = bootstrap(&clouds).with("--device-name", "stranger");
    let output = clouds.run(line.clone());
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.only_complaint().contains("6100, \"device not found\""), "{output:?}");
    let output = clouds.run(line.and(&["--json"]));
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["stage"], &value["code"]), (&"authentication".into(), &"6100".into()));
}

#[test]
fn names_that_cannot_be_are_found_before_anything_is_sent_and_those_that_are_refused_after_it() {
    let clouds = Clouds::start();
    for (option, name) in [("--product-key", "product key"), ("--device-name", "device name")] {
        clouds.assert_usage(bootstrap(&clouds).with(option, "a b"), &[name]);
    }
    clouds.aliyun.next_iot_auth_code(460);
    let output = clouds.run(bootstrap(&clouds));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().starts_with("refused: "), "{output:?}");
}

#[test]
fn where_nobody_answers_that_is_said() {
    let clouds = Clouds::start();
    let output = clouds.run(bootstrap(&clouds).with("--connect-to", "::127.0.0.1:1"));
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.only_complaint().contains("127.0.0.1:1"), "{output:?}");
    let output = clouds.run(bootstrap(&clouds).with("--endpoint", "elsewhere.example"));
    assert_eq!(output.code, Some(3), "another host is not this one: {output:?}");
}
