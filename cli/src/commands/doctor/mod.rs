//! `thingpost doctor`: why a device cannot publish.
//!
//! AWS answers almost every mistake with a 403 without a word, Aliyun with "auth check error", a broker by closing the connection,
//! and what people then do is to change one thing after the other: the policy, the port, the certificate, the secret. Nine of ten
//! causes can be told apart from this side, if one looks at each step by itself and in order. That is what is done here; nothing
//! is published unless asked for.
//!
//! A doctor that looks at something else than what runs is believed and wrong. So the device, the component, the message, the
//! authentication and the connection are made by the code that `publish` calls, with its options; what is watched more closely on
//! the side (`network`, `tls`, `answer`) goes by the configuration of that same route. What only a publication can show is named at
//! the end, and *all is well* is said without it only when the platform has let the device in.

mod aliyun;
mod aws;
mod finding;
mod generic;
mod mqtt;
mod network;
mod offline;
mod report;
mod run;
mod steps;

use crate::args::DoctorCommand;
use crate::error::CliError;
use crate::exit::Exit;

/// What is published, if that is asked for and no message is given.
const PAYLOAD: &[u8] = br#"{"from":"thingpost doctor"}"#;

/// Publishing to it is harmless, unless there is a rule for it.
const TOPIC: &str = "thingpost/doctor";

pub async fn run(command: &DoctorCommand) -> Result<Exit, CliError> {
    match command {
        DoctorCommand::Aws(arguments) => aws::run(arguments).await,
        DoctorCommand::Aliyun(arguments) => aliyun::run(arguments).await,
        DoctorCommand::Mqtt(arguments) => mqtt::run(arguments).await,
    }
}
