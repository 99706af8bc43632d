//! A platform that does not exist, made of nothing but what the core makes public: tokens over HTTPS, a code for each refusal, one
//! operation. A real one begins with less.

use std::cell::RefCell;
use std::sync::Arc;

use thingpost::exchange::{Exchange, Step};
use thingpost::http::{Request, Response, TransportError, TransportErrorKind};
use thingpost::{
    Answer, Cause, ConfigError, Credential, CredentialKind, Delivery, Error, Message, Moment, Operation, Options,
    Platform, Qos, Receipt, Reply, RequestError, Retry, Secret, SignMethod, Signing, Stage,
};

const KEY: &str = "key-of-the-device";

/// Where it is, and as whom.
struct MadeUp {
    /// The secret, unless it is in other hands.
    key: Option<Secret>,
}

/// What it gives for a signature.
#[derive(PartialEq)]
struct Ticket {
    text: Secret,
    ends_unix_ms: u64,
}

impl CredentialKind for Ticket {
    fn is_near_its_end(&self, now: Moment) -> bool {
        now.unix_ms + 60_000 >= self.ends_unix_ms
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.text.reveal()]
    }
}

fn post(path: &str, body: &[u8]) -> Request {
    Request::post("made.up.example".to_owned(), path.to_owned(), "text/plain", body.into())
}

fn refused(stage: Stage, response: &Response) -> Error {
    let (cause, delivery, retry) = match response.status {
        401 if stage == Stage::Publication => (Cause::TokenRejected, Delivery::Refused, Retry::AfterAuthentication),
        401 => (Cause::Unauthenticated, Delivery::Refused, Retry::Never),
        429 => (Cause::Throttled, Delivery::Refused, Retry::AfterMs(1_000)),
        500.. => (Cause::ServerError, Delivery::Unknown, Retry::AfterMs(0)),
        _ => (Cause::InvalidRequest, Delivery::Refused, Retry::Never),
    };
    let message = String::from_utf8(response.body.clone()).ok();
    let answer = Answer { status: response.status, code: None, message, trace_id: None, clock_ahead_ms: None };
    Error::answered(stage, cause, delivery, retry, answer)
}

impl Platform for MadeUp {
    fn publish_request(&self, message: &Message) -> Result<Request, RequestError> {
        match message.topic.as_str() {
            "" => Err(RequestError::Unsupported),
            topic => Ok(post(&format!("/messages/{topic}"), &message.checked_payload()?)),
        }
    }

    fn read_receipt(&self, response: &Response) -> Result<Receipt, Error> {
        match response.status {
            200 => Ok(Receipt { message_id: None, trace_id: None, attempts: 1 }),
            _ => Err(refused(Stage::Publication, response)),
        }
    }

    fn authorise(&self, mut request: Request, credential: Option<&Credential>, _: Moment) -> Request {
        if let Some(ticket) = credential.and_then(Credential::downcast_ref::<Ticket>) {
            request.headers.push(("x-ticket".into(), ticket.text.reveal().to_owned()));
        }
        request
    }

    fn explain(&self, error: &Error, context: &thingpost::ErrorContext) -> String {
        match (error.cause, context) {
            (Cause::InvalidRequest, thingpost::ErrorContext::Publication { topic, .. }) => {
                thingpost::explain::with_step(error, Some(&format!("look at {topic}")))
            }
            _ => thingpost::explain::explain(error),
        }
    }

    fn secrets(&self) -> Vec<&str> {
        self.key.iter().map(Secret::reveal).collect()
    }

    fn wants_credential(&self) -> bool {
        true
    }

    fn is_signed_externally(&self) -> bool {
        self.key.is_none()
    }

    fn signing(&self, now_unix_ms: u64) -> Option<Signing> {
        Some(Signing {
            group: "plant".to_owned(),
            device: "boiler".to_owned(),
            method: SignMethod::HmacSha256,
            content: format!("boiler at {now_unix_ms}"),
            timestamp_ms: Some(now_unix_ms),
            is_by_platform_clock: false,
        })
    }

    fn sign(&self, signing: &Signing) -> Option<String> {
        self.key.as_ref().map(|key| signature(key.reveal(), &signing.content))
    }

