//! What `thingpost mqtt subscribe` takes.

use clap::{Args, ValueEnum};

use super::MqttDevice;
use crate::args::message::QosLevel;
use crate::args::network::parse_seconds;

#[derive(Args)]
pub struct MqttSubscribe {
    /// A topic, perhaps with + for one level and # for all that follow; may be repeated
    #[arg(long = "topic", value_name = "FILTER", required = true)]
    pub topics: Vec<String>,
    /// How often messages may arrive: 0 at most once, 1 at least once
    #[arg(long, value_enum, default_value_t = QosLevel::AtLeastOnce)]
    pub qos: QosLevel,
    /// Do not print what this client id has published itself (MQTT 5)
    #[arg(long)]
    pub no_local: bool,
    /// Say "retain" of each message that was published to be retained, not only of those that had waited (MQTT 5; it shows with --json)
    #[arg(long)]
    pub retain_as_published: bool,
    /// Whether to print what the topics have retained: always, if the broker does not know the subscription yet, or never
    /// (MQTT 5) [default: always]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub retain_handling: Option<RetainHandling>,
    /// End after so many messages
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Print one JSON object for each message; a payload that is not text is in base64. Without this it is topic: payload
    #[arg(long)]
    pub json: bool,
    /// Give up when there was no connection in this time [default: wait for the first as for any other]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse_seconds)]
    pub connect_within: Option<u32>,
    #[command(flatten)]
    pub device: MqttDevice,
}

/// When retained messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RetainHandling {
    Always,
    New,
    Never,
}
