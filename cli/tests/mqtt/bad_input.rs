//! Wrong input is one line that names the thing and the way out, and no connection.

use super::Fronts;
use crate::command::CommandLine;

#[test]
fn how_the_device_shows_who_it_is_is_said_in_exactly_one_way() {
    let fronts = Fronts::start();
    let ways = ["--cert and --key", "--authorizer NAME", "--product-key and --device-name"];
    fronts.assert_usage(fronts.publish_anonymously(), &[&["nothing says how"][..], &ways].concat());
    for (option, other) in [("--authorizer", "gate"), ("--product-key", "pk")] {
        let line = fronts.publish().with("--device-name", "d").with(option, other);
        let line = if option == "--authorizer" { line.without("--device-name") } else { line };
        fronts.assert_usage(line, &[&["two ways", "--cert", option][..], &ways].concat());
    }
}

#[test]
fn what_belongs_to_another_way_is_refused_with_what_it_needs() {
    let fronts = Fronts::start();
    let by_authorizer = "--authorizer or --authorizer-default";
    let by_password = "--authorizer, --authorizer-default or --generic";
    for (option, value, way) in [
        ("--user-name", "me", by_password),
        ("--password-file", "p", by_password),
        ("--token-name", "t", by_authorizer),
    ] {
        fronts.assert_usage(fronts.publish().with(option, value), &[option, way]);
    }
    fronts.assert_usage(fronts.publish().with("--key", "k").without("--cert"), &["--cert"]);
    fronts.assert_usage(fronts.publish().with("--product-key", "pk"), &["--device-name"]);
    fronts.assert_usage(fronts.publish().with("--device-secret-file", "f"), &["--product-key"]);
    fronts.assert_usage(fronts.publish_aliyun().with("--mqtt", "5"), &["--mqtt 5", "Aliyun has MQTT 3.1.1"]);
    let will = fronts.publish_aliyun().with("--will-topic", "t").with("--will-message", "m");
    fronts.assert_usage(will, &["--will-topic", "Aliyun has no last wills"]);
    fronts.assert_usage(fronts.publish_aliyun().and(&["--retain"]), &["not sent: "]);
    fronts.assert_usage(fronts.publish_aliyun().with("--keep-alive", "20"), &["keep-alive", "30 to 1200 seconds"]);
}

#[test]
fn a_session_that_is_kept_needs_a_name() {
    let fronts = Fronts::start();
    fronts.assert_usage(fronts.publish().with("--session-expiry", "60"), &["--session-expiry needs --client-id"]);
    for client_id in ["", "$x", &"x".repeat(129)] {
        fronts.assert_usage(fronts.publish().with("--client-id", client_id), &["client id"]);
    }
}

#[test]
fn numbers_and_choices_are_checked() {
    let fronts = Fronts::start();
    for (option, value, word) in [
        ("--port", "0", "from 1 to 65535"),
        ("--count", "0", "--count"),
        ("--interval", "0", "between 0.001"),
        ("--queue", "none", "unlimited or off"),
        ("--drop", "all", "oldest, newest"),
        ("--mqtt", "4", "3.1.1, 5"),
        ("--qos", "2", "0, 1"),
        ("--keep-alive", "-1", "--keep-alive"),
        ("--keep-alive", "0", "keep-alive"),
        ("--timeout", "0", "between 0.001"),
        ("--endpoint", "mqtt://a.example", "mqtts://a.example"),
        ("--endpoint", "https://a.example", "mqtts://a.example"),
        ("--message-expiry", "4294967296", "--message-expiry"),
    ] {
        fronts.assert_usage(fronts.publish().with(option, value), &[word]);
    }
}

#[test]
fn a_value_that_is_wrong_comes_with_the_help_of_the_command_and_without_a_password() {
    let fronts = Fronts::start();
    fronts.assert_usage(fronts.publish().with("--count", "0"), &["`thingpost mqtt publish --help`"]);
    let line = fronts.publish().with("--endpoint", "mqtts://me:hunter2@a.example");
    fronts.assert_usage(line.clone(), &["user and password do not belong there", "`thingpost mqtt publish --help`"]);
    assert!(!fronts.run(line).stderr.contains("hunter2"));
}

#[test]
fn options_that_need_another_say_which() {
    let fronts = Fronts::start();
    fronts.assert_usage(fronts.publish().with("--interval", "1"), &["--interval", "--count or --lines"]);
    fronts.assert_usage(fronts.publish().with("--failed", "f"), &["--failed", "--message"]);
    fronts.assert_usage(fronts.publish().lines("-").with("--count", "2"), &["--count", "--lines"]);
    fronts.assert_usage(fronts.publish().with("--will-topic", "t"), &["--will-message"]);
    fronts.assert_usage(fronts.publish().and(&["--will-retain"]), &["--will-topic"]);
    fronts.assert_usage(fronts.publish().without("--topic"), &["--topic", "`thingpost mqtt publish --help`"]);
    fronts.assert_usage(fronts.publish().without("--message"), &["--message", "--file", "--lines"]);
    let properties = fronts.publish().with("--mqtt", "3.1.1").with("--content-type", "text/plain");
    fronts.assert_usage(properties, &["not sent: "]);
}

#[test]
fn a_topic_that_cannot_be_published_to_is_said_once_and_before_there_is_a_connection() {
    let fronts = Fronts::start();
    let lines = fronts.clouds.write("lines", "a\nb\n");
    for topic in ["a/#", "", "a/+"] {
        fronts.assert_usage(fronts.publish().with("--topic", topic), &["not sent: ", "topic"]);
        fronts.assert_usage(fronts.publish().with("--topic", topic).lines(&lines), &["not sent: ", "topic"]);
    }
    let large = fronts.clouds.write("large", vec![b'x'; 131_073]);
    let line = fronts.publish().without("--message").with("--file", large);
    fronts.assert_usage(line, &["not sent: ", "131072"]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let fronts = Fronts::start();
    let missing = fronts.clouds.path("missing");
    for option in ["--cert", "--key", "--ca"] {
        fronts.assert_usage(fronts.publish().with(option, &missing), &["missing"]);
    }
    fronts.assert_usage(fronts.publish().lines(&missing), &["cannot read lines", "missing"]);
    fronts.assert_usage(fronts.publish().without("--message").with("--file", &missing), &["message", "missing"]);
    fronts.assert_usage(fronts.publish_aliyun().with("--device-secret-file", &missing), &["device secret", "missing"]);
    let by_authorizer = fronts.publish_anonymously().with("--authorizer", "gate").with("--password-file", &missing);
    fronts.assert_usage(by_authorizer, &["password", "missing"]);
}

#[test]
fn without_a_word_the_help_shows() {
    let fronts = Fronts::start();
    let output = fronts.run(CommandLine::new(&["mqtt"]));
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("publish") && output.stderr.contains("subscribe"), "{output:?}");
    for word in ["publish", "subscribe"] {
        let output = fronts.run(CommandLine::new(&["help", "mqtt", word]));
        assert_eq!(output.code, Some(0));
        assert!(output.stdout.contains("connection may take") && output.stdout.contains("Exit codes: 0"), "{output:?}");
    }
}
