//! The operations of the AWS data plane as pure functions: the request of each, byte for byte as AWS documents it, and what
//! its answers mean.

use crate::bindings::codec::exports::thingpost::iot::aws_data_plane_types::{
    Connection, ConnectionQuery, DirectMessage, Disconnection, Operation, Page, Reply, RetainedEntries, RetainedEntry,
    RetainedMessage, Shadow, ShadowListing, ShadowNames, ShadowUpdate, Socket, Subscription, SubscriptionListing,
    Subscriptions,
};
use crate::bindings::codec::exports::thingpost::iot::aws_types::{
    Authentication as AwsAuthentication, Config as AwsConfig, CustomAuthorizer, Placement,
};
use crate::bindings::codec::exports::thingpost::iot::types::{
    Cause, Delivery, Error, Field, HttpRequest, HttpResponse, Message, PayloadFormat, Properties, Qos, Receipt,
    RequestError, Retry, Stage, TopicError,
};
use crate::fixtures::codec::{Instance, NOW, owned, response};

const ENDPOINT: &str = "a-ats.iot.eu-central-1.amazonaws.com";

const TRACE_ID: &str = "602536fa-5868-07ee-d9bd-78f66063db45";

const NO_PAGE: Page = Page { size: None, token: None };

fn config() -> AwsConfig {
    AwsConfig { endpoint: ENDPOINT.to_owned(), port: 8443, authentication: AwsAuthentication::Certificate }
}

fn with_authorizer() -> AwsConfig {
    let authorizer = CustomAuthorizer {
        name: Some("gate".to_owned()),
        token: Some(("jwt".to_owned(), "t".to_owned())),
        signature: None,
        placement: Placement::Query,
    };
    AwsConfig { port: 443, authentication: AwsAuthentication::CustomAuthorizer(authorizer), ..config() }
}

fn shadow(name: Option<&str>) -> Shadow {
    Shadow { thing: "thermometer:7".to_owned(), name: name.map(str::to_owned) }
}

fn update(document: &str) -> Operation {
    Operation::UpdateShadow(ShadowUpdate {
        shadow: shadow(Some("$state")),
        document: document.as_bytes().to_vec(),
        max_state_bytes: None,
    })
}

fn page(size: u32, token: &str) -> Page {
    Page { size: Some(size), token: Some(token.to_owned()) }
}

fn named_shadows(page: Page) -> Operation {
    Operation::ListNamedShadows(ShadowListing { thing: "thermometer:7".to_owned(), page })
}

fn direct(message: Message, timeout_s: Option<u32>) -> Operation {
    Operation::SendDirectMessage(DirectMessage { client_id: "dev/1 é".to_owned(), message, timeout_s })
}

fn connection(socket_information: bool) -> Operation {
    Operation::GetConnection(ConnectionQuery { client_id: "dev/1 é".to_owned(), socket_information })
}

fn subscriptions(page: Page) -> Operation {
    Operation::ListSubscriptions(SubscriptionListing { client_id: "dev/1 é".to_owned(), page })
}

fn disconnection(clean_session: bool, prevent_will: bool) -> Operation {
    Operation::DeleteConnection(Disconnection { client_id: "dev/1 é".to_owned(), clean_session, prevent_will })
}

fn message() -> Message {
    Message::new("alarms/room 1", b"fire", Qos::AtLeastOnce)
}

fn request(operation: &Operation) -> Result<HttpRequest, RequestError> {
    request_with(&config(), operation)
}

fn request_with(config: &AwsConfig, operation: &Operation) -> Result<HttpRequest, RequestError> {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    aws.call_operation_request(store, config, operation, NOW).unwrap()
}

type Read = Result<Reply, Box<Error>>;

fn read(operation: &Operation, response: &HttpResponse) -> Read {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    aws.call_read_operation_response(store, &config(), operation, response, NOW).unwrap().map_err(Box::new)
}

fn read_body(operation: &Operation, body: &str) -> Read {
    read(operation, &response(200, &[("x-amzn-RequestId", TRACE_ID)], body))
}

