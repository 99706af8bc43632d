//! What `thingpost connection` takes.

use clap::{Args, Subcommand};

use super::{EXIT_CODES, ListArgs, OperationArgs};

#[derive(Subcommand)]
pub enum ConnectionCommand {
    /// Print whether an MQTT client is connected, since when, and how
    #[command(after_help = EXIT_CODES)]
    Get(ConnectionArgs),
    /// Print what an MQTT client has subscribed to
    #[command(after_help = EXIT_CODES)]
    Subscriptions(SubscriptionsArgs),
    /// Disconnect an MQTT client; it may come back at once
    #[command(after_help = EXIT_CODES)]
    Delete(DeleteArgs),
}

#[derive(Args)]
pub struct ConnectionArgs {
    /// The MQTT client
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// With addresses and ports
    #[arg(long)]
    pub socket: bool,
    #[command(flatten)]
    pub operation: OperationArgs,
}

#[derive(Args)]
pub struct SubscriptionsArgs {
    /// The MQTT client
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    #[command(flatten)]
    pub list: ListArgs,
}

#[derive(Args)]
pub struct DeleteArgs {
    /// The MQTT client
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// Forget its session too: its subscriptions, and the messages that wait for it
    #[arg(long)]
    pub clean_session: bool,
    /// Leave its last will unsaid
    #[arg(long)]
    pub prevent_will: bool,
    #[command(flatten)]
    pub operation: OperationArgs,
}
