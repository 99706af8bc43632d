//! Against the real clouds it cannot be proved that no message is lost or doubled: they do not tell what they took, and
//! they do not fail on request. This crate is AWS IoT Core (the HTTPS data plane) and Aliyun IoT Platform (HTTP access)
//! on loopback, over real TLS, with a ledger of every message and with faults on request.
//!
//! It shares no code with the rest of the workspace: signatures, topics and limits are checked by code of its own, so
//! that one bug cannot hide on both sides of the wire.
//!
//! # The map
//!
//! | Where | What |
//! |---|---|
//! | [`AwsEmulator`], `aws/` | AWS IoT Core: a port for client certificates, one that routes by ALPN, the credentials provider |
//! | [`AccessKey`], [`Authorizer`] | what AWS takes on the second port instead of a certificate |
//! | [`AwsAction`] | what a policy of AWS can deny |
//! | [`Retained`] | the messages that topics of AWS retain |
//! | [`ConnectedClient`], [`Disconnection`], [`DirectMessage`] | the MQTT clients of AWS, and what becomes of them by HTTP |
//! | [`AliyunEmulator`], `aliyun/` | Aliyun IoT Platform: a port for messages, and one that registers devices |
//! | [`Chaos`], `chaos/` | a bad day, on all ports of an emulator: what strikes by chance or by time, by fields or by a text |
//! | [`AliyunChaos`], [`AliyunStrike`] | the part of it that is about tokens |
//! | [`AliyunAuthentications`], [`AliyunRegistration`] | who asked for a token how often, and who for a secret |
//! | [`AliyunThingPost`] | what the thing model of Aliyun reads in a message, and what is wrong with it |
//! | [`Authority`], [`DeviceCertificate`] | the certificate authority made at start, and what it issues |
//! | [`ServerIdentity`], [`ClientCertificates`] | what a test server of your own needs for TLS |
//! | [`Ledger`], [`Entry`], [`Disposition`] | every message that reached HTTP, and what became of it |
//! | [`Faults`], [`Fault`] | what is to go wrong next, and in which phase |
//! | [`Broker`], `mqtt/broker/` | mosquitto, started for one test: killed, paused, started again, and gone with it |
//! | [`AwsMqtt`], [`AliyunMqtt`], [`PlainMqtt`], `mqtt/` | the TLS fronts that stand before it, each with the checks of its cloud |
//! | [`MqttAuthorizer`] | the logins that AWS takes instead of a certificate |
//! | [`MqttLedger`], [`MqttEntry`], [`MqttCounts`] | what passed a front: connections, messages, acknowledgements, ends |
//! | [`LinkFaults`], [`LinkSpeed`], [`PublishMoment`] | what is to go wrong with MQTT connections |
//! | `platform.rs`, `serve.rs`, `exchange.rs` | what a platform is, its listeners, one exchange with a client |
//! | `http1.rs` | a byte-exact HTTP/1.1, able to leave out what a proper server must not |
//! | `gauge.rs` | how much of one kind is under way at once |
//! | `redaction.rs` | what the debug output shows of a request |
//! | `tls.rs`, `clock.rs`, `random.rs` | server configurations, a skewable clock, and chance that is the same again |
//! | `percent.rs`, `base64.rs`, `unique.rs` | encodings, identifiers |
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, Break, Fault};
//!
//! let authority = Authority::new();
//! let device = authority.issue_device("thermometer-7");
//! let options = AwsOptions::new(&authority, "a1b2c3-ats.iot.eu-central-1.amazonaws.com");
//! let emulator = AwsEmulator::start(options).await?;
//! emulator.register(&device);
//! // The next message is taken, but its sender will never know.
//! emulator.faults().push(Fault::AfterAcceptance(Break::Reset), 1);
//!
//! // Now let a client that trusts `authority.ca_pem()` publish to `emulator.addr_mutual_tls()`, and then:
//! let taken = emulator.ledger().accepted();
//! # assert!(taken.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! A fault strikes once, where a test has ordered it. A bad day goes on while a client gets its work done:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # use thingpost_emulator::{AliyunEmulator, AliyunOptions, Authority, AwsEmulator, AwsOptions};
//! use thingpost_emulator::{Chaos, Rate, Share};
//! # let authority = Authority::new();
//! # let aws = AwsEmulator::start(AwsOptions::new(&authority, "a1b2c3-ats.iot.eu-central-1.amazonaws.com")).await?;
//! # let aliyun = AliyunEmulator::start(AliyunOptions::new(&authority, "iot-as-http.cn-shanghai.aliyuncs.com")).await?;
//!
//! let statuses = vec![(503, Share::percent(10)), (429, Share::percent(10))];
//! aws.chaos(Chaos { seed: 7, statuses, quota: Some(Rate::per_second(100)), ..Chaos::default() });
//! aliyun.chaos("one-token,revoke-every=37,late-answer=7s:1%".parse::<Chaos>().map_err(std::io::Error::other)?);
//! // ...
//! aws.calm();
//! # Ok(())
//! # }
//! ```
//!
//! Every listener binds port 0. Dropping an emulator closes its ports and aborts its connections.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod aliyun;
mod aws;
mod base64;
mod chaos;
mod clock;
mod exchange;
mod fault;
mod gauge;
mod http1;
mod ledger;
mod mqtt;
mod percent;
mod pki;
mod platform;
mod random;
mod redaction;
mod serve;
mod tls;
mod unique;

pub use aliyun::{
    AliyunAuthentications, AliyunChaos, AliyunEmulator, AliyunOptions, AliyunRegistration, AliyunStrike,
    AliyunThingKind, AliyunThingPost, AliyunThingValue, AliyunThingViolation, TokenForm,
};
pub use aws::{
    AccessKey, Authorizer, AwsAction, AwsConnections, AwsEmulator, AwsOptions, ConnectedClient, DirectMessage,
    Disconnection, Retained, Subscription,
};
pub use chaos::{CHAOS_VALUES, Chaos, ChaosError, ChaosItem, ChaosOver, Excess, Late, Rate, RetryAfter, Share};
pub use fault::{AnswerFault, Break, Fault, Faults, HandshakeFault};
pub use ledger::{Device, Disposition, Entry, Ledger, TooFewEntries};
pub use mqtt::{
    AliyunMqtt, AwsMqtt, Broker, BrokerError, BrokerOptions, LinkFaults, LinkSpeed, MqttAuthorizer, MqttConnect,
    MqttCounts, MqttDelivery, MqttEnd, MqttEnded, MqttEntry, MqttFate, MqttLedger, MqttProperties, MqttPublish,
    MqttRecording, MqttSubscribe, MqttUnsubscribe, MqttWaitedInVain, MqttWill, PlainMqtt, PublishMoment,
};
pub use pki::{Authority, DeviceCertificate, ServerIdentity};
pub use platform::Listener;
pub use serve::Connections;
pub use tls::ClientCertificates;
