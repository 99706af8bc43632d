//! A proper HTTP library refuses to be improper: hyper always writes a reason phrase, never half of a head and never
//! fewer bytes than it announced. The captured answers and the faults need all of that, so this is a minimal HTTP/1.1
//! whose every byte is ours: requests in through httparse, answers out as plain bytes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// No request of a device comes near this.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 128;
/// A larger body is not read. Far above what the platforms take, so that their own limits can be met.
pub(crate) const MAX_BODY: u64 = 1024 * 1024;

/// One request, with its target and header names as they were on the wire.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) framing: Framing,
    /// Whether the client wants to keep the connection.
    pub(crate) persistent: bool,
}

/// Whether the body could be read. If not, no further request can be found on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// It was.
    Complete,
    /// A request that must say how long its body is does not, or uses a transfer coding.
    NoLength,
    /// It is longer than [`MAX_BODY`].
    TooLarge,
}

/// Why there is no (further) request.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The client closed between two requests: the ordinary end.
    Closed,
    /// What came is not HTTP/1.
    Malformed,
    /// The head does not end.
    HeadTooLarge,
    /// The connection broke, perhaps in the middle of a request.
    Broken,
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

impl Request {
    /// The first header of that name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// What follows the first question mark, if there is one.
    pub(crate) fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Whether the body is of that media type, whatever its parameters.
    pub(crate) fn has_content_type(&self, media_type: &str) -> bool {
        self.header("content-type").is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(media_type)
        })
    }
}

/// Reads requests one after another from a connection.
pub(crate) struct Wire<S> {
    pub(crate) stream: S,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// Reads one request with its body, telling a client that waits for it to go on.
    pub(crate) async fn next_request(&mut self) -> Result<Request, ReadError> {
        let (mut request, head_length) = loop {
            if let Some(found) = parse_head(&self.unread)? {
                break found;
            }
            if self.unread.len() > MAX_HEAD {
                return Err(ReadError::HeadTooLarge);
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                let clean = self.unread.is_empty();
                return Err(if clean { ReadError::Closed } else { ReadError::Broken });
            }
        };
        self.unread.drain(..head_length);

        let Some(length) = body_length(&request)? else {
            request.framing = Framing::NoLength;
            return Ok(request);
        };
        if length > MAX_BODY {
            request.framing = Framing::TooLarge;
            return Ok(request);
        }
        let length = length as usize;
        let waits = request.header("expect").is_some_and(|e| e.eq_ignore_ascii_case("100-continue"));
        if waits && self.unread.len() < length {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            self.stream.flush().await?;
        }
        while self.unread.len() < length {
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(ReadError::Broken);
            }
        }
        request.body = self.unread.drain(..length).collect();
        Ok(request)
    }
}

/// The head at the start of `bytes` and its length, or nothing when it does not end there.
fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(bytes).map_err(|_| ReadError::Malformed)?;
    let httparse::Status::Complete(length) = status else {
        return Ok(None);
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
        framing: Framing::Complete,
        persistent: parsed.version == Some(1),
    };
    let closes = |value: &str| value.split(',').any(|o| o.trim().eq_ignore_ascii_case("close"));
    if request.header("connection").is_some_and(closes) {
        request.persistent = false;
    }
    Ok(Some((request, length)))
}

/// The length of the body, or nothing when the request should have one but does not say how long it is.
fn body_length(request: &Request) -> Result<Option<u64>, ReadError> {
    if request.header("transfer-encoding").is_some() {
        return Ok(None);
    }
    let mut lengths = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.as_str());
    let Some(length) = lengths.next() else {
        let bodiless = matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE" | "OPTIONS");
        return Ok(bodiless.then_some(0));
    };
    // Two lengths that differ, or a sign, are how requests are smuggled past a proxy.
    if lengths.any(|other| other != length) || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ReadError::Malformed);
    }
    length.parse().map(Some).map_err(|_| ReadError::Malformed)
}

/// One answer, written exactly as it stands here.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Nothing leaves the reason phrase out, as Aliyun does.
    pub(crate) reason: Option<&'static str>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the server keeps the connection afterwards. The headers have to say the same.
    pub(crate) persistent: bool,
}

impl Response {
    /// Status line, headers and the empty line. A blank stands after the status even without a reason phrase.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason.unwrap_or_default());
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Another body for the same answer.
    pub(crate) fn replace_body(&mut self, body: Vec<u8>) {
        for (name, value) in &mut self.headers {
            if name.eq_ignore_ascii_case("content-length") {
                *value = body.len().to_string();
            }
        }
        self.body = body;
    }

