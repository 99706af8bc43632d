//! What `thingpost publish` takes.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::message::{PropertyArgs, QosLevel, parse_pair};
use super::session::SessionArgs;
use super::{AliyunDevice, AwsDevice, EXIT_CODES};

#[derive(Subcommand)]
pub enum PublishCommand {
    /// AWS IoT Core: with a certificate, an access key, a custom authorizer or a role alias
    #[command(after_help = EXIT_CODES)]
    Aws(Box<PublishAws>),
    /// Aliyun IoT Platform, with a device secret
    #[command(after_help = EXIT_CODES)]
    Aliyun(Box<PublishAliyun>),
}

#[derive(Args)]
pub struct PublishAws {
    /// The topic, as the console shows it
    #[arg(long, required_unless_present = "rule")]
    pub topic: Option<String>,
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub publish: PublishArgs,
    #[command(flatten)]
    pub device: AwsDevice,
    #[command(flatten, next_help_heading = "Message")]
    pub message: MessageArgs,
}

#[derive(Args)]
pub struct PublishAliyun {
    /// The topic, as the console shows it
    #[arg(long, required_unless_present_any = ["property", "event"])]
    pub topic: Option<String>,
    #[command(flatten)]
    pub source: AliyunSource,
    #[command(flatten)]
    pub publish: PublishArgs,
    #[command(flatten)]
    pub device: AliyunDevice,
}

/// A message, or what the thing model makes one of.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct AliyunSource {
    /// The message itself
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub message: Option<String>,
    /// A file that is the message, any bytes up to 128 KB
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// A file with one message in each line, - for standard input; empty lines are left out, Ctrl-C ends it in order
    #[arg(long, value_name = "PATH")]
    pub lines: Option<PathBuf>,
    /// A property of the thing model and its value: JSON as it is typed if it is JSON (21.5, "7", {"x":1}), otherwise a text; may
    /// be repeated, up to 200 go in one message. Delivered does not mean that the thing model has taken it: a float or a double
    /// needs its point (21.0, not 21), a bool is 0 or 1, an enum its number, a date a text of milliseconds ("1524448722000",
    /// quotes included)
    #[arg(long, value_name = "NAME=VALUE", allow_hyphen_values = true, value_parser = parse_pair, conflicts_with = "topic")]
    pub property: Vec<(String, String)>,
    /// An event of the thing model and its output, a JSON object
    #[arg(long, value_name = "NAME=JSON", allow_hyphen_values = true, value_parser = parse_pair, conflicts_with = "topic")]
    pub event: Option<(String, String)>,
}

impl AliyunSource {
    /// Where the messages come from, if the thing model does not make them.
    pub fn source(&self) -> Source {
        Source { message: self.message.clone(), file: self.file.clone(), lines: self.lines.clone() }
    }
}

/// What AWS can do with a message.
#[derive(Args)]
pub struct MessageArgs {
    /// 0: at most once. 1: at least once, also sent again after a lost answer
    #[arg(long, value_enum, default_value_t = QosLevel::AtMostOnce)]
    pub qos: QosLevel,
    #[command(flatten)]
    pub options: MessageOptions,
}

/// The options of a message without the one that depends on the protocol.
#[derive(Args)]
pub struct MessageOptions {
    /// The topic keeps the message for those who subscribe later; an empty message (--message '') clears what it has kept
    #[arg(long)]
    pub retain: bool,
    /// Basic Ingest: the message goes to this rule and to no subscriber, and costs no messaging fee. --topic is then what
    /// the rule sees as topic, and may be left out. That it is delivered does not prove that there is such a rule: AWS takes
    /// it all the same
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    #[command(flatten)]
    pub properties: PropertyArgs,
}

/// What is said about it, and how.
#[derive(Args)]
pub struct PublishArgs {
    #[command(flatten)]
    pub report: ReportArgs,
    /// Send at most so many requests per second, evenly spread [default: as fast as the platform takes them]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_pace)]
    pub max_per_second: Option<NonZeroU32>,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// What is said about the messages.
#[derive(Args)]
pub struct ReportArgs {
    /// Print one JSON object for each message
    #[arg(long)]
    pub json: bool,
    /// With --lines: write the lines that were not delivered to this file; if there are none, neither is the file
    #[arg(long, value_name = "PATH", requires = "lines", conflicts_with_all = ["message", "file"])]
    pub failed: Option<PathBuf>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Source {
    /// The message itself
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub message: Option<String>,
    /// A file that is the message, any bytes up to 128 KB
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// A file with one message in each line, - for standard input; empty lines are left out, Ctrl-C ends it in order
    #[arg(long, value_name = "PATH")]
    pub lines: Option<PathBuf>,
}

pub fn parse_pace(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| "give a whole number from 1 to 4294967295".to_owned())
}
