//! Aliyun answers every business error with status 200, no reason phrase and a code in the body, and orders its keys in
//! two ways. Clients that go by the status, or parse the id as a double, fail here as they would there.

use super::Cloud;
use crate::http1::{self, Response};
use crate::unique::unique_bytes;

/// The codes that the emulator finds by itself. Tests can ask for any other.
pub(super) const SUCCESS: u32 = 0;
pub(super) const PARAM_ERROR: u32 = 10001;
pub(super) const AUTH_CHECK_ERROR: u32 = 20000;
pub(super) const TOKEN_EXPIRED: u32 = 20001;
pub(super) const TOKEN_NULL: u32 = 20002;
pub(super) const CHECK_TOKEN_ERROR: u32 = 20003;
pub(super) const PUBLISH_ERROR: u32 = 30001;

/// What the documentation says a code means.
fn message(code: u32) -> &'static str {
    match code {
        SUCCESS => "success",
        PARAM_ERROR => "param error",
        AUTH_CHECK_ERROR => "auth check error",
        TOKEN_EXPIRED => "token is expired",
        TOKEN_NULL => "token is null",
        CHECK_TOKEN_ERROR => "check token error",
        20004 => "update session error",
        PUBLISH_ERROR => "publish message error",
        40000 => "request too many",
        // 10000, and whatever a test makes up.
        _ => "common error",
    }
}

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
    let body = format!(r#"{{"code":0,"message":"{}","{key}":{}}}"#, message(SUCCESS), info.to_json());
    business(cloud, trace_id, body)
}

/// A code that is not success. The captured one, for an expired token, names a message id, and before the message.
pub(super) fn failure(cloud: &Cloud, trace_id: &str, code: u32) -> Response {
    let message = message(code);
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

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
