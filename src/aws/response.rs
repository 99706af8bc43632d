//! Success and refusal both come as 65 bytes of JSON; only the status tells them apart. The error type stands in a
//! header with a colon behind it, or in the body under one of two names, and the message may be JSON's `null`.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::AuthMethod;
use crate::error::{Cause, Error, Stage};
use crate::http::Response;
use crate::json::{self, Slot};
use crate::outcome::{Answer, Delivery, Retry};

/// What throttled callers wait at least: the limits are per second.
const THROTTLED_PAUSE_MS: u64 = 1_000;

/// What was asked for: the same status means one thing here and another there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A temporary key.
    Credentials,
    /// To publish a message, authenticated by this method.
    Publication(AuthMethod),
    /// To change a shadow.
    ShadowUpdate(AuthMethod),
    /// To send a message to one client.
    DirectMessage(AuthMethod),
    /// Something else.
    Operation(AuthMethod),
}

/// The answer of a success, the error of anything else.
pub(super) fn check(asked: Request, response: &Response) -> Result<Answer, Error> {
    // A server that answers 200 on the authenticated connection has done what was asked, unless it is a portal or a proxy
    // that shows a page. Of its body nothing is read but the trace id: the rest says "OK".
    if response.status == 200 && !response.is_web_page() {
        let mut in_body = None;
        json::read(&response.body, &mut [("traceId", Slot::Text(&mut in_body))]);
        let trace_id = trace_id(response, in_body);
        return Ok(Answer { status: 200, code: None, message: None, trace_id, clock_ahead_ms: None });
    }
    let answer = read_answer(response);
    let stage = match asked {
        Request::Credentials => Stage::Authentication,
        _ => Stage::Publication,
    };
    let (cause, delivery, retry) = judge(asked, response, answer.message.as_deref().unwrap_or_default());
    Err(Error::answered(stage, cause, delivery, retry, answer).after_what_the_server_wishes(response))
}

/// The documented statuses of the operations and of the service as a whole.
fn judge(asked: Request, response: &Response, message: &str) -> (Cause, Delivery, Retry) {
    use Delivery::{Refused, Unknown};
    match response.status {
        400 | 415 | 422 => (Cause::InvalidRequest, Refused, Retry::Never),
        401 => (Cause::Unauthenticated, Refused, Retry::Never),
        403 if asked.is_with_temporary_key() && message.starts_with(TOKEN_REJECTED) => {
            (Cause::TokenRejected, Refused, Retry::AfterAuthentication)
        }
        403 => (Cause::Forbidden, Refused, Retry::Never),
        404 => (Cause::NotFound, Refused, Retry::Never),
        405 => (Cause::MethodNotAllowed, Refused, Retry::Never),
        // The request did not come whole in the server's time.
        408 => (Cause::Unavailable, Refused, Retry::AfterMs(0)),
        409 if matches!(asked, Request::ShadowUpdate(_)) => (Cause::VersionConflict, Refused, Retry::Never),
        409 => (Cause::Conflict, Refused, Retry::AfterMs(0)),
        413 => (Cause::PayloadTooLarge, Refused, Retry::Never),
        426 => (Cause::UpgradeRequired, Refused, Retry::Never),
        429 => (Cause::Throttled, Refused, Retry::AfterMs(THROTTLED_PAUSE_MS)),
        504 if matches!(asked, Request::DirectMessage(_)) => (Cause::Unconfirmed, Unknown, Retry::AfterMs(0)),
        // An internal failure or a gateway without an answer may follow a message that was taken.
        500 | 502 | 504 => (Cause::ServerError, Unknown, Retry::AfterMs(0)),
        503 => (Cause::Unavailable, Refused, Retry::AfterMs(0)),
        300..=399 => (Cause::WrongHostOrPath, Refused, Retry::Never),
        200 => (Cause::WrongHostOrPath, Unknown, Retry::Never),
        400..=499 => (Cause::UndocumentedAnswer, Refused, Retry::Never),
        _ => (Cause::UndocumentedAnswer, Unknown, Retry::Never),
    }
}

