//! A device exchanges its certificate for a key that ends. A key for each message would be throttled, and one that ends in
//! the middle of a batch would lose the rest of it: so one key serves all, and is replaced when it is worth nothing any
//! more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use thingpost_emulator::{AnswerFault, AwsAction, Break, Device, Entry, Fault};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{
    AwsAuthentication, Cause, CredentialsProvider, Delivery, Error, Message, Options, Receipt, Retry, Stage,
    TransportErrorKind,
};
use thingpost_host::{Pool, Route};
use thingpost_patience::patience;

use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::{identity, options, roots, try_open};
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::ways::{ROLE_ALIAS, Way};

/// Of a key that has nothing to fear from a test.
const LONG: Duration = Duration::from_secs(3_600);

/// Of one that ends before a clock is too wrong for a signature.
const SHORT: Duration = Duration::from_secs(60);

fn messages(count: usize) -> Vec<Message> {
    (0..count)
        .map(|index| {
            let payload = format!("message {index}");
            if index % 2 == 0 { at_most_once("a", payload) } else { at_least_once("a", payload) }
        })
        .collect()
}

fn assert_each_once(messages: &[Message], outcomes: &[Result<Receipt, Error>], accepted: &[Entry]) {
    assert_eq!((outcomes.len(), accepted.len()), (messages.len(), messages.len()));
    for (message, outcome) in messages.iter().zip(outcomes) {
        let own: Vec<&Entry> = accepted.iter().filter(|entry| entry.payload == message.payload).collect();
        let [entry] = own[..] else { panic!("{} entries for one message", own.len()) };
        assert_eq!(outcome.as_ref().unwrap().trace_id, entry.trace_id);
    }
}

/// Whose keys the accepted messages were signed with.
fn keys(accepted: &[Entry]) -> Vec<String> {
    let mut keys: Vec<String> = accepted
        .iter()
        .map(|entry| match &entry.device {
            Some(Device::AccessKey { access_key_id }) => access_key_id.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

async fn with_provider(cloud: &AwsCloud, provider: CredentialsProvider, options: &Options) -> Publisher {
    let authentication = AwsAuthentication::CredentialsProvider(provider);
    cloud.open_as(authentication, 443, cloud.routes(Way::CredentialsProvider), options).await
}

async fn with_session(
    cloud: &AwsCloud,
    provider: CredentialsProvider,
    session: Option<&str>,
) -> Result<Publisher, String> {
    let transport = cloud.transport_along(Pool::default(), cloud.routes(Way::CredentialsProvider));
    let platform = cloud.platform(AwsAuthentication::CredentialsProvider(provider), 443);
    try_open(transport, &platform, &options(), session).await
}

#[tokio::test]
async fn a_hundred_messages_take_one_key_and_the_key_is_asked_for_as_the_device() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut publisher = cloud.open_way(Way::CredentialsProvider, &options()).await;
        assert_eq!(publisher.credential().await.unwrap(), None);
        let messages = messages(100);
        let outcomes = publisher.publish_all(&messages).await.unwrap();
        let accepted = cloud.emulator.ledger().accepted();
        assert_each_once(&messages, &outcomes, &accepted);
        assert_eq!(keys(&accepted).len(), 1);
        assert_eq!(cloud.emulator.credentials_issued(), 1);
        assert_eq!(cloud.emulator.connections().credentials.accepted, 1);
        assert_eq!(cloud.emulator.ledger().entries().len(), 100);

        // And so do later ones.
        publisher.publish(&at_most_once("a", b"later")).await.unwrap().unwrap();
        assert_eq!(cloud.emulator.credentials_issued(), 1);
    })
    .await;
}

#[tokio::test]
async fn everybody_waits_for_one_authentication_however_long_it_takes() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let slow = AnswerFault::SlowBytes { delay: Duration::from_micros(200) };
        cloud.emulator.faults().push_at_authentication(Fault::InAnswer(slow), 1);
        let options = Options { max_in_flight: Some(100), ..options() };
        let mut publisher = cloud.open_way(Way::CredentialsProvider, &options).await;
        let messages = messages(100);
        let outcomes = publisher.publish_all(&messages).await.unwrap();
        assert_each_once(&messages, &outcomes, &cloud.emulator.ledger().accepted());
        assert_eq!(cloud.emulator.faults().pending(), 0);
        assert_eq!(cloud.emulator.credentials_issued(), 1);
        assert_eq!(cloud.emulator.connections().credentials.accepted, 1);
    })
    .await;
}

