//! Signatures, tokens of authorizers and temporary keys as pure functions: for hosts that send requests themselves.

use crate::bindings::codec::exports::thingpost::iot::aws_codec::TemporaryKey;
use crate::bindings::codec::exports::thingpost::iot::aws_data_plane_types::{Operation, Shadow};
use crate::bindings::codec::exports::thingpost::iot::aws_types::{
    Authentication as AwsAuthentication, Config as AwsConfig, CredentialsProvider, CustomAuthorizer, Placement, Scope,
    SigV4,
};
use crate::bindings::codec::exports::thingpost::iot::types::{
    Cause, Delivery, Error, HttpRequest, HttpResponse, Message, Properties, Qos, RequestError, Retry, Stage,
};
use crate::fixtures::codec::{Instance, NOW, owned, response};

/// Of the two signatures that `botocore` and `aws-sigv4` have both computed.
const ENDPOINT: &str = "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com";
/// 2015-08-30T12:36:00Z, in milliseconds.
const SIGNED_AT: u64 = 1_440_938_160_000;

fn key(service: Option<&str>, session_token: Option<&str>) -> SigV4 {
    SigV4 {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: session_token.map(str::to_owned),
        scope: Scope { region: None, service: service.map(str::to_owned) },
    }
}

fn signing(key: SigV4) -> AwsConfig {
    AwsConfig { endpoint: ENDPOINT.to_owned(), port: 443, authentication: AwsAuthentication::SigV4(key) }
}

fn with_authorizer(authorizer: CustomAuthorizer) -> AwsConfig {
    let authentication = AwsAuthentication::CustomAuthorizer(authorizer);
    AwsConfig { endpoint: ENDPOINT.to_owned(), port: 443, authentication }
}

fn with_provider(thing_name: Option<&str>) -> AwsConfig {
    let provider = CredentialsProvider {
        endpoint: "c1b2.credentials.iot.us-east-1.amazonaws.com".to_owned(),
        port: 443,
        role_alias: "role=alias,1@a-b_c".to_owned(),
        thing_name: thing_name.map(str::to_owned),
        scope: Scope { region: None, service: Some("iotdevicegateway".to_owned()) },
    };
    let authentication = AwsAuthentication::CredentialsProvider(provider);
    AwsConfig { endpoint: ENDPOINT.to_owned(), port: 443, authentication }
}

fn publish_request(config: &AwsConfig, message: &Message, unix_ms: u64) -> Result<HttpRequest, RequestError> {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    aws.call_publish_request(store, config, message, unix_ms).unwrap()
}

fn credentials_request(config: &AwsConfig) -> Result<HttpRequest, RequestError> {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    aws.call_credentials_request(store, config).unwrap()
}

fn read_credentials(response: &HttpResponse) -> Result<TemporaryKey, Box<Error>> {
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    aws.call_read_credentials_response(store, &with_provider(None), response, NOW).unwrap().map_err(Box::new)
}

fn message() -> Message {
    Message::new("a/b", b"hello", Qos::AtLeastOnce)
}

#[test]
fn the_signatures_are_those_of_botocore_and_of_the_sdk_for_rust() {
    for (service, name, signature) in [
        (None, "iotdata", "72d523285a72f0c4d840e57b9cb02972a6ecd437e6548a4e4fa0e4def4559a97"),
        (Some("iotdata"), "iotdata", "72d523285a72f0c4d840e57b9cb02972a6ecd437e6548a4e4fa0e4def4559a97"),
        (
            Some("iotdevicegateway"),
            "iotdevicegateway",
            "b3e266b46528c3e0d0f6bbb548e78f1a97ce3ab6d428e33f37c7947f0c8d340e",
        ),
    ] {
        let request = publish_request(&signing(key(service, None)), &message(), SIGNED_AT).unwrap();
        assert_eq!(request.path_with_query, "/topics/a%2Fb?qos=1");
        assert_eq!(request.authority, ENDPOINT);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{name}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let headers = [
            ("content-type", "application/octet-stream"),
            ("content-length", "5"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization.as_str()),
        ];
        assert_eq!(request.headers, owned(&headers));
    }
}

fn signed_headers(request: &HttpRequest) -> &str {
    let (_, authorization) = request.headers.iter().find(|(name, _)| name == "authorization").unwrap();
    authorization.split_once("SignedHeaders=").unwrap().1.split_once(',').unwrap().0
}

