//! AWS closes the connection for nearly everything that it does not like, and for a bad port or a bad ALPN protocol it
//! speaks HTTP or nothing at all. What the reason most likely is follows from what was going on: connecting, a message,
//! a subscription, or a connection that had lasted for a while.

mod connecting;
mod permission;
#[cfg(test)]
mod tests;

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::{AuthMethod, BrokerConfig};
use crate::aws::host_name::HostName;
use crate::error::{Cause, Error, Stage};
use crate::explain::with_step;
use crate::field::Field;
use crate::http::TransportErrorKind;
use crate::mqtt::{MqttErrorContext, Version, elsewhere_step, limit_step, received_step};
use crate::topic::TopicError;

/// For certificates alone, without ALPN.
const CERTIFICATE_PORT: u16 = 8883;

/// For what the ALPN protocol says.
const ALPN_PORT: u16 = 443;

/// The longest connection that another client of the same id may have ended: two of them throw each other out in turn, so their
/// connections are short.
const SHORT_MS: u64 = 30_000;

const RATE: &str = "AWS takes 100 publications and 512 KB per second on one connection: send more slowly";

/// The likely reason and the next step.
pub(super) fn explain(broker: &BrokerConfig, error: &Error, version: Version, context: &MqttErrorContext) -> String {
    let host = HostName::of(broker.endpoint.host());
    match (Known { broker, error, version, context, host }).step() {
        Some(step) => with_step(error, Some(&step)),
        None => crate::explain::explain(error),
    }
}

/// All that an explanation can go by.
struct Known<'a> {
    broker: &'a BrokerConfig,
    error: &'a Error,
    version: Version,
    context: &'a MqttErrorContext<'a>,
    host: HostName<'a>,
}

