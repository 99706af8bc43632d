//! Against the SDK's own crate: its published suite, and thousands of requests made by chance.

use std::format;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials as OracleCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as oracle_sign};
use aws_sigv4::sign::v4;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::http::Request;

fn credentials(session_token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: session_token.map(Secret::new),
    }
}

fn scope(service: &str) -> Scope {
    Scope { region: "us-east-1".into(), service: service.into() }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
}

/// What the SDK's crate makes of the same request.
fn oracle(request: &Request, credentials: &Credentials, scope: &Scope, unix_ms: u64) -> String {
    let token = credentials.session_token.as_ref().map(|token| token.reveal().to_owned());
    let secret = credentials.secret_access_key.reveal();
    let identity = OracleCredentials::new(&credentials.access_key_id, secret, token, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&scope.region)
        .name(&scope.service)
        .time(UNIX_EPOCH + Duration::from_millis(unix_ms))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let url = format!("https://{}{}", request.authority, request.path_with_query);
    // It signs every header that it is given but a few; we sign those of AWS.
    let headers = request.headers.iter().filter(|(name, _)| name.starts_with("x-amz-"));
    let headers = headers.map(|(name, value)| (name.as_ref(), value.as_str()));
    let body = SignableBody::Bytes(&request.body);
    let signable = SignableRequest::new(request.method, &url, headers, body).unwrap();
    let (instructions, _signature) = oracle_sign(signable, &params).unwrap().into_parts();
    let (headers, _query) = instructions.into_parts();
    headers.iter().find(|header| header.name() == "authorization").unwrap().value().to_owned()
}

fn signed(mut request: Request, credentials: &Credentials, scope: &Scope, unix_ms: u64) -> Request {
    sign(&mut request, credentials, scope, unix_ms);
    request
}

fn publish(topic: &str, body: &[u8]) -> Request {
    let mut path = String::from("/topics/");
    crate::topic::push_segment(&mut path, topic.as_bytes(), crate::topic::SEGMENT);
    path.push_str("?qos=1");
    Request::post("a-ats.iot.us-east-1.amazonaws.com".into(), path, "application/octet-stream", body.into())
}

#[test]
fn the_topic_is_encoded_a_second_time_in_the_canonical_form() {
    let canonical = CanonicalRequest::new(&publish("a/b", b"hello"), |_| false);
    assert!(canonical.text.starts_with("POST\n/topics/a%252Fb\nqos=1\nhost:a-ats."), "{}", canonical.text);
    assert_eq!(canonical.signed_headers, "host");
}

#[test]
fn a_session_token_is_sent_and_signed() {
    let request = signed(publish("a", b""), &credentials(Some("token")), &scope("iotdata"), 0);
    assert_eq!(header(&request, "x-amz-security-token"), Some("token"));
    let authorization = header(&request, "authorization").unwrap();
    assert!(authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{authorization}");
}

#[test]
fn debug_output_shows_neither_key_nor_token() {
    let shown = format!("{:?}", credentials(Some("token")));
    assert!(!shown.contains("wJalr") && !shown.contains("\"token\""), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn signs_as_the_sdk_does(
        topic in "[^\\x00-\\x1f\\x7f./][^\\x00]{0,60}",
        body in any::<Vec<u8>>(),
        values in prop::collection::vec("[ -~]{0,20}", 0..4),
        query in prop::collection::vec(("[a-zA-Z0-9_.~-]{1,8}", "[a-zA-Z0-9_.~-]{0,8}"), 0..4),
        session_token in prop::option::of("[A-Za-z0-9+/=]{1,40}"),
        service in "[a-z]{1,16}",
        unix_ms in 0..253_402_300_799_000_u64,
    ) {
        let mut request = publish(&topic, &body);
        for (name, value) in query {
            request.path_with_query.push_str(&format!("&{name}={value}"));
        }
        for (index, value) in values.into_iter().enumerate() {
            request.headers.push((format!("x-amz-test-{index}").into(), value));
        }
        let (credentials, scope) = (credentials(session_token.as_deref()), scope(&service));
        let expected = oracle(&request, &credentials, &scope, unix_ms);
        let request = signed(request, &credentials, &scope, unix_ms);
        prop_assert_eq!(header(&request, "authorization"), Some(expected.as_str()));
    }
}

/// The folder of the suite, which the SDK's crate carries with it.
fn suite() -> PathBuf {
    let metadata = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1"]).output().unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws-sigv4").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("aws-signing-test-suite/v4")
}

/// A request of the suite as it stands in its file.
fn parse(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
    let path = rest.strip_suffix(" HTTP/1.1").unwrap();
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => headers.push((name.to_owned(), value.to_owned())),
            // A value that goes on in the next line.
            _ => headers.last_mut().unwrap().1.push_str(line),
        }
    }
    let host = headers.iter().position(|(name, _)| name == "Host").unwrap();
    Request {
        method: if method == "GET" { "GET" } else { "POST" },
        authority: headers.remove(host).1,
        path_with_query: path.to_owned(),
        headers: headers.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        body: body.as_bytes().into(),
    }
}

#[test]
fn signs_the_published_suite() {
    let mut cases = 0;
    for case in fs::read_dir(suite()).unwrap() {
        let folder = case.unwrap().path();
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        if !folder.join("context.json").exists() {
            // Two cases about the path alone, with neither keys nor signature.
            let canonical = CanonicalRequest::new(&parse(&read("request.txt")), |_| true);
            assert_eq!(canonical.text.lines().nth(1), read("header-canonical-request.txt").lines().nth(1));
            cases += 1;
            continue;
        }
        let context: Value = serde_json::from_str(&read("context.json")).unwrap();
        // Paths that are signed as they are belong to another service (S3).
        if context["normalize"] == false {
            continue;
        }
        let token = context["credentials"]["token"].as_str().filter(|_| context["omit_session_token"] != true);
        let mut request = parse(&read("request.txt"));
        // The suite encodes the path once in all, we once more than it stands on the wire.
        let (path, query) = request.path_with_query.split_once('?').unwrap_or((&request.path_with_query, ""));
        request.path_with_query = format!("{}?{query}", percent_decode_str(path).decode_utf8().unwrap());
        if context["sign_body"] == true {
            let digest = hex::encode(Sha256::digest(&request.body));
            request.headers.push(("x-amz-content-sha256".into(), digest));
        }
        // 2015-08-30T12:36:00Z, in every case.
        sign_headers(&mut request, &credentials(token), &scope("service"), 1_440_938_160_000, |_| true);
        let authorization = header(&request, "authorization").unwrap();
        let signature = authorization.rsplit_once('=').unwrap().1;
        assert_eq!(signature, read("header-signature.txt"), "{}", folder.display());
        cases += 1;
    }
    assert!(cases >= 32, "only {cases} cases");
}
