//! What `thingpost mqtt subscribe` takes.

use clap::Args;

use super::MqttDevice;
use crate::arguments::message::QosLevel;
use crate::arguments::reach::parse_seconds;

#[derive(Args)]
pub struct MqttSubscribe {
    /// A topic, perhaps with + for one level and # for all that follow; may be repeated
    #[arg(long = "topic", value_name = "FILTER", required = true)]
    pub topics: Vec<String>,
    /// How often messages may arrive: 0 at most once, 1 at least once
    #[arg(long, value_enum, default_value_t = QosLevel::AtLeastOnce)]
    pub qos: QosLevel,
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
