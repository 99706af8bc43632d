//! The secret stays elsewhere, and the clock is wrong.

use super::cloud::{Cloud, Fate, Script, Turn, is_authentication};
use super::driver::{Drive, Signs, UNIX_START_MS};
use super::{SECRET, SEED, aliyun_platform, aliyun_platform_signed_by, messages, old_session};
use crate::aliyun::{SignMethod, Signer, TimestampPolicy, sign};
use crate::error::{Cause, Stage};
use crate::exchange::{Exchange, Options, Step};
use crate::http::Response;
use crate::moment::Moment;
use crate::outcome::{Delivery, Retry};
use crate::signing::NotSigned;

fn served() -> Script {
    Script::always(Fate::Served)
}

/// An exchange whose signatures come from elsewhere.
fn signed_externally(cloud: Cloud, session: Option<crate::Credential>, signs: Signs, count: usize) -> Drive {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let mut drive =
        Drive::new(cloud, Exchange::new(platform, Options::default(), session, SEED, messages(count)).unwrap());
    drive.signs = signs;
    drive
}

fn with_the_secret(content: &str) -> Result<String, String> {
    Ok(sign(SignMethod::HmacSha256, SECRET, content))
}

/// An exchange by a clock that is ahead.
fn by_a_wrong_clock(policy: TimestampPolicy, ahead_ms: i64) -> Drive {
    let cloud = Cloud::aliyun(served(), served()).with_clock();
    let mut drive =
        Drive::new(cloud, Exchange::new(aliyun_platform(policy), Options::default(), None, SEED, messages(3)).unwrap());
    drive.ahead_ms = ahead_ms;
    drive
}

#[test]
fn what_is_signed_elsewhere_is_what_would_be_signed_here() {
    let mut elsewhere = signed_externally(Cloud::aliyun(served(), served()), None, with_the_secret, 40);
    elsewhere.finish();
    assert_eq!((elsewhere.cloud.total_accepted(), elsewhere.signed.len()), (40, 1));
    let platform = aliyun_platform(TimestampPolicy::Now);
    let mut here = Drive::new(
        Cloud::aliyun(served(), served()),
        Exchange::new(platform, Options::default(), None, SEED, messages(40)).unwrap(),
    );
    here.finish();
    assert_eq!(elsewhere.sent, here.sent);
    let content = format!("clientIdpk.dndeviceNamednproductKeypktimestamp{UNIX_START_MS}");
    assert_eq!(elsewhere.signed, [content]);
}

#[test]
fn a_token_that_ends_is_renewed_with_another_signature() {
    let mut cloud = Cloud::aliyun(served(), served());
    cloud.token_life_ms = 100;
    let options = Options { max_in_flight: 1, ..Options::default() };
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let mut drive = Drive::new(cloud, Exchange::new(platform, options, None, SEED, messages(10)).unwrap());
    drive.signs = with_the_secret;
    drive.finish();
    assert_eq!(drive.cloud.total_accepted(), 10);
    assert_eq!(drive.signed.len(), drive.authentications().len());
    assert!(drive.signed.len() > 1);
}

#[test]
fn a_renewal_ahead_of_time_that_is_signed_elsewhere_delays_no_message() {
    let cloud = Cloud::aliyun(served(), served()).with_token("old");
    let mut drive = signed_externally(cloud, Some(old_session("old")), with_the_secret, 5);
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.authentications().len()), (5, 1));
    assert_eq!(drive.publications()[0].at_ms, 0);
}

#[test]
fn without_a_signature_nothing_is_sent_and_the_reason_is_told() {
    let refuse = |_: &str| Err("no such device".to_owned());
    let mut drive = signed_externally(Cloud::aliyun(served(), served()), None, refuse, 3);
    drive.finish();
    assert!(drive.sent.is_empty());
    for outcome in drive.outcomes() {
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::SigningFailed, Stage::Authentication));
        assert_eq!((error.delivery, error.retry), (Delivery::NotSent, Retry::Never));
        assert_eq!(error.detail.as_deref(), Some("no such device"));
    }
    assert_eq!(drive.signed.len(), 1, "it is asked once");
}

#[test]
fn a_wrong_clock_does_no_harm_without_a_timestamp() {
    let mut drive = by_a_wrong_clock(TimestampPolicy::None, 40 * 60_000);
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.authentications().len()), (3, 1));
}

#[test]
fn with_a_timestamp_a_wrong_clock_is_refused_with_what_was_signed() {
    let mut drive = by_a_wrong_clock(TimestampPolicy::Now, -40 * 60_000);
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.authentications().len()), (0, 1));
    let error = drive.outcomes().remove(0).unwrap_err();
    assert_eq!(error.cause, Cause::Unauthenticated);
    let content =
        format!("signed with hmacsha256: clientIdpk.dndeviceNamednproductKeypktimestamp{}", drive.unix_start_ms());
    assert_eq!(error.detail, Some(content));
    assert_eq!(error.answer.unwrap().clock_ahead_ms, Some(-40 * 60_000 + 50));
}

