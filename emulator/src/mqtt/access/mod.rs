//! The broker would admit every client to everything. What the clouds do instead differs in every point: who a client
//! is, what they may say, and how they are told that they may not. That is what an access policy decides; everything
//! else about a connection is the same.

mod aliyun;
mod authorizer;
mod aws;
mod client_slot;
mod plain;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;

use super::packet::{self, Connect, Publish, Subscribe};
use crate::ledger::Device;
use crate::platform::Peer;

pub(super) use aliyun::AliyunAccess;
pub use authorizer::MqttAuthorizer;
pub(super) use aws::{AwsAccess, Configurations as AwsConfigurations};
pub(super) use client_slot::{ClientSlot, ClientSlots, Owner};
pub(super) use plain::PlainAccess;

/// Which port of an endpoint a client has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndpointPort {
    /// AWS's 8883.
    AwsMutualTls,
    /// AWS's 443.
    AwsAlpn,
    /// The only port of an endpoint.
    Only,
}

/// What a client is to be met with after its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// It may introduce itself.
    Mqtt,
    /// It has come to a server for HTTP.
    Http,
    /// The connection is closed without a word.
    Nothing,
}

/// What becomes of a CONNECT.
pub(super) enum Verdict {
    Admit,
    Refuse(Refusal),
    /// The client is told this, and nothing else.
    Tell {
        topic: &'static str,
        payload: Vec<u8>,
    },
    /// The connection is closed without a word.
    Close,
}

/// What a CONNACK can say against a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The version of MQTT is not known. Said in the form of 3.1.1, as a server that does not know version 5 would.
    Version,
    ClientId,
    Credentials,
    NotAuthorized,
}

impl Refusal {
    pub(super) fn code(self, is_version_5: bool) -> u8 {
        match (self, is_version_5) {
            (Self::Version, _) => 1,
            (Self::ClientId, false) => 2,
            (Self::Credentials, false) => 4,
            (Self::NotAuthorized, false) => 5,
            (Self::ClientId, true) => 0x85,
            (Self::Credentials, true) => 0x86,
            (Self::NotAuthorized, true) => 0x87,
        }
    }

    pub(super) fn connack(self, is_version_5: bool) -> Vec<u8> {
        packet::connack(self.code(is_version_5), is_version_5 && self != Self::Version)
    }
}

/// What becomes of a PUBLISH or a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Pass,
    /// The client may not. How it is told depends on its version.
    Deny,
    /// The connection is closed. Version 5 is told this reason first.
    Close(u8),
}

/// Reasons of version 5.
pub(super) mod reason {
    pub(in crate::mqtt) const MALFORMED: u8 = 0x81;
    pub(in crate::mqtt) const NOT_AUTHORIZED: u8 = 0x87;
    pub(in crate::mqtt) const KEEP_ALIVE_TIMEOUT: u8 = 0x8d;
    pub(in crate::mqtt) const SESSION_TAKEN_OVER: u8 = 0x8e;
    pub(in crate::mqtt) const TOPIC_INVALID: u8 = 0x90;
    pub(in crate::mqtt) const PACKET_TOO_LARGE: u8 = 0x95;
    pub(in crate::mqtt) const QUOTA_EXCEEDED: u8 = 0x97;
    pub(in crate::mqtt) const RETAIN_NOT_SUPPORTED: u8 = 0x9a;
    pub(in crate::mqtt) const QOS_NOT_SUPPORTED: u8 = 0x9b;
}

/// The access policy of one endpoint.
pub(super) enum AccessPolicy {
    Aws(Arc<AwsAccess>),
    Aliyun(Arc<AliyunAccess>),
    Plain(PlainAccess),
}

impl AccessPolicy {
    /// The configuration for this client, or nothing to close the connection in the handshake.
    pub(super) fn choose(&self, port: EndpointPort, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        match self {
            Self::Aws(access) => access.choose(port, hello),
            Self::Aliyun(access) => Some(access.config()),
            Self::Plain(access) => Some(access.config()),
        }
    }

    pub(super) fn greet(&self, port: EndpointPort, peer: &Peer) -> Greeting {
        match self {
            Self::Aws(access) => access.greet(port, peer),
            Self::Aliyun(_) => Greeting::Mqtt,
            Self::Plain(access) => access.greet(peer),
        }
    }

    /// The device that a client claims to be, and what becomes of the client.
    pub(super) fn judge(&self, port: EndpointPort, peer: &Peer, connect: &Connect<'_>) -> (Option<Device>, Verdict) {
        match self {
            Self::Aws(access) => access.judge(port, peer, connect),
            Self::Aliyun(access) => access.judge(connect),
            Self::Plain(_) => (plain::device(peer), Verdict::Admit),
        }
    }

    /// The owner of the one connection that a device or client id may have. None without a client id: the broker makes
    /// one up.
    pub(super) fn owner(&self, device: Option<&Device>, client_id: &str) -> Option<Owner> {
        match (self, device) {
            (Self::Aliyun(_), Some(device)) => Some(Owner::Device(device.clone())),
            _ => (!client_id.is_empty()).then(|| Owner::Client(client_id.to_owned())),
        }
    }

    /// About a message to a topic, which is known even where an alias stands for it.
    pub(super) fn publish(&self, client_id: &str, topic: &str, publish: &Publish<'_>) -> Ruling {
        match self {
            Self::Aws(access) => access.publish(client_id, topic, publish),
            Self::Aliyun(_) => aliyun::publish(publish),
            Self::Plain(_) => Ruling::Pass,
        }
    }

    pub(super) fn subscribe(&self, client_id: &str, subscribe: &Subscribe<'_>) -> Ruling {
        match self {
            Self::Aws(access) => access.subscribe(client_id, subscribe),
            Self::Aliyun(_) | Self::Plain(_) => Ruling::Pass,
        }
    }

    /// The length of the longest packet that is read.
    pub(super) fn longest_packet(&self) -> usize {
        match self {
            Self::Aws(_) => aws::LONGEST_PACKET,
            Self::Aliyun(_) => aliyun::LONGEST_PACKET,
            Self::Plain(_) => plain::LONGEST_PACKET,
        }
    }
}
