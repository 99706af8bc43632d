//! "auth check error" and "param error" are all that the platform says. An explanation has to say more: what exactly was
//! signed, and what about it looks odd.

use thingpost_emulator::{AliyunEmulator, Fault};
use thingpost_host::runtime::types::{AliyunConfig, Cause, Error, Options, SignMethod, Stage, TimestampPolicy};

use crate::fixtures::aliyun::{self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::at_least_once;

/// One way to fail, and what must be said of it.
struct Row {
    name: &'static str,
    config: AliyunConfig,
    account: fn(&AliyunEmulator),
    cause: Cause,
    stage: Stage,
    named: Vec<String>,
    not_named: &'static [&'static str],
}

fn row(name: &'static str, cause: Cause, stage: Stage, named: &[&str]) -> Row {
    let named = named.iter().map(|&named| named.to_owned()).collect();
    Row { name, config: config(), account: |_| {}, cause, stage, named, not_named: &[] }
}

/// More often than a message is sent in its time.
fn always(emulator: &AliyunEmulator, code: u32) {
    (0..1_000).for_each(|_| emulator.next_code(code));
}

/// The first one fails, whatever the codes that are waiting.
async fn fail(row: &Row) -> Error {
    let cloud = AliyunCloud::start().await;
    (row.account)(&cloud.emulator);
    let options = Options { timeout_ms: Some(3_000), max_attempts: Some(1), ..options() };
    let mut publisher = cloud.open(row.config.clone(), &options, None).await;
    let topic = TOPIC.replace(DEVICE_NAME, &row.config.device_name).replace(PRODUCT_KEY, &row.config.product_key);
    publisher.publish(&at_least_once(&topic, b"x")).await.unwrap().unwrap_err()
}

async fn run(rows: Vec<Row>) {
    within(async {
        for row in rows {
            let error = fail(&row).await;
            assert_eq!((error.cause, error.stage), (row.cause, row.stage), "{}: {error:?}", row.name);
            for named in &row.named {
                assert!(error.explanation.contains(named), "{}: no {named} in: {}", row.name, error.explanation);
            }
            for not_named in row.not_named {
                assert!(!error.explanation.contains(not_named), "{}: {}", row.name, error.explanation);
            }
            assert!(!error.explanation.contains('\n'), "{}", error.explanation);
            assert!(!format!("{error:?}").contains(DEVICE_SECRET), "{error:?}");
        }
    })
    .await;
}

fn named(device_name: &str) -> AliyunConfig {
    AliyunConfig { device_name: device_name.to_owned(), ..config() }
}

#[tokio::test]
async fn what_was_signed_and_how_is_named_when_an_authentication_is_refused() {
    let mut rows = Vec::new();
    for (sign_method, method) in
        [(SignMethod::HmacMd5, "hmacmd5"), (SignMethod::HmacSha1, "hmacsha1"), (SignMethod::HmacSha256, "hmacsha256")]
    {
        let signed = format!("signed with {method}: clientIdc-1deviceName{DEVICE_NAME}productKey{PRODUCT_KEY}");
        for (name, account, cause) in [
            ("20000", (|it| it.next_authentication_code(20000)) as fn(&AliyunEmulator), Cause::Unauthenticated),
            ("10001", |it| it.next_authentication_code(10001), Cause::InvalidRequest),
        ] {
            for (timestamp, ends) in [(TimestampPolicy::None, ")"), (TimestampPolicy::Now, "timestamp")] {
                rows.push(Row {
                    config: AliyunConfig { sign_method, timestamp, client_id: Some("c-1".to_owned()), ..config() },
                    account,
                    named: vec![format!("{signed}{ends}")],
                    not_named: &["the clock"],
                    ..row(name, cause, Stage::Authentication, &[])
                });
            }
        }
    }
    run(rows).await;
}

