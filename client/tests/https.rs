//! Messages over HTTPS: delivered once, and otherwise told the truth about.

use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use thingpost_client::thingpost::{Cause, Options};
use thingpost_client::{Client, Delivery, Message, OpenError, Qos, blocking};
use thingpost_emulator::{AnswerFault, Break, Fault, Faults};
use thingpost_patience::within;

use crate::clouds::{AliyunCloud, AwsCloud, PRODUCT, SECRET};

fn message(number: usize) -> Message {
    Message::new(format!("plant/4/celsius/{number}"), number.to_string().into_bytes(), Qos::AtMostOnce)
}

fn aliyun_message(qos: Qos) -> Message {
    Message::new(format!("/{PRODUCT}/pump-1/user/update"), *b"on", qos)
}

#[tokio::test]
async fn a_message_is_delivered_with_certificate_and_alpn() {
    within(async {
        let cloud = AwsCloud::start().await;
        let client = cloud.builder().open().unwrap();
        let receipt = client.publish(message(1)).await.unwrap();
        assert_eq!(receipt.attempts, 1);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 1);
        assert_eq!(client.credential(), None);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_publications_that_begin_at_once_authenticate_once() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let client = cloud.builder().open().unwrap();
        let outcomes: Vec<_> = stream::iter(0..100)
            .map(|_| client.publish(aliyun_message(Qos::AtMostOnce)))
            .buffer_unordered(100)
            .collect()
            .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(cloud.emulator.authentications(), 1);
        assert_eq!(cloud.emulator.ledger().accepted().len(), 100);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_ends_under_a_hundred_publications_is_replaced_once() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let client = cloud.builder().open().unwrap();
        client.publish(aliyun_message(Qos::AtMostOnce)).await.unwrap();
        cloud.emulator.revoke_tokens();
        let outcomes: Vec<_> = stream::iter(0..100)
            .map(|_| client.publish(aliyun_message(Qos::AtMostOnce)))
            .buffer_unordered(100)
            .collect()
            .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(cloud.emulator.authentications(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_authentication_that_fails_at_first_is_tried_again_for_all_who_wait_for_it() {
    within(async {
        for clock_ms in [0, 3_600_000] {
            let cloud = AliyunCloud::start().await;
            // An hour off, the first signature is refused for its time.
            cloud.emulator.shift_clock_ms(clock_ms);
            cloud.emulator.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Reset), 2);
            let client = cloud.builder().open().unwrap();
            let outcomes: Vec<_> = stream::iter(0..20)
                .map(|_| client.publish(aliyun_message(Qos::AtMostOnce)))
                .buffer_unordered(20)
                .collect()
                .await;
            assert!(outcomes.iter().all(Result::is_ok), "{clock_ms}: {outcomes:?}");
            assert_eq!(cloud.emulator.ledger().accepted().len(), 20);
        }
    })
    .await;
}

#[tokio::test]
async fn an_authentication_that_never_succeeds_ends_with_the_time_of_each_message_and_says_why() {
    within(async {
        let cloud = AliyunCloud::start().await;
        cloud.emulator.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Reset), 10_000);
        let client = cloud.builder().options(Options { timeout_ms: 15_000, ..Options::default() }).open().unwrap();
        let outcomes: Vec<_> = stream::iter(0..5)
            .map(|_| client.publish(aliyun_message(Qos::AtMostOnce)))
            .buffer_unordered(5)
            .collect()
            .await;
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!(error.delivery(), Delivery::NotSent, "{error}");
            let text = error.to_string();
            assert!(text.contains("closed before an answer") || text.contains("was authenticating"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_credential_is_good_for_the_next_run_and_for_no_other_device() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let client = cloud.builder().open().unwrap();
        client.publish(aliyun_message(Qos::AtMostOnce)).await.unwrap();
        let saved = client.credential().unwrap();
        let next = cloud.builder().credential(&saved).open().unwrap();
        next.publish(aliyun_message(Qos::AtMostOnce)).await.unwrap();
        assert_eq!(cloud.emulator.authentications(), 1);
        let other = Client::aliyun("other.example", PRODUCT, "pump-1", SECRET).credential(&saved).open();
        assert!(matches!(other, Err(OpenError::Config(_))), "{other:?}");
    })
    .await;
}

#[tokio::test]
async fn a_stream_is_published_with_back_pressure_and_each_message_keeps_its_outcome() {
    within(async {
        let cloud = AwsCloud::start().await;
        let options = Options { max_in_flight: 4, ..Options::default() };
        let client = cloud.builder().options(options).open().unwrap();
        let taken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let messages = stream::iter(0..200).map(move |number| {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            message(number)
        });
        let mut published = std::pin::pin!(client.publish_stream(messages));
        let mut seen = 0;
        while let Some((message, outcome)) = published.next().await {
            outcome.unwrap();
            assert_eq!(message.topic.rsplit_once('/').unwrap().1.as_bytes(), &*message.payload);
            seen += 1;
            assert!(taken.load(std::sync::atomic::Ordering::SeqCst) <= seen + 4, "it takes what it cannot send");
        }
        assert_eq!((seen, cloud.emulator.ledger().accepted().len()), (200, 200));
    })
    .await;
}

#[test]
fn a_program_that_is_not_asynchronous_publishes_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cloud = runtime.block_on(AwsCloud::start());
    let client = blocking::Client::new(cloud.builder().open().unwrap()).unwrap();
    client.publish(message(1)).unwrap();
    let outcomes = client.publish_all(vec![message(2), Message::new("#", *b"", Qos::AtMostOnce), message(3)]);
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(cloud.emulator.ledger().accepted().len(), 3);
}

/// What a fault does to one message that may be sent once, by the ledger and by what its sender is told.
struct Case {
    name: &'static str,
    fault: fn() -> Fault,
    /// Whether the platform has it; whether its sender is told that it may.
    expected: (bool, Option<Delivery>),
}

const CASES: [Case; 7] = [
    Case {
        name: "reset before the request is looked at",
        fault: || Fault::BeforeAcceptance(Break::Reset),
        expected: (false, Some(Delivery::Unknown)),
    },
    Case {
        name: "closed before the request is looked at",
        fault: || Fault::BeforeAcceptance(Break::Close),
        expected: (false, Some(Delivery::Unknown)),
    },
    Case {
        name: "reset after the message was taken",
        fault: || Fault::AfterAcceptance(Break::Reset),
        expected: (true, Some(Delivery::Unknown)),
    },
    Case {
        name: "closed after the message was taken",
        fault: || Fault::AfterAcceptance(Break::Close),
        expected: (true, Some(Delivery::Unknown)),
    },
    Case {
        name: "stalled after the message was taken",
        fault: || Fault::AfterAcceptance(Break::Stall),
        expected: (true, Some(Delivery::Unknown)),
    },
    Case {
        name: "an answer that is no HTTP",
        fault: || Fault::InAnswer(AnswerFault::Garbage),
        expected: (true, Some(Delivery::Unknown)),
    },
    Case {
        name: "a refusal by something in between",
        fault: || Fault::Answer { status: 403, headers: Vec::new(), body: b"no".to_vec() },
        expected: (false, Some(Delivery::Refused)),
    },
];

async fn judge(case: &Case, client: &Client, faults: &Faults, message: Message, is_taken: impl Fn() -> bool) {
    faults.push((case.fault)(), 9);
    let told = client.publish(message).await.map_err(|error| {
        assert!(!error.to_string().is_empty());
        error.delivery()
    });
    faults.clear();
    assert_eq!((is_taken(), told.err()), case.expected, "{}", case.name);
}

#[tokio::test]
async fn what_may_have_arrived_is_never_called_not_sent() {
    within(async {
        // All at once: the one that stalls takes all of its time, and less would be too little for a handshake on a slow machine.
        join_all(CASES.iter().map(|case| async move {
            let cloud = AwsCloud::start().await;
            let options = Options { timeout_ms: 20_000, ..Options::default() };
            let client = cloud.builder().options(options.clone()).open().unwrap();
            let ledger = cloud.emulator.ledger();
            let is_taken = || !ledger.accepted().is_empty();
            judge(case, &client, &cloud.emulator.faults(), message(1), is_taken).await;

            let cloud = AliyunCloud::start().await;
            let client = cloud.builder().options(options).open().unwrap();
            let ledger = cloud.emulator.ledger();
            let is_taken = || ledger.entries().iter().any(|entry| entry.disposition.is_accepted());
            judge(case, &client, &cloud.emulator.faults(), aliyun_message(Qos::AtMostOnce), is_taken).await;
        }))
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_never_left_is_not_sent_and_says_why() {
    within(async {
        let cloud = AwsCloud::start().await;
        let short = Options { timeout_ms: 15_000, ..Options::default() };
        // There was a listener here a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = cloud.builder().options(short.clone()).connect_to(free.to_string()).open().unwrap();
        // An authority that signs for other servers.
        let stranger = AwsCloud::start().await;
        let untrusted = cloud.builder().options(short).ca(stranger.file("ca.pem")).open().unwrap();
        let (refused, untrusted) = tokio::join!(refused.publish(message(1)), untrusted.publish(message(1)));
        for (outcome, word) in [(refused, "refused"), (untrusted, "certificate")] {
            let error = outcome.unwrap_err();
            assert_eq!(error.delivery(), Delivery::NotSent);
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(cloud.emulator.ledger().entries().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_cannot_be_published_to_is_not_sent() {
    within(async {
        let cloud = AwsCloud::start().await;
        let client = cloud.builder().open().unwrap();
        let error = client.publish(Message::new("a/+/b", *b"", Qos::AtMostOnce)).await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(matches!(error.cause(), Cause::InvalidTopic(_)), "{error:?}");
        assert!(cloud.emulator.ledger().entries().is_empty());
    })
    .await;
}

#[test]
fn what_cannot_be_opened_says_which_of_its_parts_is_wrong() {
    let missing = Client::aws("a.example").certificate("/nowhere/a.pem", "/nowhere/a.key").open().unwrap_err();
    assert!(missing.to_string().contains("/nowhere/a.pem"), "{missing}");
    let url = Client::aws("https://a.example/").open().unwrap_err();
    assert!(url.to_string().contains("a.example"), "{url}");
    let nowhere = Client::aws("a.example").connect_to("there").open().unwrap_err();
    assert!(nowhere.to_string().contains("`there`"), "{nowhere}");
    let empty = Client::aliyun("a.example", PRODUCT, "pump-1", "").open().unwrap_err();
    assert!(empty.to_string().contains("device secret"), "{empty}");
    let unused = Client::aws("a.example")
        .timeout(std::time::Duration::from_secs(5))
        .mqtt("thermometer-7")
        .map(drop)
        .unwrap_err();
    assert!(unused.to_string().contains("timeout"), "{unused}");
    let zero = Client::aws("a.example").options(Options { timeout_ms: 0, ..Options::default() }).open().unwrap_err();
    assert!(zero.to_string().contains("timeout"), "{zero}");
}

#[test]
fn a_secret_is_in_no_debug_output() {
    let client = Client::aliyun("a.example", PRODUCT, "pump-1", SECRET).open().unwrap();
    assert!(!format!("{client:?}").contains(SECRET));
}