#[test]
fn every_operation_has_the_method_and_the_target_that_aws_documents() {
    for (operation, method, target) in [
        (Operation::GetShadow(shadow(None)), "GET", "/things/thermometer:7/shadow"),
        (Operation::GetShadow(shadow(Some("$a:b-c_d"))), "GET", "/things/thermometer:7/shadow?name=%24a%3Ab-c_d"),
        (update("{\"state\":{}}"), "POST", "/things/thermometer:7/shadow?name=%24state"),
        (Operation::DeleteShadow(shadow(None)), "DELETE", "/things/thermometer:7/shadow"),
        (named_shadows(NO_PAGE), "GET", "/api/things/shadow/ListNamedShadowsForThing/thermometer:7"),
        (
            named_shadows(page(100, "a+/= b")),
            "GET",
            "/api/things/shadow/ListNamedShadowsForThing/thermometer:7?pageSize=100&nextToken=a%2B%2F%3D%20b",
        ),
        (Operation::GetRetainedMessage("rooms/1 é".to_owned()), "GET", "/retainedMessage/rooms%2F1%20%C3%A9"),
        (Operation::ListRetainedMessages(NO_PAGE), "GET", "/retainedMessage"),
        (Operation::ListRetainedMessages(page(200, "t")), "GET", "/retainedMessage?maxResults=200&nextToken=t"),
        (
            direct(message(), Some(15)),
            "POST",
            "/connections/dev%2F1%20%C3%A9/messages?topic=alarms%2Froom%201&confirmation=true&timeout=15",
        ),
        (
            direct(Message { qos: Qos::AtMostOnce, ..message() }, None),
            "POST",
            "/connections/dev%2F1%20%C3%A9/messages?topic=alarms%2Froom%201&confirmation=false",
        ),
        (connection(false), "GET", "/connections/dev%2F1%20%C3%A9"),
        (connection(true), "GET", "/connections/dev%2F1%20%C3%A9?includeSocketInformation=true"),
        (subscriptions(NO_PAGE), "GET", "/connections/dev%2F1%20%C3%A9/subscriptions"),
        (subscriptions(page(20, "t")), "GET", "/connections/dev%2F1%20%C3%A9/subscriptions?maxResults=20&nextToken=t"),
        (disconnection(false, false), "DELETE", "/connections/dev%2F1%20%C3%A9"),
        (
            disconnection(true, true),
            "DELETE",
            "/connections/dev%2F1%20%C3%A9?cleanSession=true&preventWillMessage=true",
        ),
    ] {
        let request = request(&operation).unwrap();
        assert_eq!((request.method.as_str(), request.path_with_query.as_str()), (method, target), "{operation:?}");
        assert_eq!(request.authority, format!("{ENDPOINT}:8443"));
        let length = request.body.len().to_string();
        assert!(request.headers.contains(&("content-length".to_owned(), length)), "{:?}", request.headers);
        assert_eq!(request.body.is_empty(), method != "POST", "{operation:?}");
    }
}

#[test]
fn a_document_and_a_direct_message_travel_in_the_body_and_its_properties_beside_it() {
    let document = "{\"state\":{\"reported\":{\"t\":21}},\"version\":3}";
    let request_of_update = request(&update(document)).unwrap();
    assert_eq!(request_of_update.body, document.as_bytes());
    let length = document.len().to_string();
    let headers = [("content-type", "application/json"), ("content-length", length.as_str())];
    assert_eq!(request_of_update.headers, owned(&headers));

    let properties = Properties {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        response_topic: Some("answers/1".to_owned()),
        message_expiry_s: None,
        payload_format: Some(PayloadFormat::Utf8Data),
        correlation_data: Some(b"\0\xff".to_vec()),
        user_properties: vec![("deviceName".to_owned(), "alpha".to_owned()), ("deviceCnt".to_owned(), "45".to_owned())],
    };
    let request = request(&direct(Message { properties: Some(properties), ..message() }, None)).unwrap();
    assert_eq!(request.body, b"fire");
    assert!(
        request.path_with_query.ends_with("&contentType=text%2Fplain%3B%20charset%3Dutf-8&responseTopic=answers%2F1"),
        "{}",
        request.path_with_query
    );
    let headers = [
        ("content-type", "application/octet-stream"),
        ("content-length", "4"),
        // As in the reference of the API.
        ("x-amz-mqtt5-user-properties", "W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ=="),
        ("x-amz-mqtt5-payload-format-indicator", "UTF8_DATA"),
        ("x-amz-mqtt5-correlation-data", "AP8="),
    ];
    assert_eq!(request.headers, owned(&headers));
}

