//! Every answer of the platform has status 200 and a result code in its body. Whatever has another status, or no
//! code, comes from somewhere else: a redirect to an error page means that the path is wrong.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use crate::error::{Cause, Error, Stage};
use crate::http::Response;
use crate::json::{self, Json, Slot};
use crate::outcome::{Answer, Delivery, Retry};

/// What throttled callers wait at least. No limit is documented over HTTPS; those for other protocols are per second.
const THROTTLED_PAUSE_MS: u64 = 1_000;

/// What every answer has in common.
pub(super) struct Reply<'a> {
    pub answer: Answer,
    /// What a success gives, under both spellings of its name: one page of the documentation has `Info`, the service does not.
    info: [Json<'a>; 2],
}

impl<'a> Reply<'a> {
    /// The reply of a success, the error of anything else.
    pub fn read(stage: Stage, response: &'a Response) -> Result<Self, Error> {
        let (mut code, mut message, mut info, mut capital_info) = (None, None, Json::default(), Json::default());
        let mut wanted = [
            ("code", Slot::Integer(&mut code)),
            ("message", Slot::Text(&mut message)),
            ("info", Slot::Value(&mut info)),
            ("Info", Slot::Value(&mut capital_info)),
        ];
        json::read(&response.body, &mut wanted);
        let answer = Answer {
            status: response.status,
            code: code.map(|code| code.to_string()),
            message,
            trace_id: response.header("eagleeye-traceid").map(str::to_owned),
            clock_ahead_ms: None,
        };
        if code == Some(0) && response.status == 200 {
            return Ok(Self { answer, info: [info, capital_info] });
        }
        let documented = code.and_then(judge_code);
        let (cause, delivery, retry) = documented.unwrap_or_else(|| judge_without_code(response, code.is_some()));
        Err(Error::answered(stage, cause, delivery, retry, answer).after_what_the_server_wishes(response))
    }

    /// The token that was asked for.
    pub fn token(&self) -> Option<String> {
        let mut token = None;
        for info in &self.info {
            if token.is_none() {
                info.read(&mut [("token", Slot::Text(&mut token))]);
            }
        }
        token
    }

    /// The number of the message that was taken. It is above 2^53, where a float would change it; as text for a server that
    /// knows that.
    pub fn message_id(&self) -> Option<u64> {
        let mut message_id = None;
        for info in &self.info {
            if message_id.is_none() {
                info.read(&mut [("messageId", Slot::Digits(&mut message_id))]);
            }
        }
        message_id
    }

    /// This success lacks what it is for.
    pub fn incomplete(self, stage: Stage, what: &'static str) -> Error {
        Error::malformed(stage, self.answer, what)
    }
}

/// The documented result codes, the same in every version of the documentation.
fn judge_code(code: u64) -> Option<(Cause, Delivery, Retry)> {
    use Delivery::{Refused, Unknown};
    Some(match code {
        // "Unknown error": it may have struck after the message was taken.
        10000 => (Cause::ServerError, Unknown, Retry::AfterMs(0)),
        10001 => (Cause::InvalidRequest, Refused, Retry::Never),
        20000 => (Cause::Unauthenticated, Refused, Retry::Never),
        20001..=20003 => (Cause::TokenRejected, Refused, Retry::AfterAuthentication),
        20004 => (Cause::Unavailable, Refused, Retry::AfterMs(0)),
        30001 => (Cause::PublishFailed, Refused, Retry::AfterMs(0)),
        40000 => (Cause::Throttled, Refused, Retry::AfterMs(THROTTLED_PAUSE_MS)),
        _ => return None,
    })
}

