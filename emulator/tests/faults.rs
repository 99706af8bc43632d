//! Each fault strikes where it says, and the ledger tells what became of the message.

use std::io;
use std::time::{Duration, Instant};

use thingpost_emulator::{AnswerFault, Authority, AwsEmulator, AwsOptions, Break, Disposition, Fault, HandshakeFault};
use thingpost_patience::{patience, within};

use crate::aliyun_world;
use crate::client::{Client, Connection, post};

const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

struct World {
    emulator: AwsEmulator,
    client: Client,
}

async fn world() -> World {
    let authority = Authority::new();
    let device = authority.issue_device("thermometer-7");
    let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
    emulator.register(&device);
    World { emulator, client: Client::with_certificate(&authority, NAME, &device) }
}

impl World {
    async fn connect(&self) -> io::Result<Connection> {
        self.client.connect(self.emulator.addr_mutual_tls()).await
    }

    /// A connection on which a message has been sent that the fault is going to strike.
    async fn sent(&self, fault: Fault) -> Connection {
        self.emulator.faults().push(fault, 1);
        let mut connection = self.connect().await.unwrap();
        connection.send(&post("/topics/t", "", b"x")).await.unwrap();
        connection
    }

    /// What became of the only message, after which the emulator is good again.
    async fn assert_disposition(&self, expected: fn(&Disposition) -> bool) {
        let ledger = self.emulator.ledger();
        let entries = ledger.wait_for(1, patience()).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert!(expected(&entries[0].disposition), "{entries:?}");
        assert_eq!(self.emulator.faults().pending(), 0);
        let again = self.connect().await.unwrap().post("/topics/t", "", b"x").await.unwrap();
        assert_eq!(again.status(), 200);
    }
}

fn dropped(disposition: &Disposition) -> bool {
    *disposition == Disposition::Dropped
}

fn accepted(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::Accepted { .. })
}

fn not_answered(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::AcceptedButNotAnswered { .. })
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

