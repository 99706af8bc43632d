//! The command against the fronts of both clouds, with a real broker behind them.

mod aliyun_logins;
mod bad_days;
mod bad_input;
mod connections;
mod emulated;
mod generic;
mod interruptions;
mod lines;
mod losses;
mod messages;
mod refusals;
mod subscriptions;
mod unfinished;

use thingpost_emulator::{AliyunMqtt, AwsMqtt, Broker, MqttConnect, MqttEnd, MqttEntry, MqttLedger, MqttPublish};
use thingpost_patience::patience;

use crate::clouds::{AWS, Clouds, SECRET, to};
use crate::command::CommandLine;
use crate::process::{Output, Process};

pub const ALIYUN_MQTT: &str = "a1B2c3D4e5F.iot-as-mqtt.cn-shanghai.aliyuncs.com";
pub const TOPIC: &str = "sensors/kitchen";

/// Dropped from the first to the last: all of it lives in the runtime of the clouds.
pub struct Fronts {
    pub aws: AwsMqtt,
    pub aliyun: AliyunMqtt,
    pub broker: Broker,
    pub clouds: Clouds,
}

impl Fronts {
    pub fn start() -> Self {
        let clouds = Clouds::start();
        let broker = clouds.block_on(Broker::start()).unwrap_or_else(|error| panic!("{error}"));
        let aws = clouds.block_on(AwsMqtt::start(&clouds.authority, AWS, broker.socket())).unwrap();
        aws.register(&clouds.certificate);
        let aliyun = clouds.block_on(AliyunMqtt::start(&clouds.authority, ALIYUN_MQTT, broker.socket())).unwrap();
        aliyun.register_device("a1B2c3D4e5F", "thermometer", SECRET);
        Self { aws, aliyun, broker, clouds }
    }

    /// Publishes to AWS, port 8883.
    pub fn publish(&self) -> CommandLine {
        self.certified("publish").with("--topic", TOPIC).with("--message", "21.5")
    }

    /// Subscribes at AWS, port 8883.
    pub fn subscribe(&self, filter: &str) -> CommandLine {
        self.certified("subscribe").with("--topic", filter)
    }

    fn certified(&self, word: &str) -> CommandLine {
        self.clouds.aws(&["mqtt", word]).with("--connect-to", to(self.aws.addr_mutual_tls()))
    }

    /// Publishes to AWS, port 443, without a way to show who the device is.
    pub fn publish_anonymously(&self) -> CommandLine {
        let line = CommandLine::new(&["mqtt", "publish"]).with("--topic", TOPIC).with("--message", "21.5");
        self.clouds.anonymous(line).with("--connect-to", to(self.aws.addr_alpn()))
    }

    /// Publishes to Aliyun.
    pub fn publish_aliyun(&self) -> CommandLine {
        CommandLine::new(&["mqtt", "publish"])
            .with("--endpoint", ALIYUN_MQTT)
            .with("--product-key", "a1B2c3D4e5F")
            .with("--device-name", "thermometer")
            .with("--device-secret-file", self.clouds.path("secret.txt"))
            .with("--topic", "/a1B2c3D4e5F/thermometer/user/update")
            .with("--message", "21.5")
            .with("--ca", self.clouds.path("ca.pem"))
            .with("--connect-to", to(self.aliyun.addr()))
    }

    pub fn run(&self, line: CommandLine) -> Output {
        self.clouds.run(line)
    }

    /// Starts it without an input.
    pub fn start_process(&self, line: CommandLine) -> Process {
        self.clouds.start_command(self.clouds.command(line))
    }

    /// A subscription that stands.
    pub fn subscribed(&self, line: CommandLine) -> Process {
        let mut process = self.start_process(line);
        process.wait_until("the subscription", |process| process.stderr().contains("subscribed to"));
        process
    }

    /// Waits until so many messages came to AWS.
    #[track_caller]
    pub fn wait_for(&self, count: u64) {
        self.clouds.block_on(self.aws.ledger().wait_for_publishes(count, patience())).unwrap();
    }

    /// The payloads that the broker has, in their order.
    pub fn arrived(&self) -> Vec<String> {
        texts(self.aws.ledger().payloads(TOPIC))
    }

    /// The last CONNECT.
    #[track_caller]
    pub fn connect(&self) -> MqttConnect {
        self.aws.ledger().connects().pop().expect("somebody has connected")
    }

    /// That wrong input is answered with one line that has all these words, and without a connection.
    #[track_caller]
    pub fn assert_usage(&self, line: CommandLine, words: &[&str]) {
        let before = (self.aws.connections_mutual_tls(), self.aws.connections_alpn(), self.aliyun.connections());
        crate::clouds::assert_explained(&self.run(line), words);
        let after = (self.aws.connections_mutual_tls(), self.aws.connections_alpn(), self.aliyun.connections());
        assert_eq!(before, after);
    }
}

/// The only message in the ledger.
#[track_caller]
pub fn only_publish(ledger: &MqttLedger) -> MqttPublish {
    let mut publishes = ledger.all_publishes();
    assert_eq!(publishes.len(), 1, "{publishes:?}");
    publishes.remove(0)
}

pub fn texts(payloads: Vec<Vec<u8>>) -> Vec<String> {
    payloads.into_iter().map(|payload| String::from_utf8(payload).unwrap()).collect()
}

/// How the connections came to their ends.
pub fn ends(ledger: &MqttLedger) -> Vec<MqttEnd> {
    let end = |entry: MqttEntry| match entry {
        MqttEntry::End(ended) => Some(ended.end),
        _ => None,
    };
    ledger.entries().into_iter().filter_map(end).collect()
}

/// That all went well and nothing was complained of.
#[track_caller]
pub fn assert_well(output: &Output) {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}

/// That it failed with this code and one line that has all these words.
#[track_caller]
pub fn assert_failed(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, Some(code), "{output:?}");
    let complaint = output.only_complaint();
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}
