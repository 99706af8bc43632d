//! Every row: what is known around a failure, and what the explanation must name.

use std::sync::Arc;

use super::*;
use crate::aws::sigv4::{Credentials, Scope};
use crate::aws::{Authentication, ClientDisconnection, CustomAuthorizer, Placement, Shadow};
use crate::endpoint::Endpoint;
use crate::http::Response;
use crate::message::{Message, Qos, RequestError};
use crate::secret::Secret;

const DATA: &str = "a1-ats.iot.eu-central-1.amazonaws.com";

fn config(host: &str, port: u16, auth_method: AuthMethod) -> Config {
    let authentication = match auth_method {
        AuthMethod::Certificate => Authentication::Certificate,
        AuthMethod::CustomAuthorizer => Authentication::CustomAuthorizer(CustomAuthorizer {
            name: Some("gate".into()),
            token: None,
            signature: None,
            placement: Placement::Headers,
        }),
        AuthMethod::SigV4 | AuthMethod::CredentialsProvider => {
            let credentials = Credentials {
                access_key_id: "AKID".into(),
                secret_access_key: Secret::new("secret"),
                session_token: None,
            };
            let scope = Scope { region: "eu-central-1".into(), service: "iotdevicegateway".into() };
            Authentication::SigV4 { credentials, scope }
        }
    };
    Config::new(Endpoint::new(host, port).unwrap(), authentication).unwrap()
}

fn about(message: Message) -> ErrorContext {
    ErrorContext::publication(&config(DATA, 443, AuthMethod::SigV4), message)
}

fn publication() -> ErrorContext {
    about(Message::new("a/b", *b"x", Qos::AtLeastOnce))
}

fn operation(operation: Operation) -> ErrorContext {
    ErrorContext::Operation(Arc::new(operation))
}

fn refused(config: &Config, status: u16, message: &str) -> Error {
    let message = if message.is_empty() { "null".into() } else { ["\"", message, "\""].concat() };
    let body = ["{\"message\":", &message, ",\"traceId\":\"1\"}"].concat().into_bytes();
    crate::aws::read_publish_response(config, &Response { status, headers: vec![], body }).unwrap_err()
}

/// An explanation of a status and a message.
fn of(host: &str, port: u16, auth_method: AuthMethod, status: u16, message: &str) -> String {
    let config = config(host, port, auth_method);
    explain(&config, &refused(&config, status, message), &publication())
}

/// An explanation of a missing answer.
fn without_answer(host: &str, port: u16, auth_method: AuthMethod, failure: TransportErrorKind) -> String {
    explain(&config(host, port, auth_method), &Error::transport(Stage::Publication, failure.into()), &publication())
}

#[test]
fn a_topic_that_only_mqtt_is_known_to_be_open_for_is_named_as_such_when_it_is_refused() {
    let config = config(DATA, 8443, AuthMethod::Certificate);
    let of = |topic: &str, status| {
        let context = about(Message::new(topic, *b"x", Qos::AtLeastOnce));
        explain(&config, &refused(&config, status, "Invalid publish to restricted topic using HTTP"), &context)
    };
    assert!(of("$aws/things/x/jobs/get", 400).contains("over MQTT"));
    assert!(!of("$aws/things/x/jobs/get", 403).contains("over MQTT"), "that is the policy's");
    assert!(!of("$aws/things/x/shadow/update", 400).contains("over MQTT"));
}

#[test]
fn a_shadow_that_is_full_is_no_message_that_is_too_large() {
    let config = config(DATA, 8443, AuthMethod::Certificate);
    let shadow = Shadow { thing: "t".into(), name: None };
    let context = operation(Operation::UpdateShadow { shadow, document: vec![], max_state_bytes: None });
    for error in [RequestError::PayloadTooLarge.into(), refused(&config, 413, "")] {
        let text = explain(&config, &error, &context);
        assert!(text.contains("8 KB") && text.contains("named shadows") && !text.contains("128 KB"), "{text}");
    }
    let direct = explain(&config, &refused(&config, 413, ""), &publication());
    assert!(direct.contains("128 KB") && !direct.contains("shadow"), "{direct}");
}

