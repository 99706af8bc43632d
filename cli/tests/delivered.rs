//! Messages that arrive, and what the cloud sees of the options.

use std::path::Path;

use thingpost_emulator::{Entry, Listener};

use crate::clouds::{ALIYUN, ALIYUN_TOPIC, AWS, AWS_TOPIC, Clouds, SECRET};
use crate::command::CommandLine;

/// Runs it and returns the one message that arrived.
#[track_caller]
fn delivered(clouds: &Clouds, line: CommandLine) -> Entry {
    let before = clouds.aws.ledger().accepted().len() + clouds.aliyun.ledger().accepted().len();
    let output = clouds.run(line);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.starts_with("delivered to "), "{output:?}");
    let mut entries = [clouds.aws.ledger().accepted(), clouds.aliyun.ledger().accepted()].concat();
    assert_eq!(entries.len(), before + 1);
    entries.sort_by_key(|entry| entry.number);
    entries.pop().unwrap()
}

#[test]
fn aws_takes_a_message_on_8443_with_the_client_certificate() {
    let clouds = Clouds::start();
    let output = clouds.run(clouds.publish_aws());
    let entry = clouds.aws.ledger().accepted().remove(0);
    assert_eq!((entry.listener, entry.topic.as_deref()), (Listener::AwsMutualTls, Some(AWS_TOPIC)));
    assert_eq!(entry.payload, b"21.5");
    let trace_id = entry.trace_id.unwrap();
    assert_eq!(output.stdout, format!("delivered to {AWS_TOPIC} (trace id {trace_id})\n"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn aws_takes_a_message_on_443_with_the_alpn() {
    let clouds = Clouds::start();
    let entry = delivered(&clouds, clouds.publish_aws_443());
    assert_eq!(entry.listener, Listener::AwsAlpn);
}

#[test]
fn an_endpoint_with_its_port_chooses_the_port() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws_443().without("--port").with("--endpoint", format!("https://{AWS}:443/"));
    assert_eq!(delivered(&clouds, line.clone()).listener, Listener::AwsAlpn);
    assert_eq!(delivered(&clouds, line.with("--port", "443")).listener, Listener::AwsAlpn);
    let line = clouds.publish_aws().with("--endpoint", format!("https://{AWS}"));
    assert_eq!(delivered(&clouds, line).listener, Listener::AwsMutualTls);
    delivered(&clouds, clouds.publish_aliyun().with("--endpoint", format!("https://{ALIYUN}/")));
}

#[test]
fn aliyun_takes_a_message_with_the_secret_by_option_file_or_variable() {
    let clouds = Clouds::start();
    let without = || clouds.publish_aliyun().without("--device-secret-file");
    assert_eq!(delivered(&clouds, without().with("--device-secret", SECRET)).topic.as_deref(), Some(ALIYUN_TOPIC));
    for content in [format!("{SECRET}\n"), format!("{SECRET}\r\n"), SECRET.to_owned()] {
        let file = clouds.write("another.txt", content);
        delivered(&clouds, without().with("--device-secret-file", file));
    }
    let output = clouds.run_with(without(), "THINGPOST_DEVICE_SECRET", SECRET);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(clouds.aliyun.ledger().accepted().len(), 5);
}

#[test]
fn the_message_id_of_aliyun_is_shown_to_its_last_digit() {
    let clouds = Clouds::start();
    let output = clouds.run(clouds.publish_aliyun());
    assert!(output.stdout.contains("message id 1207967842654323713,"), "{output:?}");
    let output = clouds.run(clouds.publish_aliyun().and(&["--json"]));
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["message_id"], "1207967842654323714");
    assert_eq!((&value["outcome"], &value["attempts"]), (&"delivered".into(), &1.into()));
}

#[test]
fn a_file_is_published_byte_for_byte_up_to_the_limit() {
    let clouds = Clouds::start();
    let every_byte: Vec<u8> = (0..=255).collect();
    let largest: Vec<u8> = every_byte.iter().copied().cycle().take(131_072).collect();
    for content in [every_byte, largest, b"ends with a newline\r\n".to_vec(), Vec::new()] {
        let file = clouds.write("message", &content);
        for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
            let entry = delivered(&clouds, line.without("--message").with("--file", &file));
            assert_eq!(entry.payload, content);
        }
        clouds.aws.ledger().clear();
        clouds.aliyun.ledger().clear();
    }
}