#[test]
fn an_operation_that_cannot_be_has_no_request() {
    let field = RequestError::InvalidField;
    let thing = |thing: &str| Operation::GetShadow(Shadow { thing: thing.to_owned(), name: None });
    let client =
        |id: &str| Operation::GetConnection(ConnectionQuery { client_id: id.to_owned(), socket_information: false });
    let message_with = |properties| Message { properties: Some(properties), ..message() };
    let none = || Properties {
        content_type: None,
        response_topic: None,
        message_expiry_s: None,
        payload_format: None,
        correlation_data: None,
        user_properties: Vec::new(),
    };
    let sized = |size| Page { size: Some(size), token: None };
    for (operation, problem) in [
        (thing(""), field(Field::ThingName)),
        (thing("a/b"), field(Field::ThingName)),
        (thing(&"x".repeat(129)), field(Field::ThingName)),
        (Operation::GetShadow(shadow(Some("a b"))), field(Field::ShadowName)),
        (Operation::GetShadow(shadow(Some(&"x".repeat(65)))), field(Field::ShadowName)),
        (update("[]"), field(Field::ShadowDocument)),
        (update("{\"stat\":{}}"), field(Field::ShadowDocument)),
        (named_shadows(sized(0)), field(Field::PageSize)),
        (named_shadows(sized(101)), field(Field::PageSize)),
        (Operation::ListRetainedMessages(sized(201)), field(Field::PageSize)),
        (Operation::GetRetainedMessage("a/#".to_owned()), RequestError::InvalidTopic(TopicError::Wildcard)),
        (client(""), field(Field::ClientId)),
        (client("$x"), field(Field::ClientId)),
        (client(".."), field(Field::ClientId)),
        (direct(message(), Some(0)), field(Field::ConfirmationTimeout)),
        (direct(message(), Some(16)), field(Field::ConfirmationTimeout)),
        (direct(Message { retain: true, ..message() }, None), RequestError::Unsupported),
        (direct(Message { rule: Some("r".to_owned()), ..message() }, None), RequestError::Unsupported),
        (direct(Message { payload: vec![0; 131_073], ..message() }, None), RequestError::PayloadTooLarge),
        (
            direct(message_with(Properties { response_topic: Some("+".to_owned()), ..none() }), None),
            field(Field::ResponseTopic),
        ),
        (
            direct(message_with(Properties { content_type: Some("\n".to_owned()), ..none() }), None),
            field(Field::ContentType),
        ),
    ] {
        assert_eq!(request(&operation), Err(problem), "{operation:?}");
    }
}

#[test]
fn with_an_authorizer_there_are_direct_messages_and_nothing_else() {
    for operation in [
        Operation::GetShadow(shadow(None)),
        update("{\"state\":{}}"),
        Operation::DeleteShadow(shadow(None)),
        named_shadows(NO_PAGE),
        Operation::GetRetainedMessage("a".to_owned()),
        Operation::ListRetainedMessages(NO_PAGE),
        connection(false),
        subscriptions(NO_PAGE),
        disconnection(false, false),
    ] {
        assert_eq!(request_with(&with_authorizer(), &operation), Err(RequestError::Unsupported), "{operation:?}");
    }
    let request = request_with(&with_authorizer(), &direct(message(), None)).unwrap();
    let end = "&confirmation=true&x-amz-customauthorizer-name=gate&jwt=t";
    assert!(request.path_with_query.ends_with(end), "{}", request.path_with_query);
}

#[test]
fn documents_come_back_as_aws_wrote_them() {
    let document = "{\"state\" : {\"reported\":{\"n\":9007199254740993}},\n\"version\":3,\"timestamp\":1700000000}";
    for operation in
        [Operation::GetShadow(shadow(None)), update("{\"state\":{}}"), Operation::DeleteShadow(shadow(None))]
    {
        assert_eq!(read_body(&operation, document), Ok(Reply::Document(document.as_bytes().to_vec())));
    }
}

