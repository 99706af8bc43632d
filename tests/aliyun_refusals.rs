//! Aliyun answers every error with status 200 and a number. What that means for the message, and when it is sent
//! again, is held against the ledger.

use thingpost_emulator::{AnswerFault, Fault};
use thingpost_host::runtime::types::{
    AliyunConfig, Cause, Delivery, Message, Options, Platform, Qos, Retry, Stage, TimestampPolicy,
};

use crate::fixtures::agreement::assert_agrees;
use crate::fixtures::aliyun::{self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::{at_least_once, at_most_once, patterned};
use crate::fixtures::visible_memory::VisibleMemories;

#[tokio::test]
async fn a_wrong_secret_costs_one_authentication_and_publishes_nothing() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let config = AliyunConfig { signer: aliyun::secret("wrong"), ..config() };
        let mut publisher = cloud.open(config, &options(), None).await;
        let messages: Vec<Message> = (0..5_u8).map(|index| at_least_once(TOPIC, [index])).collect();
        for outcome in publisher.publish_all(&messages).await.unwrap() {
            let error = outcome.unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
            assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::Refused, Retry::Never, 0));
            assert!(error.explanation.contains("device secret"), "{}", error.explanation);
            assert_eq!(error.answer.unwrap().code.as_deref(), Some("20000"));
        }
        assert_eq!(cloud.emulator.authentications(), 1);
        assert_eq!(cloud.emulator.connections().accepted, 1);
        assert_eq!(cloud.emulator.ledger().entries(), []);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_expired_or_unknown_is_replaced_once_and_the_same_bytes_go_again() {
    within(async {
        for code in ["20001", "20003"] {
            let cloud = AliyunCloud::start().await;
            let mut publisher = cloud.publisher().await;
            publisher.publish(&at_least_once(TOPIC, b"before")).await.unwrap().unwrap();
            cloud.emulator.ledger().clear();
            match code {
                "20001" => cloud.emulator.expire_tokens(),
                _ => cloud.emulator.revoke_tokens(),
            }

            let payload = patterned(10_000);
            let receipt = publisher.publish(&at_most_once(TOPIC, payload.clone())).await.unwrap().unwrap();
            assert_eq!(receipt.attempts, 2);
            assert_eq!(cloud.emulator.authentications(), 2);
            assert_eq!(cloud.refusals(), [code]);
            let entries = cloud.emulator.ledger().entries();
            assert_eq!(entries.len(), 2);
            assert!(entries.iter().all(|entry| entry.payload == payload && entry.topic.as_deref() == Some(TOPIC)));
            assert!(entries[1].disposition.is_accepted());
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_rejected_again_costs_no_message() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for _ in 0..2 {
            cloud.emulator.next_code(20001);
        }
        let receipt = cloud.publisher().await.publish(&at_most_once(TOPIC, b"x")).await.unwrap().unwrap();
        assert_eq!((receipt.attempts, cloud.emulator.authentications()), (3, 3));
        assert_eq!(cloud.emulator.ledger().accepted().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_got_another_secret_in_the_meantime_is_told_so() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        publisher.publish(&at_least_once(TOPIC, b"before")).await.unwrap().unwrap();
        cloud.emulator.add_device(PRODUCT_KEY, DEVICE_NAME, "another");
        cloud.emulator.expire_tokens();
        let message = at_least_once(TOPIC, b"after");
        let outcome = publisher.publish(&message).await.unwrap();
        assert_agrees(&message, &outcome, &cloud.emulator.ledger().entries());
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
        // Once it was there, with the old token.
        assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 1));
        assert_eq!(cloud.emulator.authentications(), 2);
        assert_eq!(publisher.credential().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn every_code_for_a_message_has_its_cause_and_is_repeated_only_where_that_is_right() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let options = Options { max_attempts: Some(2), ..options() };
        let mut publisher = cloud.open(config(), &options, None).await;
        for (code, cause, delivery, attempts_at_most_once, attempts_at_least_once) in [
            (10000, Cause::ServerError, Delivery::Unknown, 1, 2),
            (10001, Cause::InvalidRequest, Delivery::Refused, 1, 1),
            (20000, Cause::Unauthenticated, Delivery::Refused, 1, 1),
            (99999, Cause::UndocumentedAnswer, Delivery::Unknown, 1, 1),
        ] {
            let messages = [
                (at_most_once(TOPIC, b"0"), attempts_at_most_once),
                (at_least_once(TOPIC, b"1"), attempts_at_least_once),
            ];
            for (message, attempts) in messages {
                cloud.emulator.ledger().clear();
                for _ in 0..attempts {
                    cloud.emulator.next_code(code);
                }
                let error = publisher.publish(&message).await.unwrap().unwrap_err();
                assert_eq!((error.cause, error.delivery), (cause, delivery), "{code}");
                assert_eq!((error.stage, error.attempts), (Stage::Publication, attempts), "{code}");
                assert_eq!(cloud.refusals(), vec![code.to_string(); attempts as usize]);

                let answer = error.answer.unwrap();
                assert_eq!((answer.status, answer.code), (200, Some(code.to_string())));
                assert_eq!(answer.trace_id, cloud.emulator.ledger().entries().pop().unwrap().trace_id);
            }
        }
        assert_eq!(cloud.emulator.authentications(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_does_not_pass_is_what_a_message_ends_with_when_its_time_is_over() {
    within(async {
        for (code, cause) in [
            (20001, Cause::TokenRejected),
            (20004, Cause::Unavailable),
            (30001, Cause::PublishFailed),
            (40000, Cause::Throttled),
        ] {
            let cloud = AliyunCloud::start().await;
            (0..ENOUGH).for_each(|_| cloud.emulator.next_code(code));
            let mut publisher = cloud.open(config(), &in_short(), None).await;
            let error = publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.delivery, error.stage), (cause, Delivery::Refused, Stage::Publication));
            assert_eq!(error.answer.unwrap().code, Some(code.to_string()));
            assert_eq!(cloud.refusals().len(), error.attempts as usize);
        }
    })
    .await;
}

/// More than any message is refused in its time.
const ENOUGH: usize = 1_000;

/// For what is tried again until the time of the message is over.
fn in_short() -> Options {
    Options { timeout_ms: Some(3_000), ..options() }
}

#[tokio::test]
async fn a_code_that_passes_costs_the_message_nothing() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for (code, qos) in [
            (20004, Qos::AtMostOnce),
            (30001, Qos::AtMostOnce),
            (40000, Qos::AtMostOnce),
            (10000, Qos::AtLeastOnce),
            (20002, Qos::AtMostOnce),
        ] {
            cloud.emulator.ledger().clear();
            cloud.emulator.next_code(code);
            let message = Message { qos, ..at_least_once(TOPIC, code.to_string()) };
            let outcome = publisher.publish(&message).await.unwrap();
            assert_agrees(&message, &outcome, &cloud.emulator.ledger().entries());
            assert_eq!(outcome.unwrap().attempts, 2, "{code}");
            assert_eq!(cloud.emulator.ledger().accepted().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn every_code_for_an_authentication_has_its_cause_and_nothing_was_sent() {
    within(async {
        for (code, cause) in [(10001, Cause::InvalidRequest), (20000, Cause::Unauthenticated)] {
            let cloud = AliyunCloud::start().await;
            cloud.emulator.next_authentication_code(code);
            let mut publisher = cloud.publisher().await;
            let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.stage), (cause, Stage::Authentication), "{code}");
            assert_eq!((error.delivery, error.attempts), (Delivery::Refused, 0), "{code}");
            assert_eq!(error.answer.unwrap().code, Some(code.to_string()));
            assert_eq!(cloud.emulator.authentications(), 1, "{code}");
            assert_eq!(cloud.emulator.ledger().entries(), []);

            // It was the platform's; the same publisher goes on when that is over.
            publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        }
        for (code, cause) in [
            (10000, Cause::ServerError),
            (20004, Cause::Unavailable),
            (30001, Cause::PublishFailed),
            (40000, Cause::Throttled),
        ] {
            let cloud = AliyunCloud::start().await;
            cloud.emulator.next_authentication_code(code);
            cloud.publisher().await.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert_eq!(cloud.emulator.authentications(), 2, "{code}");

            let cloud = AliyunCloud::start().await;
            (0..ENOUGH).for_each(|_| cloud.emulator.next_authentication_code(code));
            let mut publisher = cloud.open(config(), &in_short(), None).await;
            let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.stage), (cause, Stage::Authentication), "{code}");
            // "Unknown error" does not say that the device is refused.
            let delivery = if code == 10000 { Delivery::NotSent } else { Delivery::Refused };
            assert_eq!((error.delivery, error.attempts), (delivery, 0), "{code}");
            assert_eq!(cloud.emulator.ledger().entries(), []);
        }
    })
    .await;
}

#[tokio::test]
async fn a_redirect_and_a_web_page_point_at_the_endpoint() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let location = header("Location", "http://err.taobao.com/error1.html");
        let html = header("Content-Type", "text/html; charset=utf-8");
        for (status, headers, delivery) in
            [(302, location, Delivery::Refused), (200, html.clone(), Delivery::Unknown), (404, html, Delivery::Refused)]
        {
            let page = Fault::Answer { status, headers, body: b"<html><body>Please log in</body></html>".to_vec() };
            cloud.emulator.faults().push_at_authentication(page.clone(), 1);
            cloud.emulator.revoke_tokens();
            let mut fresh = cloud.publisher().await;
            let error = fresh.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::WrongHostOrPath, Stage::Authentication), "{status}");
            let of_the_message = if delivery == Delivery::Unknown { Delivery::NotSent } else { delivery };
            assert_eq!((error.delivery, error.retry), (of_the_message, Retry::Never));
            assert!(error.explanation.contains("endpoint"), "{}", error.explanation);

            cloud.emulator.faults().push(page, 1);
            let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::WrongHostOrPath, Stage::Publication), "{status}");
            assert_eq!((error.delivery, error.retry), (delivery, Retry::Never), "{status}");
        }
        assert_eq!(cloud.emulator.ledger().accepted(), []);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_matters_only_where_the_time_is_sent() {
    within(async {
        let cloud = AliyunCloud::start().await;
        cloud.emulator.shift_clock_ms(60 * 60 * 1000);
        let with_time = AliyunConfig { timestamp: TimestampPolicy::Now, ..config() };
        let mut publisher = cloud.open(with_time, &options(), None).await;
        let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
        assert!(error.explanation.contains("clock"), "{}", error.explanation);
        assert_eq!(error.answer.unwrap().code.as_deref(), Some("20000"));

        cloud.publisher().await.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_answer_of_32_mb_is_cut_and_takes_no_room_in_the_guest() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let memories = VisibleMemories::default();
        let platform = Platform::Aliyun(config());
        let mut publisher =
            memories.publisher().builder(cloud.transport(), &platform).options(options()).open().await.unwrap();
        publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        let usual = memories.size();

        // What counts stands at its beginning.
        cloud.emulator.ledger().clear();
        cloud.emulator.faults().push(Fault::InAnswer(AnswerFault::LargeBody { megabytes: 32 }), 1);
        let receipt = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        assert_eq!(receipt.attempts, 1);
        assert!(cloud.only_entry().disposition.is_accepted());
        assert!(memories.size() - usual <= 128 * 1024, "{usual} bytes became {}", memories.size());
    })
    .await;
}

