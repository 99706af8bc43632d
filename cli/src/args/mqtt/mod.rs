//! What `thingpost mqtt` takes. Two platforms, and no word for which: a device with a certificate has no product key.

mod device;
mod publish;
mod subscribe;

use clap::Subcommand;

pub use device::{MqttAliyunArgs, MqttAuthorizerArgs, MqttDevice, MqttVersion, SessionOptions};
pub use publish::{Drop, MqttPublish, QueueArgs, QueueLimit};
pub use subscribe::{MqttSubscribe, RetainHandling};

use super::EXIT_CODES;

const TIMEOUT_OF_PUBLISH: &str = "\
How long a connection may take, be it the first or a lost one that is to come back; and how long to wait, when all is sent, \
for an answer to any message that has none. A file is given up when that time is over; a pipe or --interval only at its end, \
as until then its messages wait in the queue. While there is a connection no message is tried for longer, be it refused for now or \
not acknowledged";

const TIMEOUT_OF_SUBSCRIBE: &str = "How long a connection may take until the broker has accepted it";

const SUBSCRIBE_EXIT_CODES: &str = "\
Exit codes: 0 interrupted, or --count reached, 1 all topics refused, 2 wrong usage or input, 3 no connection, 4 unknown, \
or the output cannot be written: it ends at once, and the message that was to be written is not acknowledged.";

#[derive(Subcommand)]
pub enum MqttCommand {
    /// Publish one message, one several times, or one for each line of a file. A connection that is not there yet, or is lost,
    /// comes by itself
    #[command(after_help = EXIT_CODES, mut_arg("timeout", |timeout| timeout.help(TIMEOUT_OF_PUBLISH)))]
    Publish(Box<MqttPublish>),
    /// Print the messages of topics, each in a line, until interrupted. A connection that is not there yet, or is lost, comes
    /// by itself. A payload that is
    /// not text is printed in base64. Where filters overlap, many brokers send a message once for each of them, and each is
    /// printed
    #[command(after_help = SUBSCRIBE_EXIT_CODES, mut_arg("timeout", |timeout| timeout.help(TIMEOUT_OF_SUBSCRIBE)))]
    Subscribe(Box<MqttSubscribe>),
}
