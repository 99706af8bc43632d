//! What a session is opened with, at the border.

use alloc::sync::Arc;

use thingpost::aliyun::mqtt::AuthMethod;
use thingpost::aliyun::{self, Device, Signer};
use thingpost::aws;
use thingpost::mqtt::{
    Config, FullQueue, Options, QueueLimit, RetainHandling, Subscription, SubscriptionOptions, Unfinished, Version,
};
use thingpost::{ConfigurationProblem, Endpoint, Qos, Secret};

use crate::bindings::exports::thingpost::iot::mqtt_session as wit;
use crate::bindings::exports::thingpost::iot::types;
use crate::message::message;
use crate::sign_method::sign_method;

const KEEP_ALIVE_S: u16 = 60;

pub fn config(config: wit::Config) -> Result<Config, ConfigurationProblem> {
    Ok(Config {
        broker: match config.broker {
            wit::Broker::Aws(broker) => Arc::new(aws(broker)?),
            wit::Broker::Aliyun(broker) => Arc::new(aliyun(broker)?),
        },
        version: match config.version {
            wit::Version::V311 => Version::V3,
            wit::Version::V5 => Version::V5,
        },
        session_expiry_s: config.session_expiry_s,
        clean_start: config.clean_start,
        keep_alive_s: config.keep_alive_s.unwrap_or(KEEP_ALIVE_S),
        will: config.will.map(message),
        will_delay_s: config.will_delay_s,
    })
}

fn endpoint(host: &str, port: u16) -> Result<Endpoint, ConfigurationProblem> {
    Endpoint::new(host, port).map_err(ConfigurationProblem::Endpoint)
}

fn aws(broker: wit::AwsBroker) -> Result<aws::mqtt::BrokerConfig, ConfigurationProblem> {
    let endpoint = endpoint(&broker.endpoint, broker.port)?;
    let authentication = match broker.authentication {
        wit::MqttAuthentication::Certificate => aws::mqtt::Authentication::Certificate,
        wit::MqttAuthentication::CustomAuthorizer(authorizer) => {
            aws::mqtt::Authentication::CustomAuthorizer(aws::mqtt::Authorizer {
                name: authorizer.name,
                token: authorizer.token.map(|(name, token)| (name, Secret::new(token))),
                signature: authorizer.signature.map(Secret::new),
                user_name: authorizer.user_name.map(Secret::new),
                password: authorizer.password.map(Secret::new),
            })
        }
    };
    aws::mqtt::BrokerConfig::new(endpoint, broker.client_id, authentication)
}

fn aliyun(broker: wit::AliyunBroker) -> Result<aliyun::mqtt::BrokerConfig, ConfigurationProblem> {
    let endpoint = endpoint(&broker.endpoint, broker.port)?;
    let device = Device::new(endpoint, &broker.product_key, &broker.device_name, broker.client_id.as_deref())?;
    let of_device = aliyun::mqtt::BrokerConfig::new(device, auth_method(broker.authentication))?;
    let of_device = of_device.with_parameters(broker.client_id_parameters)?;
    Ok(if broker.unchecked { of_device.unchecked() } else { of_device })
}

fn auth_method(authentication: wit::AliyunMqttAuthentication) -> AuthMethod {
    match authentication {
        wit::AliyunMqttAuthentication::Signature(signature) => AuthMethod::Signature {
            signer: match signature.signer {
                types::Signer::DeviceSecret(secret) => Signer::Secret(Secret::new(secret)),
                types::Signer::Host => Signer::Elsewhere,
            },
            sign_method: sign_method(signature.sign_method),
            timestamp_ms: signature.timestamp_ms,
        },
        wit::AliyunMqttAuthentication::DeviceToken(token) => AuthMethod::DeviceToken(Secret::new(token)),
        wit::AliyunMqttAuthentication::IotToken((iot_id, iot_token)) => {
            AuthMethod::IotToken { iot_id, iot_token: Secret::new(iot_token) }
        }
        wit::AliyunMqttAuthentication::Registration(registration) => AuthMethod::Registration {
            product_secret: Secret::new(registration.product_secret),
            sign_method: sign_method(registration.sign_method),
            random: registration.random,
            is_known: registration.is_known,
            instance_id: registration.instance_id,
        },
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
