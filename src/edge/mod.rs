//! Many devices can do neither mutual TLS nor ALPN nor HMAC. They can do plain HTTP, and something beside them publishes in
//! their place. Such bridges exist by the dozen, and lose messages in the same two spots: the topic in the path is
//! decoded twice, or not at all, or loses its first slash; and whatever goes wrong is a 502, of which no caller can tell
//! whether sending again doubles the message.
//!
//! Here are both spots as pure functions, for every host that takes HTTP: [`read`] makes a [`Task`] of the head of a request, or
//! a [`Refusal`], and [`answer`] makes an HTTP answer of what became of it. The paths and the query are those
//! of AWS IoT Core, so that a device that publishes there over HTTPS works with another host name; the errors are
//! problem details of [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457).
//!
//! ```
//! use thingpost::edge::{Head, Task, answer, read};
//! use thingpost::{Qos, Receipt};
//!
//! let head = Head { method: "POST", path_with_query: "/topics/sensors/t%201?qos=1", headers: &[] };
//! let Ok(Task::Publish(publication)) = read(&head) else { panic!() };
//! assert_eq!(publication.device, None);
//! let message = publication.into_message(*b"21.5");
//! assert_eq!((message.topic.as_str(), message.qos), ("sensors/t 1", Qos::AtLeastOnce));
//!
//! // What became of it, in the words of the platform that it went to.
//! let receipt = Receipt { message_id: None, trace_id: None, attempts: 1 };
//! assert_eq!(answer::delivered(&receipt).body, br#"{"outcome":"delivered","attempts":1}"#);
//! ```
//!
//! | module or type | what |
//! |---|---|
//! | [`read`] | from the head of a request to what is to be done |
//! | [`Payload`] | the body, bounded while it is read |
//! | [`Settings`] | where to publish, and as whom |
//! | [`check_caller`] | whether the caller has the token of the device |
//! | [`answer`] | from an outcome, or a [`Refusal`], to the answer |

pub mod answer;
mod caller;
mod head;
mod names;
mod path;
mod payload;
mod query;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;

pub use caller::check_caller;
pub use head::{Head, Publication, Task, read};
pub use payload::Payload;
pub use refusal::Refusal;
pub use settings::{Device, Settings, SettingsError};