/// How a refusal begins that a new temporary key cures: the old one is "expired" or "invalid".
const TOKEN_REJECTED: &str = "The security token included in the request is ";

impl Request {
    fn is_with_temporary_key(self) -> bool {
        match self {
            Self::Credentials => false,
            Self::Publication(auth_method)
            | Self::ShadowUpdate(auth_method)
            | Self::DirectMessage(auth_method)
            | Self::Operation(auth_method) => auth_method == AuthMethod::CredentialsProvider,
        }
    }
}

fn read_answer(response: &Response) -> Answer {
    let (mut code, mut kind, mut message, mut trace) = (None, None, None, None);
    let mut wanted = [
        ("code", Slot::Text(&mut code)),
        ("__type", Slot::Text(&mut kind)),
        ("message", Slot::Text(&mut message)),
        ("traceId", Slot::Text(&mut trace)),
    ];
    json::read(&response.body, &mut wanted);
    let code = response
        .header("x-amzn-errortype")
        .map(str::to_owned)
        .or(code)
        .or(kind)
        .map(|code| bare_error_type(&code).to_owned())
        .filter(|code| !code.is_empty());
    let trace_id = trace_id(response, trace);
    Answer { status: response.status, code, message, trace_id, clock_ahead_ms: None }
}

/// Where an answer has the identifier of the request: in its body, if that says it.
fn trace_id(response: &Response, in_body: Option<String>) -> Option<String> {
    in_body.or_else(|| response.header("x-amzn-requestid").map(str::to_owned))
}

