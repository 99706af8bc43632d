//! Before a device can publish it needs a secret of its own and the address of its instance. The platform has three more
//! doors for that, each with other field names, another success code and another shape of answer than the one that
//! gives out tokens; clients get one of them right and hard-wire the others.
//!
//! | door | what for | success |
//! |---|---|---|
//! | `/auth/register/device` | a device secret for one that has only the product's | 200, `data` |
//! | `/auth/bootstrap` | where the instance of a device is | 200, `data` |
//! | `/auth/devicename` | user name and password for MQTT | 200, `data` |

mod bootstrap;
mod form;
mod message;
mod mqtt;
mod register;
mod reply;

pub use bootstrap::{Address, bootstrap_request, read_bootstrap_response};
pub use message::{RegistrationMessage, RegistrationMessageError};
pub use mqtt::{MqttCredentials, mqtt_auth_request, read_mqtt_auth_response};
pub use register::{Registered, Registration, read_registration_response, registration_content, registration_request};
