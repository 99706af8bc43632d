//! Whatever goes wrong, in whichever phase, with whichever quality of service: the sender is told what the ledger
//! says, and what can be saved is saved. That it is told in time is tested in the core, by a clock of its own; here, of
//! those that get no answer, that they are told at all.

use std::sync::Arc;
use std::time::Duration;

use thingpost_emulator::{AnswerFault, Break, Fault, HandshakeFault};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{
    Cause, Delivery, Error, Message, Options, Qos, Receipt, Stage, TransportErrorKind,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::fixtures::agreement::assert_agrees;
use crate::fixtures::aliyun;
use crate::fixtures::cloud::{Cloud, Kind};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::at_least_once;

const KINDS: [Kind; 3] = [Kind::Aws, Kind::Aliyun, Kind::AliyunKeepAlive];

/// For all attempts of a message together: more than they take on a busy machine.
const TIMEOUT_MS: u32 = 60_000;

/// For messages that use all of it up. Until then they have got to the platform.
const SHORT_TIMEOUT_MS: u32 = 5_000;

/// For the end of a connection to get to the other side.
const MOMENT: Duration = Duration::from_millis(500);

/// Scenarios at a time: each stalls for seconds or is over in milliseconds, and handshakes have their time limits too.
const AT_A_TIME: usize = 16;

fn bounded() -> Options {
    Options { timeout_ms: Some(TIMEOUT_MS), connect_timeout_ms: Some(5_000), ..options() }
}

/// What becomes of a message that is struck by a fault once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Delivered,
    Refused,
    Unknown,
}

use Expected::{Delivered, Refused, Unknown};

/// Faults that strike once, with what becomes of the message at most once and at least once.
fn faults(kind: Kind) -> Vec<(Fault, Expected, Expected)> {
    let answer = |status| Fault::Answer { status, headers: vec![], body: vec![] };
    let late_answer = |status| Fault::AnswerAfterAcceptance { status, headers: vec![], body: vec![] };
    let page = || (200, vec![("content-type".to_owned(), "text/html".to_owned())], b"<html>".to_vec());
    let (status, headers, body) = page();
    let portal = Fault::Answer { status, headers, body };
    let (status, headers, body) = page();
    let late_portal = Fault::AnswerAfterAcceptance { status, headers, body };
    let slow = |ms| Fault::InAnswer(AnswerFault::SlowBytes { delay: Duration::from_millis(ms) });
    // The head of AWS's answer says what became of the message; Aliyun's is the same for all.
    let short_body = match kind {
        Kind::Aws => (Delivered, Delivered),
        Kind::Aliyun | Kind::AliyunKeepAlive => (Unknown, Delivered),
    };
    vec![
        // Silence uses up all the time that a message has.
        (Fault::BeforeAcceptance(Break::Stall), Unknown, Unknown),
        (Fault::AfterAcceptance(Break::Stall), Unknown, Unknown),
        (slow(100), Unknown, Unknown),
        // Nothing was sent, so it is sent.
        (Fault::AtAccept(Break::Close), Delivered, Delivered),
        (Fault::AtAccept(Break::Reset), Delivered, Delivered),
        (Fault::AtAccept(Break::Stall), Delivered, Delivered),
        (Fault::InHandshake(HandshakeFault::Close), Delivered, Delivered),
        (Fault::InHandshake(HandshakeFault::Garbage), Delivered, Delivered),
        // It is not known.
        (Fault::BeforeAcceptance(Break::Close), Unknown, Delivered),
        (Fault::BeforeAcceptance(Break::Reset), Unknown, Delivered),
        (Fault::AfterAcceptance(Break::Close), Unknown, Delivered),
        (Fault::AfterAcceptance(Break::Reset), Unknown, Delivered),
        (Fault::InAnswer(AnswerFault::Garbage), Unknown, Delivered),
        (Fault::InAnswer(AnswerFault::HalfHead), Unknown, Delivered),
        (Fault::InAnswer(AnswerFault::ShortBody), short_body.0, short_body.1),
        (answer(500), Unknown, Delivered),
        (answer(502), Unknown, Delivered),
        (answer(504), Unknown, Delivered),
        (late_answer(500), Unknown, Delivered),
        (late_answer(502), Unknown, Delivered),
        (late_answer(504), Unknown, Delivered),
        // Something else answers, and will again.
        (portal, Unknown, Unknown),
        (late_portal, Unknown, Unknown),
        // Refused, for good or for now.
        (answer(302), Refused, Refused),
        (answer(404), Refused, Refused),
        (answer(413), Refused, Refused),
        (answer(418), Refused, Refused),
        (answer(429), Delivered, Delivered),
        (answer(503), Delivered, Delivered),
        // Odd, but no harm done.
        (slow(1), Delivered, Delivered),
        (Fault::InAnswer(AnswerFault::LargeBody { megabytes: 1 }), Delivered, Delivered),
        (Fault::InAnswer(AnswerFault::HalfClose), Delivered, Delivered),
        (Fault::CloseWhenIdle, Delivered, Delivered),
    ]
}

