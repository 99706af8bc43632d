//! A credential of another instance, looked up just before an authentication is sent.

use super::{SEED, aliyun_platform, messages};
use crate::aliyun::{IssuedToken, TimestampPolicy, Token};
use crate::credential::Credential;
use crate::exchange::{Exchange, Options, Outgoing, RequestId, Step};
use crate::http::{Response, TransportErrorKind};
use crate::moment::Moment;

const NOW: Moment = at(0);

const fn at(ms: u64) -> Moment {
    Moment { monotonic_ms: ms, unix_ms: super::UNIX_START_MS + ms }
}

fn fresh(token: &str) -> Credential {
    Credential::new(IssuedToken::new(Token::new(token), NOW.unix_ms))
}

fn sent(exchange: &mut Exchange, now: Moment) -> Outgoing {
    match exchange.poll(now) {
        Step::Send(outgoing) => outgoing,
        step => panic!("{step:?}"),
    }
}

/// An exchange that is about to authenticate, with the id of the request for that.
fn authenticating(count: usize) -> (Exchange, RequestId) {
    let platform = aliyun_platform(TimestampPolicy::None);
    let mut exchange = Exchange::new(platform, Options::default(), None, SEED, messages(count)).unwrap();
    let id = sent(&mut exchange, NOW).id;
    assert!(exchange.is_authentication(id));
    (exchange, id)
}

fn answer(body: &[u8]) -> Result<Response, crate::http::TransportError> {
    Ok(Response { status: 200, headers: Vec::new(), body: body.to_vec() })
}

#[test]
fn a_credential_of_another_instance_takes_the_place_of_the_authentication() {
    let (mut exchange, id) = authenticating(1);
    assert!(exchange.recall(NOW, id, fresh("shared")));
    assert!(!exchange.is_authenticating() && !exchange.is_authentication(id));
    let message = sent(&mut exchange, NOW);
    assert!(!exchange.is_authentication(message.id));
    assert!(message.request.headers.iter().any(|(_, value)| value == "shared"));
    assert_eq!(exchange.credential(), Some(&fresh("shared")));
    // The request was not sent, so nothing can come of it.
    exchange.handle_response(NOW, id, answer(b"{}"));
    exchange.handle_response(NOW, message.id, answer(br#"{"code":0,"message":"success","info":{"messageId":1}}"#));
    assert_eq!(exchange.poll(NOW), Step::Done);
    assert!(exchange.outcomes().all(|(_, outcome)| outcome.is_ok()));
}

#[test]
fn a_credential_that_was_rejected_here_is_not_taken_for_another() {
    let (mut exchange, id) = authenticating(1);
    assert!(exchange.recall(NOW, id, fresh("shared")));
    let message = sent(&mut exchange, NOW);
    exchange.handle_response(NOW, message.id, answer(br#"{"code":20001,"message":"token is expired"}"#));
    let later = at(20_000);
    let again = sent(&mut exchange, later);
    assert!(exchange.is_authentication(again.id));
    assert!(!exchange.recall(later, again.id, fresh("shared")));
    assert!(exchange.is_authenticating(), "the request is still to be sent");
    assert!(exchange.recall(later, again.id, fresh("newer")));
}

#[test]
fn what_would_be_renewed_at_once_and_what_is_no_authentication_are_not_replaced() {
    let (mut exchange, id) = authenticating(1);
    let a_week = 7 * 24 * 60 * 60 * 1000;
    assert!(!exchange.recall(at(a_week), id, fresh("shared")));
    assert!(!exchange.recall(NOW, id + 1, fresh("shared")));
    assert!(exchange.recall(NOW, id, fresh("shared")));
    let message = sent(&mut exchange, NOW);
    assert!(!exchange.recall(NOW, message.id, fresh("other")));
}

#[test]
fn an_authentication_that_was_to_find_out_whether_the_network_is_back_leaves_that_to_the_message() {
    let (mut exchange, id) = authenticating(2);
    exchange.handle_response(NOW, id, Err(TransportErrorKind::ConnectionRefused.into()));
    let later = at(5_000);
    let probe = sent(&mut exchange, later);
    assert!(exchange.is_authentication(probe.id));
    assert!(exchange.recall(later, probe.id, fresh("shared")));
    let message = sent(&mut exchange, later);
    assert!(!exchange.is_authentication(message.id));
    assert!(matches!(exchange.poll(later), Step::Wait(_)), "one message tries it");
}
