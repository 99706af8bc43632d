//! What can be typed. The help texts are the manual.
//!
//! A device secret can be typed, so nothing here can be printed: what holds arguments has no `Debug`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use thingpost_host::ConnectTo;

/// Publish to cloud IoT platforms from a sandboxed component that never holds a device key.
#[derive(Parser)]
#[command(name = "thingpost", version, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 delivered, 1 refused, 2 wrong usage or input, 3 not sent, 4 unknown (sent, no telling answer).
With --lines the gravest counts: unknown before refused before not sent.";

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it, and it is taken apart at once")]
pub enum Command {
    /// Publish one message, or one for each line of a file
    #[command(subcommand)]
    Publish(Platform),
    /// Run AWS IoT Core and Aliyun IoT Platform on this machine, and print commands that publish to them
    Emulate(EmulateArguments),
    /// Start the emulators, publish to AWS on 8443, AWS on 443 with ALPN and Aliyun, and show what arrived
    Demo,
}

#[derive(Subcommand)]
pub enum Platform {
    /// AWS IoT Core, with a client certificate
    #[command(after_help = EXIT_CODES)]
    Aws(AwsArguments),
    /// Aliyun IoT Platform, with a device secret
    #[command(after_help = EXIT_CODES)]
    Aliyun(AliyunArguments),
}

#[derive(Args)]
pub struct AwsArguments {
    /// The data endpoint: aws iot describe-endpoint --endpoint-type iot:Data-ATS
    #[arg(long, value_name = "HOST")]
    pub endpoint: String,
    /// 8443, or 443 (with the ALPN protocol x-amzn-http-ca) where a firewall blocks 8443
    #[arg(long, default_value_t = 8443, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: u16,
    /// 0: at most once. 1: at least once, also sent again after a lost answer
    #[arg(long, value_enum, default_value_t = QosLevel::AtMostOnce)]
    pub qos: QosLevel,
    /// The device certificate, with those that signed it if there are any
    #[arg(long, value_name = "PEM")]
    pub cert: PathBuf,
    /// The private key of the device certificate: PKCS#8, PKCS#1 or SEC1
    #[arg(long, value_name = "PEM")]
    pub key: PathBuf,
    #[command(flatten)]
    pub common: CommonArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QosLevel {
    #[value(name = "0")]
    AtMostOnce,
    #[value(name = "1")]
    AtLeastOnce,
}

#[derive(Args)]
pub struct AliyunArguments {
    /// The HTTP endpoint, such as iot-as-http.cn-shanghai.aliyuncs.com
    #[arg(long, value_name = "HOST")]
    pub endpoint: String,
    /// The port of the endpoint
    #[arg(long, default_value_t = 443, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: u16,
    /// The product that the device belongs to
    #[arg(long)]
    pub product_key: String,
    /// The name of the device within its product
    #[arg(long)]
    pub device_name: String,
    /// The device secret. Others can see it in the list of processes: better give a file, or set
    /// THINGPOST_DEVICE_SECRET
    #[arg(long, allow_hyphen_values = true, conflicts_with = "device_secret_file")]
    pub device_secret: Option<String>,
    /// A file with the device secret
    #[arg(long, value_name = "PATH")]
    pub device_secret_file: Option<PathBuf>,
    /// Up to 64 characters that name this device [default: PRODUCT_KEY.DEVICE_NAME]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// How to sign the request for a token; of these the documentation of that request lacks hmacsha256
    #[arg(long, value_enum, default_value_t = SignMethod::Hmacsha1)]
    pub sign_method: SignMethod,
    /// Whether that request carries the time; none works with a wrong clock
    #[arg(long, value_enum, default_value_t = Timestamp::None)]
    pub timestamp: Timestamp,
    #[command(flatten)]
    pub common: CommonArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignMethod {
    Hmacmd5,
    Hmacsha1,
    Hmacsha256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timestamp {
    Now,
    None,
}

#[derive(Args)]
pub struct CommonArguments {
    /// The topic, as the console shows it
    #[arg(long)]
    pub topic: String,
    #[command(flatten)]
    pub source: Source,
    /// The only certificate authorities to trust [default: the system's]
    #[arg(long, value_name = "PEM")]
    pub ca: Option<PathBuf>,
    /// Connect to ADDR:PORT instead of HOST:PORT, and leave all else as it is; may be repeated
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    pub connect_to: Vec<ConnectTo>,
    /// How long one message may take, all attempts together
    #[arg(long, value_name = "SECONDS", default_value = "30", allow_negative_numbers = true, value_parser = parse_seconds)]
    pub timeout: u32,
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

#[derive(Args)]
pub struct EmulateArguments {
    /// Where to write ca.pem, device.pem.crt, private.pem.key and device-secret.txt
    #[arg(long, default_value = "thingpost-emulator")]
    pub dir: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub bind: IpAddr,
}

fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("give a number from 1 to 65535".to_owned()),
        Ok(port) => Ok(port),
    }
}

/// Seconds, with decimals if need be, as milliseconds.
fn parse_seconds(text: &str) -> Result<u32, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let milliseconds = (seconds * 1000.0).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&milliseconds) {
        return Err("give between 0.001 and 4294967 seconds".to_owned());
    }
    Ok(milliseconds as u32)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn seconds_are_positive_and_finite() {
        assert_eq!(parse_seconds("1.5"), Ok(1500));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "", "5s"] {
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