/// `namespace#Name:documentation` is `Name`.
fn bare_error_type(code: &str) -> &str {
    let end = code.bytes().position(|byte| byte == b':').unwrap_or(code.len());
    let start = code.bytes().take(end).rposition(|byte| byte == b'#').map_or(0, |hash| hash + 1);
    code.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    fn read(response: &Response) -> Result<Answer, Error> {
        check(Request::Publication(AuthMethod::Certificate), response)
    }

    #[test]
    fn a_temporary_key_that_is_rejected_is_worth_another_one() {
        for message in ["expired", "invalid."] {
            let body = format!(r#"{{"message":"The security token included in the request is {message}"}}"#);
            let temporary = check(Request::Publication(AuthMethod::CredentialsProvider), &response(403, &[], &body));
            assert_eq!(temporary.unwrap_err().retry, Retry::AfterAuthentication);
            let static_key = check(Request::Publication(AuthMethod::SigV4), &response(403, &[], &body));
            assert_eq!(static_key.unwrap_err().cause, Cause::Forbidden);
        }
    }

    #[test]
    fn a_status_means_one_thing_here_and_another_there() {
        let auth_method = AuthMethod::SigV4;
        for (asked, status, cause) in [
            (Request::ShadowUpdate(auth_method), 409, Cause::VersionConflict),
            (Request::Operation(auth_method), 409, Cause::Conflict),
            (Request::DirectMessage(auth_method), 504, Cause::Unconfirmed),
            (Request::Operation(auth_method), 504, Cause::ServerError),
            (Request::ShadowUpdate(auth_method), 415, Cause::InvalidRequest),
        ] {
            assert_eq!(check(asked, &response(status, &[], "{}")).unwrap_err().cause, cause, "{asked:?}");
        }
        let error = check(Request::Credentials, &response(403, &[], "{}")).unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Forbidden, Stage::Authentication));
    }

    #[test]
    fn reads_the_captured_success() {
        let response = response(
            200,
            &[
                ("content-type", "application/json"),
                ("content-length", "65"),
                ("x-amzn-RequestId", "602536fa-5868-07ee-d9bd-78f66063db45"),
                ("connection", "keep-alive"),
            ],
            r#"{"message":"OK","traceId":"602536fa-5868-07ee-d9bd-78f66063db45"}"#,
        );
        let receipt = read(&response).unwrap();
        assert_eq!(receipt.trace_id.as_deref(), Some("602536fa-5868-07ee-d9bd-78f66063db45"));
    }

    #[test]
    fn reads_the_captured_denial_whose_message_is_null() {
        let response = response(
            403,
            &[("content-length", "65"), ("x-amzn-ErrorType", "ForbiddenException:")],
            r#"{"message":null,"traceId":"229ca570-9d45-e73d-6fcd-0f977ed89d9a"}"#,
        );
        let error = read(&response).unwrap_err();
        assert_eq!((error.cause, error.delivery, error.retry), (Cause::Forbidden, Delivery::Refused, Retry::Never));
        let answer = error.answer.unwrap();
        assert_eq!(answer.code.as_deref(), Some("ForbiddenException"));
        assert_eq!(answer.message, None);
        assert_eq!(answer.trace_id.as_deref(), Some("229ca570-9d45-e73d-6fcd-0f977ed89d9a"));
    }

    #[test]
    fn finds_the_error_type_in_header_or_body() {
        for (headers, body) in [
            (&[("X-AMZN-ERRORTYPE", "ThrottlingException:http://internal/")][..], "{}"),
            (&[], r#"{"code":"ThrottlingException"}"#),
            (&[], r#"{"__type":"com.amazonaws.iot#ThrottlingException"}"#),
        ] {
            let error = read(&response(429, headers, body)).unwrap_err();
            assert_eq!(error.answer.unwrap().code.as_deref(), Some("ThrottlingException"));
        }
    }

    #[test]
    fn every_documented_status_has_its_cause() {
        for (status, cause, delivery) in [
            (400, Cause::InvalidRequest, Delivery::Refused),
            (401, Cause::Unauthenticated, Delivery::Refused),
            (403, Cause::Forbidden, Delivery::Refused),
            (404, Cause::NotFound, Delivery::Refused),
            (405, Cause::MethodNotAllowed, Delivery::Refused),
            (408, Cause::Unavailable, Delivery::Refused),
            (409, Cause::Conflict, Delivery::Refused),
            (413, Cause::PayloadTooLarge, Delivery::Refused),
            (422, Cause::InvalidRequest, Delivery::Refused),
            (426, Cause::UpgradeRequired, Delivery::Refused),
            (429, Cause::Throttled, Delivery::Refused),
            (500, Cause::ServerError, Delivery::Unknown),
            (502, Cause::ServerError, Delivery::Unknown),
            (503, Cause::Unavailable, Delivery::Refused),
            (504, Cause::ServerError, Delivery::Unknown),
            (302, Cause::WrongHostOrPath, Delivery::Refused),
            (418, Cause::UndocumentedAnswer, Delivery::Refused),
            (204, Cause::UndocumentedAnswer, Delivery::Unknown),
        ] {
            let error = read(&response(status, &[], "{}")).unwrap_err();
            assert_eq!((error.cause, error.delivery), (cause, delivery), "{status}");
        }
    }

    #[test]
    fn a_page_with_status_200_is_no_success() {
        for (media_type, body) in [("text/plain", "<html>log in</html>"), ("text/html", "log in"), ("text/html", "")] {
            let error = read(&response(200, &[("content-type", media_type)], body)).unwrap_err();
            assert_eq!(
                (error.cause, error.delivery),
                (Cause::WrongHostOrPath, Delivery::Unknown),
                "{media_type} {body}"
            );
        }
    }

    #[test]
    fn json_that_is_called_a_page_is_a_success_all_the_same() {
        let headers = [("Content-Type", "text/html; charset=utf-8"), ("x-amzn-requestid", "9xFF")];
        assert_eq!(read(&response(200, &headers, "{}")).unwrap().trace_id.as_deref(), Some("9xFF"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(status in any::<u16>(), body in any::<Vec<u8>>(), header in any::<Vec<u8>>()) {
            let headers = vec![("x-amzn-errortype".to_owned(), header)];
            let _ = read(&Response { status, headers, body });
        }
    }
}
