//! Devices at the edge often do not know what time it is, and the platform answers a wrong timestamp with the same two
//! words as a wrong secret. A clock must do no harm where it is not needed, and be named where it did.

use thingpost_emulator::TokenForm;
use thingpost_host::runtime::types::{AliyunConfig, Cause, Delivery, Error, Retry, SignMethod, Stage, TimestampPolicy};

use crate::fixtures::aliyun::{self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::at_least_once;

const MINUTE_MS: i64 = 60 * 1000;
const YEAR: i64 = 365 * 24 * 60;

/// How many minutes the platform is ahead of us.
const OFFSETS: [i64; 4] = [-40, 40, -YEAR, YEAR];

async fn cloud(minutes: i64) -> AliyunCloud {
    let cloud = AliyunCloud::start().await;
    cloud.emulator.shift_clock_ms(minutes * MINUTE_MS);
    cloud
}

fn with(timestamp: TimestampPolicy) -> AliyunConfig {
    AliyunConfig { timestamp, ..config() }
}

async fn refused(cloud: &AliyunCloud, config: AliyunConfig) -> Error {
    let mut publisher = cloud.open(config, &options(), None).await;
    let error = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap_err();
    assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication), "{error:?}");
    assert_eq!((error.delivery, error.retry, error.attempts), (Delivery::Refused, Retry::Never, 0), "{error:?}");
    assert_eq!(cloud.emulator.ledger().entries(), []);
    assert!(!format!("{error:?}").contains(DEVICE_SECRET));
    error
}

#[tokio::test]
async fn without_a_timestamp_the_clock_may_show_anything() {
    within(async {
        for minutes in OFFSETS {
            let cloud = cloud(minutes).await;
            let mut publisher = cloud.open(with(TimestampPolicy::None), &options(), None).await;
            publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert_eq!(cloud.emulator.authentications(), 1, "{minutes}");
        }
    })
    .await;
}

#[tokio::test]
async fn with_one_a_clock_that_is_wrong_is_named_with_its_minutes_and_what_was_signed_and_how() {
    within(async {
        for (minutes, named) in [
            (-40, "the clock is 40 minutes ahead"),
            (40, "the clock is 40 minutes behind"),
            (-YEAR, "the clock is 525600 minutes ahead"),
            (YEAR, "the clock is 525600 minutes behind"),
        ] {
            for (sign_method, name) in [
                (SignMethod::HmacMd5, "hmacmd5"),
                (SignMethod::HmacSha1, "hmacsha1"),
                (SignMethod::HmacSha256, "hmacsha256"),
            ] {
                let cloud = cloud(minutes).await;
                let config = AliyunConfig { sign_method, ..with(TimestampPolicy::Now) };
                let Error { explanation, answer, .. } = refused(&cloud, config).await;
                assert!(explanation.contains(named), "{explanation}");
                let signed = format!(
                    "signed with {name}: \
                     clientId{PRODUCT_KEY}.{DEVICE_NAME}deviceName{DEVICE_NAME}productKey{PRODUCT_KEY}timestamp"
                );
                let (_, rest) = explanation.split_once(&signed).unwrap_or_else(|| panic!("{explanation}"));
                let digits = rest.chars().take_while(char::is_ascii_digit).count();
                assert_eq!(digits, "1700000000000".len(), "{explanation}");
                let ahead_ms = answer.unwrap().clock_ahead_ms.unwrap();
                assert!((ahead_ms + minutes * MINUTE_MS).abs() < 10_000, "{ahead_ms}");
                assert_eq!(cloud.emulator.authentications(), 1);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_corrected_costs_one_more_authentication_and_the_message_nothing() {
    within(async {
        for minutes in OFFSETS {
            let cloud = cloud(minutes).await;
            let mut publisher = cloud.open(with(TimestampPolicy::Corrected), &options(), None).await;
            let receipt = publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert_eq!((receipt.attempts, cloud.emulator.authentications()), (1, 2), "{minutes}");
            cloud.only_entry();

            // The token serves on, also in the hands of the next one.
            publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            let session = publisher.credential().await.unwrap().unwrap();
            let mut second = cloud.open(with(TimestampPolicy::Corrected), &options(), Some(&session)).await;
            second.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert_eq!(cloud.emulator.authentications(), 2, "{minutes}");

            // And is replaced when it ends.
            cloud.emulator.revoke_tokens();
            second.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
            assert!((3..=4).contains(&cloud.emulator.authentications()), "{minutes}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_within_the_window_needs_no_correction() {
    within(async {
        for minutes in [-14, 14] {
            for timestamp in [TimestampPolicy::Now, TimestampPolicy::Corrected] {
                let cloud = cloud(minutes).await;
                let mut publisher = cloud.open(with(timestamp), &options(), None).await;
                publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
                assert_eq!(cloud.emulator.authentications(), 1);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_secret_is_not_taken_for_a_wrong_clock_for_ever() {
    within(async {
        for (minutes, authentications) in [(0, 1), (40, 2), (-YEAR, 2)] {
            let cloud = cloud(minutes).await;
            let config = AliyunConfig { signer: aliyun::secret("guessed"), ..with(TimestampPolicy::Corrected) };
            let error = refused(&cloud, config).await;
            assert!(!error.explanation.contains("guessed"), "{}", error.explanation);
            assert_eq!(cloud.emulator.authentications(), authentications, "{minutes}");
        }
    })
    .await;
}

#[tokio::test]
async fn after_the_correction_it_is_the_secret_that_is_blamed_and_not_the_clock() {
    within(async {
        let cloud = cloud(40).await;
        let config = AliyunConfig { signer: aliyun::secret("guessed"), ..with(TimestampPolicy::Corrected) };
        let error = refused(&cloud, config).await;
        assert!(error.explanation.contains("device secret"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_token_whose_end_is_told_by_another_clock_is_not_renewed_with_each_message() {
    within(async {
        for minutes in [-YEAR, -40, 40, YEAR] {
            let cloud = AliyunCloud::start_with(false, TokenForm::ThreeParts).await;
            cloud.emulator.shift_clock_ms(minutes * MINUTE_MS);
            let mut session = None;
            for _ in 0..5 {
                let mut publisher = cloud.open(config(), &options(), session.as_deref()).await;
                publisher.publish(&at_least_once(TOPIC, b"x")).await.unwrap().unwrap();
                session = publisher.credential().await.unwrap();
            }
            assert_eq!(cloud.emulator.authentications(), 1, "{minutes}");
        }
    })
    .await;
}
