//! A harmless question over the connection: `GET /`, with nothing that says who is asking but the certificate that the
//! handshake has shown. AWS refuses it, and that is as good as a yes: a server speaks HTTP there, has let the certificate
//! pass, and says what time it is. A certificate that is not active gets no answer at all.

use std::io;
use std::time::{Duration, SystemTime};

use rustls::Error as TlsError;
use serde_json::Value;
use thingpost_host::ConnectError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::handshake::Handshake;
use super::{Destination, seconds};
use crate::commands::doctor::finding::Finding;

/// How well a device has to know the time.
pub struct Clock {
    /// How far off it may be.
    pub tolerance: Duration,
    /// What to do where it is more than that.
    pub next_step: &'static str,
}

/// More than any answer of AWS to this question.
const MAX_ANSWER: usize = 16 * 1024;

/// A way there and back over a slow link.
const FIRST_LISTEN: Duration = Duration::from_millis(300);

/// As much of a message as anybody reads.
const MAX_MESSAGE: usize = 200;

/// A clock that is further off is worth a word.
const TOLERANCE: Duration = Duration::from_secs(300);

/// The date has whole seconds, and the answer was under way for a moment.
const ACCURACY: Duration = Duration::from_secs(2);

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    /// AWS says in the body what it says in no header.
    message: Option<String>,
    /// It is a page for people, or leads to one.
    page: Option<String>,
    /// When the server says that it answered.
    date: Option<SystemTime>,
    /// When that arrived here.
    arrived: SystemTime,
}

enum AnswerError {
    Closed,
    Late,
    NotHttp,
    Broken(io::Error),
}

/// Asks.
pub async fn ask(
    to: &Destination,
    handshake: Handshake,
    shows_certificate: bool,
    limit: Duration,
) -> (Finding, Option<Answer>) {
    match exchange(to, handshake, limit).await {
        Ok(answer) => {
            let mut finding = Finding::new();
            let message = answer.message.as_ref().map(|message| format!(", \"{message}\"")).unwrap_or_default();
            finding.see(format!("GET / without credentials was answered with status {}{message}", answer.status));
            // What Aliyun answers to this question is nowhere to be read.
            if let Some(page) = &answer.page
                && !to.endpoint.host.ends_with(".aliyuncs.com")
            {
                finding.warn(
                    format!("what was answered is {page}, which is not how AWS answers"),
                    "see where this connection leads: a page to log in to this network, a proxy, or another server",
                );
            }
            (finding, Some(answer))
        }
        Err(no_answer) => (explain(no_answer, to, shows_certificate, limit), None),
    }
}

async fn exchange(to: &Destination, handshake: Handshake, limit: Duration) -> Result<Answer, AnswerError> {
    let mut tls = handshake.tls;
    let host = match to.endpoint.port {
        443 if !to.endpoint.host.contains(':') => to.endpoint.host.clone(),
        _ => to.endpoint.to_string(),
    };
    let question = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let mut heard = ReadAnswer::default();
    let end = timeout(limit, async {
        // What has not been asked is not answered, but a certificate is refused only after the handshake, and to a client that has
        // written by then the refusal may get lost in a reset.
        if let Ok(end) = timeout(FIRST_LISTEN, heard.listen(&mut tls)).await {
            return end;
        }
        // Where this fails, the reason is to be read.
        let written = match tls.write_all(question.as_bytes()).await {
            Ok(()) => tls.flush().await,
            Err(error) => Err(error),
        };
        heard.listen(&mut tls).await.and(written)
    })
    .await;
    // What was heard counts, however it ended.
    if let Some(arrived) = heard.since {
        return parse(&heard.bytes, arrived).ok_or(AnswerError::NotHttp);
    }
    Err(match end {
        Ok(Ok(())) => AnswerError::Closed,
        Ok(Err(error)) => AnswerError::of(error),
        Err(_elapsed) => AnswerError::Late,
    })
}

/// What came over the connection.
#[derive(Default)]
struct ReadAnswer {
    bytes: Vec<u8>,
    /// When the first of it came.
    since: Option<SystemTime>,
}

impl ReadAnswer {
    /// Up to the end of the answer, of the connection, or of what is worth reading.
    async fn listen(&mut self, tls: &mut TlsStream<TcpStream>) -> io::Result<()> {
        while self.bytes.len() < MAX_ANSWER && !is_complete(&self.bytes) {
            if tls.read_buf(&mut self.bytes).await? == 0 {
                break;
            }
            self.since.get_or_insert_with(SystemTime::now);
        }
        Ok(())
    }
}

