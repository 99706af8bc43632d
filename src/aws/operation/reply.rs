//! The answers of the operations.

use alloc::string::String;
use alloc::vec::Vec;

use super::Operation;
use super::body::{connection, list, retained_entry, retained_message, subscription};
use crate::aws::Config;
use crate::aws::response::{Request as Asked, check};
use crate::error::{Error, Stage};
use crate::http::Response;
use crate::json::{self, Json};
use crate::message::Qos;
use crate::outcome::{Answer, Receipt};

/// What an operation has given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// JSON as AWS wrote it: a shadow, what was accepted of an update, or the version that is gone.
    Document(Vec<u8>),
    /// Names of shadows, and where the next part begins.
    ShadowNames {
        /// The names.
        names: Vec<String>,
        /// Where the next part begins.
        next: Option<String>,
    },
    /// The message that a topic has kept.
    RetainedMessage(RetainedMessage),
    /// Topics that have kept a message.
    RetainedEntries {
        /// The topics.
        entries: Vec<RetainedEntry>,
        /// Where the next part begins.
        next: Option<String>,
    },
    /// The connection of a client.
    Connection(ClientConnection),
    /// The subscriptions of a client.
    Subscriptions {
        /// The subscriptions.
        entries: Vec<ClientSubscription>,
        /// Where the next part begins.
        next: Option<String>,
    },
    /// It is done.
    Done(Receipt),
}

/// A message that a topic has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetainedMessage {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// As it was published.
    pub qos: Qos,
    /// When it was kept, in milliseconds since 1970.
    pub last_modified_ms: u64,
    /// The user properties it was published with.
    pub user_properties: Vec<(String, String)>,
}

/// A topic that has kept a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetainedEntry {
    /// The topic.
    pub topic: String,
    /// The size of the payload in bytes.
    pub payload_size: u64,
    /// As it was published.
    pub qos: Qos,
    /// When it was kept, in milliseconds since 1970.
    pub last_modified_ms: u64,
}

/// The connection of an MQTT client. What AWS does not tell is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientConnection {
    /// Whether it is connected.
    pub connected: bool,
    /// The MQTT client.
    pub client_id: Option<String>,
    /// The thing of its certificate.
    pub thing_name: Option<String>,
    /// Whether its session ends with the connection.
    pub clean_session: Option<bool>,
    /// The keep-alive interval in seconds.
    pub keep_alive_s: Option<u64>,
    /// How long its session outlives the connection, in seconds.
    pub session_expiry_s: Option<u64>,
    /// Since when, in milliseconds since 1970.
    pub connected_since_ms: Option<u64>,
    /// Since when it has been gone.
    pub disconnected_since_ms: Option<u64>,
    /// Why it went.
    pub disconnect_reason: Option<String>,
    /// Where it connects from.
    pub source: Option<Socket>,
    /// Where it connects to.
    pub target: Option<Socket>,
    /// The VPC endpoint it came through.
    pub vpc_endpoint_id: Option<String>,
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The address.
    pub ip: String,
    /// The port.
    pub port: Option<u16>,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSubscription {
    /// The topic filter, perhaps with wildcards.
    pub topic_filter: String,
    /// The quality of service.
    pub qos: Qos,
}

/// What the answer to an operation means.
///
/// # Errors
///
/// What AWS refused, or why its answer cannot be read.
pub fn read_operation_response(config: &Config, operation: &Operation, response: &Response) -> Result<Reply, Error> {
    let auth_method = config.auth_method();
    let asked = match operation {
        Operation::UpdateShadow { .. } => Asked::ShadowUpdate(auth_method),
        Operation::SendDirectMessage(_) => Asked::DirectMessage(auth_method),
        _ => Asked::Operation(auth_method),
    };
    let answer = check(asked, response).map_err(|error| error.without(config.secrets()))?;
    let Answer { trace_id, .. } = &answer;
    let receipt = Receipt { message_id: None, trace_id: trace_id.clone(), attempts: 1 };
    reply(operation, response, receipt)
        .ok_or_else(|| Error::malformed(Stage::Publication, answer, "it lacks what was asked for"))
}

