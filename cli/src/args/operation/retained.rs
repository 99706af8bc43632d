//! What `thingpost retained` takes.

use clap::{Args, Subcommand};

use super::{EXIT_CODES, ListArguments, OperationArguments};

#[derive(Subcommand)]
pub enum RetainedCommand {
    /// Print the message that a topic has kept, byte for byte; with --json in base64, and with what is known about it
    #[command(after_help = EXIT_CODES)]
    Get(RetainedArguments),
    /// Print the topics that have kept a message
    #[command(after_help = EXIT_CODES)]
    List(ListArguments),
}

#[derive(Args)]
pub struct RetainedArguments {
    /// The topic
    #[arg(long)]
    pub topic: String,
    #[command(flatten)]
    pub operation: OperationArguments,
}
