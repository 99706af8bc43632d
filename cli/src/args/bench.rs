//! What `thingpost bench` takes.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub struct BenchArgs {
    /// Also write a page with the ratios as a picture
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Measure less thoroughly, with 100 devices instead of 1,000: for a first look
    #[arg(long)]
    pub quick: bool,
}
