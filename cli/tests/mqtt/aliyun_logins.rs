//! The other ways to log in to Aliyun over MQTT, and how a device comes by what it needs for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{ALIYUN_MQTT, Fronts, assert_failed, assert_well};
use crate::clouds::{PRODUCT_SECRET, to};
use crate::command::CommandLine;

const PRODUCT_KEY: &str = "a1B2c3D4e5F";
const KNOWN: &str = "hygrometer";
const UNKNOWN: &str = "barometer";

fn fronts() -> Fronts {
    let fronts = Fronts::start();
    fronts.aliyun.add_product(PRODUCT_KEY, PRODUCT_SECRET);
    fronts.aliyun.pre_register(PRODUCT_KEY, KNOWN);
    fronts.clouds.write("product.txt", format!("{PRODUCT_SECRET}\n"));
    fronts
}

fn register(fronts: &Fronts, device_name: &str, secret_file: &str) -> CommandLine {
    CommandLine::new(&["register", "aliyun", "--mqtt"])
        .with("--region", "cn-shanghai")
        .with("--product-key", PRODUCT_KEY)
        .with("--device-name", device_name)
        .with("--product-secret-file", fronts.clouds.path("product.txt"))
        .with("--secret-file", fronts.clouds.path(secret_file))
        .with("--ca", fronts.clouds.path("ca.pem"))
        .with("--connect-to", to(fronts.aliyun.addr()))
}

fn publish(fronts: &Fronts, device_name: &str) -> CommandLine {
    fronts
        .publish_aliyun()
        .without("--device-secret-file")
        .with("--device-name", device_name)
        .with("--topic", format!("/{PRODUCT_KEY}/{device_name}/user/update"))
}

/// The secret in a file that nobody else may read.
fn private(fronts: &Fronts, file: &str) -> String {
    let path = fronts.clouds.path(file);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::read_to_string(path).unwrap().trim().to_owned()
}

