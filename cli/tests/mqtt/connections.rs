//! Ports, ALPN protocols, ways to show who the device is, and what the broker is told of the session.

use thingpost_emulator::{AwsMqtt, Device, MqttAuthorizer};
use thingpost_patience::patience;

use super::{Fronts, assert_well};
use crate::clouds::{AUTHORIZER, PASSWORD, TOKEN, TOKEN_SIGNATURE, authorizer, to};
use crate::command::CommandLine;

#[test]
fn a_certificate_goes_by_8883_without_alpn_and_by_443_with_the_one_for_certificates() {
    let fronts = Fronts::start();
    let by_443 = fronts.publish().with("--port", "443").with("--connect-to", to(fronts.aws.addr_alpn()));
    for (line, alpn) in [(fronts.publish(), None), (by_443, Some("x-amzn-mqtt-ca"))] {
        assert_well(&fronts.run(line));
        let connect = fronts.connect();
        assert_eq!(connect.alpn.as_deref(), alpn);
        assert!(matches!(connect.device, Some(Device::Certificate { .. })), "{connect:?}");
        assert!(connect.user_name.is_none() && !connect.has_password, "the key alone shows who it is");
    }
    assert_eq!(fronts.aws.ledger().acknowledged().len(), 2);
}

#[test]
fn a_custom_domain_is_offered_the_same_on_443() {
    let fronts = Fronts::start();
    let (clouds, broker) = (&fronts.clouds, fronts.broker.socket());
    let aws = clouds.block_on(AwsMqtt::start(&clouds.authority, "iot.example.com", broker)).unwrap();
    aws.register(&clouds.certificate);
    let line = fronts.publish().with("--endpoint", "mqtts://iot.example.com:443/");
    assert_well(&fronts.run(line.with("--connect-to", to(aws.addr_alpn()))));
    assert_eq!(aws.ledger().connects()[0].alpn.as_deref(), Some("x-amzn-mqtt-ca"));
}

fn by_authorizer(fronts: &Fronts) -> CommandLine {
    fronts
        .publish_anonymously()
        .with("--authorizer", AUTHORIZER)
        .with("--token-name", "X-Token")
        .with("--token-file", fronts.clouds.write("token", format!("{TOKEN}\n")))
        .with("--token-signature-file", fronts.clouds.write("signature", TOKEN_SIGNATURE))
        .with("--user-name", "me")
        .with("--password-file", fronts.clouds.write("password", format!("{PASSWORD}\n")))
}

#[test]
fn a_custom_authorizer_gets_token_user_name_and_password_and_no_option_shows_them() {
    let fronts = Fronts::start();
    fronts.aws.register_authorizer(MqttAuthorizer {
        authorizer: authorizer(Some(TOKEN_SIGNATURE)),
        user_name: Some("me".to_owned()),
        password: Some(PASSWORD.into()),
    });
    assert_well(&fronts.run(by_authorizer(&fronts)));
    let connect = fronts.connect();
    assert_eq!(connect.device, Some(Device::Authorizer { name: AUTHORIZER.to_owned() }));
    assert_eq!(connect.alpn.as_deref(), Some("mqtt"));
    let by_default = by_authorizer(&fronts).without("--authorizer").and(&["--authorizer-default"]);
    assert_well(&fronts.run(by_default));
    assert_eq!(fronts.aws.ledger().acknowledged().len(), 2);
}

#[test]
fn a_token_that_is_not_taken_is_explained_and_shows_nowhere() {
    let fronts = Fronts::start();
    let mut other = authorizer(Some(TOKEN_SIGNATURE));
    other.token = "another".to_owned();
    fronts.aws.register_authorizer(other);
    let output = fronts.run(by_authorizer(&fronts));
    super::assert_failed(&output, 3, &["not sent: ", "authorizer"]);
}

