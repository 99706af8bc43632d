//! The broker says nothing of what it reads, so the proxy has to read along. What it reads comes from clients that are
//! under test, and so may be anything: nothing here trusts a length, and nothing panics.
//!
//! Only what the ledger or an access policy asks about is decoded, and it borrows from the bytes that it was decoded from.
//!
//! | Where | What |
//! |---|---|
//! | `frame.rs` | where one packet ends and the next begins |
//! | `reader.rs` | the data types of MQTT |
//! | `properties.rs` | the properties of MQTT 5 |
//! | `connect.rs`, `publish.rs`, `subscribe.rs`, `answer.rs` | packets that are read |
//! | `write.rs` | packets that the proxy says itself |

mod answer;
mod connect;
mod frame;
mod properties;
mod publish;
mod reader;
mod subscribe;
mod write;

pub(super) use answer::{acknowledged, connack_code, disconnect_reason, granted};
pub(super) use connect::{Connect, NotConnect};
pub(super) use frame::{Cut, Kind, Packet, cut};
pub(super) use properties::Properties;
pub(super) use publish::Publish;
pub(super) use subscribe::{Subscribe, Unsubscribe};
pub(super) use write::{connack, connack_with_keep_alive, disconnect, puback, publish, suback};
