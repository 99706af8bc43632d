//! Requests that are signed wrongly, and the reasons that AWS gives.

use thingpost_emulator::{Authority, AwsEmulator, AwsOptions};

use crate::client::{Client, Connection, post};
use crate::signer::{SIGNER, Signer, TIME_STAMP, World, canonical, key, sha256};

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const MISSING: &str = "Missing Authentication Token";

/// Sends `POST <target>` with the body `x`.
async fn assert_forbidden(connection: &mut Connection, target: &str, headers: &str, message: &str) {
    let response = connection.post(target, headers, b"x").await.unwrap();
    assert_eq!(response.status_line(), "HTTP/1.1 403 Forbidden", "{headers}");
    assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
    let start = format!(r#"{{"message":"{message}","traceId":""#);
    assert!(response.body.starts_with(&start), "{headers}{response:?}");
}

fn with_date(authorization: &str) -> String {
    format!("X-Amz-Date: {TIME_STAMP}\r\n{authorization}")
}

#[tokio::test]
async fn what_was_not_signed_as_it_is_does_not_match() {
    let World { emulator, mut connection } = World::start().await;
    let right = SIGNER.headers("x");
    assert_eq!(connection.post("/topics/t", &right, b"x").await.unwrap().status(), 200);
    for (target, path, query, body) in [
        ("/topics/u", "/topics/t", "", "x"),
        ("/topics/t?qos=1", "/topics/t", "", "x"),
        ("/topics/t", "/topics/t", "", "y"),
        // The mistakes that clients make: encoded once only, decoded, and unsorted.
        ("/topics/a%2Fb", "/topics/a%2Fb", "", "x"),
        ("/topics/a%2Fb", "/topics/a/b", "", "x"),
        ("/topics/t?qos=1&contentType=a", "/topics/t", "qos=1&contentType=a", "x"),
        ("/topics/t?contentType=a%2Fb", "/topics/t", "contentType=a%252Fb", "x"),
    ] {
        let headers = with_date(&SIGNER.authorization(&canonical(path, query, TIME_STAMP, body)));
        assert_forbidden(&mut connection, target, &headers, MISMATCH).await;
    }
    let other_secret = Signer { secret: "wrong", ..SIGNER }.headers("x");
    assert_forbidden(&mut connection, "/topics/t", &other_secret, MISMATCH).await;
    let (start, signature) = right.trim_end().rsplit_once('=').unwrap();
    for signature in [signature.to_uppercase(), signature[2..].to_owned(), String::new()] {
        let headers = format!("{start}={signature}\r\n");
        assert_forbidden(&mut connection, "/topics/t", &headers, MISMATCH).await;
    }
    let other_method = format!("PUT /topics/t HTTP/1.1\r\nHost: emulator\r\n{right}Content-Length: 1\r\n\r\nx");
    connection.send(other_method.as_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().status(), 403);
    assert_eq!(emulator.ledger().accepted().len(), 1);
}

#[tokio::test]
async fn a_signed_header_cannot_be_changed_or_left_out() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    let hash = sha256(b"x");
    let canonical = format!(
        "POST\n/topics/t\n\ncontent-type:a\nhost:emulator\nx-amz-date:{TIME_STAMP}\n\n\
         content-type;host;x-amz-date\n{hash}"
    );
    let signed = with_date(&SIGNER.authorization(&canonical));
    let right = format!("Content-Type: a\r\n{signed}");
    assert_eq!(connection.post("/topics/t", &right, b"x").await.unwrap().status(), 200);
    for content_type in ["Content-Type: b\r\n", "", "Content-Type: a\r\nContent-Type: a\r\n"] {
        assert_forbidden(&mut connection, "/topics/t", &format!("{content_type}{signed}"), MISMATCH).await;
    }
    // Signing the absence of a header is no way around it.
    let empty = canonical.replace("content-type:a\n", "content-type:\n");
    assert_forbidden(&mut connection, "/topics/t", &with_date(&SIGNER.authorization(&empty)), MISMATCH).await;
}