fn reply(operation: &Operation, response: &Response, receipt: Receipt) -> Option<Reply> {
    let body = &response.body;
    Some(match operation {
        Operation::GetShadow(_) | Operation::UpdateShadow { .. } | Operation::DeleteShadow(_) => {
            json::is_object(body).then(|| Reply::Document(body.clone()))?
        }
        Operation::ListNamedShadows { .. } => {
            let (names, next) = list(body, "results", Json::text)?;
            Reply::ShadowNames { names, next }
        }
        Operation::GetRetainedMessage { .. } => Reply::RetainedMessage(retained_message(body)?),
        Operation::ListRetainedMessages(_) => {
            let (entries, next) = list(body, "retainedTopics", retained_entry)?;
            Reply::RetainedEntries { entries, next }
        }
        Operation::GetConnection { .. } => Reply::Connection(connection(body)?),
        Operation::ListSubscriptions { .. } => {
            let (entries, next) = list(body, "subscriptions", subscription)?;
            Reply::Subscriptions { entries, next }
        }
        Operation::SendDirectMessage(_) | Operation::DeleteConnection(_) => Reply::Done(receipt),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::aws::{Authentication, Page, Shadow};
    use crate::endpoint::Endpoint;
    use crate::error::Cause;

    fn read(operation: &Operation, body: &[u8]) -> Result<Reply, Error> {
        let config = Config::new(Endpoint::new("a.example", 8443).unwrap(), Authentication::Certificate).unwrap();
        let response = Response { status: 200, headers: vec![], body: body.to_vec() };
        read_operation_response(&config, operation, &response)
    }

    fn shadow() -> Operation {
        Operation::GetShadow(Shadow { thing: "t".into(), name: None })
    }

    fn retained() -> Operation {
        Operation::GetRetainedMessage { topic: "a".into() }
    }

    fn named() -> Operation {
        Operation::ListNamedShadows { thing: "t".into(), page: Page::default() }
    }

    fn query() -> Operation {
        Operation::GetConnection { client_id: "c".into(), socket_information: true }
    }

    #[test]
    fn a_shadow_is_given_as_aws_wrote_it() {
        let document = br#"{ "state": {"desired": {"a": 1.50}}, "version": 3 }"#;
        assert_eq!(read(&shadow(), document), Ok(Reply::Document(document.to_vec())));
    }

    #[test]
    fn an_empty_token_ends_a_list_as_a_missing_one_does() {
        let names = vec!["a".to_owned(), "b".into()];
        for (body, next) in [
            (r#"{"results":["a","b"],"nextToken":"more","timestamp":1}"#, Some("more")),
            (r#"{"results":["a","b"],"nextToken":""}"#, None),
            (r#"{"results":["a","b"],"nextToken":null}"#, None),
            (r#"{"results":["a","b"]}"#, None),
        ] {
            let next = next.map(str::to_owned);
            assert_eq!(read(&named(), body.as_bytes()), Ok(Reply::ShadowNames { names: names.clone(), next }));
        }
    }

    #[test]
    fn a_retained_message_is_decoded() {
        let body = br#"{"topic":"a","payload":"AP8=","qos":1,"lastModifiedTime":1700000000123,
            "userProperties":"W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ=="}"#;
        let expected = RetainedMessage {
            topic: "a".into(),
            payload: vec![0, 0xff],
            qos: Qos::AtLeastOnce,
            last_modified_ms: 1_700_000_000_123,
            user_properties: vec![("deviceName".into(), "alpha".into()), ("deviceCnt".into(), "45".into())],
        };
        assert_eq!(read(&retained(), body), Ok(Reply::RetainedMessage(expected)));
    }

    #[test]
    fn lists_of_topics_and_subscriptions_are_read() {
        let body = br#"{"retainedTopics":[{"topic":"a","payloadSize":7,"qos":0,"lastModifiedTime":9}],"nextToken":""}"#;
        let entry = RetainedEntry { topic: "a".into(), payload_size: 7, qos: Qos::AtMostOnce, last_modified_ms: 9 };
        let list = Operation::ListRetainedMessages(Page::default());
        assert_eq!(read(&list, body), Ok(Reply::RetainedEntries { entries: vec![entry], next: None }));
        let body = br#"{"subscriptions":[{"topicFilter":"a/+","qos":1}]}"#;
        let entry = ClientSubscription { topic_filter: "a/+".into(), qos: Qos::AtLeastOnce };
        let list = Operation::ListSubscriptions { client_id: "c".into(), page: Page::default() };
        assert_eq!(read(&list, body), Ok(Reply::Subscriptions { entries: vec![entry], next: None }));
    }

    #[test]
    fn what_aws_does_not_tell_about_a_connection_is_none() {
        let expected = ClientConnection { connected: false, ..ClientConnection::default() };
        assert_eq!(read(&query(), br#"{"connected":false}"#), Ok(Reply::Connection(expected)));
        let body = br#"{"connected":true,"clientId":"c","cleanSession":true,"keepAliveDuration":60,
            "sourceIp":"192.0.2.1","sourcePort":5000,"targetIp":"192.0.2.2","targetPort":70000}"#;
        let expected = ClientConnection {
            connected: true,
            client_id: Some("c".into()),
            clean_session: Some(true),
            keep_alive_s: Some(60),
            source: Some(Socket { ip: "192.0.2.1".into(), port: Some(5000) }),
            target: Some(Socket { ip: "192.0.2.2".into(), port: None }),
            ..ClientConnection::default()
        };
        assert_eq!(read(&query(), body), Ok(Reply::Connection(expected)));
    }

    #[test]
    fn an_answer_that_lacks_what_was_asked_for_is_an_error() {
        for (operation, body) in [
            (shadow(), "OK"),
            (named(), r#"{"results":[1]}"#),
            (named(), "{}"),
            (retained(), r#"{"topic":"a","payload":"*","qos":0,"lastModifiedTime":1}"#),
            (retained(), r#"{"topic":"a","payload":"","qos":2,"lastModifiedTime":1}"#),
            (query(), "{}"),
        ] {
            assert_eq!(read(&operation, body.as_bytes()).unwrap_err().cause, Cause::MalformedAnswer, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in any::<Vec<u8>>()) {
            for operation in [shadow(), named(), retained(), query()] {
                let _ = read(&operation, &body);
            }
        }
    }
}
