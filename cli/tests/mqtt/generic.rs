//! A broker of no cloud: mosquitto as it is, with passwords and certificates of its own, and none of the rules of AWS.

use thingpost_emulator::{Broker, BrokerOptions, PlainMqtt};
use thingpost_patience::patience;

use super::{assert_failed, only_publish, texts};
use crate::clouds::{Clouds, assert_explained, to};
use crate::command::CommandLine;
use crate::process::Output;

const HOST: &str = "broker.lan";
const PASSWORD: &str = "swordfish-1";

/// Dropped from the first to the last: all of it lives in the runtime of the clouds.
struct House {
    front: PlainMqtt,
    _broker: Broker,
    clouds: Clouds,
}

impl House {
    /// A broker that knows one user.
    fn with_password() -> Self {
        Self::start(BrokerOptions { users: &[("me", PASSWORD)], ..BrokerOptions::default() }, false)
    }

    /// A broker that takes all who show a certificate.
    fn with_certificate() -> Self {
        Self::start(BrokerOptions::default(), true)
    }

    fn start(options: BrokerOptions, wants_certificate: bool) -> Self {
        let clouds = Clouds::start();
        let broker = clouds.block_on(Broker::start_with(options)).unwrap_or_else(|error| panic!("{error}"));
        let authority = &clouds.authority;
        let front = match wants_certificate {
            true => clouds.block_on(PlainMqtt::start_with_certificates(authority, HOST, broker.socket())),
            false => clouds.block_on(PlainMqtt::start(authority, HOST, broker.socket())),
        };
        clouds.write("password", format!("{PASSWORD}\n"));
        Self { front: front.unwrap(), _broker: broker, clouds }
    }

    fn line(&self, words: &[&str]) -> CommandLine {
        CommandLine::new(words)
            .with("--endpoint", HOST)
            .and(&["--generic"])
            .with("--ca", self.clouds.path("ca.pem"))
            .with("--connect-to", to(self.front.addr()))
    }

    fn publish(&self, topic: &str) -> CommandLine {
        self.line(&["mqtt", "publish"]).with("--topic", topic).with("--message", "21.5")
    }

    fn as_me(&self, line: CommandLine) -> CommandLine {
        line.with("--user-name", "me").with("--password-file", self.clouds.path("password"))
    }

    fn certified(&self, line: CommandLine) -> CommandLine {
        let clouds = &self.clouds;
        line.with("--cert", clouds.path("device.pem.crt")).with("--key", clouds.path("private.pem.key"))
    }

    fn run(&self, line: CommandLine) -> Output {
        self.clouds.run(line)
    }
}

fn assert_names_no_cloud(output: &Output) {
    let text = format!("{}{}", output.stdout, output.stderr);
    assert!(!["AWS", "aws", "Aliyun", PASSWORD].iter().any(|word| text.contains(word)), "{text}");
}

