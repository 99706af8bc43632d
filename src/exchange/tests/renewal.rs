//! A token that ends: before anything was sent, while a thousand messages are under way, and once more after that.

use super::cloud::{Cloud, Fate, LATENCY_MS, Script, Turn, password};
use super::driver::{Drive, UNIX_START_MS};
use super::{ENDED_TOKEN, SEED, aliyun_platform, fresh_session, messages, old_session, on_aliyun, payload, token};
use crate::aliyun::TimestampPolicy;
use crate::error::{Cause, Stage};
use crate::exchange::{Exchange, Options, Step};
use crate::http::{Response, TransportErrorKind};
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};

/// The result codes for a token that is expired, missing or unknown.
const REJECTIONS: [u16; 3] = [20001, 20002, 20003];

fn served() -> Script {
    Script::always(Fate::Served)
}

#[test]
fn a_session_near_its_end_is_renewed_while_its_token_still_serves() {
    let cloud = Cloud::aliyun(served(), served()).with_token("old");
    let mut drive = on_aliyun(cloud, Options::default(), Some(old_session("old")), messages(40));
    drive.finish();
    assert_eq!(drive.authentications().len(), 1);
    assert_eq!(drive.sent[0].at_ms, drive.authentications()[0].at_ms);
    assert_eq!(drive.publications()[0].at_ms, 0, "no message waits for it");
    assert_eq!(drive.cloud.total_accepted(), 40);
    assert_eq!(token(&drive.exchange), Some("token-1"));
}

#[test]
fn a_renewal_that_gets_no_answer_delays_no_message_and_the_end_by_five_seconds() {
    let silence = Turn { fate: Fate::Failed(TransportErrorKind::AnswerTimeout), latency_ms: u64::MAX };
    let cloud = Cloud::aliyun(served(), Script::always(silence)).with_token("old");
    let mut drive = on_aliyun(cloud, Options::default(), Some(old_session("old")), messages(40));
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.now_ms), (40, 5_000));
    assert!(drive.publications().iter().all(|sent| sent.at_ms < 1_000));
}

#[test]
fn a_renewal_that_gets_lost_and_revokes_the_old_token_is_followed_by_an_authentication() {
    let lost = Turn { fate: Fate::Served, latency_ms: u64::MAX };
    let cloud = Cloud::aliyun(served(), Script::new([lost])).with_token("old");
    let mut drive = on_aliyun(cloud, Options::default(), Some(old_session("old")), messages(40));
    drive.finish();
    assert_eq!((drive.authentications().len(), drive.cloud.total_accepted()), (2, 40));
}

#[test]
fn a_renewal_that_fails_leaves_the_old_token_in_use() {
    for (fate, requests) in [(Fate::Answered(20000), 1), (Fate::Answered(40000), 1)] {
        let cloud = Cloud::aliyun(served(), Script::always(fate)).with_token("old");
        let mut drive = on_aliyun(cloud, Options::default(), Some(old_session("old")), messages(40));
        drive.finish();
        assert_eq!(drive.authentications().len(), requests);
        assert_eq!(drive.cloud.total_accepted(), 40);
        assert!(drive.publications().iter().all(|sent| password(&sent.outgoing.request) == Some("old")));
        assert_eq!(token(&drive.exchange), Some("old"));
    }
}

#[test]
fn a_renewal_that_fails_is_what_messages_end_with_when_the_old_token_is_rejected() {
    let cloud = Cloud::aliyun(served(), Script::always(Fate::Answered(20000)));
    let mut drive = on_aliyun(cloud, Options::default(), Some(old_session("old")), messages(3));
    drive.finish();
    assert_eq!((drive.authentications().len(), drive.publications().len()), (1, 3));
    for outcome in drive.outcomes() {
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
        assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 1));
    }
}

#[test]
fn a_renewal_that_fails_for_now_is_no_verdict_once_the_old_token_is_rejected() {
    for trouble in [Fate::Answered(40000), Fate::Failed(TransportErrorKind::ConnectionRefused)] {
        // The renewal has failed before the first message comes back.
        let slow = Turn { fate: Fate::Served, latency_ms: 10 * LATENCY_MS };
        let cloud = Cloud::aliyun(Script::always(slow), Script::new([trouble]));
        let mut drive = on_aliyun(cloud, Options::default(), Some(old_session("ended")), messages(40));
        drive.finish();
        assert_eq!((drive.authentications().len(), drive.cloud.total_accepted()), (2, 40), "{trouble:?}");
    }
}

