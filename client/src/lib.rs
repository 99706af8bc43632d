//! Publishing from Rust, without a sandbox.
//!
//! A program in Rust needs no component to publish to AWS IoT Core or Aliyun IoT Platform, and 60 to 80 lines have to be written
//! to put the same logic over a transport: a clock, an HTTP client, TLS with a certificate and ALPN, a loop, and at its end a table of
//! errors in which a mistake turns *unknown* into *not sent*. Here they are written.
//!
//! ```no_run
//! use thingpost_client::{Client, Message, Qos};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::aws("a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com")
//!     .certificate("thermometer-7.pem.crt", "thermometer-7.private.key")
//!     .port(443)
//!     .open()?;
//! let receipt = client.publish(Message::new("plant/4/celsius", *b"21.5", Qos::AtLeastOnce)).await?;
//! println!("delivered with {} attempts", receipt.attempts);
//! # Ok(())
//! # }
//! ```
//!
//! On Aliyun the device signs, and the token is kept:
//!
//! ```no_run
//! # use thingpost_client::{Client, Message, Qos};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = String::new();
//! let client = Client::aliyun("iot-as-http.cn-shanghai.aliyuncs.com", "a1B2c3D4e5F", "pump-1", secret).open()?;
//! client.publish(Message::new("/a1B2c3D4e5F/pump-1/user/update", *b"on", Qos::AtLeastOnce)).await?;
//! # let _ = client.credential();
//! # Ok(())
//! # }
//! ```
//!
//! Over MQTT a session connects by itself, and comes back by itself:
//!
//! ```no_run
//! # use thingpost_client::{Client, Message, Qos};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, mut messages) = Client::aws("a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com")
//!     .certificate("thermometer-7.pem.crt", "thermometer-7.private.key")
//!     .mqtt("thermometer-7")?
//!     .open()?;
//! client.subscribe("plant/4/set", Qos::AtLeastOnce).await?;
//! client.publish(Message::new("plant/4/celsius", *b"21.5", Qos::AtLeastOnce)).await?;
//! while let Some(message) = messages.next().await {
//!     println!("{} says {:?}", message.topic, message.payload);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`blocking::Client`] is for programs that are not asynchronous. Every message has exactly one outcome, as everywhere in thingpost;
//! [`PublishError::delivery`] says which of *not sent*, *refused* and *unknown* it is.

#![deny(missing_docs)]
#![deny(unsafe_code)]
#![warn(clippy::missing_errors_doc)]
#![doc(test(attr(deny(warnings))))]

pub mod blocking;
mod builder;
mod clock;
mod error;
mod https;
mod mqtt;
mod transport_error;

pub use builder::{Aliyun, Aws, Builder, Generic};
pub use error::{OpenError, PublishError};
pub use https::Client;
pub use mqtt::{Ended, Messages, MqttBuilder, MqttClient, SessionError, Status};
// What stands in the signatures of this crate.
pub use thingpost::{Delivery, Message, Options, Properties, Qos, Receipt, Secret};
pub use {thingpost, thingpost_host};
