//! What `thingpost direct` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EXIT_CODES, OperationArgs};
use crate::args::message::PropertyArgs;

#[derive(Subcommand)]
pub enum DirectCommand {
    /// Send a message to one MQTT client that is connected, past rules and subscriptions; it is kept for nobody
    #[command(after_help = EXIT_CODES)]
    Send(SendArgs),
}

#[derive(Args)]
pub struct SendArgs {
    /// The MQTT client
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// The topic that the client sees; it need not have subscribed to it
    #[arg(long)]
    pub topic: String,
    #[command(flatten)]
    pub payload: Payload,
    /// Wait until the client has confirmed the message. After a lost answer it is sent again, and may arrive twice
    #[arg(long)]
    pub confirm: bool,
    /// How long AWS waits for that: 1 to 15 [default: 5]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, requires = "confirm")]
    pub confirm_timeout: Option<u32>,
    #[command(flatten)]
    pub operation: OperationArgs,
    #[command(flatten, next_help_heading = "Message")]
    pub properties: PropertyArgs,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Payload {
    /// The message itself
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub message: Option<String>,
    /// A file that is the message, any bytes up to 128 KB
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
}
