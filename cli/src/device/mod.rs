//! From arguments to a device: its platform for the component, its keys and routes for the host.

mod aliyun;
mod aliyun_mqtt;
mod aws;
pub mod identity;
mod mqtt;
pub mod network;
pub mod reload;
pub mod secret;

use std::path::PathBuf;
use std::sync::Arc;

use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::Platform;
use thingpost_host::{Route, TrustRoots};

pub use aliyun::{aliyun, config as aliyun_config, files as aliyun_files, secrets as aliyun_secrets};
pub use aws::access_key::Renewal;
pub use aws::{aws, files as aws_files};
pub use mqtt::{files as mqtt_files, mqtt};
pub use network::Network;

use crate::args::NetworkArgs;
use crate::error::{CliError, one_line};
use crate::files::input_file::InputFile;
use crate::terminal::complain;

/// A publisher, over HTTPS unless said otherwise.
pub struct Device<P = Platform> {
    /// What the component is told.
    pub platform: P,
    /// What the component is never told: where it may go, and as whom.
    pub routes: Vec<Route>,
    /// What the component is never told either, and the host signs with.
    pub secrets: Arc<DeviceSecrets>,
    /// The way to where it may go.
    pub network: Network,
    /// What it was made from.
    pub files: Vec<InputFile>,
    /// The source of the next key, where the key that the component is told has an end.
    pub renewal: Option<Renewal>,
    /// What is to be said before it is used.
    pub warnings: Vec<String>,
}

impl<P> Device<P> {
    /// Says what is to be said before it is used.
    pub fn warn(&self) {
        for warning in &self.warnings {
            complain(one_line(&format!("thingpost: warning: {warning}")));
        }
    }
}

/// Whom to trust.
pub fn roots(network: &NetworkArgs) -> Result<TrustRoots, CliError> {
    let roots = match &network.ca {
        Some(file) => TrustRoots::from_pem_file(file),
        None => TrustRoots::system_or_webpki(),
    };
    let roots = roots.map_err(CliError::sentence)?;
    let option = if network.ca.is_some() { "--ca " } else { "" };
    let mut left_out = roots.left_out().iter();
    for left_out in left_out.by_ref().take(MOST_LEFT_OUT) {
        complain(one_line(&format!("thingpost: warning: {option}{}: {left_out}", left_out.source())));
    }
    if left_out.len() > 0 {
        complain(format_args!("thingpost: warning: {} more are left out like these", left_out.len()));
    }
    Ok(roots)
}

/// So many are named. A folder of a system may have hundreds.
const MOST_LEFT_OUT: usize = 5;

/// Of these options those that were given.
pub fn input_files<const N: usize>(files: [(&'static str, Option<&PathBuf>); N]) -> Vec<InputFile> {
    let given = |(option, path): (_, Option<&PathBuf>)| Some(InputFile { option, path: path?.clone() });
    files.into_iter().filter_map(given).collect()
}