#[tokio::test]
async fn a_payload_hash_has_to_be_that_of_the_payload() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    for (claimed, hash) in [
        (sha256(b"x"), sha256(b"y")),
        (sha256(b"y"), sha256(b"y")),
        (sha256(b"y"), sha256(b"x")),
        ("UNSIGNED-PAYLOAD".to_owned(), "UNSIGNED-PAYLOAD".to_owned()),
    ] {
        let canonical = format!(
            "POST\n/topics/t\n\nhost:emulator\nx-amz-content-sha256:{claimed}\nx-amz-date:{TIME_STAMP}\n\n\
             host;x-amz-content-sha256;x-amz-date\n{hash}"
        );
        let headers = format!("X-Amz-Content-Sha256: {claimed}\r\n{}", with_date(&SIGNER.authorization(&canonical)));
        assert_forbidden(&mut connection, "/topics/t", &headers, MISMATCH).await;
    }
}

#[tokio::test]
async fn the_host_and_every_header_of_amazon_have_to_be_signed() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    let hash = sha256(b"x");
    let canonical = format!("POST\n/topics/t\n\nx-amz-date:{TIME_STAMP}\n\nx-amz-date\n{hash}");
    let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
    let headers = with_date(&SIGNER.authorization(&canonical));
    assert_forbidden(&mut connection, "/topics/t", &headers, message).await;

    let message = "There were headers present in the request which were not signed";
    let canonical = format!("POST\n/topics/t\n\nhost:emulator\n\nhost\n{hash}");
    let headers = with_date(&SIGNER.authorization(&canonical));
    assert_forbidden(&mut connection, "/topics/t", &headers, message).await;
    for header in [
        "x-amz-mqtt5-correlation-data: AAE=\r\n",
        "X-Amz-Content-Sha256: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\r\n",
    ] {
        let headers = format!("{header}{}", SIGNER.headers("x"));
        assert_forbidden(&mut connection, "/topics/t", &headers, message).await;
    }
}

#[tokio::test]
async fn a_credential_is_for_the_region_the_service_and_the_day() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    for (signer, message) in [
        (
            Signer { region: "eu-central-1", ..SIGNER },
            "Credential should be scoped to a valid region, not 'eu-central-1'.",
        ),
        (Signer { service: "execute-api", ..SIGNER }, "Credential should be scoped to correct service: 'iotdata'."),
        (
            Signer { terminator: "aws5", ..SIGNER },
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'.",
        ),
        (
            Signer { day: "20150831", ..SIGNER },
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != \
             '20150830', from '20150830T123600Z'.",
        ),
    ] {
        assert_forbidden(&mut connection, "/topics/t", &signer.headers("x"), message).await;
    }
}

#[tokio::test]
async fn an_endpoint_whose_name_has_no_region_takes_no_signature() {
    let elsewhere = |options| AwsOptions { server_name: "iot.example.com".to_owned(), ..options };
    let World { emulator: _emulator, mut connection } = World::start_with(elsewhere, None).await;
    let message = "Credential should be scoped to a valid region, not 'us-east-1'.";
    assert_forbidden(&mut connection, "/topics/t", &SIGNER.headers("x"), message).await;
}