#[test]
fn the_host_signs_for_aliyun_over_mqtt_3_1_1() {
    let fronts = Fronts::start();
    for method in ["hmacmd5", "hmacsha1", "hmacsha256"] {
        let output = fronts.run(fronts.publish_aliyun().with("--sign-method", method));
        assert_well(&output);
        assert_eq!(output.stdout, "delivered to /a1B2c3D4e5F/thermometer/user/update\n");
        let connect = fronts.aliyun.ledger().connects().pop().unwrap();
        assert_eq!((connect.level, connect.has_password, connect.alpn), (4, true, None));
        assert!(connect.client_id.contains(&format!("securemode=2,signmethod={method}")), "{}", connect.client_id);
    }
    let by_1883 =
        fronts.publish_aliyun().with("--port", "1883").with("--client-id", "c7").without("--device-secret-file");
    let output = fronts.clouds.run_with(by_1883, "THINGPOST_DEVICE_SECRET", crate::clouds::SECRET);
    assert_well(&output);
    assert!(fronts.aliyun.ledger().connects().pop().unwrap().client_id.starts_with("c7|"));
}

#[test]
fn what_the_session_is_to_be_reaches_the_broker() {
    let fronts = Fronts::start();
    assert_well(&fronts.run(fronts.publish()));
    let connect = fronts.connect();
    assert!(connect.client_id.starts_with("thingpost-") && connect.client_id.len() == 26, "{}", connect.client_id);
    assert_eq!((connect.level, connect.keep_alive, connect.session_expiry.unwrap_or(0)), (5, 60, 0));
    assert!(connect.will.is_none());
    assert_well(&fronts.run(fronts.publish()));
    assert_ne!(fronts.connect().client_id, connect.client_id, "two runs do not throw each other out");

    let line = fronts
        .publish()
        .with("--client-id", "thermometer")
        .with("--keep-alive", "45")
        .with("--session-expiry", "120")
        .with("--will-topic", "gone/thermometer")
        .with("--will-message", "-")
        .with("--will-qos", "1")
        .and(&["--will-retain"]);
    assert_well(&fronts.run(line.clone()));
    let connect = fronts.connect();
    assert_eq!(
        (connect.client_id.as_str(), connect.keep_alive, connect.session_expiry),
        ("thermometer", 45, Some(120))
    );
    let will = connect.will.unwrap();
    assert_eq!((will.topic.as_str(), will.payload.as_slice(), will.qos), ("gone/thermometer", &b"-"[..], 1));
    assert!(will.retain);
    assert_well(&fronts.run(line.with("--mqtt", "3.1.1")));
    let connect = fronts.connect();
    assert_eq!((connect.level, connect.clean_start), (4, false));
    let anew = fronts.publish().with("--client-id", "thermometer").with("--session-expiry", "120");
    assert_well(&fronts.run(anew.and(&["--clean-start"]).with("--max-per-second", "1000")));
    assert!(fronts.connect().clean_start);
}

#[test]
fn more_parameters_of_a_client_id_reach_aliyun() {
    let fronts = Fronts::start();
    let both = ["--client-id-parameter", "ext=1", "--client-id-parameter", "_v=a=b"];
    assert_well(&fronts.run(fronts.publish_aliyun().and(&both)));
    let connect = fronts.aliyun.ledger().connects().pop().unwrap();
    assert!(connect.client_id.ends_with(",ext=1,_v=a=b|"), "{}", connect.client_id);
    let wrong = |value| fronts.publish_aliyun().with("--client-id-parameter", value);
    fronts.assert_usage(wrong("ext"), &["--client-id-parameter", "NAME=VALUE"]);
    fronts.assert_usage(wrong("securemode=3"), &["parameter of the client id"]);
}

#[test]
fn secrets_are_not_in_the_list_of_processes_while_it_runs() {
    let fronts = Fronts::start();
    fronts.aws.register_authorizer(authorizer(Some(TOKEN_SIGNATURE)));
    let aliyun = fronts.publish_aliyun().with("--count", "50").with("--interval", "600");
    let aws = by_authorizer(&fronts).with("--count", "50").with("--interval", "600");
    for (line, ledger) in [(aliyun, fronts.aliyun.ledger()), (aws, fronts.aws.ledger())] {
        let process = fronts.start_process(line);
        fronts.clouds.block_on(ledger.wait_for_publishes(1, patience())).unwrap();
        let listed = std::fs::read(format!("/proc/{}/cmdline", process.id())).unwrap();
        let listed = String::from_utf8_lossy(&listed).into_owned();
        assert!(listed.contains("--interval"), "the right process: {listed}");
        for secret in fronts.clouds.secrets() {
            assert!(!listed.contains(&secret));
        }
        process.signal("INT");
        assert_eq!(process.end().code, Some(3), "the others were not sent");
    }
}
