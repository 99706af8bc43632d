//! Whatever the network, the platform and the clock do: it ends, every message has one outcome, and the books of the
//! platform agree with it.

use proptest::collection::vec;
use proptest::prelude::*;

use super::cloud::{Cloud, Fate, Script, Turn};
use super::driver::Drive;
use super::{
    ENDED_TOKEN, aliyun_platform, aliyun_platform_signed_by, aws_platform, fresh_session, message, messages,
    old_session, session_near_its_end_in, signing_platform,
};
use crate::aliyun::{Signer, TimestampPolicy};
use crate::credential::Credential;
use crate::error::Stage;
use crate::exchange::{Exchange, Options};
use crate::http::TransportErrorKind;
use crate::message::{Message, Qos};
use crate::outcome::{Delivery, Retry};

/// Everything that a run depends on.
#[derive(Clone, Debug)]
struct Case {
    is_aliyun: bool,
    messages: Vec<Message>,
    options: Options,
    session: Option<Credential>,
    seed: u64,
    cloud: Cloud,
    lateness_ms: u64,
    /// Whether messages are signed, on AWS.
    is_signed: bool,
    /// How long the signer takes, on Aliyun.
    sign_ms: Option<u64>,
    ahead_ms: i64,
    jump: (u64, i64),
}

impl Case {
    fn run(&self, is_confused: bool) -> Drive {
        let platform = match (self.is_aliyun, self.is_signed) {
            (true, _) if self.sign_ms.is_some() => aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now),
            (true, _) => aliyun_platform(TimestampPolicy::Now),
            (false, true) => signing_platform(),
            (false, false) => aws_platform(),
        };
        let exchange =
            Exchange::new(platform, self.options.clone(), self.session.clone(), self.seed, self.messages.clone())
                .unwrap();
        let mut drive = Drive::new(self.cloud.clone(), exchange);
        (drive.lateness_ms, drive.is_confused) = (self.lateness_ms, is_confused);
        (drive.ahead_ms, drive.jump, drive.cloud.has_clock) = (self.ahead_ms, self.jump, self.is_signed);
        drive.signs = |_| Ok("signature".to_owned());
        drive.sign_ms = self.sign_ms.unwrap_or_default();
        drive.finish();
        drive
    }
}

/// A server that is not there for a while, and what happens to each request meanwhile.
#[derive(Clone, Debug)]
struct Absence {
    is_aliyun: bool,
    session: Option<Credential>,
    sign_ms: Option<u64>,
    options: Options,
    messages: usize,
    seed: u64,
    cloud: Cloud,
    back_ms: u64,
}

impl Absence {
    fn run(&self) -> Drive {
        let platform = match (self.is_aliyun, self.sign_ms) {
            (true, Some(_)) => aliyun_platform_signed_by(Signer::External, TimestampPolicy::Now),
            (true, None) => aliyun_platform(TimestampPolicy::Now),
            (false, _) => aws_platform(),
        };
        let messages = messages(self.messages);
        let exchange = Exchange::new(platform, self.options.clone(), self.session.clone(), self.seed, messages);
        let mut drive = Drive::new(self.cloud.clone(), exchange.unwrap());
        drive.signs = |_| Ok("signature".to_owned());
        drive.sign_ms = self.sign_ms.unwrap_or_default();
        if !drive.until(self.back_ms) {
            drive.cloud.messages = Script::always(Fate::Served);
            drive.cloud.authentications = Script::always(Fate::Served);
            drive.finish();
        }
        drive
    }
}

/// There is no answer. A connection that is closed is left out: on a first contact it has a schedule of its own.
fn silence() -> impl Strategy<Value = Script> {
    let after = prop::sample::select(vec![
        TransportErrorKind::AnswerTimeout,
        TransportErrorKind::AnswerTooLarge,
        TransportErrorKind::Protocol,
    ]);
    let failure = prop_oneof![4 => Just(TransportErrorKind::ConnectionRefused), 2 => before_sending(), 1 => after];
    let latency_ms = prop_oneof![8 => 0..500_u64, 1 => 0..4_000_u64];
    let turn = (failure, latency_ms).prop_map(|(failure, latency_ms)| Turn { fate: Fate::Failed(failure), latency_ms });
    vec(turn, 0..100)
        .prop_map(|turns| Script::new(turns).then_always(Fate::Failed(TransportErrorKind::ConnectionRefused)))
}

