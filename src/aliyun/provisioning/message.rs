//! A device that registers over MQTT is answered by a message on a topic that it did not subscribe to. Which topic it is tells
//! what it was given.

use core::fmt;

use alloc::string::String;

use super::register::Registered;
use crate::json::{self, Slot};
use crate::secret::Secret;

/// What a device is given that registers over MQTT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationMessage {
    /// A secret, for a device that the product knew.
    Secret(Registered),
    /// A client id and a token, for any other. The platform does not give them out again.
    Token {
        /// The product.
        product_key: String,
        /// The device.
        device_name: String,
        /// The only client id that goes with the token.
        client_id: String,
        /// The password.
        device_token: Secret,
    },
}

/// Why a message gives a device nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMessageError {
    /// It came on a topic that is not for this.
    OtherTopic,
    /// One of its names, or the secret, is not there or cannot be one.
    Incomplete,
}

impl RegistrationMessage {
    /// Reads a message that came on this topic.
    ///
    /// # Errors
    /// When the topic is neither `/ext/register` nor `/ext/regnwl`, or something is missing.
    pub fn read(topic: &str, payload: &[u8]) -> Result<Self, RegistrationMessageError> {
        let (mut product_key, mut device_name, mut client_id) = (None, None, None);
        let (mut device_secret, mut device_token) = (None, None);
        let mut wanted = [
            ("productKey", Slot::Text(&mut product_key)),
            ("deviceName", Slot::Text(&mut device_name)),
            ("deviceSecret", Slot::Text(&mut device_secret)),
            ("clientId", Slot::Text(&mut client_id)),
            ("deviceToken", Slot::Text(&mut device_token)),
        ];
        json::read(payload, &mut wanted);
        let is_one = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let given = |text: Option<String>| text.filter(is_one).ok_or(RegistrationMessageError::Incomplete);
        match topic {
            "/ext/register" => Ok(Self::Secret(Registered {
                product_key: given(product_key)?,
                device_name: given(device_name)?,
                device_secret: Secret::new(given(device_secret)?),
            })),
            "/ext/regnwl" => Ok(Self::Token {
                product_key: given(product_key)?,
                device_name: given(device_name)?,
                client_id: given(client_id)?,
                device_token: Secret::new(given(device_token)?),
            }),
            _ => Err(RegistrationMessageError::OtherTopic),
        }
    }
}

impl fmt::Display for RegistrationMessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherTopic => "the message is not for a device that registers",
            Self::Incomplete => "the message has no secret and no token, or does not say whose it is",
        })
    }
}

impl core::error::Error for RegistrationMessageError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_tells_whether_it_is_a_secret_or_a_token() {
        let secret = br#"{"deviceSecret":"hunter2","productKey":"pk","deviceName":"device"}"#;
        let read = RegistrationMessage::read("/ext/register", secret).unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
        let RegistrationMessage::Secret(registered) = read else { panic!("{read:?}") };
        assert_eq!(registered.device_secret.reveal(), "hunter2");

        let token = br#"{"clientId":"K4w","productKey":"pk","deviceName":"device","deviceToken":"^1^hunter2"}"#;
        let read = RegistrationMessage::read("/ext/regnwl", token).unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
        let RegistrationMessage::Token { client_id, device_token, .. } = read else { panic!("{read:?}") };
        assert_eq!((client_id.as_str(), device_token.reveal()), ("K4w", "^1^hunter2"));
    }

    #[test]
    fn what_is_missing_or_cannot_be_a_secret_is_none() {
        for (topic, payload, error) in [
            (
                "/ext/regnwl",
                r#"{"productKey":"pk","deviceName":"d","clientId":"c"}"#,
                RegistrationMessageError::Incomplete,
            ),
            (
                "/ext/register",
                r#"{"productKey":"pk","deviceName":"d","deviceSecret":""}"#,
                RegistrationMessageError::Incomplete,
            ),
            (
                "/ext/register",
                r#"{"productKey":"pk","deviceName":"d","deviceSecret":"a\nb"}"#,
                RegistrationMessageError::Incomplete,
            ),
            ("/ext/register", "no JSON", RegistrationMessageError::Incomplete),
            (
                "/pk/d/user/get",
                r#"{"productKey":"pk","deviceName":"d","deviceSecret":"s"}"#,
                RegistrationMessageError::OtherTopic,
            ),
        ] {
            assert_eq!(RegistrationMessage::read(topic, payload.as_bytes()), Err(error), "{payload}");
        }
    }
}
