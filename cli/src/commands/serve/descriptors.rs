//! Each request under way has a socket to its client and one to its platform, and most systems begin a process with 1,024. What a
//! process may have is commonly a thousand times that; it only has to ask.

use thingpost_serve::Config;

/// For all that is not a connection.
const OTHERS: u64 = 64;

/// As many as there can be connections.
pub fn wanted(config: &Config) -> u64 {
    let connections = config.front.connections.saturating_add(config.guests.instances);
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS)
}

/// Asks for so many, and says if there are fewer.
#[cfg(unix)]
pub fn raise(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if is_enough(current) {
        return;
    }
    let asked = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(asked), maximum }).is_ok();
    if !raised || asked < wanted {
        let have = if raised { asked } else { current.unwrap_or(u64::MAX) };
        tracing::warn!(
            "{have} files and sockets may be open, and limits.connections and limits.instances allow for {wanted}: raise the limit \
             (`ulimit -n`, LimitNOFILE=), or lower them"
        );
    }
}

/// Where there is no such limit.
#[cfg(not(unix))]
pub fn raise(_: u64) {}
