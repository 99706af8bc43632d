//! Requests that go by a custom authorizer.

use thingpost_emulator::{Authority, Authorizer, AwsEmulator, AwsOptions, Device};

use crate::client::{Client, Connection, Response, post};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";
const MISSING: &str = "Missing Authentication Token";

/// With a default one that asks for signatures, and one that has to be named and does not.
async fn start() -> (Authority, AwsEmulator, Connection) {
    let authority = Authority::new();
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.add_authorizer(signing());
    emulator.add_authorizer(Authorizer {
        name: "plain".to_owned(),
        token_key_name: "jwt".to_owned(),
        token: "plain token".to_owned(),
        signature: None,
        is_default: false,
    });
    let connection = Client::new(&authority, NAME).connect(emulator.addr_alpn()).await.unwrap();
    (authority, emulator, connection)
}

fn signing() -> Authorizer {
    Authorizer {
        name: "signing".to_owned(),
        token_key_name: "MyToken".to_owned(),
        token: "hush-t0ken".to_owned(),
        signature: Some("hush/+sig==".to_owned()),
        is_default: true,
    }
}

fn assert_forbidden(response: &Response, message: &str) {
    assert_eq!(response.status_line(), "HTTP/1.1 403 Forbidden");
    assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
    assert!(response.body.starts_with(&format!(r#"{{"message":"{message}","traceId":""#)), "{response:?}");
}

#[tokio::test]
async fn a_token_is_taken_from_the_headers_in_any_case() {
    let (_authority, emulator, mut connection) = start().await;
    for headers in [
        "x-amz-customauthorizer-name: signing\r\nMyToken: hush-t0ken\r\nx-amz-customauthorizer-signature: hush/+sig==\r\n",
        "X-Amz-CustomAuthorizer-Name: signing\r\nmytoken: hush-t0ken\r\n\
         X-Amz-CustomAuthorizer-Signature: hush/+sig==\r\n",
        "MyToken: hush-t0ken\r\nx-amz-customauthorizer-signature: hush/+sig==\r\n",
    ] {
        let response = connection.post("/topics/t?qos=1", headers, b"x").await.unwrap();
        assert_eq!(response.status(), 200, "{headers}{response:?}");
    }
    let plain = "x-amz-customauthorizer-name: plain\r\njwt: plain token\r\n";
    assert_eq!(connection.post("/topics/t", plain, b"x").await.unwrap().status(), 200);
    // Turned off, a signature is not looked at.
    let signed = format!("{plain}x-amz-customauthorizer-signature: any\r\n");
    assert_eq!(connection.post("/topics/t", &signed, b"x").await.unwrap().status(), 200);

    let names = ["signing", "signing", "signing", "plain", "plain"];
    let devices: Vec<_> = emulator.ledger().accepted().into_iter().map(|entry| entry.device).collect();
    assert_eq!(devices, names.map(|name| Some(Device::Authorizer { name: name.to_owned() })));
}

#[tokio::test]
async fn a_token_is_taken_from_the_query_and_decoded() {
    let (_authority, emulator, mut connection) = start().await;
    let signature = "x-amz-customauthorizer-signature=hush%2F%2Bsig%3D%3D";
    for query in [
        format!("qos=1&{signature}&MyToken=hush-t0ken"),
        format!("MyToken=hush%2Dt0ken&{signature}&x-amz-customauthorizer-name=signing"),
        "x-amz-customauthorizer-name=plain&jwt=plain%20token".to_owned(),
        "x-amz-customauthorizer-name=plain&jwt=plain+token".to_owned(),
    ] {
        let response = connection.post(&format!("/topics/t?{query}"), "", b"x").await.unwrap();
        assert_eq!(response.status(), 200, "{query}: {response:?}");
    }
    // The two places may be mixed.
    let headers = "x-amz-customauthorizer-signature: hush/+sig==\r\n";
    assert_eq!(connection.post("/topics/t?MyToken=hush-t0ken", headers, b"x").await.unwrap().status(), 200);
    assert_eq!(emulator.ledger().accepted().len(), 5);
}

#[tokio::test]
async fn whatever_is_wrong_is_forbidden_without_a_reason() {
    let (_authority, emulator, mut connection) = start().await;
    for (query, headers) in [
        ("", "x-amz-customauthorizer-name: unknown\r\njwt: plain token\r\n"),
        ("", "x-amz-customauthorizer-name: plain\r\n"),
        ("", "x-amz-customauthorizer-name: plain\r\njwt: wrong\r\n"),
        ("", "x-amz-customauthorizer-name: plain\r\nMyToken: plain token\r\n"),
        ("", "MyToken: hush-t0ken\r\n"),
        ("", "MyToken: hush-t0ken\r\nx-amz-customauthorizer-signature: wrong\r\n"),
        ("", "MyToken: wrong\r\nx-amz-customauthorizer-signature: hush/+sig==\r\n"),
        ("", "x-amz-customauthorizer-signature: hush/+sig==\r\n"),
        // Names in a query have a case, and a plus in it is a blank.
        ("?mytoken=hush-t0ken", "x-amz-customauthorizer-signature: hush/+sig==\r\n"),
        ("?MyToken=hush-t0ken&x-amz-customauthorizer-signature=hush/+sig==", ""),
        ("?MyToken=hush-t0ken&x-amz-customauthorizer-signature=hush%252F%252Bsig%253D%253D", ""),
        // The header wins over the query.
        ("?jwt=plain%20token", "x-amz-customauthorizer-name: plain\r\njwt: wrong\r\n"),
    ] {
        let response = connection.post(&format!("/topics/t{query}"), headers, b"x").await.unwrap();
        assert_forbidden(&response, "Forbidden");
    }
    assert_eq!(emulator.ledger().accepted(), []);
}

#[tokio::test]
async fn without_a_name_there_has_to_be_a_default() {
    let (_authority, emulator, mut connection) = start().await;
    // The token of an authorizer that is not the default says nothing on its own.
    assert_forbidden(&connection.post("/topics/t", "jwt: plain token\r\n", b"x").await.unwrap(), MISSING);
    emulator.add_authorizer(Authorizer { is_default: false, ..signing() });
    let headers = "MyToken: hush-t0ken\r\nx-amz-customauthorizer-signature: hush/+sig==\r\n";
    assert_forbidden(&connection.post("/topics/t", headers, b"x").await.unwrap(), MISSING);
    assert_eq!(emulator.ledger().entries()[1].device, None);
}

#[tokio::test]
async fn the_last_default_is_the_only_one() {
    let (_authority, emulator, mut connection) = start().await;
    let authorizer = Authorizer {
        name: "bearer".to_owned(),
        token_key_name: "Authorization".to_owned(),
        token: "Bearer abc".to_owned(),
        signature: None,
        is_default: true,
    };
    emulator.add_authorizer(authorizer);
    assert_eq!(connection.post("/topics/t", "Authorization: Bearer abc\r\n", b"x").await.unwrap().status(), 200);
    assert_forbidden(&connection.post("/topics/t", "MyToken: hush-t0ken\r\n", b"x").await.unwrap(), MISSING);
}

#[tokio::test]
async fn custom_authorizers_are_for_publishing_only() {
    let (_authority, _emulator, mut connection) = start().await;
    let headers = "x-amz-customauthorizer-name: plain\r\njwt: plain token\r\n";
    for request in ["GET /topics/t", "POST /things/t/shadow", "GET /retainedMessage/t"] {
        let request = format!("{request} HTTP/1.1\r\nHost: emulator\r\n{headers}Content-Length: 0\r\n\r\n");
        connection.send(request.as_bytes()).await.unwrap();
        assert_forbidden(&connection.answer().await.unwrap(), "Forbidden");
    }
}

#[tokio::test]
async fn a_message_of_a_custom_authorizer_is_checked_like_any_other() {
    let (_authority, emulator, mut connection) = start().await;
    let headers = "x-amz-customauthorizer-name: plain\r\njwt: plain token\r\n";
    assert_eq!(connection.post("/topics/a%23", headers, b"").await.unwrap().status(), 400);
    emulator.throttle_next(1);
    assert_eq!(connection.post("/topics/t", headers, b"").await.unwrap().status(), 429);

    emulator.allow_only_topic_prefix("plain", "devices/");
    assert_forbidden(&connection.post("/topics/t", headers, b"").await.unwrap(), "Forbidden");
    assert_eq!(connection.post("/topics/devices%2F7", headers, b"").await.unwrap().status(), 200);
    emulator.deny_topic_prefix("devices/7");
    assert_forbidden(&connection.post("/topics/devices%2F7", headers, b"").await.unwrap(), "Forbidden");
    assert_eq!(connection.post("/topics/devices%2F8", headers, b"").await.unwrap().status(), 200);
}

#[tokio::test]
async fn where_certificates_count_a_token_does_not() {
    let (authority, emulator, _connection) = start().await;
    let headers = "x-amz-customauthorizer-name: plain\r\njwt: plain token\r\n";
    let client = || Client::new(&authority, NAME);
    for (client, address) in
        [(client(), emulator.addr_mutual_tls()), (client().alpn(&["x-amzn-http-ca"]), emulator.addr_alpn())]
    {
        let mut connection = client.connect(address).await.unwrap();
        connection.send(&post("/topics/t", headers, b"x")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
    }
}

#[tokio::test]
async fn tokens_and_signatures_are_not_in_the_debug_output() {
    let (_authority, emulator, mut connection) = start().await;
    let headers = "MyToken: hush-t0ken\r\nx-amz-customauthorizer-signature: hush/+sig==\r\n";
    connection.post("/topics/t", headers, b"x").await.unwrap();
    let target = "/topics/t?qos=1&MyToken=hush-t0ken&x-amz-customauthorizer-signature=hush%2F%2Bsig%3D%3D";
    connection.post(target, "", b"x").await.unwrap();
    assert_eq!(emulator.ledger().accepted().len(), 2);
    let shown = format!("{:?} {emulator:?}", emulator.ledger());
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("signing") && shown.contains("MyToken"), "{shown}");
}
