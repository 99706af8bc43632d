//! CONNECT. An answer may come in single bytes, with interim answers before it, after a silence, or together with the first
//! bytes of the server; and what answers may be no proxy at all, and never stop. So no more is taken from the socket than the
//! head of the answer, and no more than 16 KiB is.

use std::fmt::Write;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Credentials, ProxyError, ProxyProtocol, ProxyRefusal};
use crate::route::Endpoint;

/// All heads of an answer together, interim ones included.
const MAX_HEAD: usize = 16 * 1024;

/// As much of a refusal's words as anybody reads.
const MAX_TEXT: usize = 200;

/// How long the words of a refusal are waited for, that being known already.
const TEXT_PATIENCE: Duration = Duration::from_secs(1);

/// Some proxies turn away what does not say what it is.
const USER_AGENT: &str = concat!("thingpost/", env!("CARGO_PKG_VERSION"));

/// Asks for a way to `to`.
pub(super) async fn ask(
    tcp: &mut TcpStream,
    to: &Endpoint,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let request = request(to, credentials);
    // Where this fails, the reason is to be read.
    let written = tcp.write_all(request.as_bytes()).await;
    let mut room = MAX_HEAD;
    loop {
        let head = match read_head(tcp, &mut room).await {
            Err(ProxyError::Closed(_)) if written.is_err() => return written.map_err(ProxyError::Closed),
            head => Head::parse(&head?).ok_or(ProxyError::Malformed(ProxyProtocol::Http))?,
        };
        match head.status {
            100..=199 => {}
            200..=299 => return Ok(()),
            401 | 407 => {
                let (status, schemes) = (Some(head.status), head.unknown_schemes());
                return Err(ProxyError::Credentials { given: credentials.is_some(), status, schemes });
            }
            status => {
                let text = join(&head.reason, &first_line(tcp, &head).await);
                let text = if quotes(&text, credentials) { String::new() } else { text };
                return Err(ProxyError::Refused(ProxyRefusal::Http { status, text }));
            }
        }
    }
}

/// Whether a proxy says what it was told as a secret; then nothing of what it says is shown. It may have been cut off, so the
/// beginning of it is enough.
fn quotes(text: &str, credentials: Option<&Credentials>) -> bool {
    const ENOUGH: usize = 8;
    credentials.is_some_and(|Credentials { user, password }| {
        let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let mut secrets = [basic.as_str(), password.as_str()].into_iter().filter(|secret| !secret.is_empty());
        secrets.any(|secret| text.contains(&secret.chars().take(ENOUGH).collect::<String>()))
    })
}

fn request(to: &Endpoint, credentials: Option<&Credentials>) -> String {
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: {USER_AGENT}\r\n");
    if let Some(Credentials { user, password }) = credentials {
        let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
        write!(request, "Proxy-Authorization: Basic {basic}\r\n").expect("a string takes all that is written");
    }
    request + "\r\n"
}

/// One head, its end included, and nothing of what follows it.
async fn read_head(tcp: &mut TcpStream, room: &mut usize) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        // What is only looked at stays in the socket, for whom it is meant.
        let seen = tcp.peek(&mut chunk).await.map_err(ProxyError::Closed)?;
        if seen == 0 {
            return Err(ProxyError::Closed(io::ErrorKind::UnexpectedEof.into()));
        }
        let before = head.len();
        head.extend_from_slice(&chunk[..seen]);
        let end = end_of_head(&head);
        let taken = end.unwrap_or(head.len()) - before;
        tcp.read_exact(&mut chunk[..taken]).await.map_err(ProxyError::Closed)?;
        let begin = &head[..head.len().min(HTTP.len())];
        if !HTTP.starts_with(begin) {
            return Err(ProxyError::Malformed(ProxyProtocol::Http));
        }
        *room = room.checked_sub(taken).ok_or(ProxyError::TooLarge)?;
        if let Some(end) = end {
            head.truncate(end);
            return Ok(head);
        }
    }
}

const HTTP: &[u8] = b"HTTP/1.";

/// Behind the empty line. There are proxies that end lines with a line feed alone.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| match bytes.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// What counts of a head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    reason: String,
    /// The schemes of each `Proxy-Authenticate`.
    schemes: Vec<String>,
    is_plain_text: bool,
    length: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let (version, rest) = lines.next()?.split_once(' ')?;
        if !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
            return None;
        }
        let rest = rest.trim_start();
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.trim_end().parse().ok().filter(|status| (100..=599).contains(status))?;
        let mut head = Self { status, reason: sanitized(reason), schemes: Vec::new(), is_plain_text: false, length: 0 };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("proxy-authenticate") {
                head.schemes.extend(value.split_whitespace().next().map(sanitized));
            } else if name.eq_ignore_ascii_case("content-type") {
                head.is_plain_text = value.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("text/plain"));
            } else if name.eq_ignore_ascii_case("content-length") {
                head.length = value.parse().unwrap_or(0);
            }
        }
        Some(head)
    }

    /// The schemes that are offered, if none of them is Basic.
    fn unknown_schemes(&self) -> Option<String> {
        let has_basic = self.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
        (!has_basic && !self.schemes.is_empty()).then(|| sanitized(&self.schemes.join(", ")))
    }
}

