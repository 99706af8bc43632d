//! One question over plain HTTP, to a server on this machine: the HTTP of the host is for what leaves the machine, and insists on
//! TLS. Nothing here is for any other use.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// For all of it: a server that drips an answer, byte by byte, is waited for no longer than a silent one.
const PATIENCE: Duration = Duration::from_secs(10);

/// For one of the addresses, so that there is time for the next one.
const TO_CONNECT: Duration = Duration::from_secs(5);

/// A key has 2 KB.
const MAX_ANSWER: usize = 64 * 1024;

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Asks at the first of the addresses that has a listener.
pub(super) fn get(addresses: &[SocketAddr], path: &str, headers: &[(&str, &str)]) -> io::Result<Answer> {
    let deadline = Deadline::after(PATIENCE);
    let mut stream = connect(addresses, deadline)?;
    let mut request = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.set_write_timeout(Some(deadline.rest()?))?;
    stream.write_all(request.as_bytes())?;
    read(&mut stream, deadline)
}

fn connect(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect_timeout(address, deadline.rest()?.min(TO_CONNECT)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reads up to the end of the body. Servers keep their connections open after that, though they were asked not to.
fn read(stream: &mut TcpStream, deadline: Deadline) -> io::Result<Answer> {
    let no_http = || io::Error::new(io::ErrorKind::InvalidData, "what it answers is not HTTP");
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        stream.set_read_timeout(Some(deadline.rest()?))?;
        let count = match stream.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(deadline.is_over()),
            Err(error) => return Err(error),
        };
        bytes.extend_from_slice(&piece[..count]);
        let end = if count == 0 { End::Connection } else { End::Open };
        match parse(&bytes, end) {
            Some(answer) => return Ok(answer),
            None if end == End::Connection || bytes.len() > MAX_ANSWER => return Err(no_http()),
            None => {}
        }
    }
}

/// When there must be an answer.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    fn after(after: Duration) -> Self {
        Self { at: Instant::now() + after, after }
    }

    /// The time that is left, which is some.
    fn rest(self) -> io::Result<Duration> {
        let rest = self.at.saturating_duration_since(Instant::now());
        if rest.is_zero() { Err(self.is_over()) } else { Ok(rest) }
    }

    fn is_over(self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, format!("no whole answer came in {} s", self.after.as_secs_f64()))
    }
}

/// Whether more may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Connection,
}

/// The answer, if it is whole.
fn parse(bytes: &[u8], end_of: End) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let header = |wanted: &str| {
        let mut fields = lines.clone().filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let body = match (header("transfer-encoding"), header("content-length")) {
        (Some(encoding), _) if encoding.eq_ignore_ascii_case("chunked") => unchunked(rest)?,
        (_, Some(length)) => rest.get(..length.parse().ok()?)?.to_vec(),
        _ if end_of == End::Open => return None,
        _ => rest.to_vec(),
    };
    Some(Answer { status, body })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let (chunk, later) = rest.get(end + 2..)?.split_at_checked(size)?;
        body.extend_from_slice(chunk);
        rest = later.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    fn hello() -> Answer {
        Answer { status: 200, body: b"hello".to_vec() }
    }

    #[test]
    fn a_body_ends_with_its_length_its_last_chunk_or_the_connection() {
        for (answer, is_over_before_the_connection) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and what is not part of it", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", true),
            ("HTTP/1.0 200 \r\n\r\nhello", false),
        ] {
            assert_eq!(parse(answer.as_bytes(), End::Connection), Some(hello()), "{answer}");
            let sooner = is_over_before_the_connection.then(hello);
            assert_eq!(parse(answer.as_bytes(), End::Open), sooner, "{answer}");
        }
    }

    #[test]
    fn what_breaks_off_or_is_no_http_is_no_answer() {
        for answer in [
            "",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
            "HTTP/1.1 two hundred\r\n\r\n",
        ] {
            assert_eq!(parse(answer.as_bytes(), End::Connection), None, "{answer}");
        }
    }

    /// What is made of an answer that comes in these pieces, and of a connection that stays open after them.
    fn read_of(pieces: impl Iterator<Item = &'static [u8]> + Send + 'static, patience: Duration) -> io::Result<Answer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let answering = thread::spawn(move || {
            for piece in pieces {
                if server.write_all(piece).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
            server
        });
        let result = read(&mut stream, Deadline::after(patience));
        drop(stream);
        drop(answering.join().unwrap());
        result
    }

    #[test]
    fn a_server_that_keeps_its_connection_open_has_answered() {
        let patience = Duration::from_secs(60);
        let pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe".as_slice(), b"llo"];
        let begin = Instant::now();
        assert_eq!(read_of(pieces.into_iter(), patience).unwrap(), hello());
        assert!(begin.elapsed() < patience);
    }

    #[test]
    fn a_server_that_drips_its_answer_is_not_waited_for_without_end() {
        let head: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";
        let drip = iter::once(head).chain(iter::repeat(b"x".as_slice()));
        let error = read_of(drip, Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "no whole answer came in 0.2 s");
    }
}