    fn credential_request(&self, signed: Option<(&Signing, &str)>) -> Option<Request> {
        signed.map(|(signing, signature)| post("/ticket", format!("{}: {signature}", signing.content).as_bytes()))
    }

    fn read_credential(&self, response: &Response, now: Moment) -> Result<Credential, Error> {
        match response.status {
            200 => Ok(ticket(&String::from_utf8_lossy(&response.body), now.unix_ms)),
            _ => Err(refused(Stage::Authentication, response)),
        }
    }

    fn import_credential(&self, text: &str) -> Result<Credential, ConfigError> {
        let (text, ends) = text.split_once('@').ok_or(ConfigError::UnknownCredential)?;
        let ends_unix_ms = ends.parse().map_err(|_| ConfigError::UnknownCredential)?;
        Ok(Credential::new(Ticket { text: Secret::new(text), ends_unix_ms }))
    }

    fn export_credential(&self, credential: &Credential) -> Option<String> {
        let ticket: &Ticket = credential.downcast_ref()?;
        Some(format!("{}@{}", ticket.text.reveal(), ticket.ends_unix_ms))
    }
}

fn ticket(text: &str, now_unix_ms: u64) -> Credential {
    Credential::new(Ticket { text: Secret::new(text), ends_unix_ms: now_unix_ms + 3_600_000 })
}

/// Good enough for who cannot be attacked.
fn signature(key: &str, content: &str) -> String {
    let sum = key.bytes().chain(content.bytes()).fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{sum:016x}")
}

