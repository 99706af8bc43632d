//! A benchmark measures a client and not a cloud, and some tests are about MQTT alone. For them there is an access policy that is
//! always open.

use std::sync::Arc;

use rustls::ServerConfig;

use super::Greeting;
use crate::ledger::Device;
use crate::platform::Peer;

/// Far beyond what anybody sends, and far below what fills the memory.
pub(super) const LONGEST_PACKET: usize = 16 * 1024 * 1024;

pub(in crate::mqtt) struct PlainAccess {
    config: Arc<ServerConfig>,
    needs_certificate: bool,
}

impl PlainAccess {
    pub(in crate::mqtt) fn new(config: Arc<ServerConfig>, needs_certificate: bool) -> Self {
        Self { config, needs_certificate }
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn greet(&self, peer: &Peer) -> Greeting {
        if self.needs_certificate && peer.fingerprint.is_none() { Greeting::Nothing } else { Greeting::Mqtt }
    }
}

pub(super) fn device(peer: &Peer) -> Option<Device> {
    let fingerprint = peer.fingerprint.clone()?;
    Some(Device::Certificate { fingerprint, common_name: None })
}
