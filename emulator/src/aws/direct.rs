//! A direct message goes to one client and nowhere else: it meets no rule, is not retained, and does not wait for its
//! receiver. Whether it arrived is known at once or never, so each one is written down with what its receiver did.

use std::fmt;

use super::answer::Refusal;
use super::connection;
use super::properties;
use super::publish::MAX_PAYLOAD;
use super::query::{flag, parameter, raw_parameter};
use super::topic;
use crate::http1::Request;
use crate::ledger::Device;
use crate::percent;

/// In seconds.
const DEFAULT_TIMEOUT: u8 = 5;
const MAX_TIMEOUT: u8 = 15;

/// A message that was delivered to one client.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectMessage {
    /// The client that got it.
    pub client_id: String,
    /// What it came under.
    pub topic: String,
    /// The body.
    pub payload: Vec<u8>,
    /// 1 when the sender asked for a confirmation, else 0.
    pub qos: u8,
    /// How long the sender would have waited for the confirmation. `None` when it did not ask for one.
    pub timeout_seconds: Option<u8>,
    /// Whether the client confirmed it.
    pub acknowledged: bool,
    /// MQTT 5's content type, which is not the header `Content-Type`.
    pub content_type: Option<String>,
    /// Where answers are to go.
    pub response_topic: Option<String>,
    /// In their order. A name may occur more than once.
    pub user_properties: Vec<(String, String)>,
    /// `UNSPECIFIED_BYTES` or `UTF8_DATA`.
    pub payload_format_indicator: Option<String>,
    /// Decoded from base64.
    pub correlation_data: Option<Vec<u8>>,
    /// The sender.
    pub sender: Device,
}

impl DirectMessage {
    /// A request that AWS would deliver for a caller that may send to that client, if the client is on line.
    pub(super) fn check(request: &Request, client: &str, sender: &Device) -> Result<Self, Refusal> {
        let client_id = connection::client_id(client)?;
        if request.body.len() > MAX_PAYLOAD {
            return Err(Refusal::TOO_LARGE);
        }
        let topic = raw_parameter(request, "topic").and_then(percent::decode).filter(|topic| !topic.is_empty());
        let topic = topic.ok_or_else(|| Refusal::invalid("Invalid topic"))?;
        if topic.starts_with('$') {
            return Err(Refusal::invalid("Topic can't start with $"));
        }
        topic::check(&topic)?;
        // Without a confirmation the timeout is not looked at.
        let timeout_seconds = if flag(request, "confirmation")? { Some(timeout(request)?) } else { None };
        properties::check_direct(request)?;
        let properties = properties::describe(request);
        Ok(Self {
            client_id,
            topic,
            payload: request.body.clone(),
            qos: timeout_seconds.is_some().into(),
            timeout_seconds,
            acknowledged: false,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            user_properties: properties.user_properties,
            payload_format_indicator: properties.payload_format_indicator,
            correlation_data: properties.correlation_data,
            sender: sender.clone(),
        })
    }

    /// What the sender is told, now that the message has reached a client that acknowledges messages, or does not. The
    /// refusal comes at once: a test that had to wait for the seconds would prove nothing more.
    pub(super) fn deliver(&mut self, acknowledges: bool) -> Result<(), Refusal> {
        self.acknowledged = self.qos == 1 && acknowledges;
        if self.qos == 1 && !acknowledges { Err(Refusal::CONFIRMATION_MISSING) } else { Ok(()) }
    }
}

fn timeout(request: &Request) -> Result<u8, Refusal> {
    let Some(text) = parameter(request, "timeout") else {
        return Ok(DEFAULT_TIMEOUT);
    };
    let seconds = text.parse().ok().filter(|seconds| (1..=MAX_TIMEOUT).contains(seconds));
    seconds.ok_or_else(|| Refusal::invalid(format!("timeout must be between 1 and {MAX_TIMEOUT}")))
}

impl fmt::Debug for DirectMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectMessage")
            .field("client_id", &self.client_id)
            .field("topic", &self.topic)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("qos", &self.qos)
            .field("timeout_seconds", &self.timeout_seconds)
            .field("acknowledged", &self.acknowledged)
            .field("content_type", &self.content_type)
            .field("response_topic", &self.response_topic)
            .field("user_properties", &format_args!("{} pairs", self.user_properties.len()))
            .field("payload_format_indicator", &self.payload_format_indicator)
            .field("correlation_data", &self.correlation_data.as_ref().map(|data| format!("{} bytes", data.len())))
            .field("sender", &self.sender)
            .finish()
    }
}
