//! What `thingpost emulate` takes.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub struct EmulateArguments {
    /// Where to write ca.pem, device.pem.crt, private.pem.key, device-secret.txt, product-secret.txt and aws-credentials.txt
    #[arg(long, default_value = "thingpost-emulator")]
    pub dir: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub bind: IpAddr,
}
