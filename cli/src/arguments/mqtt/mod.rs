//! What `thingpost mqtt` takes. Two platforms, and no word for which: whoever has a certificate has no product key.

mod device;
mod publish;
mod subscribe;

use clap::Subcommand;

pub use device::{MqttDevice, MqttVersion, SessionOptions};
pub use publish::{Drop, MqttPublish, QueueArguments, QueueLimit};
pub use subscribe::MqttSubscribe;

use super::EXIT_CODES;

const TIMEOUT_OF_PUBLISH: &str = "\
How long the first connection may take; and, when all is sent, or a connection does not come back, how long to wait for \
an answer before the messages without one are given up";

const TIMEOUT_OF_SUBSCRIBE: &str = "How long a connection may take until the broker has accepted it";

const SUBSCRIBE_EXIT_CODES: &str = "\
Exit codes: 0 interrupted, or --count reached, 1 all topics refused, 2 wrong usage or input, 3 no connection, 4 unknown.";

#[derive(Subcommand)]
pub enum MqttCommand {
    /// Publish one message, one several times, or one for each line of a file. The first connection must succeed; after
    /// that a lost one comes back by itself
    #[command(after_help = EXIT_CODES, mut_arg("timeout", |timeout| timeout.help(TIMEOUT_OF_PUBLISH)))]
    Publish(Box<MqttPublish>),
    /// Print the messages of topics, each in a line, until interrupted. A lost connection comes back by itself
    #[command(after_help = SUBSCRIBE_EXIT_CODES, mut_arg("timeout", |timeout| timeout.help(TIMEOUT_OF_SUBSCRIBE)))]
    Subscribe(Box<MqttSubscribe>),
}
