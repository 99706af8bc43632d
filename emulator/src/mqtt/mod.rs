//! A client that keeps one connection for hours meets what no exchange of HTTP does: the broker restarts, the network
//! falls silent, an acknowledgement is lost after the message has arrived. So MQTT is emulated too, by a real broker
//! behind a TLS proxy that checks what the clouds check, writes down what passes, and breaks on request.
//!
//! | Where | What |
//! |---|---|
//! | `broker/` | mosquitto: started for one test, killed, paused, and gone with it |
//! | `aws.rs`, `aliyun.rs`, `plain.rs` | what a test starts: one proxy for each cloud, and one that checks nothing |
//! | `tls_proxy.rs` | what the ports and connections of a proxy share |
//! | `access/` | what a cloud checks: handshakes, CONNECT, topics |
//! | `connection/` | one connection: its handshake, its CONNECT, and packets in both directions |
//! | `packet/` | the decoder |
//! | `ledger.rs`, `entry.rs` | what was said, and by whom |
//! | `link.rs` | what is to go wrong with connections; what goes wrong by chance is in `crate::chaos` |

mod access;
mod aliyun;
mod aws;
mod broker;
mod connection;
mod entry;
mod ledger;
mod link_faults;
mod packet;
mod plain;
mod tls_proxy;

pub use access::MqttAuthorizer;
pub use aliyun::AliyunMqtt;
pub use aws::AwsMqtt;
pub use broker::{Broker, BrokerError, BrokerOptions};
pub use entry::{
    MqttConnect, MqttDelivery, MqttEnd, MqttEnded, MqttEntry, MqttFate, MqttProperties, MqttPublish, MqttSubscribe,
    MqttUnsubscribe, MqttWill,
};
pub use ledger::{MqttCounts, MqttLedger, MqttRecording, MqttWaitedInVain};
pub use link_faults::{LinkFaults, LinkSpeed, PublishMoment};
pub use plain::PlainMqtt;
