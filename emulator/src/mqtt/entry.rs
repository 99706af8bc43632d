//! A packet on the wire says little without the packets around it: a PUBACK names a number, and what the number stands
//! for was said before. So an entry is one thing that happened, with what became of it.

use std::fmt;
use std::time::Instant;

use crate::ledger::Device;
use crate::redaction::without_secrets;

/// One thing that happened. Connections are counted from 1, those of all ports of a proxy together, and those that
/// never came as far as CONNECT too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttEntry {
    /// A client has introduced itself.
    Connect(MqttConnect),
    /// A client has published.
    Publish(MqttPublish),
    /// A client has subscribed.
    Subscribe(MqttSubscribe),
    /// A client has unsubscribed.
    Unsubscribe(MqttUnsubscribe),
    /// A message was passed on to a client.
    Delivery(MqttDelivery),
    /// A connection that had introduced itself is over.
    End(MqttEnded),
}

/// What a client said first.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttConnect {
    /// Which connection.
    pub connection: u64,
    /// When it was read.
    pub at: Instant,
    /// As it was sent.
    pub client_id: String,
    /// As it was sent. With a custom authorizer there are secrets in it.
    pub user_name: Option<String>,
    /// Whether there was a password. It is not kept.
    pub has_password: bool,
    /// 3 for MQTT 3.1, 4 for 3.1.1, 5 for 5.
    pub level: u8,
    /// Clean session, before version 5.
    pub clean_start: bool,
    /// In seconds.
    pub keep_alive: u16,
    /// In seconds. Version 5 only.
    pub session_expiry: Option<u32>,
    /// Version 5 only.
    pub receive_maximum: Option<u16>,
    /// What is to be published when the client is lost.
    pub will: Option<MqttWill>,
    /// The identity that the client claims, with a certificate, by an authorizer or as a device of Aliyun. Only of one
    /// that was admitted is it known to be true.
    pub device: Option<Device>,
    /// The protocol that the handshake has agreed on.
    pub alpn: Option<String>,
    /// What the CONNACK said that was passed to the client. Nothing as long as there was none.
    pub connack: Option<u8>,
}

/// What is to be published when a client is lost.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttWill {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Whether it is to be retained.
    pub retain: bool,
}

/// A message from a client.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttPublish {
    /// Which connection it came by.
    pub connection: u64,
    /// Where to. The topic itself where an alias stood for it.
    pub topic: String,
    /// What. Empty when payloads are not recorded.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Whether it is to be retained.
    pub retain: bool,
    /// Whether the client says that it may have sent it before.
    pub dup: bool,
    /// With QoS 0 there is none.
    pub packet_id: Option<u16>,
    /// Version 5 only.
    pub properties: MqttProperties,
    /// What became of it.
    pub fate: MqttFate,
    /// Whether an acknowledgement that is none of an error was passed on to the client. It may be lost on its way: the
    /// entry is changed before the first byte of it leaves, so that a client that has it finds it here.
    pub acknowledged: bool,
}

/// What became of a message from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MqttFate {
    /// The broker has it.
    Forwarded,
    /// The cloud does not allow it.
    Refused,
    /// A fault struck before.
    Dropped,
}

/// A message to a client.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttDelivery {
    /// Which connection it went by.
    pub connection: u64,
    /// Where to.
    pub topic: String,
    /// What. Empty when payloads are not recorded.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Whether it was retained.
    pub retain: bool,
    /// Whether the broker says that it may have sent it before.
    pub dup: bool,
    /// With QoS 0 there is none.
    pub packet_id: Option<u16>,
    /// Version 5 only.
    pub properties: MqttProperties,
    /// Whether the client has acknowledged it.
    pub acknowledged: bool,
}

/// The properties of a message. One that was not sent is absent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MqttProperties {
    /// What the payload is.
    pub content_type: Option<String>,
    /// Where answers are to go.
    pub response_topic: Option<String>,
    /// In seconds.
    pub message_expiry: Option<u32>,
    /// 1 for text in UTF-8.
    pub payload_format: Option<u8>,
    /// What an answer is to repeat.
    pub correlation_data: Option<Vec<u8>>,
    /// In their order. A name may occur more than once.
    pub user_properties: Vec<(String, String)>,
}

/// What a client wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttSubscribe {
    /// Which connection.
    pub connection: u64,
    /// With the QoS that is asked for.
    pub filters: Vec<(String, u8)>,
    /// What the SUBACK said of each filter that was passed to the client. Nothing as long as there was none.
    pub granted: Option<Vec<u8>>,
}

