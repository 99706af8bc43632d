//! The requests of the operations.

use alloc::string::String;

use super::{ClientDisconnection, DirectMessage, Operation, Page, Shadow};
use crate::aws::properties;
use crate::aws::target::{Target, segment};
use crate::aws::topic::{check_topic, encode_topic};
use crate::aws::{AuthMethod, Config};
use crate::field::Field;
use crate::http::Request;
use crate::json::{self, Json, Slot};
use crate::message::{Qos, RequestError};

/// Limits of AWS.
const MAX_THING: usize = 128;
const MAX_SHADOW: usize = 64;
const MAX_CLIENT_ID: usize = 128;
const MAX_CLIENT_TOKEN: usize = 64;
/// Unless the quota of the account has been raised.
const MAX_STATE: usize = 8 * 1024;
const MAX_PAGE: u32 = 100;
const MAX_RETAINED_PAGE: u32 = 200;
const MAX_CONFIRMATION_S: u32 = 15;

/// The request of an operation at this time. Nothing is sent if it cannot succeed.
///
/// # Errors
///
/// A name, document or number that AWS does not take, or an operation that this way to authenticate does not have.
pub fn operation_request(config: &Config, operation: &Operation, unix_ms: u64) -> Result<Request, RequestError> {
    config.authorised(unauthorised_request(config, operation)?, unix_ms)
}

/// All of the request but what shows who the device is.
pub(super) fn unauthorised_request(config: &Config, operation: &Operation) -> Result<Request, RequestError> {
    // AWS has authorizers for publishing; the policy examples have one for direct messages.
    if config.auth_method() == AuthMethod::CustomAuthorizer && !matches!(operation, Operation::SendDirectMessage(_)) {
        return Err(RequestError::Unsupported);
    }
    let authority = config.endpoint().authority();
    let request = |method, target: Target| Request::without_body(method, authority.clone(), target.finish());
    Ok(match operation {
        Operation::GetShadow(shadow) => request("GET", shadow.target()?),
        Operation::DeleteShadow(shadow) => request("DELETE", shadow.target()?),
        Operation::UpdateShadow { shadow, document, max_state_bytes } => {
            let target = shadow.target()?;
            check_document(document, *max_state_bytes)?;
            Request::post(authority, target.finish(), "application/json", document.as_slice().into())
        }
        Operation::ListNamedShadows { thing, page } => {
            let mut target = Target::new(&["/api/things/shadow/ListNamedShadowsForThing/", thing_name(thing)?]);
            page.add_to(&mut target, "pageSize", MAX_PAGE)?;
            request("GET", target)
        }
        Operation::GetRetainedMessage { topic } => {
            request("GET", Target::new(&["/retainedMessage/", &encode_topic(topic)?]))
        }
        Operation::ListRetainedMessages(page) => {
            let mut target = Target::new(&["/retainedMessage"]);
            page.add_to(&mut target, "maxResults", MAX_RETAINED_PAGE)?;
            request("GET", target)
        }
        Operation::SendDirectMessage(direct) => direct.request(authority)?,
        Operation::GetConnection { client_id, socket_information } => {
            let mut target = Target::new(&["/connections/", &client(client_id)?]);
            target.flag("includeSocketInformation", *socket_information);
            request("GET", target)
        }
        Operation::ListSubscriptions { client_id, page } => {
            let mut target = Target::new(&["/connections/", &client(client_id)?, "/subscriptions"]);
            page.add_to(&mut target, "maxResults", MAX_PAGE)?;
            request("GET", target)
        }
        Operation::DeleteConnection(ClientDisconnection { client_id, clean_session, prevent_will }) => {
            let mut target = Target::new(&["/connections/", &client(client_id)?]);
            target.flag("cleanSession", *clean_session);
            target.flag("preventWillMessage", *prevent_will);
            request("DELETE", target)
        }
    })
}

