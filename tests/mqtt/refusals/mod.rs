//! What goes wrong with a session, brought about over TLS and through the component; and what is told about it must name
//! the cause, and not only the symptom.

mod connecting;
mod policy;
mod queue;
mod takeover;
mod transport;

use thingpost_host::runtime::types::Error;

use crate::fixtures::mqtt::CLIENT_ID;

/// For messages of tests and for policies.
const ARN: &str = "arn:aws:iot:eu-central-1:*:";

fn names(error: &Error, named: &[&str]) {
    for named in named {
        assert!(error.explanation.contains(named), "{named:?} is not named: {error:#?}");
    }
}

fn client() -> String {
    format!("{ARN}client/{CLIENT_ID}")
}