#[test]
fn every_header_of_aws_is_signed_and_the_session_token_among_them() {
    let properties = Properties {
        content_type: Some("text/plain".to_owned()),
        response_topic: None,
        message_expiry_s: None,
        payload_format: None,
        correlation_data: Some(vec![1]),
        user_properties: vec![("a".to_owned(), "b".to_owned())],
    };
    let message = Message { properties: Some(properties), ..message() };
    let request = publish_request(&signing(key(None, Some("token"))), &message, SIGNED_AT).unwrap();
    assert!(request.headers.contains(&("x-amz-security-token".to_owned(), "token".to_owned())));
    assert_eq!(
        signed_headers(&request),
        "host;x-amz-date;x-amz-mqtt5-correlation-data;x-amz-mqtt5-user-properties;x-amz-security-token"
    );
}

#[test]
fn an_operation_is_signed_as_well_and_each_time_anew() {
    let operation = Operation::GetShadow(Shadow { thing: "thermometer-7".to_owned(), name: Some("state".to_owned()) });
    let mut instance = Instance::new();
    let (aws, store) = instance.aws();
    let config = signing(key(None, None));
    let mut request = |unix_ms| aws.call_operation_request(&mut *store, &config, &operation, unix_ms).unwrap().unwrap();
    let (first, again, later) = (request(SIGNED_AT), request(SIGNED_AT), request(SIGNED_AT + 1_000));
    assert_eq!(signed_headers(&first), "host;x-amz-date");
    assert_eq!(first, again);
    assert_ne!(first.headers, later.headers);
    assert!(later.headers.contains(&("x-amz-date".to_owned(), "20150830T123601Z".to_owned())));
}

