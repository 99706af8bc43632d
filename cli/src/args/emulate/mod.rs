//! What `thingpost emulate` takes.

mod chaos;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

pub use chaos::ChaosArgument;

#[derive(Args)]
#[command(after_long_help = chaos::help())]
pub struct EmulateArgs {
    /// Where to write ca.pem, device.pem.crt, private.pem.key, aws-credentials.txt, authorizer-token.txt, device-secret.txt,
    /// product-secret.txt, device-token.txt and iot-token.txt
    #[arg(long, default_value = "thingpost-emulator")]
    pub dir: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Have a bad day: errors, resets, late answers, quotas and more, over HTTPS and MQTT. The end of --help lists
    /// them
    #[arg(long, value_name = "SPEC")]
    pub chaos: Option<ChaosArgument>,
}