impl AnswerError {
    fn of(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match error.kind() {
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

/// Head and body, if the head has come to its end.
fn parts(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((&answer[..end], &answer[end + 4..]))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A body whose length is not announced is not waited for.
fn is_complete(answer: &[u8]) -> bool {
    parts(answer).is_some_and(|(head, body)| {
        let length = header(&String::from_utf8_lossy(head), "content-length").and_then(|length| length.parse().ok());
        body.len() >= length.unwrap_or(0)
    })
}

fn parse(answer: &[u8], arrived: SystemTime) -> Option<Answer> {
    let (head, body) = parts(answer)?;
    let head = String::from_utf8_lossy(head);
    let status = head.lines().next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let date = header(&head, "date").and_then(|date| httpdate::parse_http_date(date).ok());
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let message = body.and_then(|body| Some(body.get("message")?.as_str()?.chars().take(MAX_MESSAGE).collect()));
    Some(Answer { status, message, page: page(&head, status), date, arrived })
}

fn page(head: &str, status: u16) -> Option<String> {
    let is_html = header(head, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
    match header(head, "location") {
        Some(location) if (300..400).contains(&status) => {
            Some(format!("a redirect to {}", location.chars().take(MAX_MESSAGE).collect::<String>()))
        }
        _ => is_html.then(|| "a web page".to_owned()),
    }
}

fn explain(no_answer: AnswerError, to: &Destination, shows_certificate: bool, limit: Duration) -> Finding {
    match no_answer {
        // A broker closes on what is no CONNECT.
        AnswerError::Closed | AnswerError::NotHttp if matches!(to.endpoint.port, 1883 | 8883) => Finding::failed(
            format!("no HTTP was answered on port {}, which is one for MQTT", to.endpoint.port),
            "give another --port, or see `thingpost mqtt publish --help`",
        ),
        AnswerError::Closed if shows_certificate => Finding::failed(
            "the connection was closed without an answer, right after the certificate was shown",
            "see in the console (Security, Certificates) that this certificate is registered in this account and region \
             and is active: AWS closes so on those that are not",
        ),
        AnswerError::Closed => {
            let mut finding = Finding::new();
            finding.warn(
                "the connection was closed without an answer",
                "see whether --publish works; if not, something other than AWS answers here",
            );
            finding
        }
        AnswerError::Late => Finding::failed(
            format!("no answer to GET / within {}", seconds(limit)),
            "check whether a proxy or a firewall holds the connection, or give it more time with --timeout",
        ),
        AnswerError::NotHttp => {
            Finding::failed("what was answered is not HTTP/1.1", "check host and port: HTTPS of AWS is on 8443 and 443")
        }
        AnswerError::Broken(error) => {
            let text = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(TlsError::AlertReceived(alert)) => ConnectError::Alert(*alert).to_string(),
                _ => format!("the connection broke ({error}); try again, and check the network"),
            };
            let (cause, step) = text.split_once("; ").unwrap_or((&text, "check the device certificate"));
            Finding::failed(cause, step)
        }
    }
}

/// Compares the clocks. `needed` says how well this one must be set. Whether a wrong one keeps a message from being taken is seen
/// where it is authenticated: some ways do without a clock, others learn of theirs.
pub fn compare_clocks(answer: &Answer, needed: Option<&Clock>) -> Finding {
    let Some(date) = answer.date else { return Finding::skipped("the answer had no date") };
    let (off, direction) = match answer.arrived.duration_since(date) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let line = format!("this machine's clock is {} {direction} the server's", in_seconds(off));
    let mut finding = Finding::new();
    if off <= ACCURACY {
        finding.see("this machine's clock agrees with the server's");
    } else if let Some(clock) = needed
        && off > clock.tolerance
    {
        finding.warn(line, clock.next_step);
    } else if off <= TOLERANCE {
        finding.see(line);
    } else {
        finding.warn(line, "set the clock: with one that is wrong, certificates seem to be not valid yet, or expired");
    }
    finding
}

fn in_seconds(duration: Duration) -> String {
    match duration.as_secs() {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_date_and_its_message_or_without() {
        let now = SystemTime::now();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        let text = b"HTTP/1.1 403 Forbidden\r\nDate: Thu, 01 Jan 1970 00:00:10 GMT\r\n\r\n{\"message\":\"no\"}";
        let answer = Answer { status: 403, message: Some("no".to_owned()), page: None, date: Some(date), arrived: now };
        assert_eq!(parse(text, now), Some(answer));
        let answer = Answer { status: 200, message: None, page: None, date: None, arrived: now };
        assert_eq!(parse(b"HTTP/1.0 200\r\n\r\ndate: Thu, 01 Jan 1970 00:00:10 GMT", now), Some(answer));
        for text in [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\xff\xfe\r\n\r\n"]
        {
            assert_eq!(parse(text, now), None);
        }
    }

    #[test]
    fn a_page_for_people_is_known_by_its_type_or_by_where_it_leads() {
        let read = |head: &str| parse(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), SystemTime::now()).unwrap().page;
        assert_eq!(read("200 OK\r\nContent-Type: Text/HTML; charset=utf-8").as_deref(), Some("a web page"));
        let led = read("302 Found\r\nlocation: http://login.example/\r\ncontent-type: text/html");
        assert_eq!(led.as_deref(), Some("a redirect to http://login.example/"));
        assert_eq!(read("403 Forbidden\r\ncontent-type: application/json\r\nlocation: x"), None);
        assert_eq!(read("302 Found"), None);
    }

    #[test]
    fn an_answer_is_complete_with_the_body_that_it_announces() {
        for (text, complete) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\n", false),
        ] {
            assert_eq!(is_complete(text.as_bytes()), complete, "{text}");
        }
    }
}
