//! The proof: one message, by the component, over the connections that it always uses. Everything before it can be well and
//! a policy still say no.

use thingpost_host::runtime::types::{Error, Message};

use crate::commands::doctor::finding::Finding;
use crate::component::publisher::PublisherFactory;
use crate::error::CliError;
use crate::output::report::{self, LastFailure};

/// What AWS answers to a client that shows nothing that it looks at.
const MISSING_TOKEN: &str = "Missing Authentication Token";

const NOT_THE_DATA_PLANE: &str = "the certificate was shown, so this is no data endpoint: the control plane answers in these \
     words; take the endpoint from `aws iot describe-endpoint --endpoint-type iot:Data-ATS`";

/// Publishes it once. `was_shown` says whether a certificate was shown in the handshake before.
pub async fn publish(factory: &mut PublisherFactory, message: &Message, was_shown: bool) -> Result<Finding, CliError> {
    let mut publisher = factory.open().await?;
    let published = publisher.publish(message).await;
    factory.save_credential(&mut publisher).await;
    Ok(match published {
        Ok(Ok(receipt)) => {
            let mut finding = Finding::new();
            finding.see(format!("delivered to {}{}", destination(message), report::facts(&receipt)));
            finding
        }
        Ok(Err(error)) => explain(&error, &factory.last_failure, was_shown),
        Err(trap) => trapped(&trap),
    })
}

/// Where it goes, for a person.
pub fn destination(message: &Message) -> String {
    match &message.rule {
        None => message.topic.clone(),
        Some(rule) => format!("the rule {rule}"),
    }
}

pub fn trapped(trap: &wasmtime::Error) -> Finding {
    Finding::failed(format!("the component failed: {trap:#}"), "report this as a bug of thingpost")
}

/// The explanation is `what; what to do`, or only what.
pub fn explain(error: &Error, last_failure: &LastFailure, was_shown: bool) -> Finding {
    let (what, step) = match error.explanation.split_once("; ") {
        Some((what, step)) => (what, step),
        None => (error.explanation.as_str(), "look at what was answered, and into the logs of the account"),
    };
    let message = error.answer.as_ref().and_then(|answer| answer.message.as_deref());
    let step = match message {
        // The component cannot know that it was.
        Some(MISSING_TOKEN) if was_shown => NOT_THE_DATA_PLANE,
        _ => step,
    };
    let bare = Error { explanation: what.to_owned(), ..error.clone() };
    Finding::failed(report::failure_text(&bare, last_failure), step)
}
