//! What became of one message or operation, for people and for programs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::CertificateError;
use serde_json::{Map, Value, json};
use thingpost_host::http::StatusCode;
use thingpost_host::runtime::types::{
    Answer, Cause, Delivery, Error, Message, Receipt, Retry, Stage, TransportErrorKind,
};
use thingpost_host::{ConnectError, Endpoint, ExchangeError, Handshake, Observer, ProxyError, TransportError};
use tokio::time::Instant;

use super::names;
use crate::error::one_line;
use crate::exit::Exit;

/// What the host knows about a failed connection and the guest is not told: which certificate, which name, why. Kept
/// from the last failure, to stand beside the guest's explanation.
#[derive(Clone, Debug, Default)]
pub struct LastFailure(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    noted: Option<Noted>,
    answered_at: Option<Instant>,
    /// Requests that were written, but for those of which it is certain that they had no effect.
    sent: u64,
    /// Connections that came about.
    connected: u64,
}

#[derive(Clone, Debug)]
struct Noted {
    text: String,
    /// Of which failure it is known for certain what the guest can only guess.
    certain_of: Option<TransportErrorKind>,
    /// Whether it is the proxy that gives no way, of which the guest knows nothing.
    is_of_proxy: bool,
    /// Whether the time for an answer was over.
    is_late: bool,
    /// Whether the head of an answer was larger than is taken.
    has_large_head: bool,
    at: Instant,
}

impl LastFailure {
    /// Forgets what came before.
    pub fn clear(&self) {
        self.lock().noted = None;
    }

    /// Notes a failure.
    pub fn note(&self, error: &TransportError) {
        use ExchangeError::{HeadTooLarge, NoAnswer, Stalled};
        let is_late = matches!(error, TransportError::Exchange { error: NoAnswer { .. } | Stalled { .. }, .. });
        let has_large_head = matches!(error, TransportError::Exchange { error: HeadTooLarge(_), .. });
        let certain_of = match error {
            // Of a server that may be the right one, the guest knows more: which endpoints have roots of their own.
            TransportError::Connect { error: error @ ConnectError::Certificate(reason), .. } => {
                let is_certain = match error.untrusted() {
                    Some(untrusted) => !untrusted.is_for_endpoint(),
                    None => *reason != CertificateError::UnknownIssuer,
                };
                is_certain.then_some(TransportErrorKind::TlsCertificate)
            }
            // The guest knows of no proxy, and guesses at the endpoint.
            TransportError::Connect { error: ConnectError::Proxy { error, .. }, .. } => Some(match error {
                ProxyError::Credentials { .. } | ProxyError::Destination => TransportErrorKind::RequestRejected,
                error if error.is_timeout() => TransportErrorKind::ConnectTimeout,
                ProxyError::NoTls(_) => TransportErrorKind::TlsProtocol,
                _ => TransportErrorKind::Unreachable,
            }),
            TransportError::Connect { error: ConnectError::OutOfDescriptors, .. } => {
                Some(TransportErrorKind::ConnectionLimit)
            }
            _ => None,
        };
        let is_of_proxy = matches!(error, TransportError::Connect { error: ConnectError::Proxy { .. }, .. });
        let (text, at) = (error.to_string(), Instant::now());
        self.lock().noted = Some(Noted { text, is_late, has_large_head, certain_of, is_of_proxy, at });
    }

    /// Notes that something got through.
    pub fn note_answer(&self) {
        self.lock().answered_at = Some(Instant::now());
    }

    /// How many requests a server may have acted on so far.
    pub fn sent(&self) -> u64 {
        self.lock().sent
    }

    /// How many connections there have been so far.
    pub fn connections(&self) -> u64 {
        self.lock().connected
    }

    /// When something got through last.
    pub fn answered_at(&self) -> Option<Instant> {
        self.lock().answered_at
    }

    /// The last failure, if there was one after that.
    pub fn since(&self, since: Instant) -> Option<String> {
        self.lock().noted.as_ref().filter(|noted| noted.at > since).map(|noted| noted.text.clone())
    }

    /// The sentence that goes with the guest's word. Two things the guest finds out by itself: that an answer is too
    /// large, and that one drips in for too long. Then the host's last failure is that of an earlier attempt.
    pub fn about(&self, failure: TransportErrorKind) -> Option<String> {
        let noted = self.lock().noted.clone()?;
        match failure {
            TransportErrorKind::AnswerTooLarge => noted.has_large_head.then_some(noted.text),
            TransportErrorKind::AnswerTimeout if !noted.is_late => None,
            _ => Some(noted.text),
        }
    }

