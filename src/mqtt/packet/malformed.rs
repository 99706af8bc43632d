//! "It is not MQTT" sends people to look for another endpoint, and where the right broker breaks a rule of the standard
//! they look in vain. So it is known which packet breaks which rule; and only what cannot be framed, or what the
//! standard has nowhere, may be something else than MQTT.

use alloc::string::{String, ToString};

use mqtt_proto::Error as Common;
use mqtt_proto::v5::ErrorV5;

use super::receive::MAX_PACKET;

/// The rule that a packet breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule(pub &'static str);

/// It has not the parts, or not the lengths, that the standard gives it.
pub(super) const LAYOUT: Rule = Rule("it is not laid out as the standard says");

/// Nothing that a client is sent.
pub(super) const NOT_FOR_CLIENTS: Rule = Rule("it is not for a client");

/// Why what came is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mqtt) enum Malformed {
    /// It cannot be framed.
    NoFrame,
    /// A packet of so many bytes.
    TooLarge(usize),
    /// A packet of this name breaks this rule.
    Broken(&'static str, &'static str),
}

impl Malformed {
    /// In words.
    pub fn text(self) -> String {
        match self {
            Self::NoFrame => "a length has more than four bytes".to_string(),
            Self::TooLarge(bytes) => {
                let most = (MAX_PACKET + 5).to_string();
                ["a packet of ", &bytes.to_string(), " bytes came, and at most ", &most, " are taken"].concat()
            }
            Self::Broken(packet, rule) => [packet, ": ", rule].concat(),
        }
    }

    /// How a DISCONNECT of MQTT 5 calls it.
    pub fn reason_code(self) -> u8 {
        match self {
            Self::NoFrame => 0x81,
            Self::TooLarge(_) => 0x95,
            Self::Broken(..) => 0x82,
        }
    }
}

/// How the standard calls the packet that begins so.
pub(super) fn name(first: u8) -> &'static str {
    const NAMES: [&str; 16] = [
        "packet of type 0",
        "CONNECT",
        "CONNACK",
        "PUBLISH",
        "PUBACK",
        "PUBREC",
        "PUBREL",
        "PUBCOMP",
        "SUBSCRIBE",
        "SUBACK",
        "UNSUBSCRIBE",
        "UNSUBACK",
        "PINGREQ",
        "PINGRESP",
        "DISCONNECT",
        "AUTH",
    ];
    NAMES[usize::from(first >> 4)]
}

/// What the rest of the packet makes no difference to.
pub(super) fn unwanted(first: u8) -> Rule {
    match first >> 4 {
        5..=7 => Rule("it belongs to QoS 2, and nothing was sent or subscribed to with that"),
        15 => Rule("an authentication in steps was not asked for"),
        _ => NOT_FOR_CLIENTS,
    }
}

impl From<Common> for Rule {
    fn from(error: Common) -> Self {
        match error {
            Common::InvalidQos(_) => Self("its QoS is 3"),
            Common::ZeroPid => Self("its packet identifier is 0"),
            Common::InvalidHeader => Self("its first byte is not that of such a packet"),
            Common::InvalidConnackFlags(_) | Common::InvalidConnectReturnCode(_) => {
                Self("it has a flag or a code that the standard does not have for it")
            }
            _ => LAYOUT,
        }
    }
}

impl From<ErrorV5> for Rule {
    fn from(error: ErrorV5) -> Self {
        match error {
            ErrorV5::Common(common) => common.into(),
            ErrorV5::DuplicatedProperty(_) => Self("a property stands in it twice"),
            ErrorV5::InvalidPropertyId(_) | ErrorV5::InvalidProperty(..) => {
                Self("it has a property that it may not have")
            }
            ErrorV5::InvalidByteProperty(..) => Self("a property has a value that it may not have"),
            ErrorV5::InvalidReasonCode(..) => Self("it has a reason code that the standard does not have for it"),
            _ => LAYOUT,
        }
    }
}
