//! The operations of the data plane all go through the same gate, and each needs a permission of its own.

use thingpost_emulator::{Authorizer, AwsAction, ConnectedClient, Device};

use crate::client::{Client, Connection, Response, request};
use crate::data_plane::{DataPlane, NAME, assert_not_found, assert_refused};
use crate::signer::{ID, SIGNER, TIME_STAMP, World, canonical_of};

/// A request, with path and query as they are sent.
#[derive(Clone, Copy, Debug)]
struct Operation {
    method: &'static str,
    path: &'static str,
    /// Sorted and escaped as it is signed.
    query: &'static str,
    body: &'static str,
    /// The permission that it needs.
    action: AwsAction,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: &'static str,
    action: AwsAction,
) -> Operation {
    Operation { method, path, query, body, action }
}

impl Operation {
    fn target(&self) -> String {
        let Self { path, query, .. } = self;
        if query.is_empty() { (*path).to_owned() } else { format!("{path}?{query}") }
    }

    async fn send(&self, connection: &mut Connection, headers: &str) -> Response {
        connection.request(self.method, &self.target(), headers, self.body.as_bytes()).await.unwrap()
    }

    /// The headers of a signed request.
    fn signature(&self) -> String {
        // The only character here that is encoded once more.
        let path = self.path.replace('%', "%25");
        let canonical = canonical_of(self.method, &path, self.query, TIME_STAMP, self.body);
        format!("X-Amz-Date: {TIME_STAMP}\r\n{}", SIGNER.authorization(&canonical))
    }
}

const SHADOW: &str = "/things/t/shadow";
const LIST: &str = "/api/things/shadow/ListNamedShadowsForThing/t";
const RETAINED: &str = "/retainedMessage/a%2Fb";
const CLIENT: &str = "/connections/dev%2F1";
const MESSAGES: &str = "/connections/dev%2F1/messages";
const SUBSCRIPTIONS: &str = "/connections/dev%2F1/subscriptions";