#[tokio::test]
async fn of_an_answer_16_kb_are_read_and_what_stands_behind_is_not() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        let answer_of = |length: usize| {
            let answer = br#"{"code":0,"message":"success","info":{"messageId":18446744073709551615}}"#;
            let mut body = vec![b' '; length - answer.len()];
            body.extend(answer);
            Fault::Answer { status: 200, headers: vec![], body }
        };
        cloud.emulator.faults().push(answer_of(16 * 1024), 1);
        let receipt = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
        assert_eq!(receipt.message_id, Some(u64::MAX));
        cloud.emulator.faults().push(answer_of(20 * 1024), 1);
        let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::MalformedAnswer, Delivery::Unknown));
    })
    .await;
}

#[tokio::test]
async fn a_page_of_40_kb_does_not_hide_what_a_gateway_has_answered() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let page = |status| {
            let body = format!("<html><body>{}</body></html>", "blocked ".repeat(5_000)).into_bytes();
            Fault::Answer { status, headers: vec![("Content-Type".to_owned(), "text/html".to_owned())], body }
        };
        for status in [403, 405] {
            cloud.emulator.faults().push(page(status), 1);
            let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
            assert_eq!((error.cause, error.delivery), (Cause::WrongHostOrPath, Delivery::Refused), "{status}");
            assert_eq!(error.answer.unwrap().status, status);
        }
        for status in [429, 503] {
            cloud.emulator.faults().push(page(status), 1);
            let receipt = publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert_eq!(receipt.attempts, 2, "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_by_name_before_anything_is_sent() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let secret = |text: &str| AliyunConfig { signer: aliyun::secret(text), ..config() };
        let endpoint = |text: &str| AliyunConfig { endpoint: text.to_owned(), ..config() };
        for (config, named) in [
            (AliyunConfig { product_key: String::new(), ..config() }, "product key"),
            (AliyunConfig { device_name: "x\n".to_owned(), ..config() }, "device name"),
            (AliyunConfig { port: 0, ..config() }, "port"),
            (secret(""), "device secret"),
            (secret(&format!("{DEVICE_SECRET}\n")), "device secret"),
            (endpoint("https://iot.example"), "alone, without https://"),
            (endpoint("iot.example:443"), ": iot.example"),
        ] {
            let problem = cloud.try_open(config, &options(), None).await.err().unwrap();
            assert!(problem.contains(named), "{problem}");
            assert!(!problem.contains(DEVICE_SECRET), "{problem}");
        }
        let zero = Options { timeout_ms: Some(0), ..options() };
        assert!(cloud.try_open(config(), &zero, None).await.err().unwrap().contains("timeout"));
        assert_eq!(cloud.emulator.connections().accepted, 0);
    })
    .await;
}
