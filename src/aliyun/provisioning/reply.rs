//! Here success is 200 and the goods are in `data`; where tokens are given out it is 0 and `info`.

use alloc::string::ToString;

use crate::error::{Cause, Error, Stage};
use crate::http::Response;
use crate::json::{self, Json, Slot};
use crate::outcome::{Answer, Delivery, Retry};

/// What every answer has in common, and what a success gives; the error of anything else.
pub(super) fn read(response: &Response) -> Result<(Answer, Json<'_>), Error> {
    let (mut code, mut message, mut data) = (None, None, Json::default());
    let mut wanted =
        [("code", Slot::Integer(&mut code)), ("message", Slot::Text(&mut message)), ("data", Slot::Value(&mut data))];
    json::read(&response.body, &mut wanted);
    let answer = Answer {
        status: response.status,
        code: code.map(|code| code.to_string()),
        message,
        trace_id: response.header("eagleeye-traceid").map(ToString::to_string),
        clock_ahead_ms: None,
    };
    if code == Some(200) && response.status == 200 {
        return Ok((answer, data));
    }
    let (cause, delivery, retry) = code.and_then(judge).unwrap_or_else(|| judge_without_code(response));
    Err(Error::answered(Stage::Authentication, cause, delivery, retry, answer))
}

/// A success that lacks what it is for.
pub(super) fn incomplete(answer: Answer, what: &'static str) -> Error {
    Error::malformed(Stage::Authentication, answer, what)
}

/// The documented codes.
fn judge(code: u64) -> Option<(Cause, Delivery, Retry)> {
    use Delivery::{Refused, Unknown};
    Some(match code {
        401 | 6600 => (Cause::Unauthenticated, Refused, Retry::Never),
        460 => (Cause::InvalidRequest, Refused, Retry::Never),
        500 => (Cause::ServerError, Unknown, Retry::AfterMs(0)),
        5001 | 6100 | 6250 => (Cause::NotFound, Refused, Retry::Never),
        6200 => (Cause::Forbidden, Refused, Retry::Never),
        6288 => (Cause::RegistrationOff, Refused, Retry::Never),
        6289 => (Cause::AlreadyActive, Refused, Retry::Never),
        6292 => (Cause::SignMethodUnsupported, Refused, Retry::Never),
        _ => return None,
    })
}

/// What did not come from the platform's application.
fn judge_without_code(response: &Response) -> (Cause, Delivery, Retry) {
    match response.status {
        429 => (Cause::Throttled, Delivery::Refused, Retry::AfterMs(1_000)),
        300..=399 | 404 => (Cause::WrongHostOrPath, Delivery::Refused, Retry::Never),
        400..=499 if response.is_web_page() => (Cause::WrongHostOrPath, Delivery::Refused, Retry::Never),
        400..=499 => (Cause::UndocumentedAnswer, Delivery::Refused, Retry::Never),
        500..=599 => (Cause::ServerError, Delivery::Unknown, Retry::AfterMs(0)),
        _ if response.is_web_page() => (Cause::WrongHostOrPath, Delivery::Unknown, Retry::Never),
        _ => (Cause::UndocumentedAnswer, Delivery::Unknown, Retry::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<(), Error> {
        super::read(&Response { status, headers: vec![], body: body.as_bytes().to_vec() }).map(drop)
    }

    #[test]
    fn every_documented_code_has_its_cause() {
        for (code, cause) in [
            (401, Cause::Unauthenticated),
            (460, Cause::InvalidRequest),
            (500, Cause::ServerError),
            (5001, Cause::NotFound),
            (6100, Cause::NotFound),
            (6200, Cause::Forbidden),
            (6250, Cause::NotFound),
            (6288, Cause::RegistrationOff),
            (6289, Cause::AlreadyActive),
            (6292, Cause::SignMethodUnsupported),
            (6600, Cause::Unauthenticated),
            (7777, Cause::UndocumentedAnswer),
        ] {
            let error = read(200, &format!(r#"{{"code":{code},"message":"words"}}"#)).unwrap_err();
            assert_eq!((error.cause, error.stage), (cause, Stage::Authentication), "{code}");
            assert_eq!(error.answer.unwrap().message.as_deref(), Some("words"));
        }
    }

    #[test]
    fn the_success_of_the_other_door_is_none_here() {
        assert_eq!(read(200, r#"{"code":0,"info":{}}"#).unwrap_err().cause, Cause::UndocumentedAnswer);
        assert!(read(200, r#"{"code":200}"#).is_ok());
    }

    #[test]
    fn what_is_not_the_platforms_points_at_host_and_path() {
        for (status, body) in [(302, ""), (404, "<html>"), (200, "<html>")] {
            assert_eq!(read(status, body).unwrap_err().cause, Cause::WrongHostOrPath, "{status}");
        }
        assert_eq!(read(502, "").unwrap_err().cause, Cause::ServerError);
    }
}
