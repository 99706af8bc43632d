//! Most tests start an emulator in the same way, and a few want one thing to be different. What can be different stands
//! here.

use std::net::{IpAddr, Ipv4Addr};

use crate::pki::Authority;

/// How to start an [`AwsEmulator`](super::AwsEmulator).
#[derive(Clone, Debug)]
pub struct AwsOptions {
    /// The authority of the server certificates. Its root is what clients must trust.
    pub authority: Authority,
    /// The endpoint's name, such as `a1b2c3-ats.iot.eu-central-1.amazonaws.com`. Clients must send it as SNI.
    pub server_name: String,
    /// The region that requests have to be signed for. `None` for the one in the server name; if that has none either,
    /// no signature is good.
    pub region: Option<String>,
    /// Where to listen.
    pub ip: IpAddr,
}

impl AwsOptions {
    /// Listens on 127.0.0.1, in the region of the server name.
    pub fn new(authority: &Authority, server_name: &str) -> Self {
        Self {
            authority: authority.clone(),
            server_name: server_name.to_owned(),
            region: None,
            ip: Ipv4Addr::LOCALHOST.into(),
        }
    }
}
