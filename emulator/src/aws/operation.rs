//! AWS tells what is asked of it by method and path together: the same path is a shadow to read, to change and to
//! delete. Which operation a request means is decided here, before anything else about it is looked at.

use super::answer::Refusal;
use super::topic;
use crate::http1::Request;
use crate::percent;

/// An operation of the data plane, with the parts of its path as they were sent.
pub(super) enum Operation<'a> {
    Publish { topic: &'a str },
    GetThingShadow { thing: &'a str },
    UpdateThingShadow { thing: &'a str },
    DeleteThingShadow { thing: &'a str },
    ListNamedShadowsForThing { thing: &'a str },
    GetRetainedMessage { topic: &'a str },
    ListRetainedMessages,
    SendDirectMessage { client: &'a str },
    GetConnection { client: &'a str },
    ListSubscriptions { client: &'a str },
    DeleteConnection { client: &'a str },
}

impl<'a> Operation<'a> {
    /// 404 for a path that no operation has, and 405 for a method that its operations do not have.
    pub(super) fn of(request: &'a Request) -> Result<Self, Refusal> {
        let method = request.method.as_str();
        // The only path in which a name may be spread over several segments.
        if let Some(topic) = topic::encoded(request.path()) {
            return if method == "POST" { Ok(Self::Publish { topic }) } else { Err(Refusal::METHOD_NOT_ALLOWED) };
        }
        let path = request.path().strip_prefix('/').ok_or(Refusal::NOT_FOUND)?;
        let segments: Vec<&str> = path.split('/').collect();
        if segments.contains(&"") {
            return Err(Refusal::NOT_FOUND);
        }
        let operation = match segments[..] {
            ["things", thing, "shadow"] => match method {
                "GET" => Some(Self::GetThingShadow { thing }),
                "POST" => Some(Self::UpdateThingShadow { thing }),
                "DELETE" => Some(Self::DeleteThingShadow { thing }),
                _ => None,
            },
            ["api", "things", "shadow", "ListNamedShadowsForThing", thing] => {
                (method == "GET").then_some(Self::ListNamedShadowsForThing { thing })
            }
            ["retainedMessage"] => (method == "GET").then_some(Self::ListRetainedMessages),
            ["retainedMessage", topic] => (method == "GET").then_some(Self::GetRetainedMessage { topic }),
            ["connections", client] => match method {
                "GET" => Some(Self::GetConnection { client }),
                "DELETE" => Some(Self::DeleteConnection { client }),
                _ => None,
            },
            ["connections", client, "messages"] => (method == "POST").then_some(Self::SendDirectMessage { client }),
            ["connections", client, "subscriptions"] => (method == "GET").then_some(Self::ListSubscriptions { client }),
            _ => return Err(Refusal::NOT_FOUND),
        };
        operation.ok_or(Refusal::METHOD_NOT_ALLOWED)
    }
}

/// The name in one segment of a path. What does not decode is refused as `invalid` says.
pub(super) fn name(segment: &str, invalid: &'static str) -> Result<String, Refusal> {
    match percent::decode(segment) {
        // Everything on the way removes dot segments, escaped or not, so such a path arrives as another one.
        Some(dots) if dots == "." || dots == ".." => Err(Refusal::NOT_FOUND),
        Some(name) => Ok(name),
        None => Err(Refusal::invalid(invalid)),
    }
}
