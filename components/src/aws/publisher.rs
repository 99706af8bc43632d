//! Interface `aws-publisher`.

use alloc::string::String;

use super::config::config;
use crate::Component;
use crate::bindings::exports::thingpost::iot::aws_publisher::{Client, Config, Guest, Options};
use crate::publisher::client;

impl Guest for Component {
    fn open(config: Config, options: Options, credential: Option<String>) -> Result<Client, String> {
        client::open(self::config(config), &options, credential.as_deref())
    }
}