#[test]
fn a_key_that_cannot_stand_in_a_header_is_refused_by_its_name() {
    for (key, named) in [
        (SigV4 { access_key_id: String::new(), ..key(None, None) }, "access key id"),
        (SigV4 { secret_access_key: "a b".to_owned(), ..key(None, None) }, "secret access key"),
        (key(None, Some("a\nb")), "session token"),
        (key(Some(""), None), "service"),
    ] {
        match publish_request(&signing(key), &message(), NOW) {
            Err(RequestError::InvalidConfiguration(problem)) => assert!(problem.contains(named), "{problem}"),
            other => panic!("{other:?}"),
        }
    }
    let custom_domain = AwsConfig { endpoint: "iot.example.com".to_owned(), ..signing(key(None, None)) };
    match publish_request(&custom_domain, &message(), NOW) {
        Err(RequestError::InvalidConfiguration(problem)) => assert!(problem.contains("region"), "{problem}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_authorizer_gets_what_it_needs_in_headers_or_in_the_query() {
    let authorizer = |placement| CustomAuthorizer {
        name: Some("gate".to_owned()),
        token: Some(("X-Token".to_owned(), "to/k+n=".to_owned())),
        signature: Some("c2ln+/==".to_owned()),
        placement,
    };
    let in_headers = publish_request(&with_authorizer(authorizer(Placement::Headers)), &message(), NOW).unwrap();
    assert_eq!(in_headers.path_with_query, "/topics/a%2Fb?qos=1");
    let headers = [
        ("content-type", "application/octet-stream"),
        ("content-length", "5"),
        ("x-amz-customauthorizer-name", "gate"),
        ("x-token", "to/k+n="),
        ("x-amz-customauthorizer-signature", "c2ln+/=="),
    ];
    assert_eq!(in_headers.headers, owned(&headers));

    let in_query = publish_request(&with_authorizer(authorizer(Placement::Query)), &message(), NOW).unwrap();
    assert_eq!(
        in_query.path_with_query,
        "/topics/a%2Fb?qos=1&x-amz-customauthorizer-name=gate&X-Token=to%2Fk%2Bn%3D\
         &x-amz-customauthorizer-signature=c2ln%2B%2F%3D%3D"
    );
    assert_eq!(in_query.headers, owned(&headers[..2]));

    for (changed, named) in [
        (CustomAuthorizer { name: Some("a b".to_owned()), ..authorizer(Placement::Query) }, "authorizer name"),
        (CustomAuthorizer { name: Some("x".repeat(129)), ..authorizer(Placement::Query) }, "authorizer name"),
        (
            CustomAuthorizer { token: Some(("a:b".to_owned(), "t".to_owned())), ..authorizer(Placement::Query) },
            "token key name",
        ),
        (
            CustomAuthorizer { token: Some(("a".to_owned(), "t".repeat(6_145))), ..authorizer(Placement::Query) },
            "token",
        ),
        (CustomAuthorizer { signature: Some(String::new()), ..authorizer(Placement::Query) }, "signature"),
    ] {
        match publish_request(&with_authorizer(changed), &message(), NOW) {
            Err(RequestError::InvalidConfiguration(problem)) => assert!(problem.contains(named), "{problem}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_request_for_a_key_names_the_alias_and_the_thing() {
    let request = credentials_request(&with_provider(Some("thermometer-7"))).unwrap();
    assert_eq!(request.method, "GET");
    assert_eq!(request.authority, "c1b2.credentials.iot.us-east-1.amazonaws.com");
    assert_eq!(request.path_with_query, "/role-aliases/role%3Dalias%2C1%40a-b_c/credentials");
    let headers = [("content-length", "0"), ("x-amzn-iot-thingname", "thermometer-7")];
    assert_eq!(request.headers, owned(&headers));
    assert_eq!(credentials_request(&with_provider(None)).unwrap().headers, owned(&headers[..1]));

    assert_eq!(credentials_request(&signing(key(None, None))), Err(RequestError::Unsupported));
    match publish_request(&with_provider(None), &message(), NOW) {
        Err(RequestError::InvalidConfiguration(problem)) => assert!(problem.contains("key"), "{problem}"),
        other => panic!("{other:?}"),
    }
}

/// As in the developer guide; it ends an hour after `NOW`.
const KEY: &str = r#"{"credentials":{"accessKeyId":"ASIA1","secretAccessKey":"secret+/","sessionToken":"to/ken+=",
    "expiration":"2023-11-14T23:13:20Z"}}"#;

#[test]
fn a_key_is_read_with_its_end_and_signs_for_what_was_configured() {
    let read = read_credentials(&response(200, &[], KEY)).unwrap();
    assert_eq!(read.expires_unix_ms, NOW + 3_600_000);
    assert_eq!(read.key.access_key_id, "ASIA1");
    assert_eq!(read.key.secret_access_key, "secret+/");
    assert_eq!(read.key.session_token.as_deref(), Some("to/ken+="));
    assert_eq!(read.key.scope.region.as_deref(), Some("us-east-1"));
    assert_eq!(read.key.scope.service.as_deref(), Some("iotdevicegateway"));

    // By a clock that is an hour behind it is good for an hour as well.
    let date = ("date", "Tue, 14 Nov 2023 23:13:20 GMT");
    let body = KEY.replace("T23:13:20Z", "T23:43:20Z");
    assert_eq!(read_credentials(&response(200, &[date], &body)).unwrap().expires_unix_ms, NOW + 1_800_000);

    // It can be put in the place of the provider as it is.
    let request = publish_request(&signing(read.key), &message(), NOW).unwrap();
    assert_eq!(signed_headers(&request), "host;x-amz-date;x-amz-security-token");
}

#[test]
fn an_answer_without_a_key_is_told_as_such() {
    let denied = response(403, &[("x-amzn-ErrorType", "AccessDeniedException")], r#"{"message":"Access Denied"}"#);
    let error = read_credentials(&denied).unwrap_err();
    assert_eq!((error.cause, error.stage), (Cause::Forbidden, Stage::Authentication));
    assert_eq!((error.delivery, error.retry), (Delivery::Refused, Retry::Never));
    assert!(error.explanation.contains("iot:AssumeRoleWithCertificate"), "{}", error.explanation);

    let unknown = response(404, &[], r#"{"message":"Role alias does not exist"}"#);
    let error = read_credentials(&unknown).unwrap_err();
    assert_eq!((error.cause, error.stage), (Cause::NotFound, Stage::Authentication));
    assert!(error.explanation.contains("role alias"), "{}", error.explanation);

    for body in ["{}", "", &KEY.replace("sessionToken", "token"), &KEY.replace("2023-", "soon")] {
        let error = read_credentials(&response(200, &[], body)).unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::MalformedAnswer, Stage::Authentication), "{body}");
        assert!(!format!("{error:?}").contains("secret+/"));
    }
}