impl Shadow {
    fn target(&self) -> Result<Target, Field> {
        let mut target = Target::new(&["/things/", thing_name(&self.thing)?, "/shadow"]);
        if let Some(name) = &self.name {
            if !is_name(name, MAX_SHADOW, b":_-$") {
                return Err(Field::ShadowName);
            }
            target.parameter("name", name);
        }
        Ok(target)
    }
}

impl Page {
    fn add_to(&self, target: &mut Target, size: &str, max: u32) -> Result<(), Field> {
        if self.size.is_some_and(|size| !(1..=max).contains(&size)) {
            return Err(Field::PageSize);
        }
        target.number(size, self.size);
        target.text("nextToken", self.token.as_deref());
        Ok(())
    }
}

impl DirectMessage {
    fn request(&self, authority: String) -> Result<Request, RequestError> {
        let message = &self.message;
        if message.retain || message.rule.is_some() {
            return Err(RequestError::Unsupported);
        }
        let payload = message.checked_payload()?;
        check_topic(&message.topic)?;
        let mut target = Target::new(&["/connections/", &client(&self.client_id)?, "/messages"]);
        target.parameter("topic", &message.topic);
        match message.qos {
            Qos::AtMostOnce => target.parameter("confirmation", "false"),
            Qos::AtLeastOnce => target.parameter("confirmation", "true"),
        }
        if self.timeout_s.is_some_and(|seconds| !(1..=MAX_CONFIRMATION_S).contains(&seconds)) {
            return Err(Field::ConfirmationTimeout.into());
        }
        target.number("timeout", self.timeout_s);
        if let Some(properties) = &message.properties {
            // It goes to a client that is there, and is kept for none.
            if properties.message_expiry_s.is_some() {
                return Err(RequestError::Unsupported);
            }
            properties::check(properties)?;
            properties::add_to_query(properties, &mut target);
        }
        let mut request = Request::post(authority, target.finish(), "application/octet-stream", payload);
        if let Some(properties) = &message.properties {
            properties::add_to_headers(properties, &mut request);
        }
        Ok(request)
    }
}

/// What AWS would answer with a 400 or a 413 that names nothing. How deep a state may nest is for AWS to say: its
/// documentation has 5, 6 and 8 levels.
fn check_document(document: &[u8], max_state_bytes: Option<u32>) -> Result<(), RequestError> {
    let (mut state, mut client_token) = (Json::default(), None);
    let is_object =
        json::read(document, &mut [("state", Slot::Value(&mut state)), ("clientToken", Slot::Text(&mut client_token))]);
    let (mut desired, mut reported) = (Json::default(), Json::default());
    state.read(&mut [("desired", Slot::Value(&mut desired)), ("reported", Slot::Value(&mut reported))]);
    let is_section = |value: Json<'_>| value.is_object() || value.is_null();
    if !is_object
        || !core::str::from_utf8(document).is_ok_and(json::is_value)
        || !is_section(state)
        || ![desired, reported].into_iter().all(|section| !section.is_there() || is_section(section))
        || client_token.is_some_and(|token| token.len() > MAX_CLIENT_TOKEN)
    {
        return Err(Field::ShadowDocument.into());
    }
    match state.bytes_without_space() > max_state_bytes.map_or(MAX_STATE, |max| max as usize) {
        true => Err(RequestError::PayloadTooLarge),
        false => Ok(()),
    }
}

fn thing_name(name: &str) -> Result<&str, Field> {
    match is_name(name, MAX_THING, b":_-") {
        true => Ok(name),
        false => Err(Field::ThingName),
    }
}

fn is_name(name: &str, max: usize, beside: &[u8]) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || beside.contains(&byte);
    !name.is_empty() && name.len() <= max && name.bytes().all(is_allowed)
}

