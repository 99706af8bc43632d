//! A session and a broker in one thread, with a clock that is moved by hand: an hour of losses takes milliseconds.

use std::sync::Arc;

mod bad_networks;
mod broker;
mod connecting;
mod delivery;
mod elsewhere;
mod expiry;
mod first_connection;
mod given_up;
mod incoming;
mod limits;
mod named_topics;
mod properties;
mod queue;
mod refused_for_now;
mod resets;
mod restoring;
mod silence;
mod subscriptions;
mod table;
mod unreadable;
mod world;

use crate::aws;
use crate::endpoint::Endpoint;
use crate::message::{Message, Qos};
use crate::mqtt::{Config, Options, Version};

const ENDPOINT: &str = "a-ats.iot.eu-central-1.amazonaws.com";

fn config(version: Version) -> Config {
    let endpoint = Endpoint::new(ENDPOINT, 443).unwrap();
    let broker = aws::mqtt::BrokerConfig::new(endpoint, "device-7".into(), aws::mqtt::AuthMethod::Certificate).unwrap();
    Config {
        broker: Arc::new(broker),
        version,
        session_expiry_s: 0,
        clean_start: None,
        keep_alive_s: 60,
        will: None,
        will_delay_s: None,
    }
}

fn at_least_once(topic: &str, payload: impl AsRef<str>) -> Message {
    Message::new(topic, payload.as_ref().as_bytes(), Qos::AtLeastOnce)
}

fn at_most_once(topic: &str, payload: impl AsRef<str>) -> Message {
    Message::new(topic, payload.as_ref().as_bytes(), Qos::AtMostOnce)
}

/// Sends everything at once after a reconnect.
fn prompt() -> Options {
    Options { drain_per_second: 0, ..Options::default() }
}
