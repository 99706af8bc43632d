//! Interface `aws-publisher`.

use alloc::string::String;
use alloc::sync::Arc;

use thingpost::Platform;

use super::config::config;
use crate::Component;
use crate::bindings::exports::thingpost::iot::aws_publisher::{Client, Config, Guest, Options};
use crate::publisher::client;

impl Guest for Component {
    fn open(config: Config, options: Options, credential: Option<String>) -> Result<Client, String> {
        let platform = self::config(config).map(|config| -> Arc<dyn Platform> { Arc::new(config) });
        client::open(platform, &options, credential.as_deref())
    }
}
