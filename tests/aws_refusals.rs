//! AWS refuses without a reason. What the sender is told must be right all the same, and help.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thingpost_emulator::{Authority, Disposition, Fault};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Options, Retry, Stage, TransportErrorKind};
use thingpost_host::{Alpn, Observer, Pool, Route, RouteTable, Transport, TransportError, WorkloadConfig};
use tokio::sync::Notify;

use crate::fixtures::aliyun::AliyunCloud;
use crate::fixtures::aws::{AwsCloud, ENDPOINT, platform};
use crate::fixtures::deadline::within;
use crate::fixtures::host::{identity, options, roots, try_open};
use crate::fixtures::message::{at_least_once, at_most_once};

/// Tells that something has failed.
#[derive(Default)]
struct FirstFailure(Notify);

impl Observer for FirstFailure {
    fn failed(&self, _error: &TransportError) {
        self.0.notify_one();
    }
}

async fn refusal(publisher: &mut Publisher) -> Error {
    publisher.publish(&at_most_once("devices/7/up", b"21.5")).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn a_policy_that_denies_the_topic_is_named_with_the_missing_permission() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.deny_topic_prefix("devices/7/");
        let error = refusal(&mut cloud.publisher().await).await;
        assert_eq!(error.cause, Cause::Forbidden);
        assert_eq!((error.stage, error.delivery, error.retry), (Stage::Publication, Delivery::Refused, Retry::Never));
        assert!(error.explanation.contains("iot:Publish"), "{}", error.explanation);
        assert!(error.explanation.contains("devices/7/up"), "{}", error.explanation);

        let answer = error.answer.unwrap();
        assert_eq!((answer.status, answer.code.as_deref()), (403, Some("ForbiddenException")));
        assert_eq!(answer.message, None);
        assert_eq!(answer.trace_id, cloud.only_entry().trace_id);
    })
    .await;
}

#[tokio::test]
async fn port_443_without_the_protocol_of_aws_is_explained_by_its_name() {
    within(async {
        let cloud = AwsCloud::start().await;
        let route = cloud.route().alpn(Alpn::Offer(Vec::new()));
        let error = refusal(&mut cloud.open(443, route, &options()).await).await;
        assert_eq!((error.cause, error.delivery, error.retry), (Cause::Forbidden, Delivery::Refused, Retry::Never));
        assert_eq!(error.answer.unwrap().message.as_deref(), Some("Missing Authentication Token"));
        assert!(error.explanation.contains("x-amzn-http-ca"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_is_inactive_unregistered_or_foreign_gets_no_answer_and_an_explanation() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.deactivate(&cloud.device.fingerprint);
        let unregistered = cloud.authority.issue_device("never-registered");
        let foreign = Authority::new().issue_device("of-another-account");
        let route = || Route::new(ENDPOINT, roots(&cloud.authority));
        for (name, route) in [
            ("inactive", cloud.route()),
            ("unregistered", route().identity(identity(&unregistered))),
            ("foreign", route().identity(identity(&foreign))),
            ("none at all", route()),
        ] {
            cloud.emulator.ledger().clear();
            let error = refusal(&mut cloud.open(8443, route, &options()).await).await;
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed), "{name}");
            assert_eq!((error.delivery, error.attempts), (Delivery::Unknown, 1), "{name}");
            assert!(error.explanation.contains("inactive or not registered"), "{}", error.explanation);
            assert_eq!(cloud.only_entry().disposition, Disposition::Dropped, "{name}");
        }
    })
    .await;
}

/// For what is tried again until the time of the message is over.
fn in_short() -> Options {
    Options { timeout_ms: Some(3_000), ..options() }
}

#[tokio::test]
async fn throttling_is_waited_out() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.throttle_next(2);
        let mut publisher = cloud.publisher().await;
        let receipt = publisher.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
        assert_eq!(receipt.attempts, 3);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn throttling_without_end_is_told_as_such() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.throttle_next(100);
        let error = refusal(&mut cloud.open(8443, cloud.route(), &in_short()).await).await;
        assert_eq!((error.cause, error.delivery), (Cause::Throttled, Delivery::Refused));
        assert!(error.attempts >= 1);
        assert!(matches!(error.retry, Retry::AfterMs(1_000..)), "{:?}", error.retry);
        assert_eq!(error.answer.unwrap().code.as_deref(), Some("ThrottlingException"));
        assert_eq!(cloud.emulator.ledger().accepted(), []);
    })
    .await;
}