/// Publishes a batch, and strikes when a part of it is through.
async fn struck_in_the_middle(lifetime: Duration, strike: impl Fn(&AwsCloud)) {
    const COUNT: usize = 100;
    let cloud = AwsCloud::start_for_everybody().await;
    cloud.emulator.add_role_alias(ROLE_ALIAS, lifetime);
    let options = Options { max_in_flight: Some(8), ..options() };
    let mut publisher = cloud.open_way(Way::CredentialsProvider, &options).await;
    let (messages, ledger) = (messages(COUNT), cloud.emulator.ledger());
    let struck = async {
        ledger.wait_for(COUNT / 4, patience()).await.unwrap();
        strike(&cloud);
    };
    let (outcomes, ()) = tokio::join!(publisher.publish_all(&messages), struck);
    let accepted = ledger.accepted();
    assert_each_once(&messages, &outcomes.unwrap(), &accepted);
    assert_eq!(keys(&accepted).len(), 2);
    assert_eq!(cloud.emulator.credentials_issued(), 2);
    // Some came back with the old key, or it was not struck in the middle.
    assert!(ledger.entries().len() > COUNT);
}

#[tokio::test]
async fn a_key_that_is_revoked_in_the_middle_is_replaced_and_no_message_lost_or_doubled() {
    within(struck_in_the_middle(LONG, |cloud| cloud.emulator.revoke_issued_keys())).await;
}

#[tokio::test]
async fn a_key_that_ends_in_the_middle_is_replaced_and_no_message_lost_or_doubled() {
    within(struck_in_the_middle(SHORT, |cloud| cloud.emulator.shift_clock_ms(61_000))).await;
}