#[test]
fn a_user_name_and_a_password_are_enough() {
    let house = House::with_password();
    for version in ["5", "3.1.1"] {
        let output = house.run(house.as_me(house.publish("sensors/kitchen")).with("--mqtt", version));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        assert_names_no_cloud(&output);
    }
    assert_eq!(texts(house.front.ledger().payloads("sensors/kitchen")), ["21.5", "21.5"]);
    let ids: Vec<String> = house.front.ledger().connects().into_iter().map(|connect| connect.client_id).collect();
    assert!(ids.iter().all(|id| id.starts_with("thingpost-")) && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn a_certificate_is_enough() {
    let house = House::with_certificate();
    let output = house.run(house.certified(house.publish("a")));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(only_publish(&house.front.ledger()).topic, "a");
}

#[test]
fn all_topics_of_the_standard_arrive() {
    let house = House::with_password();
    let deep = ["a"; 100].join("/");
    let topics = ["a/b/c/d/e/f/g/h/i/j", "/", "a//b", "$aws/things/x", "with space/\u{e9}", &deep];
    for topic in topics {
        let output = house.run(house.as_me(house.publish(topic)));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{topic}: {output:?}");
    }
    let arrived: Vec<String> = house.front.ledger().all_publishes().into_iter().map(|publish| publish.topic).collect();
    assert_eq!(arrived, topics);
}

#[test]
fn a_payload_larger_than_any_cloud_takes_arrives() {
    let house = House::with_password();
    let file = house.clouds.write("large", vec![b'x'; 1 << 19]);
    let line = house.as_me(house.publish("large")).without("--message").with("--file", file);
    let output = house.run(line);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(only_publish(&house.front.ledger()).payload.len(), 1 << 19);
    for bytes in [1 << 20, 1 << 22] {
        let file = house.clouds.write("too-large", vec![b'x'; bytes]);
        let output = house.run(house.as_me(house.publish("large")).without("--message").with("--file", file));
        assert_failed(&output, 2, &["too large", "1 MiB"]);
    }
}

#[test]
fn a_subscription_gets_what_is_published_and_what_the_topic_has_kept() {
    let house = House::with_password();
    let kept = house.run(house.as_me(house.publish("house/kept")).and(&["--retain"]));
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let line = house.as_me(house.line(&["mqtt", "subscribe"])).with("--topic", "$share/group/house/#");
    let shared = house.run(line.with("--count", "0").with("--timeout", "1"));
    assert_names_no_cloud(&shared);
    let line = house.as_me(house.line(&["mqtt", "subscribe"])).with("--topic", "house/#").with("--count", "2");
    let mut subscriber = house.clouds.start_command(house.clouds.command(line));
    subscriber.wait_until("the subscription", |process| process.stderr().contains("subscribed to"));
    house.run(house.as_me(house.publish("house/new")));
    let output = subscriber.end_by_itself();
    assert_eq!((output.code, output.stdout.lines().count()), (Some(0), 2), "{output:?}");
}

#[test]
fn a_wrong_password_is_explained_and_shown_nowhere() {
    for version in ["5", "3.1.1"] {
        let house = House::with_password();
        house.clouds.write("password", "swordfish-12\n");
        let output = house.clouds.run_until(&house.as_me(house.publish("a")).with("--mqtt", version), &["password"]);
        assert_eq!(output.code, Some(3), "{output:?}");
        assert_names_no_cloud(&output);
        assert!(output.only_complaint().contains("password"), "{output:?}");
    }
}

#[test]
fn a_broker_without_qos_1_is_explained_over_mqtt_3_1_1_and_explains_itself_over_mqtt_5() {
    let house = House::start(BrokerOptions { max_qos: 0, ..BrokerOptions::default() }, false);
    let output = house.run(house.publish("a").with("--mqtt", "3.1.1"));
    assert_eq!(output.code, Some(4), "{output:?}");
    let said = output.stderr.lines().find(|line| line.starts_with("unknown: ")).unwrap();
    assert!(said.contains("QoS 1") && said.contains("use MQTT 5"), "{said}");
    assert_names_no_cloud(&output);
    let output = house.run(house.publish("a").with("--mqtt", "5"));
    assert!(matches!(output.code, Some(1 | 3)), "certainly not delivered: {output:?}");
    assert!(output.stderr.contains("QoS 0"), "{output:?}");
    let output = house.run(house.publish("a").with("--mqtt", "3.1.1").with("--qos", "0"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}

#[test]
fn what_belongs_to_a_cloud_is_refused_in_one_line() {
    let house = House::with_password();
    let publish = || house.publish("a");
    for (line, words) in [
        (publish().with("--authorizer", "gate"), ["--generic", "--authorizer"]),
        (publish().with("--product-key", "pk").with("--device-name", "d"), ["--generic", "--product-key"]),
        (publish().with("--token-name", "t"), ["--token-name", "--authorizer"]),
        (publish().with("--session-expiry", "60"), ["--session-expiry", "--client-id"]),
        (publish().with("--cert", "x"), ["required", "--key"]),
    ] {
        assert_explained(&house.run(line), &words);
    }
    assert_eq!(house.front.ledger().connects().len(), 0);
}

#[test]
fn a_feed_survives_a_connection_that_is_cut() {
    let house = House::with_password();
    let mut process =
        house.clouds.start_piped(house.as_me(house.publish("a").without("--message")).with("--lines", "-"));
    process.write(b"1\n2\n");
    house.clouds.block_on(house.front.ledger().wait_for_publishes(2, patience())).unwrap();
    house.front.link().cut();
    process.write(b"3\n");
    house.clouds.block_on(house.front.ledger().wait_for_publishes(3, patience())).unwrap();
    let output = house.clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "3 delivered, 0 refused, 0 not sent, 0 unknown\n"));
}

#[test]
fn the_doctor_connects_and_publishes_there_too() {
    let house = House::with_password();
    let line = house.as_me(house.line(&["doctor", "mqtt"])).with("--topic", "a").and(&["--publish"]);
    let output = house.run(line);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_names_no_cloud(&output);
    assert!(output.stdout.contains("all is well"), "{output:?}");
}