#[test]
fn a_message_may_begin_with_a_hyphen_or_look_like_an_option() {
    let clouds = Clouds::start();
    for message in ["-5", "--json", "-", ""] {
        let entry = delivered(&clouds, clouds.publish_aws().with("--message", message));
        assert_eq!(entry.payload, message.as_bytes());
    }
}

#[test]
fn the_quality_of_service_reaches_aws() {
    let clouds = Clouds::start();
    assert_eq!(delivered(&clouds, clouds.publish_aws()).qos, Some(0));
    assert_eq!(delivered(&clouds, clouds.publish_aws().with("--qos", "0")).qos, Some(0));
    assert_eq!(delivered(&clouds, clouds.publish_aws().with("--qos", "1")).qos, Some(1));
}

#[test]
fn aliyun_recognises_the_device_by_every_sign_method_client_id_and_timestamp() {
    let clouds = Clouds::start();
    for method in ["hmacmd5", "hmacsha1", "hmacsha256"] {
        for timestamp in ["now", "none"] {
            let line = clouds.publish_aliyun().with("--sign-method", method).with("--timestamp", timestamp);
            delivered(&clouds, line);
        }
    }
    for client_id in ["gateway-7", &"é".repeat(64)] {
        delivered(&clouds, clouds.publish_aliyun().with("--client-id", client_id));
    }
}

#[test]
fn a_wrong_clock_matters_only_with_a_timestamp() {
    let clouds = Clouds::start();
    clouds.aliyun.shift_clock_ms(3_600_000);
    delivered(&clouds, clouds.publish_aliyun().with("--timestamp", "none"));
    let output = clouds.run(clouds.publish_aliyun().with("--timestamp", "now"));
    assert!(output.only_complaint().contains("clock"), "{output:?}");
}

#[test]
fn a_wrong_clock_is_corrected_where_that_is_asked_for() {
    let clouds = Clouds::start();
    let line = || clouds.publish_aliyun().with("--timestamp", "corrected");
    delivered(&clouds, line());
    assert_eq!(clouds.aliyun.authentications(), 1);
    for off_ms in [3_600_000, -3_600_000] {
        clouds.aliyun.shift_clock_ms(off_ms);
        let before = clouds.aliyun.authentications();
        delivered(&clouds, line());
        assert_eq!(clouds.aliyun.authentications(), before + 2, "refused, and then with the time of the platform");
    }
}

#[test]
fn without_ca_the_authorities_of_the_system_are_trusted() {
    let clouds = Clouds::start();
    let ca = clouds.path("ca.pem");
    let output = clouds.run_with(clouds.publish_aws().without("--ca"), "SSL_CERT_FILE", &ca);
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn one_override_of_many_may_name_the_endpoint_in_any_case() {
    let clouds = Clouds::start();
    let there = clouds.aws.addr_mutual_tls();
    let upper = AWS.to_ascii_uppercase();
    let line = clouds.publish_aws().with("--endpoint", &upper).with("--connect-to", format!("{upper}:8443:{there}"));
    delivered(&clouds, line.and(&["--connect-to", "other.example:8443:127.0.0.1:1"]));
}

#[test]
fn nothing_is_needed_from_the_environment() {
    let clouds = Clouds::start();
    let mut command = clouds.command(clouds.publish_aws());
    command.env_clear().env("RUST_BACKTRACE", "1").current_dir(Path::new("/"));
    let output = clouds.run_command(command);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}