#[tokio::test]
async fn at_accept_a_connection_is_closed_or_reset_as_often_as_asked() {
    let world = world().await;
    world.emulator.faults().push(Fault::AtAccept(Break::Close), 2);
    world.emulator.faults().push(Fault::AtAccept(Break::Reset), 1);
    for _ in 0..2 {
        let error = world.connect().await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
    let error = world.connect().await.err().unwrap();
    assert!(is_reset(&error) || error.kind() == io::ErrorKind::BrokenPipe, "{error:?}");
    assert!(world.connect().await.is_ok());
    let connections = world.emulator.connections().mutual_tls;
    assert_eq!(connections.accepted, 4);
}

#[tokio::test]
async fn a_stall_at_accept_leaves_the_client_hello_unanswered() {
    let world = world().await;
    world.emulator.faults().push(Fault::AtAccept(Break::Stall), 1);
    let attempt = tokio::time::timeout(Duration::from_millis(300), world.connect()).await;
    assert!(attempt.is_err());
    assert!(world.connect().await.is_ok());
}

#[tokio::test]
async fn in_the_handshake_a_connection_is_closed_or_spoilt() {
    let world = world().await;
    world.emulator.faults().push(Fault::InHandshake(HandshakeFault::Close), 1);
    world.emulator.faults().push(Fault::InHandshake(HandshakeFault::Garbage), 1);
    let closed = world.connect().await.err().unwrap();
    assert_eq!(closed.kind(), io::ErrorKind::UnexpectedEof);
    let spoilt = world.connect().await.err().unwrap();
    assert_eq!(spoilt.kind(), io::ErrorKind::InvalidData);
    assert!(world.connect().await.is_ok());
    assert_eq!(world.emulator.connections().mutual_tls.accepted, 3);
}

#[tokio::test]
async fn before_acceptance_a_close_drops_the_message() {
    let world = world().await;
    let mut connection = world.sent(Fault::BeforeAcceptance(Break::Close)).await;
    assert_eq!(connection.rest().await.unwrap(), b"");
    world.assert_disposition(dropped).await;
}

#[tokio::test]
async fn before_acceptance_a_reset_drops_the_message() {
    let world = world().await;
    let mut connection = world.sent(Fault::BeforeAcceptance(Break::Reset)).await;
    assert!(is_reset(&connection.rest().await.unwrap_err()));
    world.assert_disposition(dropped).await;
}

#[tokio::test]
async fn before_acceptance_a_stall_drops_the_message() {
    let world = world().await;
    let mut connection = world.sent(Fault::BeforeAcceptance(Break::Stall)).await;
    assert!(connection.is_silent().await);
    world.assert_disposition(dropped).await;
}

#[tokio::test]
async fn after_acceptance_a_close_keeps_the_message() {
    let world = world().await;
    let mut connection = world.sent(Fault::AfterAcceptance(Break::Close)).await;
    assert_eq!(connection.rest().await.unwrap(), b"");
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn after_acceptance_a_reset_keeps_the_message() {
    let world = world().await;
    let mut connection = world.sent(Fault::AfterAcceptance(Break::Reset)).await;
    assert!(is_reset(&connection.rest().await.unwrap_err()));
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn after_acceptance_a_stall_keeps_the_message() {
    let world = world().await;
    let mut connection = world.sent(Fault::AfterAcceptance(Break::Stall)).await;
    assert!(connection.is_silent().await);
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn a_garbage_answer_is_no_http() {
    let world = world().await;
    let mut connection = world.sent(Fault::InAnswer(AnswerFault::Garbage)).await;
    let rest = connection.rest().await.unwrap();
    assert!(!rest.is_empty() && !rest.starts_with(b"HTTP"));
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn half_a_head_ends_before_its_empty_line() {
    let world = world().await;
    let mut connection = world.sent(Fault::InAnswer(AnswerFault::HalfHead)).await;
    let rest = String::from_utf8(connection.rest().await.unwrap()).unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n") && !rest.contains("\r\n\r\n"), "{rest}");
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn a_short_body_ends_before_its_announced_length() {
    let world = world().await;
    let mut connection = world.sent(Fault::InAnswer(AnswerFault::ShortBody)).await;
    let rest = String::from_utf8(connection.rest().await.unwrap()).unwrap();
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 65"));
    assert_eq!(body.len(), 32);
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn slow_bytes_are_the_whole_answer_late() {
    let world = world().await;
    let delay = Duration::from_millis(1);
    let start = Instant::now();
    let mut connection = world.sent(Fault::InAnswer(AnswerFault::SlowBytes { delay })).await;
    let response = connection.answer().await.unwrap();
    assert!(response.body.starts_with(r#"{"message":"OK","#));
    let bytes = response.head.len() + 4 + response.body.len();
    assert!(start.elapsed() >= delay * bytes as u32);
    assert_eq!(connection.post("/topics/t", "", b"x").await.unwrap().status(), 200);
    assert!(world.emulator.ledger().entries().iter().all(|entry| accepted(&entry.disposition)));
}

#[tokio::test]
async fn a_large_body_is_as_large_as_asked() {
    let world = world().await;
    let mut connection = world.sent(Fault::InAnswer(AnswerFault::LargeBody { megabytes: 3 })).await;
    let response = connection.answer().await.unwrap();
    assert_eq!(response.body.len(), 3 * 1024 * 1024);
    assert!(response.body.trim_end().ends_with('}'));
    world.assert_disposition(accepted).await;
}

#[tokio::test]
async fn a_half_close_follows_the_answer_and_leaves_the_clients_half_open() {
    let world = world().await;
    let mut connection = world.sent(Fault::InAnswer(AnswerFault::HalfClose)).await;
    assert_eq!(connection.answer().await.unwrap().status(), 200);
    assert_eq!(connection.rest().await.unwrap(), b"");
    // Twice, because a reset would only show after the first.
    for _ in 0..2 {
        connection.send(&post("/topics/t", "", b"ignored")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.assert_disposition(accepted).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_having_been_announced() {
    let world = world().await;
    let mut connection = world.sent(Fault::CloseWhenIdle).await;
    let response = connection.answer().await.unwrap();
    assert_eq!(response.header("connection"), Some("keep-alive"));
    assert_eq!(connection.rest().await.unwrap(), b"");
    world.assert_disposition(accepted).await;
}

#[tokio::test]
async fn an_answer_from_something_in_between_means_that_the_message_was_not_taken() {
    let world = world().await;
    let headers = vec![("Retry-After".to_owned(), "3".to_owned())];
    let body = b"<html>busy</html>".to_vec();
    let mut connection = world.sent(Fault::Answer { status: 503, headers, body }).await;
    let response = connection.answer().await.unwrap();
    let head = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\ncontent-length: 17";
    assert_eq!(response.head, head);
    assert_eq!(response.body, "<html>busy</html>");
    world.assert_disposition(|d| matches!(d, Disposition::Refused { status: 503, .. })).await;
}

#[tokio::test]
async fn an_answer_from_something_in_between_can_hide_that_the_message_was_taken() {
    let world = world().await;
    let fault = Fault::AnswerAfterAcceptance { status: 504, headers: Vec::new(), body: Vec::new() };
    let mut connection = world.sent(fault).await;
    assert_eq!(connection.answer().await.unwrap().status_line(), "HTTP/1.1 504 Gateway Timeout");
    world.assert_disposition(not_answered).await;
}

#[tokio::test]
async fn a_fault_does_not_make_a_bad_message_good() {
    let world = world().await;
    world.emulator.deny_topic_prefix("t");
    let mut connection = world.sent(Fault::AfterAcceptance(Break::Close)).await;
    assert_eq!(connection.rest().await.unwrap(), b"");
    assert_eq!(world.emulator.ledger().accepted(), []);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_turns_the_entry_into_not_answered() {
    let world = world().await;
    let delay = Duration::from_millis(5);
    let connection = world.sent(Fault::InAnswer(AnswerFault::SlowBytes { delay })).await;
    let ledger = world.emulator.ledger();
    ledger.wait_for(1, patience()).await.unwrap();
    drop(connection);
    within(async {
        while !not_answered(&ledger.entries()[0].disposition) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_authentication_can_be_struck_without_striking_messages() {
    let world = aliyun_world::world().await;
    world.emulator.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Close), 1);
    world.emulator.faults().push_at_authentication(Fault::AfterAcceptance(Break::Close), 1);
    for decided in [0, 1] {
        let mut connection = world.connect().await;
        connection.send(&post("/auth", aliyun_world::JSON, b"{}")).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
        assert_eq!(world.emulator.authentications(), decided);
    }
    world.emulator.faults().push(Fault::BeforeAcceptance(Break::Close), 1);
    assert_eq!(world.token().await.len(), 32);
    assert_eq!(world.emulator.faults().pending(), 1);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn an_operation_can_be_struck_without_striking_messages() {
    let world = world().await;
    world.emulator.faults().push_at_operation(Fault::BeforeAcceptance(Break::Close), 1);
    world.emulator.faults().push_at_operation(Fault::AfterAcceptance(Break::Close), 1);
    let mut connection = world.connect().await.unwrap();
    assert_eq!(connection.post("/topics/t", "", b"x").await.unwrap().status(), 200);
    // Only what was struck after it was done is there.
    for value in [1, 2] {
        let mut connection = world.connect().await.unwrap();
        let update = format!(r#"{{"state":{{"reported":{{"a":{value}}}}}}}"#);
        connection.send(&post("/things/x/shadow", "", update.as_bytes())).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
    }
    let shadow = connection.request("GET", "/things/x/shadow", "", b"").await.unwrap();
    assert!(shadow.body.contains(r#""reported":{"a":2}"#) && shadow.body.contains(r#""version":1"#), "{}", shadow.body);
    assert_eq!(world.emulator.faults().pending(), 0);
}