#[test]
fn a_refusal_is_explained_from_what_is_known_around_it() {
    for (host, port, auth_method, status, message, named) in [
        (DATA, 443, AuthMethod::Certificate, 403, MISSING_TOKEN, "x-amzn-http-ca"),
        (DATA, 8443, AuthMethod::Certificate, 403, MISSING_TOKEN, "no client certificate has arrived"),
        (DATA, 8443, AuthMethod::Certificate, 403, "", "iot:Publish on arn:aws:iot:eu-central-1:*:topic/a/b"),
        (DATA, 8443, AuthMethod::Certificate, 401, "", "registered in this account and region"),
        ("iot.eu-central-1.amazonaws.com", 443, AuthMethod::Certificate, 403, MISSING_TOKEN, "control plane"),
        ("c.credentials.iot.eu-central-1.amazonaws.com", 443, AuthMethod::Certificate, 404, "", "temporary keys"),
        ("c.jobs.iot.eu-central-1.amazonaws.com", 443, AuthMethod::Certificate, 403, "", "for jobs"),
        (
            DATA,
            443,
            AuthMethod::SigV4,
            403,
            "Credential should be scoped to correct service: 'execute-api'",
            "control plane",
        ),
        (
            DATA,
            443,
            AuthMethod::SigV4,
            403,
            "Credential should be scoped to correct service: 'iotdata'",
            "iotdevicegateway",
        ),
        (
            "a1-ats.iot.us-east-1.amazonaws.com",
            443,
            AuthMethod::SigV4,
            403,
            "Credential should be scoped to a valid region, not 'eu-central-1'.",
            "for the region eu-central-1, and the endpoint is in us-east-1",
        ),
        (
            "iot.example.com",
            443,
            AuthMethod::SigV4,
            403,
            "Credential should be scoped to a valid region",
            "region eu-central-1",
        ),
        (
            DATA,
            443,
            AuthMethod::SigV4,
            403,
            "The request signature we calculated does not match the ...",
            "secret access key",
        ),
        (DATA, 443, AuthMethod::SigV4, 403, "The security token included in the request is invalid.", "session token"),
        (DATA, 443, AuthMethod::SigV4, 403, "The security token included in the request is expired", "has ended"),
        (DATA, 443, AuthMethod::SigV4, 403, "Signature expired: 1 is now earlier than 2", "set the clock"),
        (DATA, 443, AuthMethod::SigV4, 403, MISSING_TOKEN, "authorization header"),
        (
            DATA,
            443,
            AuthMethod::SigV4,
            403,
            "Forbidden",
            "the IAM policy of the access key most likely lacks iot:Publish",
        ),
        (DATA, 8443, AuthMethod::SigV4, 403, MISSING_TOKEN, "use port 443"),
        (DATA, 443, AuthMethod::CustomAuthorizer, 403, "Forbidden", "the authorizer says no"),
        (DATA, 443, AuthMethod::CustomAuthorizer, 403, MISSING_TOKEN, "no authorizer was found"),
        (DATA, 8443, AuthMethod::CustomAuthorizer, 403, MISSING_TOKEN, "use port 443"),
    ] {
        let explanation = of(host, port, auth_method, status, message);
        assert!(explanation.contains(named), "{host}:{port} {auth_method:?} {status} {message:?}: {explanation}");
    }
}