#[test]
fn a_renewal_with_a_wrong_clock_is_repeated_with_the_right_one() {
    let exchange =
        |platform| Exchange::new(platform, Options::default(), Some(old_session("old")), SEED, messages(40)).unwrap();
    let cloud = Cloud::aliyun(served(), served()).with_token("old").with_clock();
    let mut drive = Drive::new(cloud, exchange(aliyun_platform(TimestampPolicy::Corrected)));
    drive.ahead_ms = 3_600_000;
    drive.finish();
    assert_eq!((drive.authentications().len(), drive.cloud.total_accepted()), (2, 40));
    assert_eq!(token(&drive.exchange), Some("token-1"));
}

#[test]
fn an_answer_that_quotes_a_token_that_has_been_replaced_meanwhile_does_not_give_it_away() {
    let platform = aliyun_platform(TimestampPolicy::None);
    let session = Some(old_session("the-former-token"));
    let mut exchange = Exchange::new(platform, Options::default(), session, SEED, messages(1)).unwrap();
    let now = Moment { monotonic_ms: 0, unix_ms: UNIX_START_MS };
    let mut sent = || match exchange.poll(now) {
        Step::Send(outgoing) => outgoing,
        other => panic!("{other:?}"),
    };
    let (renewal, publication) = (sent(), sent());
    assert_eq!(password(&publication.request), Some("the-former-token"));
    let answer = |body: &str| Ok(Response { status: 200, headers: vec![], body: body.into() });
    exchange.handle_response(
        now,
        renewal.id,
        answer(r#"{"code":0,"message":"success","info":{"token":"the-new-token"}}"#),
    );
    exchange.handle_response(
        now,
        publication.id,
        answer(r#"{"code":10001,"message":"no the-former-token, no the-new-token"}"#),
    );
    let (_, outcome) = exchange.outcomes().next().unwrap();
    let message = outcome.unwrap_err().answer.unwrap().message.unwrap();
    assert!(message.starts_with("no ") && !message.contains("-token"), "{message}");
}

#[test]
fn a_token_that_seems_to_end_at_once_is_used_all_the_same() {
    let mut cloud = Cloud::aliyun(served(), served());
    cloud.fixed_token = Some(ENDED_TOKEN);
    let mut drive = on_aliyun(cloud, Options::default(), None, messages(40));
    drive.finish();
    assert_eq!((drive.authentications().len(), drive.cloud.total_accepted()), (1, 40));
}

#[test]
fn a_rejected_token_is_replaced_once_however_many_messages_come_back_with_it() {
    for code in REJECTIONS {
        let mut cloud = Cloud::aliyun(served(), served());
        cloud.rejection = code;
        let options = Options { max_in_flight: 1_000, ..Options::default() };
        let mut drive = on_aliyun(cloud, options, Some(fresh_session("revoked")), messages(1_000));
        drive.finish();
        assert_eq!((drive.authentications().len(), drive.publications().len()), (1, 2_000), "{code}");
        assert!(drive.outcomes().into_iter().all(|outcome| outcome.unwrap().attempts == 2));
        assert!((0..1_000).all(|number| drive.cloud.accepted(&payload(number)) == 1));
    }
}

#[test]
fn messages_that_were_not_under_way_when_the_token_was_rejected_are_sent_once() {
    let mut drive = on_aliyun(
        Cloud::aliyun(served(), served()),
        Options::default(),
        Some(fresh_session("revoked")),
        messages(1_000),
    );
    drive.finish();
    assert_eq!((drive.authentications().len(), drive.publications().len()), (1, 1_032));
}

#[test]
fn a_message_goes_with_the_new_token_with_the_same_bytes() {
    let mut drive =
        on_aliyun(Cloud::aliyun(served(), served()), Options::default(), Some(fresh_session("revoked")), messages(1));
    drive.finish();
    let [first, second] = drive.publications().try_into().unwrap();
    let (mut first, mut second) = (first.outgoing.request.clone(), second.outgoing.request.clone());
    assert_eq!(first.headers.pop(), Some(("password".into(), "revoked".to_owned())));
    assert_eq!(second.headers.pop(), Some(("password".into(), "token-1".to_owned())));
    assert_eq!(first, second);
    assert!(first.headers.iter().all(|(name, _)| *name != "password"));
}

#[test]
fn a_rejected_token_never_costs_a_message() {
    for code in REJECTIONS {
        let rejected = std::iter::repeat_n(Fate::Answered(code), 4);
        let cloud = Cloud::aliyun(Script::new(rejected), served());
        let options = Options { max_attempts: 1, ..Options::default() };
        let mut drive = on_aliyun(cloud, options, None, vec![super::message(0, crate::message::Qos::AtMostOnce)]);
        drive.finish();
        assert_eq!((drive.outcome().unwrap().attempts, drive.cloud.issued), (5, 5));
    }
}

#[test]
fn a_late_rejection_of_the_old_token_does_not_throw_away_the_new_one() {
    let late = Turn { fate: Fate::Served, latency_ms: 2_000 };
    let cloud = Cloud::aliyun(Script::new([Fate::Served.into(), late, late]), served());
    let mut drive = on_aliyun(cloud, Options::default(), Some(fresh_session("revoked")), messages(3));
    assert!(!drive.until(1_000));
    assert_eq!((drive.cloud.total_accepted(), drive.cloud.issued), (1, 1), "the first has the new token");
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.cloud.issued), (3, 1));
    assert_eq!(token(&drive.exchange), Some("token-1"));
}