    /// Announces that the connection ends with this answer.
    pub(crate) fn announce_close(&mut self) {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        self.headers.push(("connection".to_owned(), "close".to_owned()));
        self.persistent = false;
    }
}

/// The usual phrase for a status.
pub(crate) fn reason(status: u16) -> Option<&'static str> {
    Some(match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Request, ReadError> {
        let (mut client, server) = tokio::io::duplex(1024);
        client.write_all(bytes).await.unwrap();
        drop(client);
        Wire::new(server).next_request().await
    }

    #[tokio::test]
    async fn a_request_keeps_the_bytes_of_its_target_and_the_case_of_its_headers() {
        let request = read(b"POST /topics/a%2fB?qos=1 HTTP/1.1\r\nHost: h\r\nContent-length: 2\r\n\r\nhi").await;
        let request = request.unwrap();
        assert_eq!(request.target, "/topics/a%2fB?qos=1");
        assert_eq!(request.path(), "/topics/a%2fB");
        assert_eq!(request.query(), Some("qos=1"));
        assert_eq!(request.headers[1].0, "Content-length");
        assert_eq!(request.body, b"hi");
        assert!(request.persistent);
    }

    #[tokio::test]
    async fn requests_on_one_connection_are_told_apart() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut wire = Wire::new(server);
        let two = b"POST /1 HTTP/1.1\r\ncontent-length: 1\r\n\r\nxPOST /2 HTTP/1.1\r\ncontent-length: 0\r\n\r\n";
        client.write_all(two).await.unwrap();
        drop(client);
        assert_eq!(wire.next_request().await.unwrap().body, b"x");
        assert_eq!(wire.next_request().await.unwrap().target, "/2");
        assert!(matches!(wire.next_request().await, Err(ReadError::Closed)));
    }

    #[tokio::test]
    async fn a_client_that_waits_is_told_to_go_on() {
        let (mut client, server) = tokio::io::duplex(1024);
        let reading = tokio::spawn(async move { Wire::new(server).next_request().await });
        let head = b"POST / HTTP/1.1\r\ncontent-length: 2\r\nExpect: 100-continue\r\n\r\n";
        client.write_all(head).await.unwrap();
        let mut interim = [0; 25];
        client.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        client.write_all(b"ok").await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap().body, b"ok");
    }

    #[tokio::test]
    async fn a_body_without_a_length_or_with_too_great_a_length_is_not_read() {
        let chunked = read(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").await;
        assert_eq!(chunked.unwrap().framing, Framing::NoLength);
        let silent = read(b"POST / HTTP/1.1\r\n\r\n").await;
        assert_eq!(silent.unwrap().framing, Framing::NoLength);
        let large = read(b"POST / HTTP/1.1\r\ncontent-length: 1048577\r\n\r\n").await;
        assert_eq!(large.unwrap().framing, Framing::TooLarge);
        let get = read(b"GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(get.unwrap().framing, Framing::Complete);
    }

    #[tokio::test]
    async fn ambiguous_lengths_are_malformed() {
        for headers in ["content-length: 1\r\ncontent-length: 2", "content-length: +1", "content-length: "] {
            let text = format!("POST / HTTP/1.1\r\n{headers}\r\n\r\nxx");
            assert!(matches!(read(text.as_bytes()).await, Err(ReadError::Malformed)), "{headers}");
        }
    }

    #[tokio::test]
    async fn a_request_cut_short_is_not_an_ordinary_end() {
        assert!(matches!(read(b"").await, Err(ReadError::Closed)));
        assert!(matches!(read(b"POST / HT").await, Err(ReadError::Broken)));
        let short = read(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nx").await;
        assert!(matches!(short, Err(ReadError::Broken)));
    }

    #[tokio::test]
    async fn a_client_that_will_close_or_speaks_http_1_0_is_not_kept() {
        let close = read(b"GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n").await.unwrap();
        assert!(!close.persistent);
        let old = read(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        assert!(!old.persistent);
    }

    #[test]
    fn an_answer_without_a_reason_phrase_keeps_its_blank() {
        let response = Response {
            status: 200,
            reason: None,
            headers: vec![("Content-Length".to_owned(), "2".to_owned())],
            body: b"{}".to_vec(),
            persistent: true,
        };
        assert_eq!(response.to_bytes(), b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}");
    }
}
