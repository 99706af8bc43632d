//! What `thingpost doctor` takes: a device, as `publish` takes it, and nothing that a healthy device would not have.

use clap::{Args, Subcommand};

use crate::arguments::{AliyunDevice, AwsDevice};

const EXIT_CODES: &str = "\
Exit codes: 0 nothing failed, 1 something failed, 2 wrong usage.";

/// Publishing to it is harmless, unless somebody has a rule for it.
const TOPIC: &str = "thingpost/doctor";

#[derive(Subcommand)]
pub enum DoctorCommand {
    /// A device of AWS IoT Core: its files, endpoint, network, TLS, clock and request, one after the other
    #[command(after_help = EXIT_CODES)]
    Aws(DoctorAws),
    /// A device of Aliyun IoT Platform: its names, endpoint, network, TLS, clock, signature and topic, one after the other
    #[command(after_help = EXIT_CODES)]
    Aliyun(DoctorAliyun),
}

#[derive(Args)]
pub struct DoctorAliyun {
    /// The topic that the device is to publish to [default: /PRODUCT_KEY/DEVICE_NAME/user/update]
    #[arg(long)]
    pub topic: Option<String>,
    /// In the end authenticate, and publish one message to the topic. Without this neither is done
    #[arg(long)]
    pub publish: bool,
    /// Print one JSON object with all checks
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub device: AliyunDevice,
}

#[derive(Args)]
pub struct DoctorAws {
    /// The topic that the device is to publish to
    #[arg(long, default_value = TOPIC)]
    pub topic: String,
    /// In the end publish one message to the topic, with QoS 0. Without this nothing is published
    #[arg(long)]
    pub publish: bool,
    /// Print one JSON object with all checks
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub device: AwsDevice,
}
