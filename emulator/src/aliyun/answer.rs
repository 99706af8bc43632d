//! Aliyun answers every business error with status 200, no reason phrase and a code in the body, and orders its keys in
//! two ways. Clients that go by the status, or parse the id as a double, fail here as they would there.

use serde_json::{Value, json};

use super::cloud::Cloud;
use super::code::{self, SUCCESS, TOKEN_EXPIRED, iot_auth};
use crate::http1::{self, Response};
use crate::ledger::Disposition;
use crate::platform::Decision;
use crate::unique::unique_bytes;

/// The inside of a success.
pub(super) enum Info<'a> {
    Token(&'a str),
    MessageId(u64),
}

impl Info<'_> {
    fn to_json(&self) -> String {
        match self {
            // Tokens are made here, of characters that need no escape.
            Self::Token(token) => format!(r#"{{"token":"{token}"}}"#),
            Self::MessageId(id) => format!(r#"{{"messageId":{id}}}"#),
        }
    }
}

pub(super) fn trace_id() -> String {
    hex::encode(&unique_bytes()[..15])
}

pub(super) fn success(cloud: &Cloud, trace_id: &str, info: &Info<'_>) -> Response {
    let key = if cloud.state().capital_info { "Info" } else { "info" };
    let body = format!(r#"{{"code":0,"message":"{}","{key}":{}}}"#, code::message(SUCCESS), info.to_json());
    business(cloud, trace_id, body)
}

/// A code that is not success. The captured one, for an expired token, names a message id, and before the message.
pub(super) fn failure(cloud: &Cloud, trace_id: &str, code: u32) -> Response {
    let message = code::message(code);
    let body = if code == TOKEN_EXPIRED {
        let mut state = cloud.state();
        let key = if state.capital_info { "Info" } else { "info" };
        let info = Info::MessageId(state.message_id()).to_json();
        format!(r#"{{"code":{code},"{key}":{info},"message":"{message}"}}"#)
    } else {
        format!(r#"{{"code":{code},"message":"{message}"}}"#)
    };
    business(cloud, trace_id, body)
}

/// A success of the service that registers devices.
pub(super) fn data(cloud: &Cloud, trace_id: &str, data: &Value) -> Response {
    let code = iot_auth::SUCCESS;
    let body = json!({ "code": code, "data": data, "message": iot_auth::message(code) });
    business(cloud, trace_id, body.to_string())
}

/// A code of that service that is not success.
pub(super) fn no_data(cloud: &Cloud, trace_id: &str, code: u32) -> Response {
    let body = json!({ "code": code, "message": iot_auth::message(code) });
    business(cloud, trace_id, body.to_string())
}

fn business(cloud: &Cloud, trace_id: &str, body: String) -> Response {
    let headers = vec![
        header("Content-Type", "application/json"),
        header("Content-Length", &body.len().to_string()),
        header("Connection", if cloud.keep_alive { "keep-alive" } else { "close" }),
        header("Server", "Tengine"),
        header("EagleEye-TraceId", trace_id),
        header("Timing-Allow-Origin", "*"),
        header("Date", &cloud.clock.http_date()),
    ];
    Response { status: 200, reason: None, headers, body: body.into_bytes(), persistent: cloud.keep_alive }
}

/// Where every other path leads.
pub(super) fn redirect(cloud: &Cloud) -> Response {
    let mut response = page(cloud, 302);
    response.headers.push(header("Location", "http://err.taobao.com/error1.html"));
    response
}

/// What the web server in front of the platform says by itself.
pub(super) fn page(cloud: &Cloud, status: u16) -> Response {
    let reason = http1::reason(status);
    let title = format!("{status} {}", reason.unwrap_or_default());
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1>\r\n<hr/>Tengine\r\n</body>\r\n</html>\r\n"
    );
    let headers = vec![
        header("Content-Type", "text/html"),
        header("Content-Length", &body.len().to_string()),
        header("Connection", if cloud.keep_alive { "keep-alive" } else { "close" }),
        header("Server", "Tengine"),
        header("Date", &cloud.clock.http_date()),
    ];
    Response { status, reason, headers, body: body.into_bytes(), persistent: cloud.keep_alive }
}

/// That the web server has answered by itself, which it does without a trace id.
pub(super) fn by_the_web_server(response: Response) -> Decision {
    let disposition = Disposition::Refused { status: response.status, code: String::new() };
    Decision { disposition, trace_id: None, answer: Some(response) }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