#[test]
fn lists_come_back_with_where_the_next_part_begins() {
    let names = |next: Option<&str>| {
        let names = vec!["a".to_owned(), "b".to_owned()];
        Ok(Reply::ShadowNames(ShadowNames { names, next: next.map(str::to_owned) }))
    };
    for (body, expected) in [
        (r#"{"results":["a","b"],"nextToken":"t+/=","timestamp":1}"#, names(Some("t+/="))),
        (r#"{"results":["a","b"],"timestamp":1}"#, names(None)),
        // The end of a list is told in three ways.
        (r#"{"results":["a","b"],"nextToken":""}"#, names(None)),
        (r#"{"results":["a","b"],"nextToken":null}"#, names(None)),
    ] {
        assert_eq!(read_body(&named_shadows(NO_PAGE), body), expected, "{body}");
    }

    let body = r#"{"retainedTopics":[{"topic":"a/é","payloadSize":5,"qos":1,"lastModifiedTime":1700000000123},
        {"topic":"b","payloadSize":0,"qos":0,"lastModifiedTime":2}],"nextToken":"t"}"#;
    let entry = |topic: &str, payload_size, qos, last_modified_ms| RetainedEntry {
        topic: topic.to_owned(),
        payload_size,
        qos,
        last_modified_ms,
    };
    let entries = vec![entry("a/é", 5, Qos::AtLeastOnce, 1_700_000_000_123), entry("b", 0, Qos::AtMostOnce, 2)];
    let expected = Reply::RetainedEntries(RetainedEntries { entries, next: Some("t".to_owned()) });
    assert_eq!(read_body(&Operation::ListRetainedMessages(NO_PAGE), body), Ok(expected));

    let body = r#"{"subscriptions":[{"topicFilter":"a/#","qos":1},{"topicFilter":"+","qos":0}],"nextToken":null}"#;
    let subscription = |filter: &str, qos| Subscription { topic_filter: filter.to_owned(), qos };
    let entries = vec![subscription("a/#", Qos::AtLeastOnce), subscription("+", Qos::AtMostOnce)];
    let expected = Reply::Subscriptions(Subscriptions { entries, next: None });
    assert_eq!(read_body(&subscriptions(NO_PAGE), body), Ok(expected));
}

#[test]
fn a_retained_message_comes_back_with_its_payload_and_its_user_properties() {
    let operation = Operation::GetRetainedMessage("a".to_owned());
    let body = r#"{"topic":"a","payload":"AP8hfn4/","qos":1,"lastModifiedTime":1700000000123,
        "userProperties":"W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ=="}"#;
    let expected = RetainedMessage {
        topic: "a".to_owned(),
        payload: b"\0\xff!~~?".to_vec(),
        qos: Qos::AtLeastOnce,
        last_modified_ms: 1_700_000_000_123,
        user_properties: vec![("deviceName".to_owned(), "alpha".to_owned()), ("deviceCnt".to_owned(), "45".to_owned())],
    };
    assert_eq!(read_body(&operation, body), Ok(Reply::RetainedMessage(expected.clone())));
    let without = r#"{"topic":"a","payload":"AP8hfn4/","qos":1,"lastModifiedTime":1700000000123}"#;
    let expected = RetainedMessage { user_properties: Vec::new(), ..expected };
    assert_eq!(read_body(&operation, without), Ok(Reply::RetainedMessage(expected)));
}

#[test]
fn a_connection_comes_back_with_what_aws_tells_and_no_more() {
    let body = r#"{"clientId":"c","connected":true,"thingName":"t","cleanSession":false,"keepAliveDuration":30,
        "sessionExpiry":3600,"connectedSince":1700000000123,"sourceIp":"192.0.2.7","sourcePort":49152,
        "targetIp":"198.51.100.1","targetPort":8883,"vpcEndpointId":"vpce-1"}"#;
    let socket = |ip: &str, port| Some(Socket { ip: ip.to_owned(), port: Some(port) });
    let nothing = Connection {
        connected: false,
        client_id: None,
        thing_name: None,
        clean_session: None,
        keep_alive_s: None,
        session_expiry_s: None,
        connected_since_ms: None,
        disconnected_since_ms: None,
        disconnect_reason: None,
        source: None,
        target: None,
        vpc_endpoint_id: None,
    };
    let expected = Connection {
        connected: true,
        client_id: Some("c".to_owned()),
        thing_name: Some("t".to_owned()),
        clean_session: Some(false),
        keep_alive_s: Some(30),
        session_expiry_s: Some(3_600),
        connected_since_ms: Some(1_700_000_000_123),
        source: socket("192.0.2.7", 49_152),
        target: socket("198.51.100.1", 8_883),
        vpc_endpoint_id: Some("vpce-1".to_owned()),
        ..nothing.clone()
    };
    assert_eq!(read_body(&connection(true), body), Ok(Reply::Connection(expected)));
    let body = r#"{"connected":false,"disconnectedSince":5,"disconnectReason":"CONNECTION_LOST"}"#;
    let expected =
        Connection { disconnected_since_ms: Some(5), disconnect_reason: Some("CONNECTION_LOST".to_owned()), ..nothing };
    assert_eq!(read_body(&connection(false), body), Ok(Reply::Connection(expected)));
}

