//! What `thingpost retained` takes.

use clap::{Args, Subcommand};

use super::{EXIT_CODES, ListArgs, OperationArgs};

#[derive(Subcommand)]
pub enum RetainedCommand {
    /// Print the message that a topic has kept, byte for byte; with --json in base64, and with what is known about it
    #[command(after_help = EXIT_CODES)]
    Get(RetainedArgs),
    /// Print the topics that have kept a message
    #[command(after_help = EXIT_CODES)]
    List(ListArgs),
}

#[derive(Args)]
pub struct RetainedArgs {
    /// The topic
    #[arg(long)]
    pub topic: String,
    #[command(flatten)]
    pub operation: OperationArgs,
}
