//! The table of statuses in `docs/edge.md` is made here, from what the code does, and compared with what stands there.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::edge::{Refusal, answer};
use crate::error::{Cause, Error, Stage};
use crate::field::Field;
use crate::http::{Response, TransportErrorKind};
use crate::outcome::{Answer, Delivery, Receipt, Retry};
use crate::topic::TopicError;

const BEGIN: &str = "<!-- statuses: written by `THINGPOST_WRITE_DOCS=1 cargo test --package thingpost table` -->\n";
const END: &str = "<!-- end of statuses -->";

/// One of each kind.
fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::NoSuchPath,
        Refusal::NoSuchDevice(None),
        Refusal::MethodNotAllowed { allowed: &["POST", "PUT"] },
        Refusal::TooLarge,
        Refusal::Encoding,
        Refusal::Topic(TopicError::Wildcard),
        Refusal::Parameter { name: "qos", rule: "it is 0 or 1" },
        Refusal::Property(Field::ResponseTopic),
        Refusal::TokenMissing,
        Refusal::TokenWrong,
        Refusal::BrokenOff,
        Refusal::BodyLate,
        Refusal::NotConfigured,
    ]
}

fn errors() -> Vec<Error> {
    use Cause::{
        Abandoned, Conflict, Forbidden, InvalidRequest, MalformedAnswer, NotFound, PublishFailed, ServerError,
        SigningFailed, Throttled, TokenRejected, Unauthenticated, Unavailable, UndocumentedAnswer, Unsupported,
        WrongHostOrPath,
    };
    use Delivery::{NotSent, Refused, Unknown};
    use Retry::{AfterAuthentication, AfterMs, Never};
    let answered = [
        (InvalidRequest, Refused, Never),
        (Forbidden, Refused, Never),
        (NotFound, Refused, Never),
        (Unsupported, NotSent, Never),
        (Throttled, Refused, AfterMs(1000)),
        (Unauthenticated, Refused, Never),
        (TokenRejected, Refused, AfterAuthentication),
        (SigningFailed, NotSent, Never),
        (WrongHostOrPath, Refused, Never),
        (MalformedAnswer, Unknown, Never),
        (UndocumentedAnswer, Refused, Never),
        (Unavailable, Refused, AfterMs(0)),
        (PublishFailed, Refused, AfterMs(0)),
        (Conflict, Refused, AfterMs(0)),
        (ServerError, Unknown, AfterMs(0)),
        (Abandoned, Unknown, Never),
    ];
    let answered = answered.map(|(cause, delivery, retry)| {
        let answer = Answer { status: 0, code: None, message: None, trace_id: None, clock_ahead_ms: None };
        Error::answered(Stage::Publication, cause, delivery, retry, answer)
    });
    let transport = [
        TransportErrorKind::Denied,
        TransportErrorKind::NameResolution,
        TransportErrorKind::ConnectTimeout,
        TransportErrorKind::TlsCertificate,
        TransportErrorKind::ConnectionClosed,
        TransportErrorKind::AnswerTimeout,
    ];
    let transport = transport.map(|kind| Error::transport(Stage::Publication, kind.into()));
    answered.into_iter().chain(transport).collect()
}

/// Status, outcome, cause and headers of an answer.
fn row(answer: &Response, what: &str) -> (u16, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap_or("–").to_owned();
    let headers = ["allow", "retry-after", "www-authenticate"];
    let headers: Vec<_> = headers.into_iter().filter(|name| answer.header(name).is_some()).collect();
    let shown = headers.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let cause = match text("cause").as_str() {
        "–" => String::new(),
        cause => format!("`{cause}`"),
    };
    (answer.status, format!("| {} | `{}` | {cause} | {what} | {shown} |\n", answer.status, text("outcome")))
}

fn table() -> String {
    let receipt = Receipt { message_id: None, trace_id: None, attempts: 1 };
    let mut rows = vec![row(&answer::delivered(&receipt), "the platform has accepted it")];
    rows.extend(refusals().iter().map(|refusal| row(&answer::refused(refusal), &refusal.to_string())));
    rows.extend(errors().iter().map(|error| row(&answer::failed(error, &error.text()), &error.text())));
    rows.sort();
    let mut text =
        String::from("\n| status | `outcome` | `cause` | what it means | headers |\n|---|---|---|---|---|\n");
    for (_, row) in rows {
        write!(text, "{row}").unwrap();
    }
    text.push('\n');
    text
}

#[test]
fn the_table_of_statuses_in_the_documentation_is_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/edge.md");
    let document = fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("docs/edge.md has a place for the table");
    let (written, after) = rest.split_once(END).expect("docs/edge.md has an end of the table");
    let made = table();
    if std::env::var_os("THINGPOST_WRITE_DOCS").is_some() {
        fs::write(path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written, made, "docs/edge.md is out of date");
}