impl Known<'_> {
    fn step(&self) -> Option<String> {
        if self.error.stage == Stage::Preparation {
            return preparation_step(self.error.cause).map(ToOwned::to_owned);
        }
        if let Some(step) = elsewhere_step(self.error).or_else(|| limit_step(self.error)) {
            return Some(step.to_owned());
        }
        match (self.error.cause, *self.context) {
            (Cause::TakenOver, _) => Some(self.taken_over_step()),
            (_, MqttErrorContext::Connecting) => self.connecting_step(),
            (_, MqttErrorContext::RuleBroken | MqttErrorContext::TooMuch) => {
                received_step(self.context).map(ToOwned::to_owned)
            }
            (_, MqttErrorContext::Lost { last_topic, after_ms }) => self.lost_step(last_topic, after_ms),
            (_, MqttErrorContext::Publication { topic }) => self.publication_step(topic),
            (_, MqttErrorContext::Subscription { filter }) => self.subscription_step(filter),
        }
    }

    fn taken_over_step(&self) -> String {
        [
            "AWS keeps one connection per client id, and the id here is `",
            &self.broker.client_id,
            "`: give each client its own, and look for a second process or device with the same configuration",
        ]
        .concat()
    }

    /// A connection that was there is there no more.
    fn lost_step(&self, last_topic: Option<&str>, after_ms: u64) -> Option<String> {
        match self.error.cause {
            Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete) => {
                Some(self.closed_step(last_topic, after_ms))
            }
            Cause::Transport(TransportErrorKind::AnswerTimeout) => Some(UNANSWERED.to_owned()),
            Cause::Forbidden => Some(
                [
                    self.whose_policy(),
                    " most likely lacks what was asked for last, or it was changed: it must allow ",
                    &self.last_permission(last_topic),
                ]
                .concat(),
            ),
            Cause::Throttled => Some(RATE.to_owned()),
            Cause::PayloadTooLarge => Some(TOO_LARGE.to_owned()),
            _ => None,
        }
    }

    /// The broker has closed the connection and not said why.
    fn closed_step(&self, last_topic: Option<&str>, after_ms: u64) -> String {
        let other_client = [
            "another client has connected with the client id `",
            &self.broker.client_id,
            "` (give each client its own)",
        ]
        .concat();
        if self.version == Version::V5 {
            return [
                "with MQTT 5 AWS says why it closes a connection, and nothing was said: most likely the network or the \
                 broker broke it off, for a restart perhaps, or ",
                &other_client,
            ]
            .concat();
        }
        let policy =
            [self.whose_policy(), " does not allow what was asked for last (", &self.last_permission(last_topic), ")"]
                .concat();
        let [first, second] = match last_topic {
            Some(_) if after_ms >= SHORT_MS => [policy, other_client],
            Some(_) | None => [other_client, policy],
        };
        [
            "AWS has not said why; most likely ",
            &first,
            ", or ",
            &second,
            ", or there were more than 50 subscriptions, or the network or the broker broke it off; with MQTT 5 AWS \
             names its reason",
        ]
        .concat()
    }

    fn last_permission(&self, last_topic: Option<&str>) -> String {
        match last_topic {
            Some(topic) => [&self.may_publish(topic), ", or a subscription"].concat(),
            None => "iot:Subscribe on the filters".to_owned(),
        }
    }

    /// The connection is closed each time, and with MQTT 5 AWS would say why.
    fn unsaid_step(&self, upon: &str) -> String {
        [
            "the connection is closed each time upon this ",
            upon,
            ", and with MQTT 5 AWS would say why if it was for a policy or a limit: look for what stands in between, and \
             for another client with the client id `",
            &self.broker.client_id,
            "`",
        ]
        .concat()
    }

    fn publication_step(&self, topic: &str) -> Option<String> {
        Some(match self.error.cause {
            Cause::Forbidden => {
                [self.whose_policy(), " most likely lacks ", &self.may_publish(topic), RETAINED].concat()
            }
            Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete)
                if self.version == Version::V5 =>
            {
                self.unsaid_step("message")
            }
            Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete) => [
                "AWS closes the connection upon this message: ",
                self.whose_policy(),
                " most likely lacks ",
                &self.may_publish(topic),
                RETAINED,
            ]
            .concat(),
            Cause::Transport(TransportErrorKind::AnswerTimeout) => UNANSWERED.to_owned(),
            Cause::Throttled => RATE.to_owned(),
            Cause::PayloadTooLarge => TOO_LARGE.to_owned(),
            Cause::InvalidRequest => "AWS does not take the topic, the payload format or a property".to_owned(),
            _ => return None,
        })
    }

    fn subscription_step(&self, filter: &str) -> Option<String> {
        Some(match self.error.cause {
            Cause::Forbidden => [self.whose_policy(), " most likely lacks ", &self.may_subscribe(filter)].concat(),
            Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete)
                if self.version == Version::V5 =>
            {
                self.unsaid_step("subscription")
            }
            Cause::Transport(TransportErrorKind::ConnectionClosed | TransportErrorKind::AnswerIncomplete) => [
                "AWS closes the connection upon this subscription: ",
                self.whose_policy(),
                " most likely lacks ",
                &self.may_subscribe(filter),
            ]
            .concat(),
            Cause::Transport(TransportErrorKind::AnswerTimeout) => {
                "AWS has not answered: check the network, and that there are not more than 50 subscriptions".to_owned()
            }
            Cause::Throttled => {
                "AWS takes 50 subscriptions on one connection: use wildcards, or subscribe to less".to_owned()
            }
            Cause::InvalidRequest | Cause::InvalidField(Field::TopicFilter) => {
                "AWS does not take this filter".to_owned()
            }
            _ => return None,
        })
    }

    fn has_certificate(&self) -> bool {
        self.broker.authentication == AuthMethod::Certificate
    }
}

/// What AWS would not have taken, so nothing was sent.
fn preparation_step(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::InvalidTopic(TopicError::Reserved) => {
            Some("over MQTT those below `$aws/` can be used, and `$share/<group>/<filter>` can be subscribed to")
        }
        Cause::Unsupported => Some("properties, and options of a subscription, are for MQTT 5"),
        _ => None,
    }
}

const UNANSWERED: &str = "the link or the broker is stuck, check the network; or, with more than 100 publications or 512 KB \
                          per second on one connection, of which AWS drops what exceeds that, send more slowly";

const RETAINED: &str = ", and for a message to be retained iot:RetainPublish as well";

const TOO_LARGE: &str = "at most 128 KB (131072 bytes) can be sent, and properties take room as well";