fn kind_of(outcome: &Result<Receipt, Error>) -> Expected {
    match outcome.as_ref().map_err(|error| error.delivery) {
        Ok(_) => Delivered,
        Err(Delivery::Unknown) => Unknown,
        Err(Delivery::Refused) => Refused,
        Err(Delivery::NotSent) => panic!("a fault that strikes once cannot keep a message from being sent"),
    }
}

/// Whether it ends only when the client has had enough.
fn is_silent(fault: &Fault) -> bool {
    match fault {
        Fault::BeforeAcceptance(how) | Fault::AfterAcceptance(how) => *how == Break::Stall,
        Fault::InAnswer(AnswerFault::SlowBytes { delay }) => *delay >= Duration::from_millis(100),
        _ => false,
    }
}

async fn strike_once(kind: Kind, qos: Qos, fault: Fault, expected: Expected) {
    let cloud = Cloud::start(kind).await;
    let timeout_ms = if is_silent(&fault) { SHORT_TIMEOUT_MS } else { TIMEOUT_MS };
    let mut publisher = cloud.open(&Options { timeout_ms: Some(timeout_ms), ..bounded() }).await;
    // The token first: a fault that strikes connections is to strike the message's.
    publisher.publish(&at_least_once(cloud.topic(), b"before")).await.unwrap().unwrap();
    if matches!(fault, Fault::AtAccept(_) | Fault::InHandshake(_)) {
        publisher = reopened(&cloud, &mut publisher).await;
    }
    cloud.faults().push(fault.clone(), 1);

    let message = Message { qos, ..at_least_once(cloud.topic(), b"struck") };
    let outcome = publisher.publish(&message).await.unwrap();
    let case = format!("{kind:?}, {qos:?}, {fault:?}: {outcome:?}");
    assert_eq!(cloud.faults().pending(), 0, "{case}");
    assert_agrees(&message, &outcome, &cloud.ledger().entries());
    assert_eq!(kind_of(&outcome), expected, "{case}");

    // Whatever it was, the next message does not suffer from it.
    tokio::time::sleep(MOMENT).await;
    let next = publisher.publish(&Message { qos, ..at_least_once(cloud.topic(), b"after") }).await.unwrap();
    assert!(next.is_ok(), "{case}, then: {next:?}");
}

/// A publisher of the same session, without the connection that the first one had kept.
async fn reopened(cloud: &Cloud, publisher: &mut Publisher) -> Publisher {
    let session = publisher.credential().await.unwrap();
    match cloud {
        Cloud::Aws(_) => cloud.open(&bounded()).await,
        Cloud::Aliyun(cloud) => cloud.open(aliyun::config(), &bounded(), session.as_deref()).await,
    }
}

/// Scenarios that run beside each other, but not all at once.
struct Strikes {
    running: JoinSet<()>,
    turns: Arc<Semaphore>,
}

impl Strikes {
    fn new() -> Self {
        Self { running: JoinSet::new(), turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    fn begin(&mut self, strike: impl Future<Output = ()> + Send + 'static) {
        let turns = Arc::clone(&self.turns);
        self.running.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            strike.await;
        });
    }

