//! HTTP as plain values, so that the same core serves a WASI component, a Python program with `requests` and a unit
//! test without any client at all.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use alloc::sync::Arc;

use crate::calendar::read_http_date;
use crate::json;

/// What a request travels over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// TLS, as every platform wants it.
    #[default]
    Https,
    /// Plain HTTP, for a stand-in of a platform on the same machine.
    Http,
}

/// A request to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// `host`, or `host:port` where the port is not 443.
    pub authority: String,
    /// Percent-encoded; to be sent byte for byte.
    pub path_with_query: String,
    /// Names in lower case. `content-length` is always there: a WASI host never adds it, and Aliyun fails an
    /// authentication without it. `host` is left to the client.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body, shared with the message it carries.
    pub body: Arc<[u8]>,
}

impl Request {
    /// A `POST` with a body of this media type.
    pub fn post(authority: String, path_with_query: String, content_type: &'static str, body: Arc<[u8]>) -> Self {
        let headers =
            vec![("content-type".into(), content_type.to_owned()), ("content-length".into(), body.len().to_string())];
        Self { method: "POST", authority, path_with_query, headers, body }
    }

    /// A request that has nothing to say but its address.
    pub fn without_body(method: &'static str, authority: String, path_with_query: String) -> Self {
        let headers = vec![("content-length".into(), "0".to_owned())];
        Self { method, authority, path_with_query, headers, body: [].into() }
    }
}

/// Shows neither header values nor the query nor the body: a token travels in each of them.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header_names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let path = self.path_with_query.split_once('?').map_or(self.path_with_query.as_str(), |(path, _)| path);
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("authority", &self.authority)
            .field("path", &path)
            .field("header_names", &header_names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The largest answer to a publication worth reading. Real ones are below 1 KB; whatever is larger is not the platform's.
pub const MAX_RESPONSE_BODY: usize = 16 * 1024;

/// The largest answer to an operation worth reading: a retained message of 128 KB is 175 KB in base64.
pub const MAX_REPLY_BODY: usize = 256 * 1024;

/// An answer, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, in any case and any order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))?;
        core::str::from_utf8(value.trim_ascii()).ok()
    }

    /// Whether the server has done what was asked.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether this says what became of the request although its body broke off. Middleboxes end connections without
    /// the goodbye of TLS, and lose the last bytes: what was thrown away for that was sent four times.
    ///
    /// A status that is no success says all there is to say, and so does a success whose body is not needed. Otherwise
    /// the body must be whole, and an object in JSON ends where it ends.
    pub fn decides_though_cut_short(&self, body_needed: bool) -> bool {
        !self.is_success() || !body_needed || json::is_object(&self.body)
    }

    /// How long the server wants to be left alone, in seconds or until a date by its own clock.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let value = self.header("retry-after")?;
        if let Ok(seconds) = value.parse::<u32>() {
            return Some(u64::from(seconds) * 1000);
        }
        let until_unix_ms = read_http_date(value)?.checked_mul(1000)?;
        Some(until_unix_ms.saturating_sub(self.date_unix_ms()?))
    }

    /// When the server says that it answered.
    pub fn date_unix_ms(&self) -> Option<u64> {
        read_http_date(self.header("date")?)?.checked_mul(1000)
    }

    /// Whether this is a web page: what a portal, a proxy or an unrelated server sends. The body decides where it can: there
    /// are servers (moto, and what is built on it) that call their JSON `text/html`.
    pub fn is_web_page(&self) -> bool {
        let is_called_one = || {
            self.header("content-type")
                .and_then(|media_type| media_type.get(..9))
                .is_some_and(|start| start.eq_ignore_ascii_case("text/html"))
        };
        match self.body.trim_ascii_start().first() {
            Some(b'<') => true,
            Some(_) => is_called_one() && !json::is_object(&self.body),
            None => is_called_one(),
        }
    }
}

/// Shows neither header values nor the body: the answer to an authentication holds the token.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("body_bytes", &self.body.len()).finish()
    }
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// Why.
    pub kind: TransportErrorKind,
    /// What the HTTP client says about it, for people.
    pub detail: Option<String>,
}

impl From<TransportErrorKind> for TransportError {
    fn from(kind: TransportErrorKind) -> Self {
        Self { kind, detail: None }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for TransportError {}

/// Why an HTTP client has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host has no route for this destination, or forbids it.
    Denied,
    /// The name could not be resolved.
    NameResolution,
    /// The address has no listener.
    ConnectionRefused,
    /// No way to the address.
    Unreachable,
    /// No usable connection in time, TLS handshake included.
    ConnectTimeout,
    /// The host has as many connections as it allows.
    ConnectionLimit,
    /// The server's certificate is not trusted, has expired, or is for another name.
    TlsCertificate,
    /// The server refused the TLS handshake with an alert.
    TlsAlert,
    /// The TLS handshake failed in another way.
    TlsProtocol,
    /// The HTTP client refused to send the request.
    RequestRejected,
    /// The connection was closed before an answer.
    ConnectionClosed,
    /// A close after messages had been answered: a kept connection that ended just as the request left, most likely. Nothing
    /// that keeps a device from ever getting an answer can be why. At the border it is the one above.
    KeptConnectionClosed,
    /// MQTT: the connection was broken off and not closed: a reset, or what came was no TLS. Anything on the way can do that.
    ConnectionReset,
    /// No answer in time.
    AnswerTimeout,
    /// The answer broke off.
    AnswerIncomplete,
    /// The head of the answer was larger than it may be, or a reply that is wanted whole.
    AnswerTooLarge,
    /// What came back is not HTTP.
    Protocol,
    /// MQTT: nothing came from the broker for too long.
    KeepAliveTimeout,
    /// Anything else, perhaps after sending.
    Other,
}

impl TransportErrorKind {
    /// Whether the request certainly did not reach the platform.
    pub fn is_before_sending(self) -> bool {
        match self {
            Self::Denied
            | Self::NameResolution
            | Self::ConnectionRefused
            | Self::Unreachable
            | Self::ConnectTimeout
            | Self::ConnectionLimit
            | Self::TlsCertificate
            | Self::TlsAlert
            | Self::TlsProtocol
            | Self::RequestRejected => true,
            Self::ConnectionClosed
            | Self::KeptConnectionClosed
            | Self::ConnectionReset
            | Self::AnswerTimeout
            | Self::AnswerIncomplete
            | Self::AnswerTooLarge
            | Self::Protocol
            | Self::KeepAliveTimeout
            | Self::Other => false,
        }
    }

