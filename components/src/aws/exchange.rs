//! Interface `aws-exchange`.

use alloc::string::String;
use alloc::vec::Vec;

use super::config::config;
use crate::Component;
use crate::bindings::exports::thingpost::iot::aws_exchange::{Config, Exchange, Guest, Message, Options};
use crate::exchange;

impl Guest for Component {
    fn open(
        config: Config,
        options: Options,
        credential: Option<String>,
        seed: u64,
        messages: Vec<Message>,
    ) -> Result<Exchange, String> {
        exchange::open(self::config(config), &options, credential.as_deref(), seed, messages)
    }
}