    async fn end(self) {
        self.running.join_all().await;
    }
}

async fn strike_with_everything(kind: Kind) {
    within(async {
        let mut strikes = Strikes::new();
        for (fault, at_most_once, at_least_once) in faults(kind) {
            strikes.begin(strike_once(kind, Qos::AtMostOnce, fault.clone(), at_most_once));
            strikes.begin(strike_once(kind, Qos::AtLeastOnce, fault, at_least_once));
        }
        strikes.end().await;
    })
    .await;
}

#[tokio::test]
async fn aws_and_the_sender_agree_after_every_fault() {
    strike_with_everything(Kind::Aws).await;
}

#[tokio::test]
async fn aliyun_and_the_sender_agree_after_every_fault() {
    strike_with_everything(Kind::Aliyun).await;
}

#[tokio::test]
async fn aliyun_with_kept_connections_and_the_sender_agree_after_every_fault() {
    strike_with_everything(Kind::AliyunKeepAlive).await;
}

#[tokio::test]
async fn an_authentication_that_is_struck_is_repeated_and_the_message_arrives_once() {
    within(async {
        let mut strikes = Strikes::new();
        for (fault, _, at_least_once) in faults(Kind::Aliyun) {
            // To authenticate twice does no harm, so here at least once is for everybody.
            let is_final = at_least_once != Delivered;
            if is_final {
                continue;
            }
            for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
                strikes.begin(strike_the_authentication(fault.clone(), qos));
            }
        }
        strikes.end().await;
    })
    .await;
}

async fn strike_the_authentication(fault: Fault, qos: Qos) {
    let cloud = Cloud::start(Kind::Aliyun).await;
    cloud.faults().push_at_authentication(fault.clone(), 1);
    let mut publisher = cloud.open(&bounded()).await;
    let outcome = publisher.publish(&Message { qos, ..at_least_once(cloud.topic(), b"x") }).await.unwrap();
    assert!(outcome.is_ok(), "{fault:?}, {qos:?}: {outcome:?}");
    assert_eq!(cloud.faults().pending(), 0, "{fault:?}");
    assert_eq!(cloud.ledger().entries().len(), 1, "{fault:?}");
}

#[tokio::test]
async fn an_authentication_without_an_answer_ends_in_time_and_nothing_was_sent() {
    within(async {
        let cloud = Cloud::start(Kind::Aliyun).await;
        cloud.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Stall), 1);
        let options = Options { timeout_ms: Some(SHORT_TIMEOUT_MS), ..options() };
        let mut publisher = cloud.open(&options).await;
        let error = publisher.publish(&at_least_once(cloud.topic(), b"x")).await.unwrap().unwrap_err();
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout));
        assert_eq!((error.stage, error.delivery, error.attempts), (Stage::Authentication, Delivery::NotSent, 0));
        assert_eq!(cloud.ledger().entries(), []);
    })
    .await;
}