#[tokio::test]
async fn the_session_serves_a_second_publisher_that_asks_for_no_key() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut first = cloud.open_way(Way::CredentialsProvider, &options()).await;
        first.publish(&at_most_once("a", b"first")).await.unwrap().unwrap();
        let session = first.credential().await.unwrap().unwrap();

        let mut second = with_session(&cloud, cloud.provider(ROLE_ALIAS), Some(&session)).await.unwrap();
        second.publish(&at_most_once("a", b"second")).await.unwrap().unwrap();
        assert_eq!(second.credential().await.unwrap().as_ref(), Some(&session));
        assert_eq!(cloud.emulator.credentials_issued(), 1);
        assert_eq!(cloud.emulator.connections().credentials.accepted, 1);
        assert_eq!(keys(&cloud.emulator.ledger().accepted()).len(), 1);

        // When its key is worth nothing any more, it gets one of its own.
        cloud.emulator.revoke_issued_keys();
        second.publish(&at_most_once("a", b"third")).await.unwrap().unwrap();
        assert_eq!(cloud.emulator.credentials_issued(), 2);
        assert_ne!(second.credential().await.unwrap().unwrap(), session);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_refused_for_another_role_alias_another_thing_and_another_endpoint() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.add_role_alias("others", LONG);
        let mut first = cloud.open_way(Way::CredentialsProvider, &options()).await;
        first.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
        let session = first.credential().await.unwrap().unwrap();
        let own = cloud.provider(ROLE_ALIAS);
        let thing_name = Some("thermometer-7".to_owned());
        for other in [
            cloud.provider("others"),
            CredentialsProvider { thing_name, ..own.clone() },
            CredentialsProvider { endpoint: "c9.credentials.iot.eu-central-1.amazonaws.com".to_owned(), ..own.clone() },
        ] {
            let refused = with_session(&cloud, other, Some(&session)).await.err().unwrap();
            assert!(refused.contains("belongs to another"), "{refused}");
        }
        for nonsense in ["", "{}", "nonsense"] {
            let refused = with_session(&cloud, own.clone(), Some(nonsense)).await.err().unwrap();
            assert!(refused.contains("session"), "{refused}");
        }
        assert_eq!(cloud.emulator.credentials_issued(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_near_its_end_is_renewed_ahead_and_delays_nobody() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut first = cloud.open_way(Way::CredentialsProvider, &options()).await;
        first.publish(&at_most_once("a", b"first")).await.unwrap().unwrap();
        let session = first.credential().await.unwrap().unwrap();
        // The only way to age it without waiting.
        let mut session: Value = serde_json::from_str(&session).unwrap();
        let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        session["obtainedUnixMs"] = json!(now_ms - 3_540_000);
        session["expiresUnixMs"] = json!(now_ms + 60_000);
        let session = session.to_string();

        let mut second = with_session(&cloud, cloud.provider(ROLE_ALIAS), Some(&session)).await.unwrap();
        second.publish(&at_most_once("a", b"second")).await.unwrap().unwrap();
        assert_eq!(cloud.emulator.credentials_issued(), 2);
        assert_eq!(cloud.emulator.ledger().entries().len(), 2);

        // A renewal that fails ahead of time is no problem.
        let mut third = with_session(&cloud, cloud.provider(ROLE_ALIAS), Some(&session)).await.unwrap();
        cloud.emulator.deny_action(&cloud.device.fingerprint, AwsAction::AssumeRoleWithCertificate);
        third.publish(&at_most_once("a", b"third")).await.unwrap().unwrap();
        assert_eq!(cloud.emulator.credentials_issued(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_thing_is_named_where_policies_ask_for_it() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.attach_thing(&cloud.device.fingerprint, "thermometer-7");
        for (thing_name, is_right) in [(None, true), (Some("thermometer-7"), true), (Some("thermometer-8"), false)] {
            let provider =
                CredentialsProvider { thing_name: thing_name.map(str::to_owned), ..cloud.provider(ROLE_ALIAS) };
            let mut publisher = with_provider(&cloud, provider, &options()).await;
            let outcome = publisher.publish(&at_most_once("a", b"x")).await.unwrap();
            assert_eq!(outcome.is_ok(), is_right, "{thing_name:?}: {outcome:?}");
            if let Err(error) = outcome {
                assert_eq!((error.cause, error.stage), (Cause::Forbidden, Stage::Authentication));
                assert!(error.explanation.contains("thing name"), "{}", error.explanation);
            }
        }
    })
    .await;
}

/// All messages of a batch have the same error, and nothing of them was sent.
async fn failing(cloud: &AwsCloud, provider: CredentialsProvider, routes: Vec<Route>) -> Error {
    let options = Options { timeout_ms: Some(3_000), ..options() };
    let authentication = AwsAuthentication::CredentialsProvider(provider);
    let mut publisher = cloud.open_as(authentication, 443, routes, &options).await;
    let mut outcomes = publisher.publish_all(&messages(20)).await.unwrap();
    let first = outcomes.pop().unwrap().unwrap_err();
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err(), first);
    }
    assert_eq!((first.stage, first.attempts), (Stage::Authentication, 0), "{first:?}");
    assert!(first.explanation.starts_with("while authenticating"), "{}", first.explanation);
    assert_eq!(cloud.emulator.ledger().entries(), []);
    assert_eq!(cloud.emulator.credentials_issued(), 0);
    assert_eq!(publisher.credential().await.unwrap(), None);
    first
}

#[tokio::test]
async fn an_unknown_role_alias_is_named() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let error = failing(&cloud, cloud.provider("unheard-of"), cloud.routes(Way::CredentialsProvider)).await;
        assert_eq!((error.cause, error.delivery, error.retry), (Cause::NotFound, Delivery::Refused, Retry::Never));
        assert!(error.explanation.contains("check the role alias"), "{}", error.explanation);
        assert_eq!(error.answer.unwrap().message.as_deref(), Some("Role alias does not exist"));
        assert_eq!(cloud.emulator.connections().credentials.accepted, 1);
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_denies_the_role_is_named_with_the_missing_permission() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.deny_action(&cloud.device.fingerprint, AwsAction::AssumeRoleWithCertificate);
        let error = failing(&cloud, cloud.provider(ROLE_ALIAS), cloud.routes(Way::CredentialsProvider)).await;
        assert_eq!((error.cause, error.delivery, error.retry), (Cause::Forbidden, Delivery::Refused, Retry::Never));
        assert!(error.explanation.contains("iot:AssumeRoleWithCertificate"), "{}", error.explanation);
        let answer = error.answer.unwrap();
        assert_eq!((answer.status, answer.code.as_deref()), (403, Some("AccessDeniedException")));
        assert!(answer.trace_id.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_is_inactive_or_not_registered_gets_no_key_and_an_explanation() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let stranger = cloud.authority.issue_device("stranger");
        cloud.emulator.deactivate(&cloud.device.fingerprint);
        let provider_name = cloud.emulator.credentials_server_name();
        let as_stranger = Route::new(provider_name, roots(&cloud.authority)).identity(identity(&stranger));
        for route in [cloud.credentials_route(), as_stranger] {
            let error = failing(&cloud, cloud.provider(ROLE_ALIAS), vec![cloud.anonymous_route(), route]).await;
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed));
            assert_eq!(error.delivery, Delivery::NotSent);
            assert!(error.explanation.contains("inactive or not registered"), "{}", error.explanation);
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_route_to_the_provider_the_destination_is_denied() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let error = failing(&cloud, cloud.provider(ROLE_ALIAS), vec![cloud.route()]).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::Denied));
        assert!(error.explanation.contains("routes of the host"), "{}", error.explanation);
        assert_eq!(cloud.emulator.connections().credentials.accepted, 0);
    })
    .await;
}

