//! What `thingpost shadow` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EXIT_CODES, ListArgs, OperationArgs};

#[derive(Subcommand)]
pub enum ShadowCommand {
    /// Print the document of a shadow, as AWS keeps it
    #[command(after_help = EXIT_CODES)]
    Get(ShadowArgs),
    /// Change a shadow, or make it, and print what was accepted
    #[command(after_help = EXIT_CODES)]
    Update(UpdateArgs),
    /// Delete a shadow, and print the version that is gone
    #[command(after_help = EXIT_CODES)]
    Delete(ShadowArgs),
    /// Print the names of the shadows of a thing; the classic shadow has none
    #[command(after_help = EXIT_CODES)]
    List(ShadowListArgs),
}

#[derive(Args)]
pub struct ShadowArgs {
    #[command(flatten)]
    pub shadow: ShadowName,
    #[command(flatten)]
    pub operation: OperationArgs,
}

#[derive(Args)]
pub struct UpdateArgs {
    #[command(flatten)]
    pub shadow: ShadowName,
    #[command(flatten)]
    pub document: Document,
    /// How many bytes the state may have, where the quota of the account has been raised [default: 8192]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub max_state_bytes: Option<u32>,
    #[command(flatten)]
    pub operation: OperationArgs,
}

#[derive(Args)]
pub struct ShadowListArgs {
    /// The thing
    #[arg(long, value_name = "NAME")]
    pub thing: String,
    #[command(flatten)]
    pub list: ListArgs,
}

#[derive(Args)]
pub struct ShadowName {
    /// The thing
    #[arg(long, value_name = "NAME")]
    pub thing: String,
    /// The name of the shadow [default: the classic shadow, which has none]
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Document {
    /// The change, such as {"state":{"reported":{"celsius":21}}}. With a "version" in it, it is made only if the shadow has
    /// that version
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub document: Option<String>,
    /// A file with the change
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
}