#[tokio::test]
async fn every_status_has_its_cause_and_is_repeated_only_where_that_is_right() {
    within(async {
        let cloud = AwsCloud::start().await;
        let options = Options { max_attempts: Some(2), ..options() };
        let mut publisher = cloud.open(8443, cloud.route(), &options).await;
        for (status, cause, delivery, attempts_at_most_once, attempts_at_least_once) in [
            (400, Cause::InvalidRequest, Delivery::Refused, 1, 1),
            (401, Cause::Unauthenticated, Delivery::Refused, 1, 1),
            (404, Cause::NotFound, Delivery::Refused, 1, 1),
            (413, Cause::PayloadTooLarge, Delivery::Refused, 1, 1),
            (500, Cause::ServerError, Delivery::Unknown, 1, 2),
            (502, Cause::ServerError, Delivery::Unknown, 1, 2),
            (504, Cause::ServerError, Delivery::Unknown, 1, 2),
        ] {
            let messages =
                [(at_most_once("a", b"0"), attempts_at_most_once), (at_least_once("a", b"1"), attempts_at_least_once)];
            for (message, attempts) in messages {
                cloud.emulator.ledger().clear();
                cloud.emulator.faults().push(Fault::Answer { status, headers: vec![], body: vec![] }, attempts);
                let error = publisher.publish(&message).await.unwrap().unwrap_err();
                assert_eq!((error.cause, error.delivery), (cause, delivery), "{status}");
                assert_eq!(error.attempts as usize, attempts, "{status}, {:?}", message.qos);
                assert_eq!(error.answer.unwrap().status, status);
                assert_eq!(cloud.emulator.faults().pending(), 0, "{status}");
                assert_eq!(cloud.emulator.ledger().entries().len(), attempts);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_of_an_authority_that_is_not_trusted_gets_nothing() {
    within(async {
        let cloud = AwsCloud::start().await;
        let route = Route::new(ENDPOINT, roots(&Authority::new())).identity(identity(&cloud.device));
        let error = refusal(&mut cloud.open(8443, route, &in_short()).await).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::TlsCertificate));
        assert_eq!(error.delivery, Delivery::NotSent);
        // The roots may be replaced meanwhile, or the clock be set.
        assert!(matches!(error.retry, Retry::AfterMs(_)), "{:?}", error.retry);
        assert!(error.explanation.contains("roots"), "{}", error.explanation);
        assert_eq!(cloud.emulator.ledger().entries(), []);
    })
    .await;
}

#[tokio::test]
async fn a_server_with_a_certificate_for_another_name_gets_nothing() {
    within(async {
        // AWS itself closes on a wrong name; a server that is not AWS and does not mind is needed.
        let other = AliyunCloud::start().await;
        let workload =
            WorkloadConfig::new("tests", RouteTable::new(vec![Route::new(ENDPOINT, roots(&other.authority))]).unwrap())
                .connect_to([format!("{ENDPOINT}:8443:{}", other.emulator.addr()).parse().unwrap()]);
        let transport = Transport::new(Pool::default(), workload);
        let error = refusal(&mut try_open(transport, &platform(8443), &in_short(), None).await.unwrap()).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::TlsCertificate));
        assert_eq!(error.delivery, Delivery::NotSent);
        assert!(other.emulator.connections().accepted >= 1);
        assert_eq!(other.emulator.ledger().entries(), []);
    })
    .await;
}

#[tokio::test]
async fn a_destination_without_a_route_is_denied() {
    within(async {
        let cloud = AwsCloud::start().await;
        let other_host = Route::new("other.iot.eu-central-1.amazonaws.com", roots(&cloud.authority));
        for route in [other_host, cloud.route().port(443)] {
            let error = refusal(&mut cloud.open(8443, route, &options()).await).await;
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::Denied));
            assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::NotSent, Retry::Never, 1));
            assert!(error.explanation.contains("routes"), "{}", error.explanation);
        }
        assert_eq!(cloud.connections(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_port_without_a_listener_refuses_and_nothing_was_sent() {
    within(async {
        let cloud = AwsCloud::start().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        let workload = WorkloadConfig::new("tests", RouteTable::new(vec![cloud.route()]).unwrap())
            .connect_to([format!("{ENDPOINT}:8443:{nobody}").parse().unwrap()]);
        let transport = Transport::new(Pool::default(), workload);
        let mut publisher = try_open(transport, &platform(8443), &in_short(), None).await.unwrap();
        let error = refusal(&mut publisher).await;
        assert_eq!(error.cause, Cause::Transport(TransportErrorKind::ConnectionRefused));
        assert_eq!(error.delivery, Delivery::NotSent);
        assert!(error.attempts >= 1);
        assert!(matches!(error.retry, Retry::AfterMs(_)));
        assert!(error.explanation.contains("check the port"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_40_kb_does_not_hide_what_a_gateway_has_answered() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let page = |status| {
            let body = format!("<html><body>{}</body></html>", "blocked ".repeat(5_000)).into_bytes();
            Fault::Answer { status, headers: vec![("Content-Type".to_owned(), "text/html".to_owned())], body }
        };
        for (status, cause) in [(403, Cause::Forbidden), (405, Cause::MethodNotAllowed)] {
            cloud.emulator.faults().push(page(status), 1);
            let error = refusal(&mut publisher).await;
            assert_eq!((error.cause, error.delivery, error.retry), (cause, Delivery::Refused, Retry::Never));
            assert_eq!(error.answer.unwrap().status, status);
        }
        for status in [408, 429, 503] {
            cloud.emulator.faults().push(page(status), 1);
            let receipt = publisher.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
            assert_eq!(receipt.attempts, 2, "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_left_alone_until_then() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let busy = |seconds: &str| {
            let headers = vec![("Retry-After".to_owned(), seconds.to_owned())];
            Fault::Answer { status: 503, headers, body: vec![] }
        };
        cloud.emulator.faults().push(busy("1"), 1);
        let begun = Instant::now();
        let receipt = publisher.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
        assert!(receipt.attempts == 2 && begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
        // Longer than the message has.
        cloud.emulator.faults().push(busy("3600"), 1);
        let error = refusal(&mut publisher).await;
        assert_eq!((error.cause, error.attempts), (Cause::Unavailable, 1));
        assert!(matches!(error.retry, Retry::AfterMs(3_600_000..)), "{:?}", error.retry);
    })
    .await;
}

#[tokio::test]
async fn a_message_waits_for_a_server_that_comes_back() {
    within(async {
        let cloud = AwsCloud::start().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let nobody_yet = listener.local_addr().unwrap();
        drop(listener);
        let refusal = Arc::<FirstFailure>::default();
        let transport = cloud.transport_by_way_of(nobody_yet).observer(refusal.clone());
        let mut publisher = try_open(transport, &platform(8443), &options(), None).await.unwrap();
        let messages: Vec<_> = (0..50_u8).map(|index| at_most_once("a", [index])).collect();
        let back = async {
            // Once it was refused, it comes back: the server, behind a relay.
            refusal.0.notified().await;
            let relay = tokio::net::TcpListener::bind(nobody_yet).await.unwrap();
            let mut relayed = tokio::task::JoinSet::new();
            loop {
                let (mut near, _) = relay.accept().await.unwrap();
                let mut far = tokio::net::TcpStream::connect(cloud.emulator.addr_mutual_tls()).await.unwrap();
                relayed.spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        };
        let outcomes = tokio::select! {
            outcomes = publisher.publish_all(&messages) => outcomes.unwrap(),
            () = back => unreachable!("it relays until all is over"),
        };
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(cloud.emulator.ledger().accepted().len(), 50);
    })
    .await;
}
