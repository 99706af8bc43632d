//! What a session is opened with, at the border.

use alloc::sync::Arc;

use thingpost::Qos;
use thingpost::mqtt::{
    Broker, Config, FullQueue, Options, QueueLimit, RetainHandling, Subscription, SubscriptionOptions, Unfinished,
    Version,
};

use crate::bindings::exports::thingpost::iot::mqtt_session as wit;
use crate::bindings::exports::thingpost::iot::types;
use crate::values::message::message;

const KEEP_ALIVE_S: u16 = 60;

pub fn config(broker: Arc<dyn Broker>, config: wit::SessionConfig) -> Config {
    Config {
        broker,
        version: match config.version {
            wit::Version::V311 => Version::V3,
            wit::Version::V5 => Version::V5,
        },
        session_expiry_s: config.session_expiry_s,
        clean_start: config.clean_start,
        keep_alive_s: config.keep_alive_s.unwrap_or(KEEP_ALIVE_S),
        will: config.will.map(message),
        will_delay_s: config.will_delay_s,
    }
}

pub fn options(options: &wit::SessionOptions) -> Options {
    let default = Options::default();
    Options {
        queue_limit: match options.queue_limit {
            _ if options.queue_unlimited => QueueLimit::Unlimited,
            None => default.queue_limit,
            Some(0) => QueueLimit::Off,
            Some(limit) => QueueLimit::Messages(limit),
        },
        full_queue: match options.full_queue {
            wit::FullQueue::DropNewest => FullQueue::DropNewest,
            wit::FullQueue::DropOldest => FullQueue::DropOldest,
        },
        drain_per_second: options.drain_per_second.unwrap_or(default.drain_per_second),
        max_per_second: options.max_per_second.unwrap_or(default.max_per_second),
        reconnect_base_ms: options.reconnect_base_ms.unwrap_or(default.reconnect_base_ms),
        reconnect_max_ms: options.reconnect_max_ms.unwrap_or(default.reconnect_max_ms),
        stable_ms: options.stable_ms.unwrap_or(default.stable_ms),
        connect_timeout_ms: options.connect_timeout_ms.unwrap_or(default.connect_timeout_ms),
        operation_timeout_ms: options.operation_timeout_ms.unwrap_or(default.operation_timeout_ms),
        message_timeout_ms: options.message_timeout_ms.unwrap_or(default.message_timeout_ms),
        max_in_flight: options.max_in_flight.unwrap_or(default.max_in_flight),
        max_attempts: options.max_attempts.unwrap_or(default.max_attempts),
    }
}

pub fn subscription(subscription: wit::Subscription) -> Subscription {
    let qos = match subscription.qos {
        types::Qos::AtMostOnce => Qos::AtMostOnce,
        types::Qos::AtLeastOnce => Qos::AtLeastOnce,
    };
    Subscription { filter: subscription.filter, qos, options: subscription.options.map(subscription_options) }
}

fn subscription_options(options: wit::SubscriptionOptions) -> SubscriptionOptions {
    SubscriptionOptions {
        no_local: options.no_local,
        retain_as_published: options.retain_as_published,
        retain_handling: match options.retain_handling {
            wit::RetainHandling::Always => RetainHandling::Always,
            wit::RetainHandling::IfNew => RetainHandling::IfNew,
            wit::RetainHandling::Never => RetainHandling::Never,
        },
    }
}

pub fn unfinished(unfinished: wit::Unfinished) -> Unfinished {
    let wit::Unfinished { id, message, attempts, packet_id, age_ms } = unfinished;
    Unfinished { id, message: self::message(message), attempts, packet_id, age_ms }
}