#[tokio::test]
async fn without_a_certificate_there_is_no_key() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let anonymous = Route::new(cloud.emulator.credentials_server_name(), roots(&cloud.authority));
        let error = failing(&cloud, cloud.provider(ROLE_ALIAS), vec![cloud.anonymous_route(), anonymous]).await;
        assert_eq!((error.cause, error.delivery), (Cause::Forbidden, Delivery::Refused));
        assert_eq!(error.answer.unwrap().status, 403);
    })
    .await;
}

#[tokio::test]
async fn that_the_host_shows_no_certificate_is_among_the_reasons_for_no_key() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let anonymous = Route::new(cloud.emulator.credentials_server_name(), roots(&cloud.authority));
        let error = failing(&cloud, cloud.provider(ROLE_ALIAS), vec![cloud.anonymous_route(), anonymous]).await;
        let names_it = ["route", "present", "show"].iter().any(|word| error.explanation.contains(word));
        assert!(names_it, "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_denies_the_role_to_publish_does_not_cost_a_new_key() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.deny_action(ROLE_ALIAS, AwsAction::Publish);
        let mut publisher = cloud.open_way(Way::CredentialsProvider, &options()).await;
        for outcome in publisher.publish_all(&messages(10)).await.unwrap() {
            let error = outcome.unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::Forbidden, Stage::Publication));
            assert!(error.explanation.contains("iot:Publish on arn:aws:iot:eu-central-1:*:topic/a"));
        }
        assert_eq!(cloud.emulator.credentials_issued(), 1);
    })
    .await;
}

#[tokio::test]
async fn whatever_goes_wrong_once_while_authenticating_is_tried_again() {
    within(async {
        let answer = |status| Fault::Answer { status, headers: vec![], body: vec![] };
        for fault in [
            Fault::BeforeAcceptance(Break::Close),
            Fault::AfterAcceptance(Break::Reset),
            Fault::InAnswer(AnswerFault::ShortBody),
            Fault::InAnswer(AnswerFault::Garbage),
            answer(429),
            answer(500),
            answer(503),
        ] {
            let cloud = AwsCloud::start_for_everybody().await;
            cloud.emulator.faults().push_at_authentication(fault.clone(), 1);
            let mut publisher = cloud.open_way(Way::CredentialsProvider, &options()).await;
            let messages = messages(10);
            let outcomes = publisher.publish_all(&messages).await.unwrap();
            assert_each_once(&messages, &outcomes, &cloud.emulator.ledger().accepted());
            assert_eq!(cloud.emulator.faults().pending(), 0, "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_holds_no_key_is_told_as_such() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let body = br#"{"credentials":{"accessKeyId":"ASIA1","secretAccessKey":"hush"}}"#.to_vec();
        let fault = Fault::Answer { status: 200, headers: vec![], body };
        cloud.emulator.faults().push_at_authentication(fault, 1);
        let error = failing(&cloud, cloud.provider(ROLE_ALIAS), cloud.routes(Way::CredentialsProvider)).await;
        assert_eq!(error.cause, Cause::MalformedAnswer);
        assert!(!format!("{error:?}").contains("hush"));
    })
    .await;
}