#[test]
fn a_device_that_its_product_knows_registers_over_mqtt_and_publishes_with_its_secret() {
    let fronts = fronts();
    let output = fronts.run(register(&fronts, KNOWN, "secret"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.starts_with("registered hygrometer of a1B2c3D4e5F; its secret is in "), "{output:?}");
    output.assert_without(&[private(&fronts, "secret"), PRODUCT_SECRET.to_owned()]);
    let connect = fronts.aliyun.ledger().connects().pop().unwrap();
    let parameters = connect.client_id.strip_prefix("a1B2c3D4e5F.hygrometer|securemode=2,authType=register,random=");
    assert!(parameters.unwrap().ends_with(",signmethod=hmacsha256|"), "{}", connect.client_id);

    let line = publish(&fronts, KNOWN).with("--device-secret-file", fronts.clouds.path("secret"));
    assert_well(&fronts.run(line));
    // Active from then on.
    assert_failed(&fronts.run(register(&fronts, KNOWN, "again")), 3, &["gets no secret", "not been active yet"]);
    assert!(!fronts.clouds.path("again").exists());
}

#[test]
fn a_device_that_its_product_does_not_know_is_given_a_token_and_publishes_with_it() {
    let fronts = fronts();
    let line = register(&fronts, UNKNOWN, "token").with("--instance-id", "iot-06z00d9wc4x18a6");
    let output = fronts.run(line.and(&["--no-preregistration", "--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let token = private(&fronts, "token");
    output.assert_without(&[token.clone(), PRODUCT_SECRET.to_owned()]);
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let client_id = value["client_id"].as_str().unwrap();
    let connect = fronts.aliyun.ledger().connects().pop().unwrap();
    assert!(connect.client_id.contains("|securemode=-2,authType=regnwl,random="), "{}", connect.client_id);
    assert!(connect.client_id.ends_with(",instanceId=iot-06z00d9wc4x18a6|"), "{}", connect.client_id);

    let by_file = publish(&fronts, UNKNOWN).with("--device-token-file", fronts.clouds.path("token"));
    fronts.assert_usage(by_file.clone(), &["device token", "--client-id"]);
    assert_well(&fronts.run(by_file.clone().with("--client-id", client_id)));
    let connect = fronts.aliyun.ledger().connects().pop().unwrap();
    assert_eq!(connect.client_id, format!("{client_id}|securemode=-2,authType=connwl|"));
    let by_variable = publish(&fronts, UNKNOWN).with("--client-id", client_id);
    assert_well(&fronts.clouds.run_with(by_variable, "THINGPOST_DEVICE_TOKEN", &token));

    let wrong = by_file.with("--device-token-file", fronts.clouds.write("wrong", "an0ther-t0ken"));
    let output = fronts.run(wrong.with("--client-id", client_id));
    assert_failed(&output, 3, &["the token is not its own", "client id and device token"]);
    output.assert_without(&["an0ther-t0ken".to_owned()]);
}

#[test]
fn an_iot_id_and_its_token_are_user_name_and_password() {
    let fronts = fronts();
    let token = "0123456789abcdef0123456789abcdef";
    fronts.aliyun.add_iot_token(PRODUCT_KEY, "thermometer", "42Ze0mk3556498a1AlTP", token);
    let file = fronts.clouds.write("iot-token", format!("{token}\n"));
    let line = publish(&fronts, "thermometer").with("--iot-id", "42Ze0mk3556498a1AlTP");
    assert_well(&fronts.run(line.clone().with("--iot-token-file", file)));
    let connect = fronts.aliyun.ledger().connects().pop().unwrap();
    assert_eq!(connect.client_id, "a1B2c3D4e5F.thermometer|securemode=-1,signmethod=hmacsha256|");
    assert_eq!(connect.user_name.as_deref(), Some("42Ze0mk3556498a1AlTP"));
    let other = line.clone().with("--client-id-parameter", "signmethod=hmacsha1");
    assert_well(&fronts.clouds.run_with(other, "THINGPOST_IOT_TOKEN", token));
    let connect = fronts.aliyun.ledger().connects().pop().unwrap();
    assert_eq!(connect.client_id, "a1B2c3D4e5F.thermometer|securemode=-1,signmethod=hmacsha1|");

    let wrong = fronts.clouds.write("wrong", "fedcba9876543210");
    let output = fronts.run(line.clone().with("--iot-token-file", wrong));
    assert_failed(&output, 3, &["iotId", "iotToken", "7 days"]);
    output.assert_without(&["fedcba9876543210".to_owned()]);
    fronts.assert_usage(line, &["no iotToken", "--iot-token-file", "THINGPOST_IOT_TOKEN"]);
}

#[test]
fn a_wrong_product_secret_is_explained_and_leaves_no_file() {
    let fronts = fronts();
    fronts.clouds.write("product.txt", "wr0ng-s3cret");
    for (device_name, more, named) in [
        (KNOWN, &[][..], "gets no secret"),
        (UNKNOWN, &["--no-preregistration"], "gets no token"),
        (KNOWN, &["--json"], "gets no secret"),
    ] {
        let output = fronts.run(register(&fronts, device_name, "secret").and(more));
        assert_eq!(output.code, Some(3), "{output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains(named) && said.contains("product secret"), "{output:?}");
        output.assert_without(&["wr0ng-s3cret".to_owned()]);
        assert!(!fronts.clouds.path("secret").exists());
    }
}

#[test]
fn a_registration_that_is_not_answered_leaves_no_file() {
    let fronts = fronts();
    fronts.aliyun.link().silence_after_handshake(1);
    let output = fronts.run(register(&fronts, KNOWN, "secret").with("--timeout", "1"));
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(!fronts.clouds.path("secret").exists());
}

#[test]
fn two_ways_to_log_in_at_once_and_options_of_another_way_are_refused() {
    let fronts = fronts();
    let token = fronts.clouds.write("token", "t0ken-t0ken");
    let line = publish(&fronts, KNOWN);
    let by_token = line.clone().with("--device-token-file", &token).with("--client-id", "c");
    fronts.assert_usage(
        by_token.clone().with("--device-secret-file", fronts.clouds.path("secret.txt")),
        &["--device-secret-file and --device-token-file", "two ways"],
    );
    fronts.assert_usage(by_token.clone().with("--iot-id", "i"), &["--device-token-file and --iot-id", "two ways"]);
    fronts.assert_usage(by_token.clone().with("--sign-method", "hmacsha1"), &["--sign-method", "a device secret"]);
    fronts.assert_usage(
        by_token.with("--device-token-file", fronts.clouds.write("empty", "\n")),
        &["device token", "empty"],
    );
    let both = [("THINGPOST_DEVICE_SECRET", "s3cret"), ("THINGPOST_DEVICE_TOKEN", "t0ken")];
    let output = fronts.clouds.run_in(line, &both.map(|(name, value)| (name, value.as_ref())));
    fronts.clouds.assert_wrong(&output, &["THINGPOST_DEVICE_SECRET and THINGPOST_DEVICE_TOKEN", "unset one"]);
    for option in ["--no-preregistration", "--instance-id=i", "--client-id=c", "--client-id-parameter=a=b"] {
        let https = CommandLine::new(&["register", "aliyun", option])
            .with("--endpoint", ALIYUN_MQTT)
            .with("--product-key", PRODUCT_KEY)
            .with("--device-name", KNOWN)
            .with("--secret-file", fronts.clouds.path("none"));
        fronts.assert_usage(https, &["--mqtt"]);
    }
    for parameter in ["random=1", "signmethod=hmacmd5"] {
        let line = register(&fronts, KNOWN, "none").with("--client-id-parameter", parameter);
        fronts.assert_usage(line, &["parameter of the client id"]);
    }
}
