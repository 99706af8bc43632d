//! What a device sends that can do nothing but HTTP: `curl -d`, byte for byte but for the version.

use http::StatusCode;
use serde_json::Value;
use thingpost_patience::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request to a host.
pub struct Request<'a> {
    pub method: &'a str,
    /// As it stands in the request line.
    pub target: &'a str,
    /// Beside those that curl sends.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl<'a> Request<'a> {
    pub fn get(target: &'a str) -> Self {
        Self { method: "GET", target, headers: &[], body: b"" }
    }

    pub fn post(target: &'a str, body: &'a [u8]) -> Self {
        Self { method: "POST", target, headers: &[], body }
    }

    pub fn headers(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self { headers, ..self }
    }

    /// Sends it over a connection of its own.
    pub async fn send(&self, address: &str) -> Answer {
        within(self.exchange(address)).await
    }

    async fn exchange(&self, address: &str) -> Answer {
        let host = self.headers.iter().find(|(name, _)| *name == "host").map_or(address, |(_, value)| value);
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: curl/8.0.0\r\nAccept: */*\r\nConnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != "host") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.method == "POST" {
            let length = self.body.len();
            head.push_str(&format!("Content-Length: {length}\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
        }
        head.push_str("\r\n");
        let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
        let mut bytes = Vec::new();
        // A server that refuses a body need not read all of it.
        let (_written, read) = tokio::join!(
            async {
                writing.write_all(head.as_bytes()).await?;
                writing.write_all(self.body).await
            },
            reading.read_to_end(&mut bytes)
        );
        Answer::parse(&bytes).unwrap_or_else(|| panic!("{read:?}: {}", String::from_utf8_lossy(&bytes)))
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(start) = head.parse(bytes).ok()? else { return None };
        let status = StatusCode::from_u16(head.code?).ok()?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers: Vec<_> =
            head.headers.iter().map(|header| (header.name.to_ascii_lowercase(), text(header.value))).collect();
        let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = &bytes[start..];
        let body = if is_chunked { unchunked(body)? } else { body.to_vec() };
        Some(Self { status, headers, body })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The content of chunks. None if the last one is missing.
fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = memchr::memchr(b'\n', body)?;
        let size = std::str::from_utf8(&body[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        body = &body[line + 1..];
        if size == 0 {
            return Some(whole);
        }
        whole.extend(body.get(..size)?);
        body = body.get(size + 2..)?;
    }
}