/// The first line of a refusal's body, if that is text and not a page: some proxies say there what they say nowhere else.
async fn first_line(tcp: &mut TcpStream, head: &Head) -> String {
    let mut body = vec![0; if head.is_plain_text { head.length.min(MAX_TEXT) } else { 0 }];
    match timeout(TEXT_PATIENCE, tcp.read_exact(&mut body)).await {
        Ok(Ok(_)) => sanitized(String::from_utf8_lossy(&body).trim_start().lines().next().unwrap_or_default()),
        _ => String::new(),
    }
}

fn join(reason: &str, line: &str) -> String {
    match (reason, line) {
        (reason, "") => reason.to_owned(),
        ("", line) => line.to_owned(),
        (reason, line) => format!("{reason}: {line}"),
    }
}

/// The words of a stranger, without what could break a line or drive a terminal.
fn sanitized(text: &str) -> String {
    let visible = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    visible.collect::<String>().trim().chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_quotes_its_credentials_is_not_quoted() {
        let credentials = Credentials { user: "Aladdin".to_owned(), password: "open sesame".to_owned() };
        for text in ["Forbidden Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbj", "no Aladdin:open sesame here"]
        {
            assert!(quotes(text, Some(&credentials)), "{text}");
            assert!(!quotes(text, None), "{text}");
        }
        assert!(!quotes("Access denied by policy", Some(&credentials)));
        let without_password = Credentials { user: "Aladdin".to_owned(), password: String::new() };
        assert!(!quotes("Access denied by policy", Some(&without_password)));
    }

    #[test]
    fn a_request_names_the_destination_and_who_asks() {
        let to = Endpoint { host: "::1".to_owned(), port: 443 };
        let plain = request(&to, None);
        assert!(plain.starts_with("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n"), "{plain}");
        assert!(plain.ends_with("\r\n\r\n") && !plain.contains("Authorization"), "{plain}");
        // The example of RFC 7617.
        let credentials = Credentials { user: "Aladdin".to_owned(), password: "open sesame".to_owned() };
        let named = request(&to, Some(&credentials));
        assert!(named.contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"), "{named}");
    }

    #[test]
    fn a_head_ends_with_an_empty_line_of_either_kind() {
        for (bytes, end) in [
            (&b"HTTP/1.1 200 OK\r\n\r\nrest"[..], Some(19)),
            (b"HTTP/1.1 200 OK\n\nrest", Some(17)),
            (b"a: b\nc: d\r\n\r\n\r\n", Some(13)),
            (b"HTTP/1.1 200 OK\r\n\r", None),
            (b"HTTP/1.1 200 OK\r\n", None),
            (b"", None),
        ] {
            assert_eq!(end_of_head(bytes), end, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_status_counts_with_or_without_words() {
        let status = |line: &str| Head::parse(line.as_bytes()).map(|head| (head.status, head.reason));
        assert_eq!(
            status("HTTP/1.0 200 Connection established\r\n\r\n"),
            Some((200, "Connection established".to_owned()))
        );
        assert_eq!(status("HTTP/1.1 200\r\n\r\n"), Some((200, String::new())));
        assert_eq!(status("HTTP/1.1  403  No\x1b[31m way\r\n\r\n"), Some((403, "No [31m way".to_owned())));
        for malformed in ["", "HTTP/2 200 OK", "HTTP/1.1", "HTTP/1.1 OK", "HTTP/1.1 20", "HTTP/1.1 999 x", "SSH-2.0-x"]
        {
            assert_eq!(status(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn schemes_are_named_only_where_basic_is_none_of_them() {
        let schemes =
            |lines: &str| Head::parse(format!("HTTP/1.1 407 x\r\n{lines}\r\n").as_bytes()).unwrap().unknown_schemes();
        assert_eq!(schemes(""), None);
        assert_eq!(schemes("Proxy-Authenticate: basic realm=\"a\"\r\n"), None);
        assert_eq!(schemes("proxy-authenticate: NTLM\r\nPROXY-AUTHENTICATE: Basic\r\n"), None);
        assert_eq!(
            schemes("Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n").as_deref(),
            Some("Negotiate, NTLM")
        );
    }
}