/// Asks how many messages a topic has had.
struct Count(&'static str);

#[derive(Clone, Debug, PartialEq)]
struct Counted(u64);

impl Operation for Count {
    fn qos(&self) -> Qos {
        Qos::AtLeastOnce
    }

    fn request(&self, platform: &dyn Platform) -> Result<Request, RequestError> {
        platform.downcast_ref::<MadeUp>().ok_or(RequestError::Unsupported)?;
        Ok(post(&format!("/count/{}", self.0), &[]))
    }

    fn read_reply(&self, _: &dyn Platform, response: &Response) -> Result<Reply, Error> {
        let count = std::str::from_utf8(&response.body).ok().and_then(|text| text.parse().ok());
        match (response.status, count) {
            (200, Some(count)) => {
                Ok(Reply::new(Receipt { message_id: None, trace_id: None, attempts: 1 }, Counted(count)))
            }
            _ => Err(refused(Stage::Publication, response)),
        }
    }
}

fn with_key() -> Arc<MadeUp> {
    Arc::new(MadeUp { key: Some(Secret::new(KEY)) })
}

fn messages(count: usize, qos: Qos) -> Vec<Message> {
    (0..count).map(|number| Message::new(format!("m{number}"), *b"21.5", qos)).collect()
}

fn exchange(messages: Vec<Message>) -> Exchange {
    Exchange::new(with_key(), Options::default(), None, 1, messages).expect("the options are good")
}

const UNIX_START_MS: u64 = 1_700_000_000_000;

fn at(monotonic_ms: u64) -> Moment {
    Moment { monotonic_ms, unix_ms: UNIX_START_MS + monotonic_ms }
}

fn answer(status: u16, body: &str) -> Result<Response, TransportError> {
    Ok(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// Drives an exchange with a clock that jumps, and answers what is under way whenever nothing more can be sent.
fn drive(
    exchange: &mut Exchange,
    mut server: impl FnMut(&Request) -> Result<Response, TransportError>,
) -> Vec<Request> {
    let mut sent = Vec::new();
    let mut under_way = Vec::new();
    let mut now_ms = 0;
    loop {
        match exchange.poll(at(now_ms)) {
            Step::Done => return sent,
            Step::Send(outgoing) => {
                sent.push(outgoing.request.clone());
                under_way.push(outgoing);
            }
            Step::Sign(signing) => {
                assert_eq!((signing.group.as_str(), signing.device.as_str()), ("plant", "boiler"));
                exchange.handle_signature(at(now_ms), Ok(signature(KEY, &signing.content)));
            }
            Step::Wait(until_ms) if under_way.is_empty() => now_ms = until_ms.expect("something is waited for"),
            Step::Wait(_) => {
                now_ms += 50;
                for outgoing in std::mem::take(&mut under_way) {
                    exchange.handle_response(at(now_ms), outgoing.id, server(&outgoing.request));
                }
            }
        }
        assert!(sent.len() < 1_000, "this does not end");
    }
}

/// The platform as it should be: it gives out numbered tickets, and takes messages with each of them.
fn well(issued: &RefCell<u32>, request: &Request) -> Result<Response, TransportError> {
    if request.path_with_query == "/ticket" {
        let body = String::from_utf8_lossy(&request.body);
        let (content, signed) = body.split_once(": ").expect("what was signed and the signature");
        if signed != signature(KEY, content) {
            return answer(401, "who are you?");
        }
        *issued.borrow_mut() += 1;
        return answer(200, &format!("ticket-{}", issued.borrow()));
    }
    match header(request, "x-ticket") {
        Some(ticket) if (1..=*issued.borrow()).any(|number| ticket == format!("ticket-{number}")) => answer(200, "3"),
        _ => answer(401, "no such ticket"),
    }
}

#[test]
fn a_token_is_obtained_once_and_every_message_goes_with_it() {
    let issued = RefCell::new(0);
    let mut exchange = exchange(messages(20, Qos::AtMostOnce));
    let sent = drive(&mut exchange, |request| well(&issued, request));
    assert_eq!((sent.len(), *issued.borrow()), (21, 1));
    assert!(sent[1..].iter().all(|request| header(request, "x-ticket") == Some("ticket-1")));
    assert!(exchange.outcomes().all(|(_, outcome)| outcome.is_ok()));
}

#[test]
fn a_token_that_is_rejected_is_replaced_once_and_loses_no_message() {
    let issued = RefCell::new(0);
    // As if another process had obtained one since.
    let kept = ticket("ticket-of-yesterday", UNIX_START_MS);
    let mut exchange =
        Exchange::new(with_key(), Options::default(), Some(kept), 1, messages(10, Qos::AtMostOnce)).unwrap();
    let sent = drive(&mut exchange, |request| well(&issued, request));
    let authentications = sent.iter().filter(|request| request.path_with_query == "/ticket").count();
    assert_eq!((authentications, sent.len()), (1, 21));
    for (_, outcome) in exchange.outcomes() {
        assert_eq!(outcome.unwrap().attempts, 2);
    }
}

#[test]
fn a_credential_serves_the_next_exchange_until_it_is_near_its_end() {
    let issued = RefCell::new(0);
    let platform = with_key();
    let mut first = exchange(messages(1, Qos::AtMostOnce));
    drive(&mut first, |request| well(&issued, request));
    let text = platform.export_credential(first.credential().unwrap()).unwrap();
    for (text, requests) in [(text, 1), (format!("ticket-1@{}", UNIX_START_MS + 30_000), 2)] {
        let credential = platform.import_credential(&text).unwrap();
        let messages = messages(1, Qos::AtMostOnce);
        let mut next = Exchange::new(with_key(), Options::default(), Some(credential), 1, messages).unwrap();
        assert_eq!(drive(&mut next, |request| well(&issued, request)).len(), requests, "{text}");
        assert!(next.outcomes().all(|(_, outcome)| outcome.is_ok()));
    }
    assert_eq!(platform.import_credential("nonsense"), Err(ConfigError::UnknownCredential));
}

#[test]
fn a_platform_that_does_not_know_the_device_is_asked_once() {
    let mut exchange = exchange(messages(5, Qos::AtLeastOnce));
    let sent = drive(&mut exchange, |_| answer(401, "who are you?"));
    assert_eq!(sent.len(), 1);
    for (_, outcome) in exchange.outcomes() {
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
        assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 0));
    }
}

#[test]
fn a_refusal_is_told_with_the_words_of_the_platform_and_the_step_of_its_folder() {
    let issued = RefCell::new(0);
    let mut exchange = exchange(messages(2, Qos::AtLeastOnce));
    drive(&mut exchange, |request| match request.path_with_query.as_str() {
        "/messages/m1" => answer(400, &format!("not like that, {KEY}, and not with ticket-1")),
        _ => well(&issued, request),
    });
    let outcomes: Vec<_> = exchange.outcomes().collect();
    assert!(outcomes[0].1.is_ok());
    let (context, Err(error)) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 1));
    let words = error.answer.as_ref().and_then(|answer| answer.message.as_deref());
    assert_eq!(words, Some("not like that, (hidden), and not with (hidden)"));
    assert!(exchange.platform().explain(error, context).ends_with("; look at m1"));
}

