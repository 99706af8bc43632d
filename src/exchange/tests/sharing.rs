//! A token that another process of the same device has obtained, in place of a signature for one more.

use super::{SEED, aliyun_platform_signed_by, messages, old_session};
use crate::aliyun::{Signer, TimestampPolicy};
use crate::error::{Cause, Stage};
use crate::exchange::{Exchange, Options, Step};
use crate::http::Response;
use crate::moment::Moment;

const NOW: Moment = Moment { monotonic_ms: 0, unix_ms: super::UNIX_START_MS };

/// An exchange that asks for a signature.
fn asking() -> Exchange {
    let platform = aliyun_platform_signed_by(Signer::External, TimestampPolicy::None);
    let mut exchange = Exchange::new(platform, Options::default(), None, SEED, messages(2)).unwrap();
    assert!(matches!(exchange.poll(NOW), Step::Sign(_)) && exchange.is_authenticating());
    exchange
}

#[test]
fn a_token_from_elsewhere_is_used_at_once_and_is_the_session_from_then_on() {
    let mut exchange = asking();
    exchange.handle_credential(NOW, old_session("shared"));
    assert!(!exchange.is_authenticating());
    let Step::Send(outgoing) = exchange.poll(NOW) else { panic!("a message is sent") };
    assert!(outgoing.request.headers.iter().any(|(_, value)| value == "shared"), "{outgoing:?}");
    assert_eq!(exchange.credential(), Some(&old_session("shared")));
}

#[test]
fn a_token_that_was_rejected_here_is_not_taken_for_another() {
    let mut exchange = asking();
    exchange.handle_credential(NOW, old_session("shared"));
    let mut ids = Vec::new();
    while let Step::Send(outgoing) = exchange.poll(NOW) {
        ids.push(outgoing.id);
    }
    let rejected = br#"{"code":20001,"message":"token is expired"}"#.to_vec();
    for id in ids {
        exchange.handle_response(NOW, id, Ok(Response { status: 200, headers: Vec::new(), body: rejected.clone() }));
    }
    let later = Moment { monotonic_ms: 20_000, unix_ms: NOW.unix_ms + 20_000 };
    assert!(matches!(exchange.poll(later), Step::Sign(_)));
    exchange.handle_credential(later, old_session("shared"));
    assert_eq!(exchange.poll(later), Step::Done, "to ask again and again would be to do nothing else");
    for (_, outcome) in exchange.outcomes() {
        let error = outcome.as_ref().unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::SigningFailed, Stage::Authentication));
    }
}