#[tokio::test]
async fn who_is_refused_is_told_what_to_check() {
    use Stage::Authentication;
    let refuse = |it: &AliyunEmulator| it.next_authentication_code(10001);
    let long = "x".repeat(33);
    run(vec![
        Row {
            config: AliyunConfig { signer: aliyun::secret("guessed-1"), ..config() },
            not_named: &["guessed-1"],
            ..row("secret", Cause::Unauthenticated, Authentication, &["device secret", "region", "product key"])
        },
        Row {
            config: named("thermometer-8"),
            ..row("unknown", Cause::Unauthenticated, Authentication, &["the device is unknown here", "thermometer-8"])
        },
        Row {
            config: named("abc"),
            ..row("short", Cause::Unauthenticated, Authentication, &["device name abc", "4 to 32", "console"])
        },
        Row {
            config: named(&long),
            ..row("long", Cause::Unauthenticated, Authentication, &[&long, "4 to 32", "console"])
        },
        Row {
            config: named(PRODUCT_KEY),
            ..row("same", Cause::Unauthenticated, Authentication, &["product key and device name are the same"])
        },
        Row {
            config: named("abc"),
            account: refuse,
            ..row("10001, short", Cause::InvalidRequest, Authentication, &["device name abc", "signed with"])
        },
        Row {
            account: refuse,
            ..row("10001", Cause::InvalidRequest, Authentication, &["client id", "the platform does not say which"])
        },
        Row {
            config: AliyunConfig { timestamp: TimestampPolicy::Now, ..named("abc") },
            account: |it| it.shift_clock_ms(40 * 60 * 1000),
            ..row("clock first", Cause::Unauthenticated, Authentication, &["the clock is 40 minutes behind"])
        },
        Row {
            config: AliyunConfig { timestamp: TimestampPolicy::None, ..named("thermometer-8") },
            account: |it| it.shift_clock_ms(40 * 60 * 1000),
            not_named: &["the clock"],
            ..row("clock that does not matter", Cause::Unauthenticated, Authentication, &["unknown here"])
        },
    ])
    .await;
}

#[tokio::test]
async fn why_a_message_is_refused_is_told_with_what_to_check() {
    use Stage::{Authentication, Publication};
    let page = |status: u16| Fault::Answer {
        status,
        headers: vec![("Location".to_owned(), "http://err.taobao.com/error1.html".to_owned())],
        body: b"<html></html>".to_vec(),
    };
    run(vec![
        Row {
            account: |it| always(it, 20001),
            ..row(
                "rejected twice",
                Cause::TokenRejected,
                Publication,
                &["a new token was rejected as well", "no other process", "instance of the device"],
            )
        },
        Row {
            account: |it| always(it, 30001),
            ..row("30001", Cause::PublishFailed, Publication, &["defined in the console", "right to publish"])
        },
        Row {
            account: |it| it.next_code(10001),
            ..row("10001", Cause::InvalidRequest, Publication, &["topic", "not one of this device"])
        },
        Row { account: |it| always(it, 40000), ..row("40000", Cause::Throttled, Publication, &["send more slowly"]) },
        Row {
            account: |it| it.next_code(10000),
            ..row("10000", Cause::ServerError, Publication, &["try again later"])
        },
    ])
    .await;
    within(async {
        for stage in [Authentication, Publication] {
            let cloud = AliyunCloud::start().await;
            match stage {
                Authentication => cloud.emulator.faults().push_at_authentication(page(302), 1),
                _ => cloud.emulator.faults().push(page(302), 1),
            }
            let outcome = cloud.publisher().await.publish(&at_least_once(TOPIC, b"x")).await.unwrap();
            let error = outcome.unwrap_err();
            assert_eq!((error.cause, error.stage), (Cause::WrongHostOrPath, stage));
            for named in ["a redirect or a web page came back", "HTTP endpoint of this region or instance"] {
                assert!(error.explanation.contains(named), "{}", error.explanation);
            }
        }
    })
    .await;
}