#[test]
fn what_is_done_comes_back_as_a_receipt() {
    let receipt = Receipt { message_id: None, trace_id: Some(TRACE_ID.to_owned()), attempts: 1 };
    let told = format!(r#"{{"message":"OK","traceId":"{TRACE_ID}"}}"#);
    for (operation, body) in
        [(direct(message(), None), told.as_str()), (disconnection(true, false), ""), (disconnection(true, false), "{}")]
    {
        assert_eq!(read_body(&operation, body), Ok(Reply::Done(receipt.clone())), "{body}");
    }
}

#[test]
fn a_success_that_lacks_what_was_asked_for_is_malformed() {
    for (operation, bodies) in [
        (Operation::GetShadow(shadow(None)), &["", "[]", "nonsense"][..]),
        (named_shadows(NO_PAGE), &["{}", r#"{"results":"a"}"#, r#"{"results":[1]}"#]),
        (
            Operation::GetRetainedMessage("a".to_owned()),
            &[
                "{}",
                r#"{"topic":"a","payload":"!","qos":1,"lastModifiedTime":1}"#,
                r#"{"topic":"a","payload":"AA==","qos":2,"lastModifiedTime":1}"#,
            ],
        ),
        (Operation::ListRetainedMessages(NO_PAGE), &["{}", r#"{"retainedTopics":[{}]}"#]),
        (connection(false), &["{}", r#"{"connected":"yes"}"#]),
        (subscriptions(NO_PAGE), &["{}", r#"{"subscriptions":[{"topicFilter":"a"}]}"#]),
    ] {
        for body in bodies {
            let error = read_body(&operation, body).unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::MalformedAnswer, Stage::Publication), "{body}");
            assert_eq!(error.answer.unwrap().status, 200);
        }
    }
}

#[test]
fn the_same_status_means_what_it_means_for_the_operation() {
    use Delivery::{Refused, Unknown};
    for (operation, status, cause, delivery, retry) in [
        (update("{\"state\":{}}"), 409, Cause::VersionConflict, Refused, Retry::Never),
        (Operation::GetShadow(shadow(None)), 409, Cause::Conflict, Refused, Retry::AfterMs(0)),
        (update("{\"state\":{}}"), 413, Cause::PayloadTooLarge, Refused, Retry::Never),
        (update("{\"state\":{}}"), 415, Cause::InvalidRequest, Refused, Retry::Never),
        (direct(message(), None), 504, Cause::Unconfirmed, Unknown, Retry::AfterMs(0)),
        (Operation::GetShadow(shadow(None)), 504, Cause::ServerError, Unknown, Retry::AfterMs(0)),
        (Operation::GetShadow(shadow(None)), 404, Cause::NotFound, Refused, Retry::Never),
        (connection(false), 403, Cause::Forbidden, Refused, Retry::Never),
        (connection(false), 429, Cause::Throttled, Refused, Retry::AfterMs(1_000)),
    ] {
        let answer = response(status, &[], "{\"message\":null}");
        let error = read(&operation, &answer).unwrap_err();
        assert_eq!((error.cause, error.delivery, error.retry), (cause, delivery, retry), "{operation:?}, {status}");
        assert_eq!((error.stage, error.attempts), (Stage::Publication, 1));
        assert!(error.explanation.len() > 15, "{}", error.explanation);
    }
    let denied = response(403, &[("x-amzn-ErrorType", "ForbiddenException:")], "{\"message\":null}");
    let error = read(&disconnection(false, false), &denied).unwrap_err();
    let named = "iot:DeleteConnection on arn:aws:iot:eu-central-1:*:client/dev/1 é";
    assert!(error.explanation.contains(named), "{}", error.explanation);
    assert_eq!(error.answer.unwrap().code.as_deref(), Some("ForbiddenException"));
}