/// Each operation but publishing, in an order in which each is good.
const OPERATIONS: [Operation; 10] = [
    operation("POST", SHADOW, "name=a", r#"{"state":{}}"#, AwsAction::UpdateThingShadow),
    operation("GET", SHADOW, "name=a", "", AwsAction::GetThingShadow),
    operation("GET", LIST, "pageSize=9", "", AwsAction::ListNamedShadowsForThing),
    operation("DELETE", SHADOW, "name=a", "", AwsAction::DeleteThingShadow),
    operation("GET", RETAINED, "", "", AwsAction::GetRetainedMessage),
    operation("GET", "/retainedMessage", "maxResults=9", "", AwsAction::ListRetainedMessages),
    operation("POST", MESSAGES, "confirmation=true&topic=t", "x", AwsAction::SendDirectMessage),
    operation("GET", CLIENT, "", "", AwsAction::GetConnection),
    operation("GET", SUBSCRIPTIONS, "", "", AwsAction::ListSubscriptions),
    operation("DELETE", CLIENT, "", "", AwsAction::DeleteConnection),
];
/// What has to be published before, and a client to be on line, for all of them to be good.
const RETAIN: Operation = operation("POST", "/topics/a%2Fb", "retain=true", "x", AwsAction::Publish);

#[tokio::test]
async fn every_operation_is_good_with_a_certificate_on_both_ports() {
    let world = DataPlane::start().await;
    let client = || Client::with_certificate(&world.authority, NAME, &world.device);
    for (client, address) in
        [(client(), world.emulator.addr_mutual_tls()), (client().alpn(&["x-amzn-http-ca"]), world.emulator.addr_alpn())]
    {
        world.emulator.add_client(ConnectedClient::new("dev/1"));
        let mut connection = client.connect(address).await.unwrap();
        assert_eq!(RETAIN.send(&mut connection, "").await.status(), 200);
        for operation in OPERATIONS {
            let response = operation.send(&mut connection, "").await;
            assert_eq!(response.status(), 200, "{operation:?}: {response:?}");
            assert!(response.header("date").is_some() && response.header("x-amzn-RequestId").is_some());
        }
    }
    // Only publishing is in the ledger.
    assert_eq!(world.emulator.ledger().entries().len(), 2);
}

#[tokio::test]
async fn every_operation_is_good_with_a_signature() {
    let World { emulator, mut connection } = World::start().await;
    emulator.add_client(ConnectedClient::new("dev/1"));
    assert_eq!(RETAIN.send(&mut connection, &RETAIN.signature()).await.status(), 200);
    for operation in OPERATIONS {
        let response = operation.send(&mut connection, &operation.signature()).await;
        assert_eq!(response.status(), 200, "{operation:?}: {response:?}");
    }
}

#[tokio::test]
async fn a_signature_is_for_one_method_one_query_and_one_body() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    let [update, get, ..] = OPERATIONS;
    for (sent, signed) in [
        (Operation { method: "DELETE", ..get }, get),
        (Operation { query: "name=b", ..get }, get),
        (Operation { body: r#"{"state":null}"#, ..update }, update),
    ] {
        let response = sent.send(&mut connection, &signed.signature()).await;
        assert_eq!(response.status(), 403);
        assert!(response.body.contains("The request signature we calculated does not match"), "{response:?}");
    }
}

#[tokio::test]
async fn every_operation_is_denied_to_a_certificate_without_a_word() {
    let mut world = DataPlane::start().await;
    let somebody_else = world.authority.issue_device("somebody else").fingerprint;
    world.emulator.add_client(ConnectedClient::new("dev/1"));
    assert_eq!(world.post(&RETAIN.target(), RETAIN.body).await.status(), 200);
    for operation in OPERATIONS {
        let Operation { method, body, action, .. } = operation;
        world.emulator.deny_action(&somebody_else, action);
        assert_eq!(world.request(method, &operation.target(), body).await.status(), 200, "{action:?}");
        world.emulator.deny_action(&world.device.fingerprint, action);
        let response = world.request(method, &operation.target(), body).await;
        assert_eq!(response.status_line(), "HTTP/1.1 403 Forbidden", "{action:?}");
        assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
        assert!(response.body.starts_with(r#"{"message":null,"traceId":""#), "{response:?}");
    }
    assert_eq!(world.post("/topics/t", "x").await.status(), 200);
    world.emulator.deny_action(&world.device.fingerprint, AwsAction::Publish);
    assert_eq!(world.post("/topics/t", "x").await.status(), 403);
    assert_eq!((world.emulator.direct_messages().len(), world.emulator.disconnections().len()), (1, 1));
}

#[tokio::test]
async fn every_operation_is_denied_to_an_access_key_with_a_word() {
    let World { emulator, mut connection } = World::start().await;
    for operation in OPERATIONS {
        emulator.deny_action(ID, operation.action);
        let response = operation.send(&mut connection, &operation.signature()).await;
        assert_refused(&response, 403, "ForbiddenException", "Forbidden");
    }
}

#[tokio::test]
async fn a_custom_authorizer_is_good_for_messages_only() {
    let mut world = DataPlane::start().await;
    assert_eq!(world.post(&RETAIN.target(), RETAIN.body).await.status(), 200);
    let emulator = &world.emulator;
    emulator.add_client(ConnectedClient::new("dev/1"));
    emulator.add_authorizer(Authorizer {
        name: "gatekeeper".to_owned(),
        token_key_name: "MyToken".to_owned(),
        token: "hush".to_owned(),
        signature: None,
        is_default: true,
    });
    let mut connection = Client::new(&world.authority, NAME).connect(emulator.addr_alpn()).await.unwrap();
    for operation in OPERATIONS {
        let response = operation.send(&mut connection, "MyToken: hush\r\n").await;
        if operation.action == AwsAction::SendDirectMessage {
            assert_eq!(response.status(), 200, "{response:?}");
        } else {
            assert_refused(&response, 403, "ForbiddenException", "Forbidden");
        }
    }
    let messages = emulator.direct_messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].sender, Device::Authorizer { name: "gatekeeper".to_owned() });

    let message = "/connections/dev%2F1/messages?topic=t";
    let wrong = connection.post(message, "MyToken: wrong\r\n", b"x").await.unwrap();
    assert_refused(&wrong, 403, "ForbiddenException", "Forbidden");
    emulator.deny_action("gatekeeper", AwsAction::SendDirectMessage);
    let denied = connection.post(message, "MyToken: hush\r\n", b"x").await.unwrap();
    assert_refused(&denied, 403, "ForbiddenException", "Forbidden");
}

#[tokio::test]
async fn no_operation_is_good_without_credentials() {
    let world = DataPlane::start().await;
    let unknown = world.authority.issue_device("unknown");
    for operation in OPERATIONS {
        for client in [Client::new(&world.authority, NAME), Client::with_certificate(&world.authority, NAME, &unknown)]
        {
            let mut connection = client.connect(world.emulator.addr_mutual_tls()).await.unwrap();
            let bytes = request(operation.method, &operation.target(), "", operation.body.as_bytes());
            connection.send(&bytes).await.unwrap();
            assert_eq!(connection.rest().await.unwrap(), b"");
        }
        let client = Client::with_certificate(&world.authority, NAME, &world.device);
        let mut connection = client.connect(world.emulator.addr_alpn()).await.unwrap();
        let response = operation.send(&mut connection, "").await;
        assert_refused(&response, 403, "ForbiddenException", "Missing Authentication Token");
    }
}

#[tokio::test]
async fn a_path_that_no_operation_has_is_not_found() {
    let mut world = DataPlane::start().await;
    for path in [
        "/things",
        "/things/t",
        "/things//shadow",
        "/things/t/shadow/",
        "/things/t/shadow/name",
        "/things/%2E%2E/shadow",
        "/api/things/shadow/ListNamedShadowsForThing",
        "/retainedMessage/",
        "/connections",
        "/connections/a/other",
        "/role-aliases/a/credentials",
    ] {
        assert_not_found(&world.get(path).await, "Not Found");
    }
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_not_allowed() {
    let mut world = DataPlane::start().await;
    for (method, path) in [
        ("PUT", "/things/t/shadow"),
        ("PATCH", "/things/t/shadow"),
        ("POST", "/api/things/shadow/ListNamedShadowsForThing/t"),
        ("DELETE", "/retainedMessage/t"),
        ("POST", "/retainedMessage"),
        ("POST", "/connections/a"),
        ("GET", "/connections/a/messages"),
        ("DELETE", "/connections/a/subscriptions"),
        ("DELETE", "/topics/t"),
    ] {
        let response = world.request(method, path, "").await;
        assert_refused(&response, 405, "MethodNotAllowedException", "Method Not Allowed");
    }
}

#[tokio::test]
async fn throttling_refuses_good_requests_of_every_kind() {
    let mut world = DataPlane::start().await;
    world.emulator.throttle_next(10);
    assert_eq!(world.post("/things/t/shadow", "{}").await.status(), 400);
    for operation in OPERATIONS {
        let response = world.request(operation.method, &operation.target(), operation.body).await;
        assert_refused(&response, 429, "ThrottlingException", "Rate exceeded");
    }
    assert_eq!(world.post("/things/t/shadow", r#"{"state":{}}"#).await.status(), 200);
    assert_eq!(world.emulator.direct_messages(), []);
}

#[tokio::test]
async fn the_control_plane_tells_those_who_sign_that_it_is_another_service() {
    let World { emulator, mut connection } = World::start().await;
    emulator.pose_as_control_plane(true);
    let message = "Credential should be scoped to correct service: 'execute-api'.";
    for operation in OPERATIONS {
        let response = operation.send(&mut connection, &operation.signature()).await;
        assert_refused(&response, 403, "ForbiddenException", message);
    }
    let response = connection.post("/topics/t", &SIGNER.headers("x"), b"x").await.unwrap();
    assert_refused(&response, 403, "ForbiddenException", message);
    let response = connection.post("/topics/t", "", b"x").await.unwrap();
    assert_refused(&response, 403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    assert_eq!(emulator.ledger().accepted(), []);

    emulator.pose_as_control_plane(false);
    assert_eq!(connection.post("/topics/t", &SIGNER.headers("x"), b"x").await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_control_plane_does_not_look_at_certificates() {
    let mut world = DataPlane::start().await;
    world.emulator.pose_as_control_plane(true);
    let response = world.post("/topics/t", "x").await;
    assert_refused(&response, 403, "MissingAuthenticationTokenException", "Missing Authentication Token");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_whatever_the_operation() {
    let mut world = DataPlane::start().await;
    let large = vec![b' '; 3 * 1024 * 1024];
    let response = world.post_with_headers("/things/t/shadow", "", &large).await;
    assert_refused(&response, 413, "RequestEntityTooLargeException", "Request entity too large");
    assert_eq!(response.header("connection"), Some("close"));
}