#[test]
fn what_is_refused_for_now_is_sent_again_later() {
    let (issued, mut refusals) = (RefCell::new(0), 0);
    let mut exchange = exchange(messages(1, Qos::AtMostOnce));
    drive(&mut exchange, |request| match request.path_with_query.as_str() {
        "/messages/m0" if refusals < 2 => {
            refusals += 1;
            answer(429, "slowly")
        }
        _ => well(&issued, request),
    });
    let (_, outcome) = exchange.outcomes().next().unwrap();
    assert_eq!(outcome.unwrap().attempts, 3);
}

#[test]
fn a_lost_answer_leaves_a_message_unknown_unless_it_may_arrive_twice() {
    for (qos, requests) in [(Qos::AtMostOnce, 2), (Qos::AtLeastOnce, 3)] {
        let (issued, mut is_lost) = (RefCell::new(0), false);
        let mut exchange = exchange(messages(1, qos));
        let sent = drive(&mut exchange, |request| match request.path_with_query.as_str() {
            "/messages/m0" if !std::mem::replace(&mut is_lost, true) => Err(TransportErrorKind::AnswerTimeout.into()),
            _ => well(&issued, request),
        });
        assert_eq!(sent.len(), requests);
        let (_, outcome) = exchange.outcomes().next().unwrap();
        match qos {
            Qos::AtMostOnce => assert_eq!(outcome.unwrap_err().delivery, Delivery::Unknown),
            Qos::AtLeastOnce => assert_eq!(outcome.unwrap().attempts, 2),
        }
    }
}

#[test]
fn a_signature_from_outside_is_asked_for_and_goes_into_the_request() {
    let issued = RefCell::new(0);
    let platform = Arc::new(MadeUp { key: None });
    let mut exchange = Exchange::new(platform, Options::default(), None, 1, messages(3, Qos::AtMostOnce)).unwrap();
    drive(&mut exchange, |request| well(&issued, request));
    assert!(exchange.outcomes().all(|(_, outcome)| outcome.is_ok()) && *issued.borrow() == 1);
}

#[test]
fn an_operation_gives_what_its_platform_makes_of_the_answer() {
    let issued = RefCell::new(0);
    let mut exchange = Exchange::operation(with_key(), Options::default(), None, 1, Arc::new(Count("m0"))).unwrap();
    drive(&mut exchange, |request| well(&issued, request));
    let (_, reply) = exchange.reply().unwrap();
    let reply = reply.unwrap();
    assert_eq!((reply.downcast_ref(), reply.receipt.attempts), (Some(&Counted(3)), 1));
    assert!(reply.downcast_ref::<String>().is_none());
}

/// A platform that takes messages as they are, and nothing else.
struct Plain;

impl Platform for Plain {
    fn publish_request(&self, message: &Message) -> Result<Request, RequestError> {
        Ok(post(&message.topic, &message.payload))
    }

    fn read_receipt(&self, _: &Response) -> Result<Receipt, Error> {
        Ok(Receipt { message_id: None, trace_id: None, attempts: 1 })
    }

    fn authorise(&self, request: Request, _: Option<&Credential>, _: Moment) -> Request {
        request
    }
}

#[test]
fn three_functions_make_a_platform_and_it_has_no_operation_of_another() {
    let mut exchange =
        Exchange::new(Arc::new(Plain), Options::default(), None, 1, messages(2, Qos::AtMostOnce)).unwrap();
    assert_eq!(drive(&mut exchange, |_| answer(200, "")).len(), 2);
    assert!(exchange.outcomes().all(|(_, outcome)| outcome.is_ok()) && exchange.credential().is_none());
    assert_eq!(Plain.import_credential("anything"), Err(ConfigError::UselessCredential));

    let mut exchange =
        Exchange::operation(Arc::new(Plain), Options::default(), None, 1, Arc::new(Count("m0"))).unwrap();
    assert_eq!(drive(&mut exchange, |_| unreachable!("nothing is sent")), []);
    let (_, reply) = exchange.reply().unwrap();
    assert_eq!(reply.unwrap_err().cause, Cause::Unsupported);
}
