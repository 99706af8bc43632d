//! Where a process leaves what it has obtained by authenticating.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub struct SessionArgs {
    /// Keep the token of Aliyun, or the temporary key of AWS (--role-alias), in this file, so that the next run need not
    /// ask for another. It is a secret, and is made readable by nobody else
    #[arg(long, value_name = "PATH")]
    pub session_file: Option<PathBuf>,
}
