//! What `thingpost serve` takes. All else is in its configuration, as it has to outlive the terminal it was typed on.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub struct ServeArgs {
    /// The component that answers, of wasi:http/incoming-handler [default: that of the configuration, or the edge function that is built in, docs/edge.md]
    #[arg(value_name = "COMPONENT")]
    pub component: Option<PathBuf>,
    /// What it listens on, where its requests may go and as whom, and what it is granted, in TOML: docs/serve.md has each key. The
    /// file is read again when it changes, or one that it names, and at a SIGHUP
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say what would run, without listening; end with 2 and the line that is wrong, if one is
    #[arg(long)]
    pub check: bool,
    /// Listen on other addresses than those of loopback, though there is neither TLS nor a token for each device
    #[arg(long)]
    pub insecure: bool,
}
