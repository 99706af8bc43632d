//! Most tests start an emulator in the same way, and a few want one thing to be different. What can be different stands
//! here.

use std::net::{IpAddr, Ipv4Addr};

use super::token::TokenForm;
use crate::pki::Authority;

/// How to start an [`AliyunEmulator`](super::AliyunEmulator).
#[derive(Clone, Debug)]
pub struct AliyunOptions {
    /// The authority of the server certificates. Its root is what clients must trust.
    pub authority: Authority,
    /// The endpoint's name, such as `iot-as-http.cn-shanghai.aliyuncs.com`. The certificate is also good for
    /// `localhost` and for [`ip`](Self::ip), as clients need not send this name.
    pub server_name: String,
    /// Where to listen.
    pub ip: IpAddr,
    /// Whether connections are kept after an answer. The captured answers say `Connection: close`.
    pub keep_alive: bool,
    /// What tokens look like.
    pub token_form: TokenForm,
}

impl AliyunOptions {
    /// Listens on 127.0.0.1, closes after each answer, and makes tokens as they are today.
    pub fn new(authority: &Authority, server_name: &str) -> Self {
        Self {
            authority: authority.clone(),
            server_name: server_name.to_owned(),
            ip: Ipv4Addr::LOCALHOST.into(),
            keep_alive: false,
            token_form: TokenForm::Hex,
        }
    }
}
