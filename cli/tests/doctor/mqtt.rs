//! Over MQTT: the same checks up to the handshake, then CONNECT by the component. To connect throws out the holder of the same client
//! id, so that is done only when it is asked for.

use super::agreement::{assert_agree, in_time};
use super::{assert_healthy, assert_names, outcome, servers, verdict};
use crate::clouds::{PASSWORD, TOKEN, TOKEN_SIGNATURE, authorizer, to};
use crate::command::CommandLine;
use crate::mqtt::Fronts;

const CHECKS: [&str; 8] = ["files", "endpoint", "component", "request", "name", "tcp", "tls", "connect"];

/// What the doctor says to the options of `thingpost mqtt publish`.
fn doctor(line: CommandLine) -> CommandLine {
    line.of(&["doctor", "mqtt"])
}

#[test]
fn what_is_well_is_published() {
    let fronts = Fronts::start();
    fronts.aws.register_authorizer(authorizer(Some(TOKEN_SIGNATURE)));
    let by_443 = fronts.publish().with("--port", "443").with("--connect-to", to(fronts.aws.addr_alpn()));
    let by_authorizer = fronts
        .publish_anonymously()
        .with("--authorizer", crate::clouds::AUTHORIZER)
        .with("--token-name", "X-Token")
        .with("--token-file", fronts.clouds.write("token", TOKEN))
        .with("--token-signature-file", fronts.clouds.write("signature", TOKEN_SIGNATURE))
        .with("--password-file", fronts.clouds.write("password", PASSWORD));
    for (publish, asked, words) in [
        (fronts.publish(), &[][..], "a name for this run alone"),
        (fronts.publish().with("--mqtt", "3.1.1").with("--keep-alive", "45"), &[], "keep-alive: 45 s"),
        (by_443, &[], "ALPN: offered x-amzn-mqtt-ca, chosen x-amzn-mqtt-ca"),
        (
            by_authorizer,
            &[],
            "custom authorizer gatekeeper, a token named X-Token, a signature, no user name, a password",
        ),
        (fronts.publish().with("--client-id", "thermometer"), &["--connect"], "has accepted the client thermometer"),
        (fronts.publish_aliyun(), &["--connect"], "has accepted the client a1B2c3D4e5F.thermometer"),
    ] {
        let before = (fronts.aws.ledger().all_publishes().len(), fronts.aliyun.ledger().all_publishes().len());
        let output = fronts.run(doctor(publish.clone()).and(asked));
        assert_healthy(&output, &CHECKS);
        assert_eq!(
            verdict(&output),
            "all is well as far as can be seen without publishing; --publish tries that as well"
        );
        assert!(output.stdout.contains(words), "{words}:\n{}", output.stdout);
        assert!(output.stdout.contains("\nnot checked: whether the "), "{}", output.stdout);
        let after = (fronts.aws.ledger().all_publishes().len(), fronts.aliyun.ledger().all_publishes().len());
        assert_eq!(before, after, "the doctor publishes only when asked to");
        crate::mqtt::assert_well(&fronts.run(publish));
    }
}

#[test]
fn a_client_that_may_be_connected_is_left_alone_unless_asked_for() {
    let fronts = Fronts::start();
    let feed = fronts.publish().with("--client-id", "thermometer").lines("-");
    let mut device = fronts.clouds.start_piped(feed);
    device.write(b"a\n");
    fronts.wait_for(1);
    let line = doctor(fronts.publish().with("--client-id", "thermometer"));
    let output = fronts.run(line.clone());
    assert_eq!((output.code, outcome(&output, "connect")), (Some(0), Some("skip")), "{}", output.stdout);
    for words in [
        "\nnot checked: whether the broker accepts the client thermometer: to connect throws out",
        "\nnot checked: whether the policy of the certificate allows iot:Publish on topic/sensors/kitchen\n",
        "\nnothing failed, but whether it would publish is not known",
    ] {
        assert!(output.stdout.contains(words), "{words}:\n{}", output.stdout);
    }
    assert_eq!(fronts.aws.ledger().connects().len(), 1);
    assert_eq!(device.stderr(), "", "nobody was disturbed");

    assert_healthy(&fronts.run(line.and(&["--connect"])), &CHECKS);
    device.wait_until("the loss", |device| device.stderr().contains("connection lost"));
    device.write(b"b\n");
    fronts.wait_for(2);
    device.signal("TERM");
    device.end();

    let output = fronts.run(doctor(fronts.publish_aliyun()));
    assert_eq!(outcome(&output, "connect"), Some("skip"), "{}", output.stdout);
    assert!(fronts.aliyun.ledger().connects().is_empty());
}

#[test]
fn what_is_asked_for_is_published_once_and_no_last_will() {
    let fronts = Fronts::start();
    let line = fronts
        .publish()
        .without("--topic")
        .without("--message")
        .with("--client-id", "thermometer")
        .with("--will-topic", "gone")
        .with("--will-message", "x");
    let output = fronts.run(doctor(line).and(&["--publish"]));
    assert_healthy(&output, &CHECKS);
    assert_eq!((outcome(&output, "publish"), verdict(&output)), (Some("ok"), "all is well: the message was delivered"));
    let published = crate::mqtt::only_publish(&fronts.aws.ledger());
    assert_eq!((published.topic.as_str(), published.payload.as_slice()), ("thingpost/doctor", super::PAYLOAD));
    let output = fronts.run(doctor(fronts.publish_aliyun()).and(&["--publish"]));
    assert_eq!(verdict(&output), "all is well: the message was delivered", "{}", output.stdout);
}