fn absence() -> impl Strategy<Value = Absence> {
    let options = (1..40_u32).prop_map(|max_in_flight| Options { max_in_flight, ..Options::default() });
    (any::<bool>(), session(), sign_ms(2_000), options, 0..80_usize, any::<u64>(), silence(), silence(), 0..18_000_u64)
        .prop_map(|(is_aliyun, session, sign_ms, options, messages, seed, of_messages, of_authentications, back_ms)| {
            let cloud = match is_aliyun {
                true => Cloud::aliyun(of_messages, of_authentications).with_token("kept"),
                false => Cloud::aws(of_messages),
            };
            Absence { is_aliyun, session, sign_ms, options, messages, seed, cloud, back_ms }
        })
}

fn sign_ms(longest_ms: u64) -> impl Strategy<Value = Option<u64>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(0)), 2 => (0..longest_ms).prop_map(Some)]
}

fn before_sending() -> impl Strategy<Value = TransportErrorKind> {
    prop::sample::select(vec![
        TransportErrorKind::Denied,
        TransportErrorKind::NameResolution,
        TransportErrorKind::ConnectionRefused,
        TransportErrorKind::Unreachable,
        TransportErrorKind::ConnectTimeout,
        TransportErrorKind::ConnectionLimit,
        TransportErrorKind::TlsCertificate,
        TransportErrorKind::TlsAlert,
        TransportErrorKind::TlsProtocol,
        TransportErrorKind::RequestRejected,
    ])
}

fn perhaps_after_sending() -> impl Strategy<Value = TransportErrorKind> {
    prop::sample::select(vec![
        TransportErrorKind::ConnectionClosed,
        TransportErrorKind::AnswerTimeout,
        TransportErrorKind::AnswerIncomplete,
        TransportErrorKind::AnswerTooLarge,
        TransportErrorKind::Protocol,
        TransportErrorKind::Other,
    ])
}

/// What can happen to a request. `refusals` are answers of a platform that took nothing, `failures` those of one that
/// may have.
fn turn(refusals: &'static [u16], failures: &'static [u16]) -> impl Strategy<Value = Turn> {
    let fate = prop_oneof![
        6 => Just(Fate::Served),
        3 => prop::sample::select(refusals).prop_map(Fate::Answered),
        1 => prop::sample::select(failures).prop_map(Fate::Answered),
        1 => prop::sample::select(failures).prop_map(Fate::ServedButAnswered),
        2 => before_sending().prop_map(Fate::Failed),
        1 => perhaps_after_sending().prop_map(Fate::Failed),
        1 => perhaps_after_sending().prop_map(Fate::ServedButLost),
        1 => Just(Fate::Revoked),
    ];
    let latency_ms = prop_oneof![8 => 0..1_000_u64, 1 => 0..30_000_u64, 1 => Just(u64::MAX)];
    (fate, latency_ms).prop_map(|(fate, latency_ms)| Turn { fate, latency_ms })
}

fn script(refusals: &'static [u16], failures: &'static [u16]) -> impl Strategy<Value = Script> {
    (vec(turn(refusals, failures), 0..120), turn(refusals, failures))
        .prop_map(|(turns, rest)| Script::new(turns).then_always(rest))
}

fn cloud(is_aliyun: bool) -> BoxedStrategy<Cloud> {
    if !is_aliyun {
        let statuses = script(&[400, 403, 409, 413, 418, 429, 503, 302], &[500, 502, 504, 204, 599]);
        return statuses.prop_map(Cloud::aws).boxed();
    }
    let codes = || script(&[10001, 20000, 20001, 20002, 20003, 20004, 30001, 40000], &[10000, 777]);
    let life_ms = prop_oneof![Just(u64::MAX), 0..5_000_u64];
    let rejection = prop_oneof![Just(20001), Just(20002), Just(20003)];
    let fixed_token = prop_oneof![3 => Just(None), 1 => Just(Some(ENDED_TOKEN))];
    (codes(), codes(), life_ms, rejection, fixed_token)
        .prop_map(|(messages, authentications, token_life_ms, rejection, fixed_token)| {
            let mut cloud = Cloud::aliyun(messages, authentications).with_token("kept");
            (cloud.token_life_ms, cloud.rejection, cloud.fixed_token) = (token_life_ms, rejection, fixed_token);
            cloud
        })
        .boxed()
}

