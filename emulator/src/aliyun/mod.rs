//! Everybody who publishes to Aliyun over HTTP has to sign, to keep a token and to replace it in time, and there is no
//! emulator to try that on. This one checks signatures by code of its own, lets tokens end on request or by chance, and
//! answers with what was captured: business errors under status 200, no reason phrase, message ids beyond 2^53.
//!
//! | Where | What |
//! |---|---|
//! | `options.rs`, `emulator.rs` | how an emulator is started, and what a test does with it |
//! | `cloud.rs` | what its ports share |
//! | `http_service.rs` | which path of the one host leads where: `/auth` and `/topic/…` |
//! | `auth.rs`, `attempts.rs` | the checks of `/auth`, and how often it was asked |
//! | `token.rs` | tokens and their end |
//! | `chaos.rs` | trouble with tokens in the midst of messages, drawn from a seed |
//! | `publish.rs` | the checks of `/topic/…` |
//! | `thing_model.rs` | what the thing model reads in a message |
//! | `iot_auth.rs` | which path of the other host leads where |
//! | `register.rs` | `/auth/register/device`: a secret for a device that has none |
//! | `bootstrap.rs`, `mqtt_login.rs`, `mqtt.rs` | `/auth/bootstrap` and `/auth/devicename`: the way to MQTT |
//! | `registry.rs` | products and devices |
//! | `sign.rs`, `form.rs`, `endpoint.rs` | signatures, forms, and the names of hosts |
//! | `code.rs`, `answer.rs` | the code tables and the answers, byte for byte |

mod answer;
mod attempts;
mod auth;
mod bootstrap;
mod chaos;
mod cloud;
mod code;
mod emulator;
mod endpoint;
mod form;
mod http_service;
mod iot_auth;
mod mqtt;
mod mqtt_login;
mod options;
mod publish;
mod register;
mod registry;
pub(crate) mod sign;
mod thing_model;
mod token;

pub use attempts::AliyunAuthentications;
pub use chaos::{AliyunChaos, AliyunStrike};
pub use emulator::AliyunEmulator;
pub use options::AliyunOptions;
pub use register::AliyunRegistration;
pub use thing_model::{AliyunThingKind, AliyunThingPost, AliyunThingValue, AliyunThingViolation};
pub use token::TokenForm;