#[test]
fn what_an_earlier_run_left_stays_where_it_is() {
    let fronts = Fronts::start();
    let file = fronts.clouds.path("unfinished");
    fronts.aws.link().refuse(true);
    let line = fronts.publish().with("--unfinished", &file);
    assert_ne!(fronts.run(line.clone().with("--timeout", "1")).code, Some(0));
    fronts.aws.link().heal();
    let left = std::fs::read(&file).unwrap();
    let before = fronts.aws.ledger().all_publishes().len();
    let output = fronts.run(doctor(line));
    assert_healthy(&output, &CHECKS);
    assert!(output.stdout.contains("messages of an earlier run in"), "{}", output.stdout);
    assert_eq!((std::fs::read(&file).unwrap(), fronts.aws.ledger().all_publishes().len()), (left, before));
}

#[test]
fn every_fault_is_complained_of_alike() {
    let fronts = Fronts::start();
    let (clouds, line) = (&fronts.clouds, fronts.publish());
    fronts.aws.deny_connect("stranger");
    let large = clouds.write("large", vec![b'x'; 131_073]);
    let other = clouds.write("other.pem", thingpost_emulator::Authority::new().ca_pem());
    let wrong = clouds.write("wrong", "not-the-secret");
    let stranger = line.clone().with("--client-id", "stranger");
    for (publish, asked, words) in [
        (line.clone().with("--cert", clouds.path("missing")), &[][..], &["missing"][..]),
        (line.clone().with("--topic", "a/#"), &[], &["topic"]),
        (line.clone().without("--message").with("--file", large), &[], &["131072"]),
        (line.clone().with("--mqtt", "3.1.1").with("--content-type", "text/plain"), &[], &["MQTT 5"]),
        (line.clone().with("--will-topic", "a/#").with("--will-message", "x"), &[], &["will"]),
        (line.clone().with("--unfinished", clouds.path("nowhere").join("file")), &[], &["--unfinished", "nowhere"]),
        (line.clone().with("--ca", other), &[], &["certificate"]),
        (line.clone().with("--connect-to", to(servers::nobody())), &[], &["connection refused"]),
        (stranger.clone(), &["--connect"], &["iot:Connect", "client/stranger"]),
        (stranger.with("--mqtt", "3.1.1"), &["--connect"], &["iot:Connect", "client/stranger"]),
        (fronts.publish_aliyun().with("--device-secret-file", wrong), &["--connect"], &["secret"]),
        (fronts.publish_aliyun().with("--topic", "user/update"), &["--connect"], &["topic"]),
    ] {
        let both = |line: CommandLine| (fronts.run(line.clone()), fronts.run(doctor(line).and(asked)));
        let (published, examined) = in_time(&publish, words, both);
        assert_agree(&published, &examined, words);
    }
    fronts.aws.deactivate(&clouds.certificate.fingerprint);
    let words = &["certificate is inactive or not registered"];
    let both = |line: CommandLine| (fronts.run(line.clone()), fronts.run(doctor(line)));
    let (published, examined) = in_time(&line, words, both);
    assert_agree(&published, &examined, words);
    assert!(fronts.aws.ledger().all_publishes().is_empty());
}

#[test]
fn a_topic_that_the_shell_has_changed_is_not_well() {
    let fronts = Fronts::start();
    let output = fronts.run(doctor(fronts.publish().with("--topic", "/things/x/shadow/update")));
    assert_eq!((output.code, outcome(&output, "request")), (Some(0), Some("warn")), "{}", output.stdout);
    assert!(verdict(&output).contains("has taken the $aws away"), "{}", output.stdout);
}

#[test]
fn a_port_that_is_for_something_else_is_named() {
    let fronts = Fronts::start();
    for (line, words) in [
        (fronts.publish().with("--port", "8443"), "port 8443 is for HTTPS"),
        (fronts.publish().with("--port", "1883"), "port 1883 is for MQTT without TLS"),
        (
            fronts.publish_anonymously().with("--authorizer", "gate").with("--port", "8883"),
            "there AWS looks at client certificates alone",
        ),
        (fronts.publish_aliyun().with("--endpoint", crate::clouds::ALIYUN), "an endpoint for HTTPS, and takes no MQTT"),
    ] {
        assert_names(&fronts.run(doctor(line)), "endpoint", &[words]);
    }
    // 443 by its number, and in truth a port that looks at no ALPN.
    let output = fronts.run(doctor(fronts.publish().with("--port", "443")));
    assert_eq!(outcome(&output, "tls"), Some("FAIL"), "{}", output.stdout);
    assert!(output.stdout.contains("AWS takes no MQTT on port 443"), "{}", output.stdout);
    // What answers is a server for HTTPS.
    let line = doctor(fronts.publish()).with("--connect-to", to(fronts.clouds.aws.addr_mutual_tls()));
    let output = fronts.run(line.with("--timeout", "5"));
    assert_names(&output, "connect", &["MQTT"]);
}

#[test]
fn a_broker_that_says_nothing_is_told_from_one_that_closes() {
    let fronts = Fronts::start();
    fronts.aws.link().silence_after_handshake(10);
    let output = fronts.run(doctor(fronts.publish()).with("--timeout", "1"));
    assert_eq!(outcome(&output, "tls"), Some("ok"), "{}", output.stdout);
    assert_names(&output, "connect", &["not sent"]);
}

#[test]
fn json_has_what_was_not_checked() {
    let fronts = Fronts::start();
    let output = fronts.run(doctor(fronts.publish().with("--client-id", "thermometer")).and(&["--json"]));
    assert_eq!((output.code, output.stdout.lines().count()), (Some(0), 1), "{output:?}");
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((value["outcome"].as_str(), value["not_checked"].as_array().unwrap().len()), (Some("passed"), 2));
    let connect = value["checks"].as_array().unwrap().iter().find(|check| check["check"] == "connect").unwrap();
    assert_eq!(connect["outcome"], "skipped");
}