#[test]
fn a_rejection_while_the_authentication_is_under_way_does_not_begin_another() {
    let slow = Turn { fate: Fate::Served, latency_ms: 1_000 };
    let turns = (0..10).map(|number| Turn { fate: Fate::Served, latency_ms: 100 + 50 * number });
    let cloud = Cloud::aliyun(Script::new(turns), Script::new([slow]));
    let mut drive = on_aliyun(cloud, Options::default(), Some(fresh_session("revoked")), messages(10));
    drive.finish();
    assert_eq!((drive.cloud.issued, drive.most_authentications), (1, 1));
    assert_eq!(drive.cloud.total_accepted(), 10);
}

#[test]
fn a_repetition_with_a_new_token_does_not_count_against_max_attempts() {
    let options = Options { max_attempts: 1, ..Options::default() };
    let cloud = Cloud::aliyun(served(), served());
    let mut drive = on_aliyun(cloud, options, Some(fresh_session("revoked")), messages(1));
    drive.finish();
    assert_eq!(drive.outcome().unwrap().attempts, 2);

    let script = Script::new([Fate::Answered(40000), Fate::Answered(20001), Fate::Answered(40000)]);
    let options = Options { max_attempts: 1, ..Options::default() };
    let mut drive = on_aliyun(Cloud::aliyun(script, served()), options, None, messages(1));
    drive.finish();
    assert_eq!(drive.outcome().unwrap().attempts, 4);
}

#[test]
fn tokens_that_end_again_and_again_are_replaced_each_time() {
    let mut cloud = Cloud::aliyun(served(), served());
    cloud.token_life_ms = 10 * LATENCY_MS;
    let options = Options { max_in_flight: 1, ..Options::default() };
    let mut drive = on_aliyun(cloud, options, None, messages(100));
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.most_authentications), (100, 1));
    // A token is good for its life less the authentication, and one message in that time finds out that it is not.
    assert_eq!(drive.cloud.issued, 100_u32.div_ceil(9));
    assert!(drive.outcomes().into_iter().all(|outcome| outcome.unwrap().attempts <= 2));
}

#[test]
fn messages_that_wait_for_a_new_token_in_vain_keep_the_gravest_delivery_of_before() {
    let lost = Fate::ServedButLost(TransportErrorKind::ConnectionClosed);
    let script = Script::new([lost, Fate::Answered(20001)]);
    let authentications = Script::new([Fate::Served]).then_always(Fate::Answered(20000));
    let options = Options { max_in_flight: 2, ..Options::default() };
    let mut drive = on_aliyun(Cloud::aliyun(script, authentications), options, None, messages(3));
    drive.finish();
    let standing = |number: usize| {
        let error = drive.outcomes()[number].clone().unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
        (error.delivery, error.attempts)
    };
    assert_eq!(standing(0), (Delivery::Unknown, 1), "may have arrived, and waited for its second attempt");
    assert_eq!(standing(1), (Delivery::Refused, 1), "came back with the token");
    assert_eq!(standing(2), (Delivery::Refused, 0), "was never sent, and would not be taken");
}

#[test]
fn a_message_whose_time_ends_while_it_waits_for_a_token_is_not_sent_again() {
    let late = Turn { fate: Fate::Served, latency_ms: 4_000 };
    let slow = Turn { fate: Fate::Served, latency_ms: 2_000 };
    let options = Options { timeout_ms: 5_000, ..Options::default() };
    let cloud = Cloud::aliyun(Script::new([late]), Script::new([slow]));
    let mut drive = on_aliyun(cloud, options, Some(fresh_session("revoked")), messages(1));
    drive.finish();
    let error = drive.error();
    assert_eq!((error.cause, error.delivery), (Cause::TokenRejected, Delivery::Refused));
    assert_eq!((error.retry, error.attempts), (Retry::AfterAuthentication, 1));
    assert_eq!(drive.publications().len(), 1);
    assert_eq!(drive.now_ms, 5_000, "the outcome does not wait for the token");
}