fn any_message(number: usize, kind: u8) -> Message {
    let qos = if kind.is_multiple_of(2) { Qos::AtMostOnce } else { Qos::AtLeastOnce };
    match kind {
        0 => Message { topic: "wild/#".into(), ..message(number, qos) },
        1 => Message { payload: vec![b'x'; crate::MAX_PAYLOAD + 1].into(), ..message(number, qos) },
        _ => message(number, qos),
    }
}

fn options() -> impl Strategy<Value = Options> {
    (100..20_000_u32, 1..6_u32, 0..500_u32, 0..3_000_u32, 1..10_u32).prop_map(
        |(timeout_ms, max_attempts, backoff_base_ms, backoff_max_ms, max_in_flight)| Options {
            timeout_ms,
            connect_timeout_ms: Some(5_000),
            max_attempts,
            backoff_base_ms,
            backoff_max_ms,
            max_in_flight,
        },
    )
}

fn session() -> impl Strategy<Value = Option<Credential>> {
    prop_oneof![
        Just(None),
        Just(Some(fresh_session("kept"))),
        Just(Some(fresh_session("forgotten"))),
        (0..20_000_u64).prop_map(|wait_ms| Some(session_near_its_end_in(wait_ms, "kept"))),
        Just(Some(old_session("kept"))),
        Just(Some(old_session("forgotten"))),
    ]
}

/// Whether the time is looked at, how far ahead the clock is, and when it is set by how much.
fn clock() -> impl Strategy<Value = (bool, i64, (u64, i64))> {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    let off = || prop_oneof![2 => Just(0), 1 => -HOUR_MS..HOUR_MS];
    (any::<bool>(), off(), (0..20_000_u64, off()))
}

fn case() -> impl Strategy<Value = Case> {
    let messages = vec(0..40_u8, 0..40).prop_map(|kinds| {
        kinds.into_iter().enumerate().map(|(number, kind)| any_message(number, kind)).collect::<Vec<_>>()
    });
    let lateness_ms = prop_oneof![3 => Just(0), 1 => 0..2_000_u64];
    any::<bool>().prop_flat_map(cloud_of).prop_flat_map(move |(is_aliyun, cloud)| {
        (messages.clone(), options(), session(), any::<u64>(), lateness_ms.clone(), clock(), sign_ms(10_000)).prop_map(
            move |(messages, options, session, seed, lateness_ms, (is_signed, ahead_ms, jump), sign_ms)| Case {
                is_aliyun,
                messages,
                options,
                session,
                seed,
                cloud: cloud.clone(),
                lateness_ms,
                is_signed,
                sign_ms,
                ahead_ms,
                jump,
            },
        )
    })
}

fn cloud_of(is_aliyun: bool) -> impl Strategy<Value = (bool, Cloud)> {
    (Just(is_aliyun), cloud(is_aliyun))
}

