//! On AWS a temporary key plays the part of the token.

use std::sync::Arc;

use super::cloud::{Cloud, Fate, Script};
use super::driver::Drive;
use super::{SEED, messages, token};
use crate::aws::{self, Authentication, CredentialsProvider, Operation, Reply, Shadow};
use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::error::{Cause, Stage};
use crate::exchange::{Exchange, Options};
use crate::http::{MAX_REPLY_BODY, TransportErrorKind};
use crate::outcome::Delivery;
use crate::platform::Platform;

fn served() -> Script {
    Script::always(Fate::Served)
}

fn platform() -> Arc<dyn Platform> {
    let endpoint = |host| Endpoint::new(host, 443).unwrap();
    let data = endpoint("a-ats.iot.eu-west-1.amazonaws.com");
    let provider = CredentialsProvider {
        endpoint: endpoint("c.credentials.iot.eu-west-1.amazonaws.com"),
        role_alias: "alias".into(),
        thing_name: None,
        scope: aws::scope(&data, None, None).unwrap(),
    };
    Arc::new(aws::Config::new(data, Authentication::CredentialsProvider(provider)).unwrap())
}

fn drive(cloud: Cloud, session: Option<Credential>, count: usize) -> Drive {
    let mut drive =
        Drive::new(cloud, Exchange::new(platform(), Options::default(), session, SEED, messages(count)).unwrap());
    drive.finish();
    drive
}

fn operate(cloud: Cloud, operation: Operation) -> Drive {
    let mut drive = Drive::new(
        cloud,
        Exchange::operation(platform(), Options::default(), None, SEED, Arc::new(operation)).unwrap(),
    );
    drive.finish();
    drive
}

fn shadow() -> Shadow {
    Shadow { thing: "t".into(), name: None }
}

#[test]
fn a_thousand_messages_need_one_key() {
    let drive = drive(Cloud::aws_with_keys(served(), served()), None, 1_000);
    assert_eq!((drive.cloud.total_accepted(), drive.cloud.issued), (1_000, 1));
    assert_eq!(drive.most_authentications, 1);
    assert!(drive.publications().iter().all(|sent| {
        let names: Vec<_> = sent.outgoing.request.headers.iter().map(|(name, _)| name.as_ref()).collect();
        names.contains(&"authorization") && names.contains(&"x-amz-security-token")
    }));
}

#[test]
fn a_key_that_is_rejected_is_replaced_and_each_message_arrives_once() {
    let fates = [Fate::Served, Fate::Served, Fate::Revoked];
    let drive = drive(Cloud::aws_with_keys(Script::new(fates), served()), None, 100);
    assert_eq!((drive.cloud.total_accepted(), drive.cloud.issued), (100, 2));
    assert_eq!(token(&drive.exchange), Some("secret"));
}

#[test]
fn a_key_near_its_end_is_renewed_while_it_still_serves() {
    let first = drive(Cloud::aws_with_keys(served(), served()), None, 1);
    let text = platform().export_credential(first.exchange.credential().unwrap()).unwrap();
    let session = platform().import_credential(&text).unwrap();
    let second = drive(first.cloud.clone(), Some(session.clone()), 3);
    assert_eq!((second.cloud.issued, second.authentications().len()), (1, 0));

    let mut later = Drive::new(
        second.cloud.clone(),
        Exchange::new(platform(), Options::default(), Some(session), SEED, messages(3)).unwrap(),
    );
    later.ahead_ms = 59 * 60_000;
    later.finish();
    assert_eq!((later.cloud.issued, later.authentications().len()), (2, 1));
    assert_eq!(later.publications()[0].at_ms, 0, "no message waits for it");
}

#[test]
fn a_provider_that_refuses_is_asked_once_and_named() {
    let cloud = Cloud::aws_with_keys(served(), Script::always(Fate::Answered(403)));
    let drive = drive(cloud, None, 5);
    assert_eq!((drive.authentications().len(), drive.publications().len()), (1, 0));
    let error = drive.outcomes().remove(0).unwrap_err();
    assert_eq!(
        (error.cause, error.stage, error.delivery),
        (Cause::Forbidden, Stage::Authentication, Delivery::Refused)
    );
}

#[test]
fn a_read_is_sent_again_after_a_lost_answer_and_a_change_is_not() {
    let lost = || Script::new([Fate::ServedButLost(TransportErrorKind::AnswerTimeout)]);
    let read = operate(Cloud::aws_with_keys(lost(), served()), Operation::GetShadow(shadow()));
    assert_eq!(read.publications().len(), 2);
    let (_, reply) = aws::reply(&read.exchange).unwrap();
    assert!(matches!(reply, Ok(Reply::Document(_))), "{reply:?}");
    assert_eq!(read.publications()[0].outgoing.max_answer_bytes, MAX_REPLY_BODY);
    assert!(read.publications()[0].outgoing.body_needed);

    let change = operate(Cloud::aws_with_keys(lost(), served()), Operation::DeleteShadow(shadow()));
    assert_eq!(change.publications().len(), 1);
    let (_, reply) = aws::reply(&change.exchange).unwrap();
    assert_eq!(reply.unwrap_err().delivery, Delivery::Unknown);
}

#[test]
fn a_key_needs_the_body_of_its_answer_and_a_message_to_aws_does_not() {
    let drive = drive(Cloud::aws_with_keys(served(), served()), None, 1);
    assert!(drive.authentications()[0].outgoing.body_needed);
    assert!(!drive.publications()[0].outgoing.body_needed);
}

#[test]
fn an_operation_that_cannot_succeed_asks_nobody() {
    let bad = Shadow { thing: "a b".into(), name: None };
    let drive = operate(Cloud::aws_with_keys(served(), served()), Operation::GetShadow(bad));
    assert!(drive.sent.is_empty());
    let (_, reply) = aws::reply(&drive.exchange).unwrap();
    assert_eq!(reply.unwrap_err().stage, Stage::Preparation);
}

#[test]
fn an_operation_is_done_when_its_key_was_rejected_meanwhile() {
    let cloud = Cloud::aws_with_keys(Script::new([Fate::Revoked]), served());
    let drive = operate(cloud, Operation::GetShadow(shadow()));
    assert!(aws::reply(&drive.exchange).unwrap().1.is_ok());
    assert_eq!(drive.cloud.issued, 2);
    // Four answers of 50 ms, and the rest before the second key.
    assert!((300..=400).contains(&drive.now_ms), "{}", drive.now_ms);
}
