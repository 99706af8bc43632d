//! `thingpost direct`: a message for one client, with its confirmation or without.

use serde_json::Value;
use thingpost_emulator::ConnectedClient;

use crate::clouds::{AUTHORIZER, Clouds, TOKEN};
use crate::command::CommandLine;

fn send(clouds: &Clouds) -> CommandLine {
    clouds
        .aws(&["direct", "send"])
        .with("--client-id", "pump 7/é")
        .with("--topic", "commands/start")
        .with("--message", "-1")
}

fn connect(clouds: &Clouds, acknowledges: bool) {
    clouds.aws.add_client(ConnectedClient { acknowledges, ..ConnectedClient::new("pump 7/é") });
}

#[test]
fn a_client_gets_the_message_and_its_properties() {
    let clouds = Clouds::start();
    connect(&clouds, false);
    let line = send(&clouds).with("--content-type", "text/plain").and(&["--user-property", "a=b"]);
    let output = clouds.run(line);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.starts_with("delivered to pump 7/é (trace id "), "{output:?}");
    let message = clouds.aws.direct_messages().remove(0);
    assert_eq!((message.topic.as_str(), &message.payload[..], message.qos), ("commands/start", &b"-1"[..], 0));
    assert_eq!(message.content_type.as_deref(), Some("text/plain"));
    assert_eq!(message.user_properties, [("a".to_owned(), "b".to_owned())]);
}

#[test]
fn a_confirmation_is_waited_for_and_said() {
    let clouds = Clouds::start();
    connect(&clouds, true);
    let file = clouds.write("message", [0xff, 0]);
    let line = send(&clouds).without("--message").with("--file", file).and(&["--confirm"]);
    let output = clouds.run(line.clone());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("delivered to pump 7/é, which has confirmed it (trace id "), "{output:?}");
    let output = clouds.run(line.with("--confirm-timeout", "15").and(&["--json"]));
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["outcome"], &value["confirmed"]), (&"delivered".into(), &true.into()));
    assert_eq!((&value["client_id"], &value["topic"]), (&"pump 7/é".into(), &"commands/start".into()));
    let messages = clouds.aws.direct_messages();
    assert!(messages.iter().all(|message| message.acknowledged && message.payload == [0xff, 0]));
    assert_eq!(messages.iter().map(|message| message.timeout_seconds).collect::<Vec<_>>(), [Some(5), Some(15)]);
}

#[test]
fn a_confirmation_that_does_not_come_leaves_the_fate_unknown() {
    let clouds = Clouds::start();
    connect(&clouds, false);
    let output = clouds.run(send(&clouds).with("--timeout", "60").and(&["--confirm", "--json"]));
    assert_eq!(output.code, Some(4), "{output:?}");
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["outcome"], &value["cause"]), (&"unknown".into(), &"unconfirmed".into()));
}

#[test]
fn a_client_that_is_not_there_is_a_refusal() {
    let clouds = Clouds::start();
    let output = clouds.run(send(&clouds));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().contains("status 404"), "{output:?}");
}

#[test]
fn an_authorizer_may_send_as_well() {
    let clouds = Clouds::start();
    connect(&clouds, true);
    clouds.add_authorizer(None);
    let line = send(&clouds).without("--cert").without("--key");
    let line = line.with("--connect-to", crate::clouds::to(clouds.aws.addr_alpn())).with("--authorizer", AUTHORIZER);
    let output = clouds.run_with(line.with("--token-name", "X-Token"), "THINGPOST_AUTHORIZER_TOKEN", TOKEN);
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn what_cannot_be_is_found_before_anything_is_sent() {
    let clouds = Clouds::start();
    for (line, words) in [
        (send(&clouds).with("--client-id", "$x"), &["id of an MQTT client"][..]),
        (send(&clouds).with("--topic", "a/+"), &["topic", "subscribing"]),
        (send(&clouds).and(&["--confirm", "--confirm-timeout", "16"]), &["1 to 15 seconds"]),
        (send(&clouds).and(&["--confirm", "--timeout", "5"]), &["--timeout", "longer than the 5 seconds"]),
        (send(&clouds).with("--confirm-timeout", "3"), &["--confirm"]),
        (send(&clouds).without("--message"), &["--message", "--file"]),
        (send(&clouds).and(&["--retain"]), &["--retain"]),
    ] {
        clouds.assert_usage(line, words);
    }
}