    /// Whether the same request can fare better later without anybody changing anything here. All of the network can,
    /// certificates among it: a pair on disk may be half renewed, a clock not set yet.
    pub fn is_transient(self) -> bool {
        !matches!(self, Self::Denied | Self::RequestRejected | Self::AnswerTooLarge)
    }

    /// Why there is no answer, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Denied => "the host does not allow this destination",
            Self::NameResolution => "the name could not be resolved",
            Self::ConnectionRefused => "connection refused",
            Self::Unreachable => "no way to the address",
            Self::ConnectTimeout => "no connection in time",
            Self::ConnectionLimit => "the host has no connection to spare",
            Self::TlsCertificate => "the server's certificate is not trusted",
            Self::TlsAlert => "the server refused the TLS handshake",
            Self::TlsProtocol => "the TLS handshake failed",
            Self::RequestRejected => "the HTTP client refused the request",
            Self::ConnectionClosed | Self::KeptConnectionClosed => "the connection was closed before an answer",
            Self::ConnectionReset => "the connection was broken off",
            Self::AnswerTimeout => "no answer in time",
            Self::AnswerIncomplete => "the answer broke off",
            Self::AnswerTooLarge => "the answer is too large to be the platform's",
            Self::Protocol => "what came back is not HTTP",
            Self::KeepAliveTimeout => "nothing came from the broker for too long",
            Self::Other => "the request failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_neither_header_values_nor_queries_nor_bodies() {
        let mut request =
            Request::post("host".into(), "/path?t=token".into(), "application/json", b"signature".as_slice().into());
        request.headers.push(("password".into(), "token".into()));
        let response = Response { status: 200, headers: vec![], body: b"token".to_vec() };
        let shown = format!("{request:?} {response:?}");
        assert!(!shown.contains("signature") && !shown.contains("token"), "{shown}");
        assert!(shown.contains("/path"), "{shown}");
    }

    #[test]
    fn a_web_page_is_known_by_its_body_before_what_it_is_called() {
        for (media_type, body, is_page) in [
            ("text/html; charset=utf-8", "{}", false),
            ("TEXT/HTML", " {\"message\":\"OK\"}\n", false),
            ("text/html", "", true),
            ("text/html", "please log in", true),
            ("text/html", "{not json", true),
            ("application/json", "<html>", true),
            ("application/json", " \n<!DOCTYPE html>", true),
            ("application/json", "{}", false),
            ("text/plain", "", false),
        ] {
            let headers = vec![("Content-Type".into(), media_type.as_bytes().to_vec())];
            let response = Response { status: 200, headers, body: body.as_bytes().to_vec() };
            assert_eq!(response.is_web_page(), is_page, "{media_type} {body}");
        }
    }

    #[test]
    fn an_answer_that_broke_off_decides_by_its_head_or_by_a_body_that_is_whole() {
        for (status, body, with_body, by_head) in [
            (200, r#"{"code":0}"#, true, true),
            (200, r#"{"code":0"#, false, true),
            (200, "", false, true),
            (204, "", false, true),
            (403, r#"{"mess"#, true, true),
            (503, "", true, true),
            (302, "<html", true, true),
        ] {
            let response = Response { status, headers: vec![], body: body.as_bytes().to_vec() };
            assert_eq!(response.decides_though_cut_short(true), with_body, "{status} {body}");
            assert_eq!(response.decides_though_cut_short(false), by_head, "{status} {body}");
        }
    }

    #[test]
    fn a_server_that_wants_to_be_left_alone_says_so_in_seconds_or_with_a_date() {
        let after = |value: &str, date: Option<&str>| {
            let date = date.map(|date| ("Date".to_owned(), date.as_bytes().to_vec()));
            let headers = [("Retry-After".to_owned(), value.as_bytes().to_vec())].into_iter().chain(date).collect();
            Response { status: 503, headers, body: vec![] }.retry_after_ms()
        };
        let (now, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(after("120", None), Some(120_000));
        assert_eq!(after("0", None), Some(0));
        assert_eq!(after(later, Some(now)), Some(30_000));
        assert_eq!(after(now, Some(later)), Some(0));
        assert_eq!(after(later, None), None, "by whose clock?");
        for nonsense in ["", "-1", "1.5", "soon", "99999999999999999999"] {
            assert_eq!(after(nonsense, Some(now)), None, "{nonsense}");
        }
    }

    #[test]
    fn header_names_match_in_any_case() {
        let response =
            Response { status: 200, headers: vec![("X-Amzn-RequestId".into(), b" 1 ".to_vec())], body: vec![] };
        assert_eq!(response.header("x-amzn-requestid"), Some("1"));
        assert_eq!(response.header("x-other"), None);
    }
}