#[test]
fn a_missing_answer_is_explained_from_what_is_known_around_it() {
    for (host, port, auth_method, failure, named) in [
        (DATA, 8443, AuthMethod::Certificate, TransportErrorKind::ConnectionClosed, "inactive or not registered"),
        (DATA, 8443, AuthMethod::Certificate, TransportErrorKind::ConnectionClosed, "just-in-time"),
        (DATA, 8443, AuthMethod::SigV4, TransportErrorKind::ConnectionClosed, "use port 443"),
        (DATA, 8443, AuthMethod::CustomAuthorizer, TransportErrorKind::TlsAlert, "use port 443"),
        (DATA, 443, AuthMethod::SigV4, TransportErrorKind::TlsAlert, "offer no ALPN"),
        (DATA, 8443, AuthMethod::Certificate, TransportErrorKind::TlsAlert, "belongs to this account"),
        (DATA, 8443, AuthMethod::Certificate, TransportErrorKind::TlsCertificate, "the roots in use"),
        (
            "a1.iot.eu-central-1.amazonaws.com",
            8443,
            AuthMethod::Certificate,
            TransportErrorKind::TlsCertificate,
            "Data-ATS",
        ),
        (DATA, 8443, AuthMethod::Certificate, TransportErrorKind::ConnectTimeout, "use port 443 with the ALPN"),
        (DATA, 443, AuthMethod::Certificate, TransportErrorKind::ConnectTimeout, "firewall"),
        ("typo.example", 443, AuthMethod::Certificate, TransportErrorKind::NameResolution, "describe-endpoint"),
    ] {
        let explanation = without_answer(host, port, auth_method, failure);
        assert!(explanation.contains(named), "{host}:{port} {auth_method:?} {failure:?}: {explanation}");
    }
}

#[test]
fn a_wrong_clock_is_named_with_its_minutes_and_its_direction() {
    let config = config(DATA, 443, AuthMethod::SigV4);
    let headers = vec![("date".into(), b"Thu, 18 Jan 2018 09:18:06 GMT".to_vec())];
    let response = Response { status: 403, headers, body: br#"{"message":"Signature not yet current: .."}"#.to_vec() };
    for (now_unix_ms, named) in [
        (1_516_267_086_000 + 42 * 60_000, "the clock is 42 minutes ahead"),
        (1_516_267_086_000 - 7 * 60_000, "the clock is 7 minutes behind"),
    ] {
        let error = crate::aws::read_publish_response(&config, &response).unwrap_err().at(now_unix_ms, &response);
        let explanation = explain(&config, &error, &publication());
        assert!(explanation.contains(named), "{explanation}");
    }
}

#[test]
fn the_permission_of_each_operation_is_named_with_its_resource() {
    let config = config(DATA, 8443, AuthMethod::Certificate);
    let shadow = |name: Option<&str>| Shadow { thing: "t".into(), name: name.map(Into::into) };
    let disconnection = ClientDisconnection { client_id: "c".into(), clean_session: false, prevent_will: false };
    let retained = about(Message { retain: true, ..Message::new("a", *b"x", Qos::AtMostOnce) });
    let for_rule = about(Message { rule: Some("r".into()), ..Message::new("a", *b"x", Qos::AtMostOnce) });
    for (context, named) in [
        (operation(Operation::GetShadow(shadow(None))), "iot:GetThingShadow on arn:aws:iot:eu-central-1:*:thing/t"),
        (
            operation(Operation::DeleteShadow(shadow(Some("n")))),
            "iot:DeleteThingShadow on arn:aws:iot:eu-central-1:*:thing/t/n",
        ),
        (operation(Operation::ListRetainedMessages(Default::default())), "iot:ListRetainedMessages on *"),
        (
            operation(Operation::DeleteConnection(disconnection)),
            "iot:DeleteConnection on arn:aws:iot:eu-central-1:*:client/c",
        ),
        (retained, "iot:Publish and iot:RetainPublish on arn:aws:iot:eu-central-1:*:topic/a"),
        (for_rule, "iot:Publish on arn:aws:iot:eu-central-1:*:topic/$aws/rules/r/a"),
    ] {
        let explanation = explain(&config, &refused(&config, 403, ""), &context);
        assert!(explanation.contains(named), "{explanation}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let config = config(DATA, 8443, AuthMethod::Certificate);
    let shadow = operation(Operation::GetShadow(Shadow { thing: "t".into(), name: None }));
    let explanation = explain(&config, &refused(&config, 404, "No shadow exists with name: 't'"), &shadow);
    assert!(explanation.contains("no such shadow"), "{explanation}");
}