/// The id of an MQTT client as one path segment.
fn client(id: &str) -> Result<String, Field> {
    let is_dot_segment = matches!(id, "." | "..");
    let is_one = (1..=MAX_CLIENT_ID).contains(&id.chars().count())
        && !id.as_bytes().starts_with(b"$")
        && !id.chars().any(char::is_control)
        && !is_dot_segment;
    if is_one { Ok(segment(id)) } else { Err(Field::ClientId) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Authentication, CustomAuthorizer, Placement};
    use crate::endpoint::Endpoint;
    use crate::message::{Message, Properties};

    fn config() -> Config {
        Config::new(Endpoint::new("a.example", 8443).unwrap(), Authentication::Certificate).unwrap()
    }

    fn line(operation: &Operation) -> Result<String, RequestError> {
        let request = operation_request(&config(), operation, 0)?;
        Ok([request.method, " ", &request.path_with_query].concat())
    }

    fn shadow(thing: &str, name: Option<&str>) -> Shadow {
        Shadow { thing: thing.into(), name: name.map(Into::into) }
    }

    fn page(size: u32) -> Page {
        Page { size: Some(size), token: Some("a+/=".into()) }
    }

    fn update(document: &str, max_state_bytes: Option<u32>) -> Operation {
        let document = document.as_bytes().to_vec();
        Operation::UpdateShadow { shadow: shadow("t", None), document, max_state_bytes }
    }

    fn direct(message: Message) -> Operation {
        Operation::SendDirectMessage(DirectMessage { client_id: "dev/1".into(), message, timeout_s: Some(2) })
    }

    #[test]
    fn every_operation_has_its_documented_request() {
        let update = br#"{"state":{}}"#.to_vec();
        for (operation, expected) in [
            (Operation::GetShadow(shadow("t:1", None)), "GET /things/t:1/shadow"),
            (Operation::GetShadow(shadow("t", Some("$n:1"))), "GET /things/t/shadow?name=%24n%3A1"),
            (
                Operation::UpdateShadow { shadow: shadow("t", Some("n")), document: update, max_state_bytes: None },
                "POST /things/t/shadow?name=n",
            ),
            (Operation::DeleteShadow(shadow("t", None)), "DELETE /things/t/shadow"),
            (
                Operation::ListNamedShadows { thing: "t".into(), page: page(100) },
                "GET /api/things/shadow/ListNamedShadowsForThing/t?pageSize=100&nextToken=a%2B%2F%3D",
            ),
            (Operation::GetRetainedMessage { topic: "a/b".into() }, "GET /retainedMessage/a%2Fb"),
            (Operation::ListRetainedMessages(Page::default()), "GET /retainedMessage"),
            (Operation::ListRetainedMessages(page(200)), "GET /retainedMessage?maxResults=200&nextToken=a%2B%2F%3D"),
            (
                direct(Message::new("a/b", *b"x", Qos::AtLeastOnce)),
                "POST /connections/dev%2F1/messages?topic=a%2Fb&confirmation=true&timeout=2",
            ),
            (
                Operation::GetConnection { client_id: "c".into(), socket_information: true },
                "GET /connections/c?includeSocketInformation=true",
            ),
            (
                Operation::ListSubscriptions { client_id: "c".into(), page: Page::default() },
                "GET /connections/c/subscriptions",
            ),
            (
                Operation::DeleteConnection(ClientDisconnection {
                    client_id: "c".into(),
                    clean_session: true,
                    prevent_will: true,
                }),
                "DELETE /connections/c?cleanSession=true&preventWillMessage=true",
            ),
        ] {
            assert_eq!(line(&operation).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_direct_message_carries_properties_and_is_neither_kept_nor_for_a_rule() {
        let message = Message::new("a", *b"x", Qos::AtMostOnce);
        let properties =
            Properties { content_type: Some("a/b".into()), correlation_data: Some(vec![1]), ..Properties::default() };
        let with_properties = direct(Message { properties: Some(properties), ..message.clone() });
        let request = operation_request(&config(), &with_properties, 0).unwrap();
        assert_eq!(
            request.path_with_query,
            "/connections/dev%2F1/messages?topic=a&confirmation=false&timeout=2&contentType=a%2Fb"
        );
        assert_eq!(request.headers.last().unwrap().0, "x-amz-mqtt5-correlation-data");
        let retained = direct(Message { retain: true, ..message.clone() });
        let for_rule = direct(Message { rule: Some("r".into()), ..message });
        for operation in [retained, for_rule] {
            assert_eq!(line(&operation), Err(RequestError::Unsupported));
        }
    }

    #[test]
    fn what_breaks_its_rules_is_named() {
        let field = |operation: Operation| match line(&operation) {
            Err(RequestError::InvalidField(field)) => field,
            other => panic!("{other:?}"),
        };
        for thing in ["", "a b", "a/b", &"t".repeat(129)] {
            assert_eq!(field(Operation::GetShadow(shadow(thing, None))), Field::ThingName);
        }
        for name in ["", "a/b", &"n".repeat(65)] {
            assert_eq!(field(Operation::DeleteShadow(shadow("t", Some(name)))), Field::ShadowName);
        }
        let long_token = format!(r#"{{"state":{{}},"clientToken":"{}"}}"#, "é".repeat(33));
        for document in [
            "",
            "[]",
            "{}",
            r#"{"state":1}"#,
            r#"{"state":{}"#,
            r#"{"state":{"desired":[]}}"#,
            r#"{"state":{"reported":"on"}}"#,
            &long_token,
        ] {
            assert_eq!(field(update(document, None)), Field::ShadowDocument, "{document}");
        }
        for client_id in ["", "$a", "a\n", ".", "..", &"c".repeat(129)] {
            let operation = Operation::GetConnection { client_id: client_id.into(), socket_information: false };
            assert_eq!(field(operation), Field::ClientId, "{client_id:?}");
        }
        assert_eq!(field(Operation::ListRetainedMessages(page(201))), Field::PageSize);
        assert_eq!(field(Operation::ListNamedShadows { thing: "t".into(), page: page(0) }), Field::PageSize);
        let message = Message::new("a", *b"x", Qos::AtLeastOnce);
        let direct = DirectMessage { client_id: "c".into(), message, timeout_s: Some(16) };
        assert_eq!(field(Operation::SendDirectMessage(direct)), Field::ConfirmationTimeout);
    }

    #[test]
    fn the_state_of_a_shadow_has_8_kb_without_white_space_or_what_the_account_may_have() {
        let sized = |bytes: usize| {
            let text = "x".repeat(bytes - r#"{"reported":{"a":""}}"#.len());
            format!(
                "{{\"clientToken\": \"{}\", \"state\":\n{{ \"reported\" : {{\"a\":\"{text}\"}} }} }}",
                "t".repeat(64)
            )
        };
        assert!(line(&update(&sized(8192), None)).is_ok());
        assert_eq!(line(&update(&sized(8193), None)), Err(RequestError::PayloadTooLarge));
        assert!(line(&update(&sized(30_000), Some(30_000))).is_ok());
        assert_eq!(line(&update(&sized(30_001), Some(30_000))), Err(RequestError::PayloadTooLarge));
        for document in [r#"{"state":null}"#, r#"{"state":{"desired":null},"version":7}"#] {
            assert!(line(&update(document, None)).is_ok(), "{document}");
        }
    }

    #[test]
    fn an_authorizer_is_for_messages_only() {
        let authorizer = CustomAuthorizer { name: None, token: None, signature: None, placement: Placement::Headers };
        let endpoint = Endpoint::new("a.example", 443).unwrap();
        let config = Config::new(endpoint, Authentication::CustomAuthorizer(authorizer)).unwrap();
        let shadow = Operation::GetShadow(shadow("t", None));
        assert_eq!(operation_request(&config, &shadow, 0), Err(RequestError::Unsupported));
        let direct = direct(Message::new("a", *b"x", Qos::AtLeastOnce));
        assert!(operation_request(&config, &direct, 0).is_ok());
    }
}
