//! Interface `aws-exchange`.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use thingpost::Platform;

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
        let platform = self::config(config).map(|config| -> Arc<dyn Platform> { Arc::new(config) });
        exchange::open(platform, &options, credential.as_deref(), seed, messages)
    }
}