/// `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(1_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_has_one_outcome_and_the_ledger_agrees_with_it(case in case()) {
        let drive = case.run(false);
        let outcomes = drive.outcomes();
        prop_assert_eq!(outcomes.len(), case.messages.len());
        for (message, outcome) in case.messages.iter().zip(&outcomes) {
            let accepted = drive.cloud.accepted(&message.payload);
            let sent = drive.attempts(&message.payload);
            match outcome {
                Ok(receipt) => {
                    prop_assert!(accepted >= 1);
                    prop_assert_eq!(receipt.attempts, sent);
                }
                Err(error) => {
                    prop_assert!(error.delivery == Delivery::Unknown || accepted == 0, "{:?}", error);
                    prop_assert!(error.delivery != Delivery::Unknown || sent > 0, "{:?}", error);
                    let refused_device = error.stage == Stage::Authentication && error.answer.is_some();
                    prop_assert!(error.delivery != Delivery::Refused || sent > 0 || refused_device, "{:?}", error);
                    prop_assert!(error.stage != Stage::Preparation || (sent == 0 && error.retry == Retry::Never));
                    prop_assert_eq!(error.attempts, sent);
                }
            }
            prop_assert!(message.qos == Qos::AtLeastOnce || accepted <= 1);
        }
    }

    #[test]
    fn pace_and_bounds_are_kept(case in case()) {
        let drive = case.run(false);
        prop_assert!(drive.most_under_way <= case.options.max_in_flight as usize);
        prop_assert!(drive.most_authentications <= 1);
        for message in &case.messages {
            let all: Vec<_> =
                drive.publications().into_iter().filter(|sent| sent.outgoing.request.body == message.payload).collect();
            let Some(first) = all.first() else { continue };
            let deadline_ms = first.at_ms + u64::from(case.options.timeout_ms);
            for sent in all {
                prop_assert!(sent.at_ms + u64::from(sent.outgoing.timeout_ms) <= deadline_ms);
            }
        }
    }

    #[test]
    fn no_message_is_given_up_while_it_has_time_and_a_later_attempt_could_have_changed_its_outcome(case in case()) {
        let drive = case.run(false);
        let timeout_ms = u64::from(case.options.timeout_ms);
        // Less than that is left for no attempt.
        let shortest_ms = u64::from(case.options.backoff_base_ms.max(10));
        let began_ms = drive.publications().first().map(|sent| sent.at_ms);
        for ((message, outcome), finished_ms) in case.messages.iter().zip(drive.outcomes()).zip(&drive.finished_ms) {
            let (Err(error), Some(finished_ms)) = (outcome, *finished_ms) else { continue };
            // What may have arrived is bounded by attempts as well; without a token nothing is sent.
            if error.delivery == Delivery::Unknown || error.retry == Retry::Never || error.stage != Stage::Publication {
                continue;
            }
            let first = drive.publications().into_iter().find(|sent| sent.outgoing.request.body == message.payload);
            match first {
                Some(first) => prop_assert!(finished_ms + shortest_ms >= first.at_ms + timeout_ms, "{:?} at {}", error, finished_ms),
                None => prop_assert!(finished_ms >= began_ms.unwrap_or_default() + timeout_ms, "{:?} at {}", error, finished_ms),
            }
        }
    }

    #[test]
    fn while_nobody_answers_one_request_is_under_way_and_no_more_than_two_begin_in_a_second(case in case()) {
        let drive = case.run(false);
        prop_assert!(drive.most_probes_in_a_second() <= 2, "{:?}", drive.probes);
    }

    #[test]
    fn a_server_that_is_back_in_time_is_noticed_soon_and_gets_all_that_has_not_ended_for_good(absence in absence()) {
        let drive = absence.run();
        for outcome in drive.outcomes() {
            let Err(error) = outcome else { continue };
            prop_assert!(error.delivery == Delivery::Unknown || error.retry == Retry::Never, "{:?}", error);
        }
        // Four seconds for the request that is under way, two for the pause behind it, and what a signature takes.
        let soon_ms = absence.back_ms + 6_000 + absence.sign_ms.unwrap_or_default();
        let waiting = drive.finished_ms.iter().flatten().any(|finished_ms| *finished_ms > soon_ms);
        let back = drive.sent.iter().any(|sent| (absence.back_ms..=soon_ms).contains(&sent.at_ms));
        prop_assert!(!waiting || back, "{:?}", drive.sent.iter().map(|sent| sent.at_ms).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_seed_and_the_same_script_give_the_same_requests_and_outcomes_even_to_a_confused_client(case in case()) {
        let (one, other) = (case.run(false), case.run(true));
        prop_assert_eq!(one.outcomes(), other.outcomes());
        prop_assert_eq!(one.sent, other.sent);
        prop_assert_eq!(one.exchange.credential(), other.exchange.credential());
    }

    #[test]
    fn in_the_middle_the_ledger_agrees_as_well(case in case(), end_ms in 0..20_000_u64) {
        let platform = if case.is_aliyun { aliyun_platform(TimestampPolicy::None) } else { aws_platform() };
        let exchange = Exchange::new(platform, case.options, case.session, case.seed, case.messages.clone()).unwrap();
        let mut drive = Drive::new(case.cloud, exchange);
        drive.until(end_ms);
        for (message, outcome) in case.messages.iter().zip(drive.outcomes()) {
            let accepted = drive.cloud.accepted(&message.payload);
            match outcome {
                Ok(_) => prop_assert!(accepted >= 1),
                Err(error) => prop_assert!(error.delivery == Delivery::Unknown || accepted == 0, "{:?}", error),
            }
        }
    }
}
