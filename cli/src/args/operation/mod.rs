//! What the operations of AWS take beside their own words.

mod connection;
mod direct;
mod retained;
mod shadow;

use clap::Args;

pub use connection::{ConnectionArgs, ConnectionCommand, DeleteArgs, SubscriptionsArgs};
pub use direct::{DirectCommand, SendArgs};
pub use retained::{RetainedArgs, RetainedCommand};
pub use shadow::{ShadowArgs, ShadowCommand, ShadowListArgs, ShadowName, UpdateArgs};

use super::AwsDevice;
use super::session::SessionArgs;

pub const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 refused, 2 wrong usage or input, 3 not sent, 4 unknown (sent, no telling answer).";

#[derive(Args)]
pub struct OperationArgs {
    /// Print JSON: one object, and of a list one for each entry
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub device: AwsDevice,
}

#[derive(Args)]
pub struct ListArgs {
    /// How many entries at most [default: all]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    #[command(flatten)]
    pub operation: OperationArgs,
}