/// What has no code that the documentation knows. Most of it did not come from the platform's application.
fn judge_without_code(response: &Response, has_code: bool) -> (Cause, Delivery, Retry) {
    use Delivery::{Refused, Unknown};
    match response.status {
        300..=399 | 404 => (Cause::WrongHostOrPath, Refused, Retry::Never),
        // The request did not come whole in the server's time.
        408 => (Cause::Unavailable, Refused, Retry::AfterMs(0)),
        413 => (Cause::PayloadTooLarge, Refused, Retry::Never),
        429 => (Cause::Throttled, Refused, Retry::AfterMs(THROTTLED_PAUSE_MS)),
        500 | 502 | 504 => (Cause::ServerError, Unknown, Retry::AfterMs(0)),
        503 => (Cause::Unavailable, Refused, Retry::AfterMs(0)),
        400..=499 if response.is_web_page() => (Cause::WrongHostOrPath, Refused, Retry::Never),
        400..=499 => (Cause::UndocumentedAnswer, Refused, Retry::Never),
        _ if response.is_web_page() => (Cause::WrongHostOrPath, Unknown, Retry::Never),
        200 if !has_code => (Cause::MalformedAnswer, Unknown, Retry::Never),
        _ => (Cause::UndocumentedAnswer, Unknown, Retry::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Result<(), Error> {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        let response = Response { status, headers, body: body.as_bytes().to_vec() };
        Reply::read(Stage::Publication, &response).map(drop)
    }

    #[test]
    fn every_documented_code_has_its_cause() {
        use Delivery::{Refused, Unknown};
        for (code, cause, delivery) in [
            (10000, Cause::ServerError, Unknown),
            (10001, Cause::InvalidRequest, Refused),
            (20000, Cause::Unauthenticated, Refused),
            (20001, Cause::TokenRejected, Refused),
            (20002, Cause::TokenRejected, Refused),
            (20003, Cause::TokenRejected, Refused),
            (20004, Cause::Unavailable, Refused),
            (30001, Cause::PublishFailed, Refused),
            (40000, Cause::Throttled, Refused),
            (77, Cause::UndocumentedAnswer, Unknown),
        ] {
            let error = read(200, &[], &format!(r#"{{"code":{code},"message":"m"}}"#)).unwrap_err();
            assert_eq!((error.cause, error.delivery), (cause, delivery), "{code}");
            let answer = error.answer.unwrap();
            assert_eq!(answer.code, Some(code.to_string()));
            assert_eq!(answer.message.as_deref(), Some("m"));
        }
    }

    #[test]
    fn a_redirect_and_a_page_point_at_the_wrong_host_or_path() {
        let location = [("location", "http://err.example/error1.html")];
        for (status, body) in [(302, ""), (200, "<html>"), (404, ""), (200, "\n <!DOCTYPE html>")] {
            assert_eq!(read(status, &location, body).unwrap_err().cause, Cause::WrongHostOrPath, "{status} {body}");
        }
    }

    #[test]
    fn json_that_is_called_a_page_is_read_all_the_same() {
        let html = [("content-type", "text/html;charset=utf-8")];
        assert!(read(200, &html, r#"{"code":0,"info":{}}"#).is_ok());
        assert_eq!(read(200, &html, r#"{"code":77}"#).unwrap_err().cause, Cause::UndocumentedAnswer);
        assert_eq!(read(200, &html, "log in").unwrap_err().cause, Cause::WrongHostOrPath);
    }

    #[test]
    fn what_a_gateway_answers_is_judged_by_its_status_with_or_without_a_page_or_a_code_of_its_own() {
        use Delivery::{Refused, Unknown};
        for (status, cause, delivery) in [
            (400, Cause::UndocumentedAnswer, Refused),
            (404, Cause::WrongHostOrPath, Refused),
            (408, Cause::Unavailable, Refused),
            (413, Cause::PayloadTooLarge, Refused),
            (429, Cause::Throttled, Refused),
            (500, Cause::ServerError, Unknown),
            (502, Cause::ServerError, Unknown),
            (503, Cause::Unavailable, Refused),
            (504, Cause::ServerError, Unknown),
        ] {
            for body in [String::new(), format!(r#"{{"code":{status}}}"#)] {
                let error = read(status, &[], &body).unwrap_err();
                assert_eq!((error.cause, error.delivery), (cause, delivery), "{status} {body}");
            }
            let error = read(status, &[], "<html>").unwrap_err();
            assert_eq!(error.delivery, delivery, "{status}");
        }
        let error = read(403, &[], "<html>").unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::WrongHostOrPath, Refused));
    }

    #[test]
    fn the_trace_id_comes_from_its_header() {
        let error = read(200, &[("EagleEye-TraceId", "0bc5")], r#"{"code":30001}"#).unwrap_err();
        assert_eq!(error.answer.unwrap().trace_id.as_deref(), Some("0bc5"));
    }

    #[test]
    fn json_without_a_code_is_malformed() {
        for body in ["{}", "[]", "null", "{\"code\":\"0\"}", "{\"code\":0.5}", ""] {
            let error = read(200, &[], body).unwrap_err();
            assert_eq!(error.cause, Cause::MalformedAnswer, "{body}");
            assert_eq!(error.delivery, Delivery::Unknown);
        }
    }
}