#[test]
fn a_wrong_clock_is_corrected_by_that_of_the_platform_once() {
    for ahead_ms in [40 * 60_000, -365 * 24 * 60 * 60_000] {
        let mut drive = by_a_wrong_clock(TimestampPolicy::Corrected, ahead_ms);
        drive.finish();
        assert_eq!((drive.cloud.total_accepted(), drive.authentications().len()), (3, 2), "{ahead_ms}");
    }
    // A right clock and a wrong secret: nothing to correct.
    let mut drive = by_a_wrong_clock(TimestampPolicy::Corrected, 0);
    drive.cloud.authentications = Script::always(Fate::Answered(20000));
    drive.finish();
    assert_eq!(drive.authentications().len(), 1);
    // A wrong clock and a wrong secret: once more, and no more.
    let mut drive = by_a_wrong_clock(TimestampPolicy::Corrected, 40 * 60_000);
    drive.cloud.authentications = Script::always(Fate::Answered(20000));
    drive.finish();
    assert_eq!(drive.authentications().len(), 2);
}

#[test]
fn a_signature_that_does_not_come_ends_its_messages_in_time() {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let mut exchange = Exchange::new(platform, Options::default(), None, SEED, messages(3)).unwrap();
    let at = |monotonic_ms| Moment { monotonic_ms, unix_ms: UNIX_START_MS + monotonic_ms };
    assert!(matches!(exchange.poll(at(0)), Step::Sign(_)));
    assert_eq!(exchange.poll(at(0)), Step::Wait(Some(30_000)));
    assert_eq!(exchange.poll(at(30_000)), Step::Done);
    for (_, outcome) in exchange.outcomes() {
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.delivery, error.attempts), (Cause::SigningFailed, Delivery::NotSent, 0));
        assert_eq!((error.detail.as_deref(), error.retry), (Some("no signature in time"), Retry::AfterMs(0)));
    }
    // Too late, and not waited for.
    exchange.handle_signature(at(31_000), Ok("signature".to_owned()));
    assert_eq!(exchange.poll(at(31_000)), Step::Done);
}

/// A signer that has signed too often.
fn after(pause_ms: u64) -> NotSigned {
    NotSigned { reason: "too often".to_owned(), retry: Retry::AfterMs(pause_ms) }
}

#[test]
fn a_signer_that_says_when_it_signs_again_is_waited_for() {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let at = |monotonic_ms| Moment { monotonic_ms, unix_ms: UNIX_START_MS + monotonic_ms };
    let mut exchange = Exchange::new(platform.clone(), Options::default(), None, SEED, messages(1)).unwrap();
    for (asked_ms, pause_ms) in [(0, 20_000), (20_000, 9_000)] {
        assert!(matches!(exchange.poll(at(asked_ms)), Step::Sign(_)));
        exchange.handle_signature(at(asked_ms), Err(after(pause_ms)));
        assert_eq!(exchange.poll(at(asked_ms)), Step::Wait(Some(asked_ms + pause_ms)));
    }
    assert!(matches!(exchange.poll(at(29_000)), Step::Sign(_)));
    exchange.handle_signature(at(29_000), Ok("signature".to_owned()));
    let Step::Send(sent) = exchange.poll(at(29_000)) else { panic!("authenticates") };
    assert!(is_authentication(&sent.request) && sent.timeout_ms == 1_000);

    // What is too late is not waited for.
    let mut exchange = Exchange::new(platform, Options::default(), None, SEED, messages(3)).unwrap();
    assert!(matches!(exchange.poll(at(0)), Step::Sign(_)));
    exchange.handle_signature(at(0), Err(after(30_000)));
    assert_eq!(exchange.poll(at(0)), Step::Done);
    for (_, outcome) in exchange.outcomes() {
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::SigningFailed, Delivery::NotSent));
        assert_eq!(error.retry, Retry::AfterMs(30_000));
    }
}

#[test]
fn a_renewal_that_the_signer_puts_off_costs_no_message_when_the_old_token_is_rejected() {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let session = Some(old_session("ended"));
    let mut exchange = Exchange::new(platform, Options::default(), session, SEED, messages(1)).unwrap();
    let at = |monotonic_ms| Moment { monotonic_ms, unix_ms: UNIX_START_MS + monotonic_ms };
    assert!(matches!(exchange.poll(at(0)), Step::Sign(_)));
    exchange.handle_signature(at(0), Err(after(4_000)));
    let Step::Send(publication) = exchange.poll(at(0)) else { panic!("the old token may still serve") };
    let body = br#"{"code":20001,"message":"token is expired"}"#.to_vec();
    exchange.handle_response(at(50), publication.id, Ok(Response { status: 200, headers: vec![], body }));
    assert!(matches!(exchange.poll(at(50)), Step::Sign(_)), "with all of the time");
    exchange.handle_signature(at(50), Err(after(4_000)));
    assert_eq!(exchange.poll(at(50)), Step::Wait(Some(4_050)));
    assert!(matches!(exchange.poll(at(4_050)), Step::Sign(_)));
}