    /// What the guest says of it: without the advice, where that is a guess at what the host knows, and nothing of it where it knows
    /// of no proxy and takes the refusal for that of its client. What the host has noted last may be about another request.
    fn said_by_guest<'a>(&self, error: &'a Error) -> &'a str {
        let known = self.lock();
        let is_certain = |noted: &&Noted| matches!(error.cause, Cause::Transport(it) if noted.certain_of == Some(it));
        match (known.noted.as_ref().filter(is_certain), error.explanation.split_once("; ")) {
            (Some(Noted { is_of_proxy: true, .. }), _) => NO_WAY_BY_PROXY,
            (Some(_), Some((what, _guess))) => what,
            _ => &error.explanation,
        }
    }

    /// The reason in a few words, for the sum of many.
    pub fn reason<'a>(&self, error: &'a Error) -> &'a str {
        match self.said_by_guest(error) {
            NO_WAY_BY_PROXY => NO_WAY_BY_PROXY,
            _ => &error.explanation,
        }
    }

    /// Puts it into the object of an error.
    pub fn add_to(&self, object: &mut Map<String, Value>, error: &Error) {
        if let Cause::Transport(failure) = error.cause {
            object.insert("host".to_owned(), self.about(failure).into());
            object.insert("explanation".to_owned(), self.reason(error).into());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for LastFailure {
    fn connected(&self, _to: &Endpoint, _handshake: Handshake) {
        self.lock().connected += 1;
    }

    fn written(&self, _to: &Endpoint) {
        self.lock().sent += 1;
    }

    fn withdrawn(&self, _to: &Endpoint) {
        let mut known = self.lock();
        known.sent = known.sent.saturating_sub(1);
    }

    fn answered(&self, _to: &Endpoint, _status: StatusCode) {
        self.note_answer();
    }

    fn failed(&self, error: &TransportError) {
        self.note(error);
    }
}

/// What is said in place of the guest's guess. Which proxy it is, and why, the host's sentence says.
const NO_WAY_BY_PROXY: &str = "the proxy gives no way to the server";

/// The exit code for this outcome.
pub fn exit<T>(outcome: &Result<T, Error>) -> Exit {
    outcome.as_ref().map_or_else(exit_of_failure, |_| Exit::Delivered)
}

/// What cannot be sent because the input is wrong is wrong usage.
pub fn exit_of_failure(error: &Error) -> Exit {
    match (error.stage, error.delivery) {
        (Stage::Preparation, _) => Exit::Usage,
        (_, Delivery::Refused) => Exit::Refused,
        (_, Delivery::NotSent) => Exit::NotSent,
        (_, Delivery::Unknown) => Exit::Unknown,
    }
}

/// One line for a person.
pub fn text(message: &Message, outcome: &Result<Receipt, Error>, last_failure: &LastFailure) -> String {
    match outcome {
        Ok(receipt) => format!("delivered to {}{}", destination(message), facts(receipt)),
        Err(error) => failure_text(error, last_failure),
    }
}

/// Where a message goes.
fn destination(message: &Message) -> String {
    match &message.rule {
        None => message.topic.clone(),
        Some(rule) if message.topic.is_empty() => format!("the rule {rule}"),
        Some(rule) => format!("the rule {rule} as {}", message.topic),
    }
}

/// What is known of what went well, in brackets.
pub fn facts(receipt: &Receipt) -> String {
    let Receipt { message_id, trace_id, attempts } = receipt;
    let mut facts = Vec::new();
    facts.extend(message_id.map(|id| format!("message id {id}")));
    facts.extend(trace_id.as_ref().map(|id| format!("trace id {id}")));
    if *attempts > 1 {
        facts.push(format!("{attempts} attempts"));
    }
    in_brackets(&facts)
}

/// One line for a person.
pub fn failure_text(error: &Error, last_failure: &LastFailure) -> String {
    format!("{}: {}", names::delivery(error.delivery), explained(error, last_failure))
}

/// Why, and what is known beside that, in brackets.
pub fn explained(error: &Error, last_failure: &LastFailure) -> String {
    let mut facts = Vec::new();
    if let Some(Answer { status, code, message, trace_id, clock_ahead_ms: _ }) = &error.answer {
        facts.push(format!("status {status}"));
        facts.extend(code.clone());
        facts.extend(message.as_ref().map(|message| format!("\"{}\"", one_line(message))));
        facts.extend(trace_id.as_ref().map(|id| format!("trace id {id}")));
    }
    // What the component calls MQTT 3.1.1 is an option here. The code is of MQTT 5 alone.
    if error.cause == Cause::Unsupported && error.answer.as_ref().is_some_and(|answer| answer.status == 0x84) {
        facts.push("give --mqtt 3.1.1".to_owned());
    }
    if let Cause::Transport(failure) = error.cause {
        facts.extend(last_failure.about(failure));
    }
    if error.attempts > 1 {
        facts.push(format!("{} attempts", error.attempts));
    }
    format!("{}{}", last_failure.said_by_guest(error), in_brackets(&facts))
}

fn in_brackets(facts: &[String]) -> String {
    match facts.is_empty() {
        true => String::new(),
        false => format!(" ({})", facts.join(", ")),
    }
}

/// One object for a program. A message id is a text: most programs read a JSON number as a float, which cannot hold it.
pub fn json(message: &Message, outcome: &Result<Receipt, Error>) -> Map<String, Value> {
    let mut value = match outcome {
        Ok(Receipt { message_id, trace_id, attempts }) => object(json!({
            "outcome": "delivered",
            "message_id": message_id.map(|id| id.to_string()),
            "trace_id": trace_id,
            "attempts": attempts,
        })),
        Err(error) => failure_json(error),
    };
    add_destination(&mut value, message);
    value
}

/// One object for a program.
pub fn failure_json(error: &Error) -> Map<String, Value> {
    let answer = error.answer.as_ref();
    object(json!({
        "outcome": names::delivery(error.delivery),
        "cause": names::cause(error.cause),
        "stage": match error.stage {
            Stage::Preparation => "preparation",
            Stage::Authentication => "authentication",
            Stage::Publication => "publication",
            Stage::Connection => "connection",
            Stage::Other => "other",
        },
        "explanation": error.explanation,
        "retry": match error.retry {
            Retry::Never => json!("never"),
            Retry::AfterMs(ms) => json!({ "after_ms": ms }),
            Retry::AfterAuthentication => json!("after authentication"),
        },
        "attempts": error.attempts,
        "status": answer.map(|answer| answer.status),
        "code": answer.and_then(|answer| answer.code.clone()),
        "message": answer.and_then(|answer| answer.message.clone()),
        "trace_id": answer.and_then(|answer| answer.trace_id.clone()),
        "clock_ahead_ms": answer.and_then(|answer| answer.clock_ahead_ms),
    }))
}

/// The object of a message, which may be a line, that the component has no outcome for.
pub fn json_without_answer(
    message: &Message,
    delivery: Delivery,
    reason: &str,
    line: Option<u64>,
) -> Map<String, Value> {
    let mut value = object(json!({ "outcome": names::delivery(delivery), "explanation": reason }));
    if let Some(line) = line {
        value.insert("line".to_owned(), line.into());
    }
    add_destination(&mut value, message);
    value
}

fn add_destination(object: &mut Map<String, Value>, message: &Message) {
    object.insert("topic".to_owned(), message.topic.as_str().into());
    if let Some(rule) = &message.rule {
        object.insert("rule".to_owned(), rule.as_str().into());
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => unreachable!("`json!` makes an object of braces"),
    }
}

#[cfg(test)]
mod tests {
    use thingpost_host::Proxy;

    use super::*;

    fn error(failure: TransportErrorKind) -> Error {
        Error {
            cause: Cause::Transport(failure),
            stage: Stage::Connection,
            delivery: Delivery::NotSent,
            retry: Retry::Never,
            attempts: 1,
            answer: None,
            explanation: "what happened; what to do".to_owned(),
        }
    }

    #[test]
    fn a_proxy_that_gives_no_way_is_named_in_place_of_what_the_guest_takes_it_for() {
        let last_failure = LastFailure::default();
        let refused = error(TransportErrorKind::RequestRejected);
        assert_eq!(last_failure.reason(&refused), "what happened; what to do");
        let credentials = ProxyError::Credentials { given: false, status: Some(407), schemes: None };
        last_failure.note(&TransportError::Connect {
            to: Endpoint { host: "a.example".to_owned(), port: 443 },
            error: ConnectError::Proxy { proxy: Proxy::http("p.example", 3128), error: credentials },
        });
        let said = failure_text(&refused, &last_failure);
        assert!(
            said.starts_with("not sent: the proxy gives no way to the server (not sent to a.example:443: "),
            "{said}"
        );
        assert!(said.contains("http://p.example:3128 wants a user and a password (407)"), "{said}");
        assert!(said.contains("--proxy-user-file") && !said.contains("what happened"), "{said}");
        let mut object = failure_json(&refused);
        last_failure.add_to(&mut object, &refused);
        assert_eq!(object["explanation"], NO_WAY_BY_PROXY);
        assert_eq!(last_failure.reason(&error(TransportErrorKind::AnswerTimeout)), "what happened; what to do");
    }

    #[test]
    fn what_was_written_counts_until_it_is_known_to_have_had_no_effect() {
        let (last_failure, to) = (LastFailure::default(), Endpoint { host: "a.example".to_owned(), port: 443 });
        last_failure.written(&to);
        last_failure.written(&to);
        assert_eq!(last_failure.sent(), 2);
        last_failure.withdrawn(&to);
        assert_eq!(last_failure.sent(), 1);
    }

    #[test]
    fn only_the_advice_about_what_the_host_knows_is_left_out() {
        let last_failure = LastFailure::default();
        let to = Endpoint { host: "a.example".to_owned(), port: 443 };
        last_failure.note(&TransportError::Connect { to, error: ConnectError::Certificate(CertificateError::Expired) });
        for (failure, said) in [
            (TransportErrorKind::TlsCertificate, "what happened"),
            (TransportErrorKind::AnswerTimeout, "what happened; what to do"),
            (TransportErrorKind::AnswerTooLarge, "what happened; what to do"),
            (TransportErrorKind::NameResolution, "what happened; what to do"),
        ] {
            assert_eq!(last_failure.said_by_guest(&error(failure)), said, "{failure:?}");
        }
    }
}
