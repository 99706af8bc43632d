//! What `thingpost connection` takes.

use clap::{Args, Subcommand};

use super::{EXIT_CODES, ListArguments, OperationArguments};

#[derive(Subcommand)]
pub enum ConnectionCommand {
    /// Print whether an MQTT client is connected, since when, and how
    #[command(after_help = EXIT_CODES)]
    Get(ConnectionArguments),
    /// Print what an MQTT client has subscribed to
    #[command(after_help = EXIT_CODES)]
    Subscriptions(SubscriptionsArguments),
    /// Disconnect an MQTT client; it may come back at once
    #[command(after_help = EXIT_CODES)]
    Delete(DeleteArguments),
}

#[derive(Args)]
pub struct ConnectionArguments {
    /// The MQTT client
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// With addresses and ports
    #[arg(long)]
    pub socket: bool,
    #[command(flatten)]
    pub operation: OperationArguments,
}

#[derive(Args)]
pub struct SubscriptionsArguments {
    /// The MQTT client
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    #[command(flatten)]
    pub list: ListArguments,
}

#[derive(Args)]
pub struct DeleteArguments {
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
    pub operation: OperationArguments,
}
