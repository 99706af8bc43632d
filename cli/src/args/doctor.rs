//! What `thingpost doctor` takes: all that `publish` takes. A user in trouble changes one word of the line that does not
//! work; a doctor that took less would look at another run than the one that failed.

use clap::{Arg, ArgGroup, Args, Subcommand};

use super::{MqttPublish, PublishAliyun, PublishAws};

const EXIT_CODES: &str = "\
Exit codes: 0 nothing failed, 1 something failed, 2 wrong usage.";

const TOPIC_OF_AWS: &str = "The topic that the device is to publish to [default: thingpost/doctor]";
const TOPIC_OF_ALIYUN: &str =
    "The topic that the device is to publish to [default: /PRODUCT_KEY/DEVICE_NAME/user/update]";
const TOPIC_OF_MQTT: &str = "The topic that the device is to publish to [default: thingpost/doctor; on Aliyun \
                             /PRODUCT_KEY/DEVICE_NAME/user/update]";
const JSON: &str = "Print one JSON object with all checks";

#[derive(Subcommand)]
pub enum DoctorCommand {
    /// A device of AWS IoT Core over HTTPS: its files, endpoint, network, TLS, clock and request, one after the other. Takes what
    /// `thingpost publish aws` takes; a message need not be given. Signs a harmless question with an access key
    #[command(
        after_help = EXIT_CODES,
        mut_group("Source", optional),
        mut_arg("topic", |_| topic(TOPIC_OF_AWS)),
        mut_arg("json", |json| json.help(JSON))
    )]
    Aws(Box<DoctorAws>),
    /// A device of Aliyun IoT Platform over HTTPS: its names, endpoint, network, TLS, clock, signature and topic, one after the
    /// other. Takes what `thingpost publish aliyun` takes; a message need not be given. Asks for a token
    #[command(
        after_help = EXIT_CODES,
        mut_group("AliyunSource", optional),
        mut_arg("topic", |_| topic(TOPIC_OF_ALIYUN)),
        mut_arg("json", |json| json.help(JSON))
    )]
    Aliyun(Box<DoctorAliyun>),
    /// A device on an MQTT broker of either platform: its files, endpoint, network, TLS and ALPN, message and CONNECT, one after
    /// the other. Takes what `thingpost mqtt publish` takes; a message need not be given
    #[command(
        after_help = EXIT_CODES,
        mut_group("Source", optional),
        mut_arg("topic", |_| topic(TOPIC_OF_MQTT)),
        mut_arg("json", |json| json.help(JSON))
    )]
    Mqtt(Box<DoctorMqtt>),
}

/// A healthy device has something to say; to find out what is wrong with one, any message will do.
fn optional(group: ArgGroup) -> ArgGroup {
    group.required(false)
}

/// Optional too, and `clap` cannot take back what an option is required by.
fn topic(help: &'static str) -> Arg {
    Arg::new("topic").long("topic").value_name("TOPIC").help(help)
}

#[derive(Args)]
pub struct DoctorAws {
    /// In the end publish one message to the topic. Without this nothing is published
    #[arg(long)]
    pub publish: bool,
    #[command(flatten)]
    pub publication: PublishAws,
}

#[derive(Args)]
pub struct DoctorAliyun {
    /// In the end publish one message to the topic. Without this nothing is published
    #[arg(long)]
    pub publish: bool,
    #[command(flatten)]
    pub publication: PublishAliyun,
}

#[derive(Args)]
pub struct DoctorMqtt {
    /// Connect even if that throws out whoever is connected with the same client id: with --client-id, and at Aliyun always. Its
    /// last will is then published, and without --session-expiry the broker forgets its session
    #[arg(long)]
    pub connect: bool,
    /// In the end connect as with --connect, and publish one message to the topic. Without this nothing is published
    #[arg(long)]
    pub publish: bool,
    #[command(flatten)]
    pub publication: MqttPublish,
}
