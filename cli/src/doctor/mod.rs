//! `thingpost doctor`: why a device cannot publish.
//!
//! AWS answers almost every mistake with a 403 without a word, Aliyun with "auth check error", and what people then do is to
//! change one thing after the other: the policy, the port, the certificate, the secret. Nine of ten causes can be told apart from this
//! side, if one looks at each step by itself and in order. That is what is done here; nothing is published unless asked for.

mod aliyun;
mod answer;
mod arguments;
mod aws;
mod certificate;
mod endpoint;
mod files;
mod finding;
mod handshake;
mod look;
mod network;
mod provider;
mod publication;
mod report;
mod request;
mod steps;
mod tls;

pub use arguments::DoctorCommand;

use super::Exit;
use super::problem::Problem;

/// What is published, if that is asked for.
const PAYLOAD: &[u8] = br#"{"from":"thingpost doctor"}"#;

pub async fn run(command: &DoctorCommand) -> Result<Exit, Problem> {
    match command {
        DoctorCommand::Aws(arguments) => aws::run(arguments).await,
        DoctorCommand::Aliyun(arguments) => aliyun::run(arguments).await,
    }
}