#[tokio::test]
async fn an_unknown_key_and_a_wrong_session_token_are_invalid_tokens() {
    let World { emulator, mut connection } = World::start().await;
    let unknown = Signer { id: "AKIDUNKNOWN", ..SIGNER }.headers("x");
    assert_forbidden(&mut connection, "/topics/t", &unknown, INVALID_TOKEN).await;

    let with_token = |token: &str| {
        let hash = sha256(b"x");
        let canonical = format!(
            "POST\n/topics/t\n\nhost:emulator\nx-amz-date:{TIME_STAMP}\nx-amz-security-token:{token}\n\n\
             host;x-amz-date;x-amz-security-token\n{hash}"
        );
        format!("X-Amz-Security-Token: {token}\r\n{}", with_date(&SIGNER.authorization(&canonical)))
    };
    // A key that is not temporary has none.
    assert_forbidden(&mut connection, "/topics/t", &with_token("any"), INVALID_TOKEN).await;
    emulator.add_access_key(key(SIGNER.secret, Some("right")));
    assert_forbidden(&mut connection, "/topics/t", &with_token("wrong"), INVALID_TOKEN).await;
    assert_forbidden(&mut connection, "/topics/t", &SIGNER.headers("x"), INVALID_TOKEN).await;
    assert_eq!(connection.post("/topics/t", &with_token("right"), b"x").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_clock_that_is_off_by_more_than_five_minutes_is_told_the_time() {
    let mut world = World::start().await;
    for (seconds, text, earliest_or_latest, now) in [
        (310, "Signature expired: 20150830T123600Z is now earlier than", "20150830T12361", "(20150830T12411"),
        (-310, "Signature not yet current: 20150830T123600Z is still later than", "20150830T12355", "(20150830T12305"),
    ] {
        world.seconds_later(seconds);
        let response = world.connection.post("/topics/t", &SIGNER.headers("x"), b"x").await.unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(response.header("x-amzn-ErrorType"), Some("ForbiddenException:"));
        let start = format!(r#"{{"message":"{text} {earliest_or_latest}"#);
        assert!(response.body.starts_with(&start) && response.body.contains(now), "{response:?}");
        assert_eq!(response.header("content-length"), Some(if seconds < 0 { "171" } else { "163" }));
    }
}

#[tokio::test]
async fn a_time_stamp_must_be_there_and_have_its_form() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    let headers = SIGNER.authorization(&canonical("/topics/t", "", TIME_STAMP, "x"));
    let message = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
    assert_forbidden(&mut connection, "/topics/t", &headers, message).await;

    let signer = Signer { time_stamp: "20150830T123600", ..SIGNER };
    let message = "Date must be in ISO-8601 'basic format'. Got '20150830T123600'. See \
                   http://en.wikipedia.org/wiki/ISO_8601";
    assert_forbidden(&mut connection, "/topics/t", &signer.headers("x"), message).await;
}

#[tokio::test]
async fn a_header_with_a_part_missing_is_told_which() {
    let World { emulator: _emulator, mut connection } = World::start().await;
    let credential = "Credential=AKIDEXAMPLE/20150830/us-east-1/iotdata/aws4_request";
    for (parameters, message) in [
        (String::new(), "Authorization header requires 'Credential' parameter."),
        (credential.to_owned(), "Authorization header requires 'SignedHeaders' parameter."),
        (format!("{credential}, SignedHeaders=host"), "Authorization header requires 'Signature' parameter."),
        (
            "Credential=AKIDEXAMPLE/20150830/us-east-1, SignedHeaders=host, Signature=00".to_owned(),
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             'AKIDEXAMPLE/20150830/us-east-1'",
        ),
    ] {
        let headers = with_date(&format!("Authorization: AWS4-HMAC-SHA256 {parameters}\r\n"));
        assert_forbidden(&mut connection, "/topics/t", &headers, message).await;
    }
}

#[tokio::test]
async fn a_request_without_a_signature_misses_its_token() {
    let World { emulator, mut connection } = World::start().await;
    let bearer = "Authorization: Bearer AWS4-HMAC-SHA256\r\n";
    let asymmetric = "Authorization: AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d\r\n";
    for headers in ["", &with_date(""), bearer, asymmetric] {
        assert_forbidden(&mut connection, "/topics/t", headers, MISSING).await;
    }
    assert!(emulator.ledger().entries().iter().all(|entry| entry.device.is_none()));
}

#[tokio::test]
async fn where_certificates_count_a_signature_does_not() {
    let authority = Authority::new();
    let name = "a1b2c3-ats.iot.us-east-1.amazonaws.com";
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, name)).await.unwrap();
    emulator.add_access_key(key(SIGNER.secret, None));
    let client = || Client::new(&authority, name);
    for (client, address) in
        [(client(), emulator.addr_mutual_tls()), (client().alpn(&["x-amzn-http-ca"]), emulator.addr_alpn())]
    {
        let mut connection = client.connect(address).await.unwrap();
        connection.send(&post("/topics/t", &SIGNER.headers("x"), b"x")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
    }
    assert!(emulator.ledger().entries().iter().all(|entry| entry.device.is_none()));
}

#[tokio::test]
async fn signatures_and_session_tokens_are_not_in_the_debug_output() {
    let World { emulator, mut connection } = World::start().await;
    let headers = format!("X-Amz-Security-Token: hush-token\r\n{}", SIGNER.headers("x"));
    connection.post("/topics/t", &headers, b"x").await.unwrap();
    let signature = headers.trim_end().rsplit('=').next().unwrap();
    let shown = format!("{:?} {emulator:?}", emulator.ledger());
    for secret in ["hush-token", signature, SIGNER.secret] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("AKIDEXAMPLE"), "{shown}");
}