/// What a client no longer wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttUnsubscribe {
    /// Which connection.
    pub connection: u64,
    /// Which filters.
    pub filters: Vec<String>,
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MqttEnded {
    /// Which connection.
    pub connection: u64,
    /// When it was noticed.
    pub at: Instant,
    /// How.
    pub end: MqttEnd,
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MqttEnd {
    /// The client said DISCONNECT.
    ClientDisconnect {
        /// 0 before version 5.
        reason: u8,
    },
    /// The client closed or reset the connection without a word.
    ClientClosed,
    /// CONNECT was refused.
    Refused {
        /// What the CONNACK said.
        code: u8,
    },
    /// The broker or the cloud said DISCONNECT, which only version 5 knows.
    ServerDisconnect {
        /// Why.
        reason: u8,
    },
    /// The broker or the cloud closed the connection without a word.
    ServerClosed,
    /// The client said something that is not MQTT.
    ProtocolError,
    /// Another connection with the same client id took its place, at Aliyun one of the same device. In MQTT 5 the
    /// client was told with 0x8E.
    TakenOver,
    /// A fault that the test had asked for.
    Fault,
}

impl fmt::Debug for MqttConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttConnect")
            .field("connection", &self.connection)
            .field("client_id", &self.client_id)
            .field("user_name", &self.user_name.as_deref().map(without_secrets))
            .field("has_password", &self.has_password)
            .field("level", &self.level)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("session_expiry", &self.session_expiry)
            .field("receive_maximum", &self.receive_maximum)
            .field("will", &self.will)
            .field("device", &self.device)
            .field("alpn", &self.alpn)
            .field("connack", &self.connack)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MqttWill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttWill")
            .field("topic", &self.topic)
            .field("payload", &Length(&self.payload))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .finish()
    }
}

impl fmt::Debug for MqttPublish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttPublish")
            .field("connection", &self.connection)
            .field("topic", &self.topic)
            .field("payload", &Length(&self.payload))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("dup", &self.dup)
            .field("packet_id", &self.packet_id)
            .field("properties", &self.properties)
            .field("fate", &self.fate)
            .field("acknowledged", &self.acknowledged)
            .finish()
    }
}

impl fmt::Debug for MqttDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttDelivery")
            .field("connection", &self.connection)
            .field("topic", &self.topic)
            .field("payload", &Length(&self.payload))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("dup", &self.dup)
            .field("packet_id", &self.packet_id)
            .field("properties", &self.properties)
            .field("acknowledged", &self.acknowledged)
            .finish()
    }
}

impl fmt::Debug for MqttProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttProperties")
            .field("content_type", &self.content_type)
            .field("response_topic", &self.response_topic)
            .field("message_expiry", &self.message_expiry)
            .field("payload_format", &self.payload_format)
            .field("correlation_data", &self.correlation_data.as_deref().map(Length))
            .field("user_properties", &format_args!("{} pairs", self.user_properties.len()))
            .finish()
    }
}

/// A failed test prints whole entries into logs that others read.
struct Length<'a>(&'a [u8]);

impl fmt::Debug for Length<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_in_the_debug_output() {
        let connect = MqttConnect {
            connection: 1,
            at: Instant::now(),
            client_id: "thermometer-7".to_owned(),
            user_name: Some("user?x-amz-customauthorizer-signature=hush&MyToken=hush".to_owned()),
            has_password: true,
            level: 4,
            clean_start: true,
            keep_alive: 60,
            session_expiry: None,
            receive_maximum: None,
            will: Some(MqttWill { topic: "t".to_owned(), payload: b"hush".to_vec(), qos: 0, retain: false }),
            device: None,
            alpn: None,
            connack: None,
        };
        let publish = MqttPublish {
            connection: 1,
            topic: "t".to_owned(),
            payload: b"hush".to_vec(),
            qos: 1,
            retain: false,
            dup: false,
            packet_id: Some(1),
            properties: MqttProperties {
                correlation_data: Some(b"hush".to_vec()),
                user_properties: vec![("name".to_owned(), "hush".to_owned())],
                ..MqttProperties::default()
            },
            fate: MqttFate::Forwarded,
            acknowledged: false,
        };
        let shown = format!("{connect:?} {publish:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("thermometer-7") && shown.contains("4 bytes"), "{shown}");
    }
}
