//! What `thingpost mqtt publish` takes.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::MqttDevice;
use crate::args::message::QosLevel;
use crate::args::network::parse_seconds;
use crate::args::publish::{MessageOptions, ReportArgs, Source, parse_pace};

#[derive(Args)]
pub struct MqttPublish {
    /// The topic, as the console shows it
    #[arg(long, required_unless_present = "rule")]
    pub topic: Option<String>,
    #[command(flatten)]
    pub source: Source,
    /// Publish the message so many times
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "lines",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub count: Option<u32>,
    /// With --count or --lines: the pause between two messages
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse_seconds)]
    pub interval: Option<u32>,
    /// Send so many messages per second at the most [default: as many as the broker takes; it is sent less while it refuses
    /// most of them for now]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_pace)]
    pub max_per_second: Option<NonZeroU32>,
    #[command(flatten)]
    pub report: ReportArgs,
    /// Keep messages without an answer in this file at the end, and send those that are in it first, so that none is lost
    /// between two runs; if there are none, neither is the file. Nobody else may read it, and one run at a time uses it
    #[arg(long, value_name = "PATH")]
    pub unfinished: Option<PathBuf>,
    /// Give up when there was no connection in this time [default: --timeout for messages that can wait; a pipe and --interval
    /// wait for their first connection as for any other]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse_seconds)]
    pub connect_within: Option<u32>,
    #[command(flatten)]
    pub device: MqttDevice,
    #[command(flatten, next_help_heading = "While there is no connection")]
    pub queue: QueueArgs,
    #[command(flatten, next_help_heading = "Message")]
    pub message: MqttMessageArgs,
}

#[derive(Args)]
pub struct MqttMessageArgs {
    /// 0: at most once, nobody confirms it, and delivered means handed to the connection. 1: at least once, confirmed by the
    /// broker, and sent again after a lost connection
    #[arg(long, value_enum, default_value_t = QosLevel::AtLeastOnce)]
    pub qos: QosLevel,
    #[command(flatten)]
    pub options: MessageOptions,
}

/// Messages that come while there is no connection. Those of a file can wait where they are; those of a pipe cannot.
#[derive(Args)]
pub struct QueueArgs {
    /// How many messages of a pipe, or of --interval, may wait: a number, unlimited (up to 32 MiB) or off. The lines of a file
    /// wait in the file. Like --drop and --drain-per-second of no effect with a single message [default: 1000]
    #[arg(long, value_name = "N")]
    pub queue: Option<QueueLimit>,
    /// Which message goes when they are more: the one that has waited longest, or the one that comes [default: newest]
    #[arg(long, value_enum, value_name = "WHICH")]
    pub drop: Option<Drop>,
    /// How many of those that waited are sent per second when the connection is back, 0 for all at once [default: 50]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub drain_per_second: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    Off,
    Messages(NonZeroU32),
    Unlimited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drop {
    Oldest,
    Newest,
}

impl FromStr for QueueLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "unlimited" => Ok(Self::Unlimited),
            number => match number.parse() {
                Ok(limit) => Ok(Self::Messages(limit)),
                Err(_) => Err("give a whole number from 1 to 4294967295, unlimited or off".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_a_limit_or_none_or_is_none() {
        assert_eq!("off".parse(), Ok(QueueLimit::Off));
        assert_eq!("unlimited".parse(), Ok(QueueLimit::Unlimited));
        assert_eq!("7".parse(), Ok(QueueLimit::Messages(NonZeroU32::new(7).unwrap())));
        for wrong in ["0", "-1", "", "many", "4294967296", "1.5"] {
            assert!(wrong.parse::<QueueLimit>().is_err(), "{wrong}");
        }
    }
}