#[tokio::test]
async fn faults_that_never_end_are_given_up_with_the_gravest_of_all_attempts() {
    within(async {
        for kind in KINDS {
            for (fault, delivery) in [
                (Fault::AtAccept(Break::Close), Delivery::NotSent),
                (Fault::InHandshake(HandshakeFault::Garbage), Delivery::NotSent),
                (Fault::BeforeAcceptance(Break::Close), Delivery::Unknown),
                (Fault::AfterAcceptance(Break::Reset), Delivery::Unknown),
                (Fault::InAnswer(AnswerFault::HalfHead), Delivery::Unknown),
            ] {
                let cloud = Cloud::start(kind).await;
                let mut publisher = cloud.open(&Options { timeout_ms: Some(SHORT_TIMEOUT_MS), ..bounded() }).await;
                cloud.faults().push(fault.clone(), 1_000);
                let message = at_least_once(cloud.topic(), b"struck");
                let outcome = publisher.publish(&message).await.unwrap();
                let entries = cloud.ledger().entries();
                assert_agrees(&message, &outcome, &entries);
                let error = outcome.unwrap_err();
                assert_eq!(error.delivery, delivery, "{kind:?} {fault:?}");
                // What may have arrived is not sent more often than that; what has not, for as long as there is time.
                let is_bounded = entries.len() <= 4 && (delivery == Delivery::NotSent || error.attempts <= 4);
                assert!(is_bounded, "{kind:?} {fault:?}: {error:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_success_of_aws_whose_body_breaks_off_is_one_and_an_answer_of_aliyun_that_breaks_off_is_none() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&Options { timeout_ms: Some(SHORT_TIMEOUT_MS), ..bounded() }).await;
            cloud.faults().push(Fault::InAnswer(AnswerFault::ShortBody), 1_000);
            let message = at_least_once(cloud.topic(), b"struck");
            let outcome = publisher.publish(&message).await.unwrap();
            let entries = cloud.ledger().entries();
            assert_agrees(&message, &outcome, &entries);
            match kind {
                Kind::Aws => assert_eq!((outcome.unwrap().attempts, entries.len()), (1, 1)),
                Kind::Aliyun | Kind::AliyunKeepAlive => {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerIncomplete), "{error:?}");
                    assert!(error.delivery == Delivery::Unknown && entries.len() <= 4, "{error:?}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_refusal_after_an_attempt_of_unknown_fate_is_still_unknown() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&bounded()).await;
            cloud.faults().push(Fault::AfterAcceptance(Break::Close), 1);
            cloud.faults().push(Fault::Answer { status: 413, headers: vec![], body: vec![] }, 1);
            let message = at_least_once(cloud.topic(), b"struck");
            let outcome = publisher.publish(&message).await.unwrap();
            assert_agrees(&message, &outcome, &cloud.ledger().entries());
            let error = outcome.unwrap_err();
            assert_eq!((error.cause, error.delivery, error.attempts), (Cause::PayloadTooLarge, Delivery::Unknown, 2));
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_died_while_it_was_idle_costs_no_message() {
    within(async {
        for kind in [Kind::Aws, Kind::AliyunKeepAlive] {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&options()).await;
            for index in 0..10_u8 {
                cloud.faults().push(Fault::CloseWhenIdle, 1);
                let message = Message { qos: Qos::AtMostOnce, ..at_least_once(cloud.topic(), [index]) };
                let receipt = publisher.publish(&message).await.unwrap().unwrap();
                assert_eq!(receipt.attempts, 1);
                tokio::time::sleep(MOMENT).await;
            }
            assert_eq!(cloud.faults().pending(), 0);
            assert_eq!(cloud.ledger().accepted().len(), 10);
            assert_eq!(cloud.connections(), 10);
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_with_headers_without_end_harms_nobody() {
    within(async {
        for kind in KINDS {
            let cloud = Cloud::start(kind).await;
            let mut publisher = cloud.open(&bounded()).await;
            publisher.publish(&at_least_once(cloud.topic(), b"before")).await.unwrap().unwrap();
            for (count, length, delivery) in [
                (1, 200_000, Delivery::Refused),
                (90, 4_000, Delivery::Refused),
                (1, 2_000_000, Delivery::Unknown),
                (5_000, 10, Delivery::Unknown),
            ] {
                cloud.ledger().clear();
                let header = |index| (format!("x-header-{index}"), "v".repeat(length));
                let headers = (0..count).map(header).collect();
                cloud.faults().push(Fault::Answer { status: 400, headers, body: vec![] }, 1);
                let message = Message { qos: Qos::AtMostOnce, ..at_least_once(cloud.topic(), b"struck") };
                let outcome = publisher.publish(&message).await.unwrap();
                assert_agrees(&message, &outcome, &cloud.ledger().entries());
                assert_eq!(outcome.unwrap_err().delivery, delivery, "{kind:?}: {count} of {length} bytes");
            }
            publisher.publish(&at_least_once(cloud.topic(), b"after")).await.unwrap().unwrap();
        }
    })
    .await;
}
