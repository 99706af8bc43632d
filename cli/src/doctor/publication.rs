//! The proof: one message, by the component, over the connections that it always uses. Everything before it can be well and
//! a policy still say no.

use thingpost_host::runtime::types::{Error, Message, Qos};

use super::finding::Finding;
use crate::arguments::Reach;
use crate::device::Device;
use crate::problem::Problem;
use crate::report;
use crate::starter::{Starter, load};

/// What AWS answers to whoever shows nothing that it looks at.
const MISSING_TOKEN: &str = "Missing Authentication Token";

const NOT_THE_DATA_PLANE: &str = "the certificate was shown, so this is no data endpoint: the control plane answers in these \
     words; take the endpoint from `aws iot describe-endpoint --endpoint-type iot:Data-ATS`";

/// Publishes it once. `was_shown` says whether a certificate was shown in the handshake before.
pub async fn publish(
    device: Device,
    reach: &Reach,
    (topic, payload): (&str, &[u8]),
    was_shown: bool,
) -> Result<Finding, Problem> {
    let mut starter = Starter::new(load()?, device, reach.connect_to.clone(), reach.timeout)?;
    let message = Message::new(topic, payload, Qos::AtMostOnce);
    let mut publisher = starter.open().await?;
    Ok(match publisher.publish(&message).await {
        Ok(Ok(receipt)) => {
            let mut finding = Finding::new();
            finding.see(format!("delivered to {topic}{}", report::facts(&receipt)));
            finding
        }
        Ok(Err(error)) => explain(&error, &starter, was_shown),
        Err(trap) => Finding::failed(format!("the component failed: {trap:#}"), "report this as a bug of thingpost"),
    })
}

/// The explanation is `what; what to do`, or only what.
fn explain(error: &Error, starter: &Starter, was_shown: bool) -> Finding {
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
    Finding::failed(report::failure_text(&bare, &starter.last_failure), step)
}
