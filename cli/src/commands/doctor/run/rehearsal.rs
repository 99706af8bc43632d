//! The run that `publish` makes, up to the message itself. The component prepares it, authenticates, signs, and asks the host to
//! send it; the host gets a connection for it, and there it ends. Whatever would have failed before the message was sent fails
//! here, and in the same words.
//!
//! Whether a signature is taken only an answer shows, so with an access key one question is asked that changes nothing.

use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{
    AwsAuthentication, Cause, Error, Message, Platform, Retry, Stage, TransportErrorKind,
};

use super::publication::{explain, trapped};
use crate::commands::doctor::TOPIC;
use crate::commands::doctor::finding::Finding;
use crate::component::publisher::PublisherFactory;
use crate::error::CliError;

/// The permission that the question needs. A client that is told that it is missing has been recognised.
const PERMISSION: &str = "iot:GetRetainedMessage";

const ASK: &str = "see whether --publish works";

/// All that is sent: authentications, and the question.
fn is_permitted(path: &str) -> bool {
    path == "/auth" || ["/role-aliases/", "/retainedMessage/"].iter().any(|begin| path.starts_with(begin))
}

/// What no answer can change about the message, said by the component. Nothing is connected to.
pub async fn prepare(factory: &PublisherFactory, message: &Message) -> Result<Option<Error>, CliError> {
    let mut publisher = factory.open_nowhere().await?;
    let prepared = publisher.publish(message).await.map_err(|trap| CliError::new("the component failed", trap))?;
    Ok(prepared.err().filter(|error| error.stage == Stage::Preparation))
}

/// Rehearses, and says what came of it.
pub async fn rehearse(
    factory: &mut PublisherFactory,
    platform: &Platform,
    message: &Message,
) -> Result<Finding, CliError> {
    factory.permit_only(is_permitted);
    let mut publisher = factory.open().await?;
    let rehearsed = publisher.publish(message).await;
    factory.save_credential(&mut publisher).await;
    let mut finding = match rehearsed {
        Err(trap) => return Ok(trapped(&trap)),
        Ok(Err(error)) if is_withheld(&error) => Finding::new(),
        Ok(Err(error)) => return Ok(explain(&error, &factory.last_failure, false)),
        Ok(Ok(_)) => return Ok(Finding::failed("the message was sent", "report this as a bug of thingpost")),
    };
    finding.see(match platform {
        Platform::Aliyun(_) => "the platform knows the device: it has given out a token",
        Platform::Aws(config) => match &config.authentication {
            AwsAuthentication::CredentialsProvider(_) => "a temporary key was given out for the certificate",
            AwsAuthentication::Certificate | AwsAuthentication::SigV4(_) | AwsAuthentication::CustomAuthorizer(_) => {
                "the request is made"
            }
        },
    });
    finding.see("there is a connection for the message, which was withheld");
    if let Platform::Aws(config) = platform
        && matches!(config.authentication, AwsAuthentication::SigV4(_) | AwsAuthentication::CredentialsProvider(_))
    {
        finding.append(ask(&mut publisher, factory, message).await);
    }
    Ok(finding)
}

/// Nothing was wrong, and it went no further.
fn is_withheld(error: &Error) -> bool {
    error.stage == Stage::Publication && error.cause == Cause::Transport(TransportErrorKind::Denied)
}

/// Asks what the topic has kept, with a signature.
async fn ask(publisher: &mut Publisher, factory: &PublisherFactory, message: &Message) -> Finding {
    let topic = if message.topic.is_empty() { TOPIC } else { &message.topic };
    let error = match publisher.aws().get_retained_message(topic).await {
        Err(trap) => return trapped(&trap),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error),
    };
    let mut finding = Finding::new();
    match error {
        None => finding.see("the signature is taken: a harmless question was answered"),
        Some(error) if error.cause == Cause::NotFound || error.explanation.contains(PERMISSION) => {
            finding.see("the signature is taken: a harmless question was understood");
        }
        // Not AWS, and it knows publications alone.
        Some(error) if error.answer.as_ref().is_some_and(|answer| matches!(answer.status, 404 | 405 | 501)) => {
            finding.warn("whether the signature is taken is not known: this server does not know the question", ASK);
        }
        // Too many requests, or a platform in trouble: that is no fault of the device.
        Some(error) if matches!(error.retry, Retry::AfterMs(_)) => {
            let what = format!("whether the signature is taken is not known: {}", error.explanation);
            finding.warn(what, "try again later");
        }
        Some(error) => finding.append(explain(&error, &factory.last_failure, false)),
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_never_permitted() {
        for path in ["/topics/a", "/topics/auth", "/topic/pk/dn/user/update", "/auth/", "/things/x/shadow", "/", ""] {
            assert!(!is_permitted(path), "{path}");
        }
        for path in ["/auth", "/role-aliases/a/credentials", "/retainedMessage/a"] {
            assert!(is_permitted(path), "{path}");
        }
    }
}