#[test]
fn a_renewal_whose_signature_does_not_come_delays_the_end_by_five_seconds() {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let session = Some(old_session("old"));
    let mut exchange = Exchange::new(platform, Options::default(), session, SEED, messages(1)).unwrap();
    let at = |monotonic_ms| Moment { monotonic_ms, unix_ms: UNIX_START_MS + monotonic_ms };
    assert!(matches!(exchange.poll(at(0)), Step::Sign(_)));
    let Step::Send(publication) = exchange.poll(at(0)) else { panic!("the old token still serves") };
    let body = br#"{"code":0,"info":{"messageId":1}}"#.to_vec();
    exchange.handle_response(at(50), publication.id, Ok(Response { status: 200, headers: vec![], body }));
    assert_eq!(exchange.poll(at(50)), Step::Wait(Some(5_000)));
    assert_eq!(exchange.poll(at(5_000)), Step::Done);
    assert!(exchange.outcomes().all(|(_, outcome)| outcome.is_ok()));
}

#[test]
fn a_renewal_whose_signature_comes_too_late_costs_no_message_when_the_old_token_is_rejected_later() {
    // Seven seconds are too long for a renewal, and not for a message.
    let cloud = Cloud::aliyun(Script::always(Turn { fate: Fate::Served, latency_ms: 6_000 }), served());
    let mut drive = signed_externally(cloud, Some(old_session("ended")), with_the_secret, 3);
    drive.sign_ms = 7_000;
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.authentications().len()), (3, 1));
    assert_eq!((drive.signed.len(), drive.authentications()[0].at_ms), (2, 13_000), "it is asked for anew");
}

#[test]
fn a_signature_for_a_renewal_has_all_of_the_time_once_the_old_token_is_rejected() {
    let mut drive =
        signed_externally(Cloud::aliyun(served(), served()), Some(old_session("ended")), with_the_secret, 3);
    drive.sign_ms = 29_000;
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.signed.len()), (3, 1));

    let mut drive =
        signed_externally(Cloud::aliyun(served(), served()), Some(old_session("ended")), with_the_secret, 3);
    drive.sign_ms = u64::MAX / 2;
    drive.finish();
    assert_eq!((drive.cloud.total_accepted(), drive.now_ms), (0, 30_000), "and no more");
}

#[test]
fn a_signature_that_was_made_while_everything_stood_still_is_too_late_as_well() {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now);
    let session = Some(old_session("old"));
    let mut exchange = Exchange::new(platform, Options::default(), session, SEED, messages(1)).unwrap();
    let at = |monotonic_ms| Moment { monotonic_ms, unix_ms: UNIX_START_MS + monotonic_ms };
    assert!(matches!(exchange.poll(at(0)), Step::Sign(_)));
    exchange.handle_signature(at(6_000), Ok("signature".to_owned()));
    let Step::Send(sent) = exchange.poll(at(6_000)) else { panic!("the old token still serves") };
    assert!(!is_authentication(&sent.request) && sent.timeout_ms == 30_000);
}

#[test]
fn an_answer_that_quotes_the_signature_does_not_give_it_away() {
    // Without a timestamp it is good for ever.
    let platform = aliyun_platform(TimestampPolicy::None);
    let mut exchange = Exchange::new(platform, Options::default(), None, SEED, messages(1)).unwrap();
    let now = Moment { monotonic_ms: 0, unix_ms: UNIX_START_MS };
    let Step::Send(authentication) = exchange.poll(now) else { panic!("authenticates") };
    let signature = sign(SignMethod::HmacSha256, SECRET, "clientIdpk.dndeviceNamednproductKeypk");
    let body = format!(r#"{{"code":10001,"message":"param error: sign={signature}"}}"#).into_bytes();
    exchange.handle_response(now, authentication.id, Ok(Response { status: 200, headers: vec![], body }));
    assert_eq!(exchange.poll(now), Step::Done);
    let (context, outcome) = exchange.outcomes().next().unwrap();
    let error = outcome.unwrap_err();
    let shown = format!("{error:?} {error} {} {exchange:?}", exchange.platform().explain(&error, context));
    assert!(shown.contains("param error") && !shown.contains(&signature), "{shown}");
}
