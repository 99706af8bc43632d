//! A fleet leaves the factory with one secret, and each device fetches its own, once. What is lost on the way is lost for
//! good, so what a device is told about its registration must be true.

use std::collections::HashSet;

use thingpost_emulator::{AliyunRegistration, Break, Fault};
use thingpost_host::runtime::types::{
    AliyunConfig, Cause, Delivery, Error, Registered, Registration, Retry, SignMethod, Stage, TransportErrorKind,
};

use crate::fixtures::aliyun::{self, AliyunCloud, ENDPOINT, IOT_AUTH, PRODUCT_KEY, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::at_least_once;

const PRODUCT_SECRET: &str = "BXYbC7uQ2fLk9TzR";
const NEWCOMER: &str = "newcomer-1";

async fn cloud() -> AliyunCloud {
    let cloud = AliyunCloud::start().await;
    cloud.emulator.add_product(PRODUCT_KEY, PRODUCT_SECRET, true);
    cloud.emulator.pre_register(PRODUCT_KEY, NEWCOMER);
    cloud
}

fn registration(random: &str) -> Registration {
    Registration {
        endpoint: IOT_AUTH.to_owned(),
        port: 443,
        product_key: PRODUCT_KEY.to_owned(),
        device_name: NEWCOMER.to_owned(),
        method: SignMethod::HmacSha1,
        random: random.to_owned(),
    }
}

async fn register(cloud: &AliyunCloud, registration: &Registration) -> Result<Registered, Error> {
    cloud.provisioning().await.register(registration, PRODUCT_SECRET, Some(20_000)).await.unwrap()
}

async fn refused(cloud: &AliyunCloud, registration: &Registration) -> Error {
    let error = register(cloud, registration).await.unwrap_err();
    assert_eq!((error.stage, error.delivery, error.retry), (Stage::Authentication, Delivery::Refused, Retry::Never));
    assert!(!format!("{error:?}").contains(PRODUCT_SECRET), "{error:?}");
    error
}

#[tokio::test]
async fn a_device_registers_by_every_sign_method_and_publishes_with_the_secret_it_got() {
    within(async {
        let cloud = cloud().await;
        let methods =
            [(SignMethod::HmacMd5, "md5-1"), (SignMethod::HmacSha1, "sha1-1"), (SignMethod::HmacSha256, "sha256-1")];
        for (method, device_name) in methods {
            cloud.emulator.pre_register(PRODUCT_KEY, device_name);
            let device_name = device_name.to_owned();
            let registered =
                register(&cloud, &Registration { method, device_name, ..registration("7") }).await.unwrap();
            let Registered { product_key, device_name, device_secret } = registered.clone();
            assert_eq!(product_key, PRODUCT_KEY);
            for secret in [device_secret.as_str(), PRODUCT_SECRET] {
                assert!(!format!("{registered:?} {registered:#?}").contains(secret));
            }

            let topic = format!("/{PRODUCT_KEY}/{device_name}/user/update");
            let config = AliyunConfig { device_name, signer: aliyun::secret(&device_secret), ..config() };
            let mut publisher = cloud.open(config, &options(), None).await;
            publisher.publish(&at_least_once(&topic, b"x")).await.unwrap().unwrap();
        }
        assert_eq!(cloud.emulator.ledger().accepted().len(), 3);
        let registrations = cloud.emulator.registrations();
        assert!(registrations.iter().all(|registration| registration.code == 200), "{registrations:?}");
    })
    .await;
}

#[tokio::test]
async fn each_random_text_arrives_as_it_was_given() {
    within(async {
        let cloud = cloud().await;
        let randoms = ["567345", "a+b c", "&random=1", "100%25", "größe", "7", "x=y;z", "0b4c1f5e-\"quoted\""];
        let mut provisioning = cloud.provisioning().await;
        let mut secrets = HashSet::new();
        for random in randoms {
            let registered = provisioning.register(&registration(random), PRODUCT_SECRET, None).await.unwrap();
            secrets.insert(registered.unwrap().device_secret);
        }
        let seen: Vec<String> = cloud.emulator.registrations().into_iter().map(|it| it.random).collect();
        assert_eq!(seen, randoms);
        // Each of them is another one, and the last one is good.
        assert_eq!(secrets.len(), randoms.len());
    })
    .await;
}

#[tokio::test]
async fn whoever_is_refused_is_told_by_which_rule() {
    within(async {
        let cloud = cloud().await;
        cloud.emulator.add_product("a1Closed", PRODUCT_SECRET, false);
        let of = |product_key: &str| Registration { product_key: product_key.to_owned(), ..registration("7") };

        let error = refused(&cloud, &of("a1Unknown")).await;
        assert_eq!((error.cause, error.answer.unwrap().code.as_deref()), (Cause::NotFound, Some("6250")));
        assert!(error.explanation.contains("the product or the device is not known here"), "{}", error.explanation);

        let error = refused(&cloud, &of("a1Closed")).await;
        assert_eq!((error.cause, error.answer.unwrap().code.as_deref()), (Cause::RegistrationOff, Some("6288")));
        assert!(error.explanation.contains("switch on dynamic registration"), "{}", error.explanation);

        let wrong = "guessed-secret-1";
        let outcome = cloud.provisioning().await.register(&registration("7"), wrong, None).await.unwrap();
        let error = outcome.unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::Unauthenticated, Delivery::Refused));
        assert!(!format!("{error:?}").contains(wrong));
        assert_eq!(error.answer.unwrap().code.as_deref(), Some("6600"));

        let registered = register(&cloud, &registration("7")).await.unwrap();
        let secret = aliyun::secret(&registered.device_secret);
        let config = AliyunConfig { device_name: NEWCOMER.to_owned(), signer: secret, ..config() };
        let topic = format!("/{PRODUCT_KEY}/{NEWCOMER}/user/update");
        let mut publisher = cloud.open(config, &options(), None).await;
        publisher.publish(&at_least_once(&topic, b"x")).await.unwrap().unwrap();
        let error = refused(&cloud, &registration("8")).await;
        assert_eq!((error.cause, error.answer.unwrap().code.as_deref()), (Cause::AlreadyActive, Some("6289")));
        assert!(error.explanation.contains("given out once"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn every_documented_code_has_its_cause_and_an_explanation() {
    use Delivery::{Refused, Unknown};
    within(async {
        let cloud = cloud().await;
        for (code, cause, delivery, named) in [
            (401, Cause::Unauthenticated, Refused, "signature"),
            (460, Cause::InvalidRequest, Refused, "not accept"),
            (500, Cause::ServerError, Unknown, "try again later"),
            (6250, Cause::NotFound, Refused, "the product or the device"),
            (6288, Cause::RegistrationOff, Refused, "console"),
            (6289, Cause::AlreadyActive, Refused, "console"),
            (6292, Cause::SignMethodUnsupported, Refused, "hmacsha1"),
            (6600, Cause::Unauthenticated, Refused, "signature"),
            (7777, Cause::UndocumentedAnswer, Unknown, "undocumented"),
        ] {
            cloud.emulator.next_iot_auth_code(code);
            let error = register(&cloud, &registration("7")).await.unwrap_err();
            assert_eq!((error.cause, error.delivery, error.stage), (cause, delivery, Stage::Authentication), "{code}");
            assert!(error.explanation.contains(named), "{code}: {}", error.explanation);
            let answer = error.answer.unwrap();
            assert_eq!((answer.status, answer.code), (200, Some(code.to_string())));
            assert!(answer.trace_id.is_some() && answer.clock_ahead_ms.is_some());
        }
        // Each was one request, and none of them was looked at.
        assert_eq!(cloud.emulator.iot_auth_connections().accepted, 9);
        assert_eq!(cloud.emulator.registrations(), []);
    })
    .await;
}

#[tokio::test]
async fn a_product_secret_that_is_wrong_is_named_as_what_to_check() {
    within(async {
        let cloud = cloud().await;
        cloud.emulator.next_iot_auth_code(6600);
        let error = register(&cloud, &registration("7")).await.unwrap_err();
        assert!(error.explanation.contains("product secret"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_was_not_created_is_told_that_it_is_not_known() {
    within(async {
        let cloud = cloud().await;
        let stranger = Registration { device_name: "stranger-1".to_owned(), ..registration("7") };
        let error = refused(&cloud, &stranger).await;
        assert_eq!((error.cause, error.answer.unwrap().code.as_deref()), (Cause::NotFound, Some("6100")));
    })
    .await;
}

#[tokio::test]
async fn a_registration_whose_answer_is_lost_is_unknown_and_not_sent_again() {
    within(async {
        for (fault, failure, registrations) in [
            (Fault::AfterAcceptance(Break::Close), TransportErrorKind::ConnectionClosed, 1),
            (Fault::AfterAcceptance(Break::Reset), TransportErrorKind::ConnectionClosed, 1),
            (Fault::AfterAcceptance(Break::Stall), TransportErrorKind::AnswerTimeout, 1),
            (Fault::BeforeAcceptance(Break::Close), TransportErrorKind::ConnectionClosed, 0),
        ] {
            let cloud = cloud().await;
            cloud.emulator.faults().push_at_authentication(fault.clone(), 1);
            let mut provisioning = cloud.provisioning().await;
            let timeout_ms = if failure == TransportErrorKind::AnswerTimeout { 3_000 } else { 20_000 };
            let outcome = provisioning.register(&registration("7"), PRODUCT_SECRET, Some(timeout_ms)).await.unwrap();
            let error = outcome.unwrap_err();
            assert_eq!((error.cause, error.delivery), (Cause::Transport(failure), Delivery::Unknown), "{fault:?}");
            assert!(!error.explanation.is_empty());
            let seen: Vec<AliyunRegistration> = cloud.emulator.registrations();
            assert_eq!(seen.len(), registrations, "{fault:?}");
            assert_eq!(cloud.emulator.iot_auth_connections().accepted, 1, "{fault:?}");

            // The caller decides to ask once more.
            provisioning.register(&registration("8"), PRODUCT_SECRET, None).await.unwrap().unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_there_and_no_route_are_not_sent() {
    within(async {
        let cloud = cloud().await;
        let elsewhere = Registration { endpoint: "iot-auth.elsewhere.example".to_owned(), ..registration("7") };
        let error = register(&cloud, &elsewhere).await.unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::Transport(TransportErrorKind::Denied), Delivery::NotSent));
        cloud.emulator.faults().push(Fault::AtAccept(Break::Close), 1);
        let error = register(&cloud, &registration("7")).await.unwrap_err();
        assert_eq!(error.delivery, Delivery::NotSent, "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn the_endpoint_for_messages_is_not_the_one_for_registrations() {
    within(async {
        let cloud = cloud().await;
        let mixed_up = Registration { endpoint: ENDPOINT.to_owned(), ..registration("7") };
        let error = refused(&cloud, &mixed_up).await;
        assert_eq!((error.cause, error.answer.unwrap().status), (Cause::WrongHostOrPath, 302));
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_secret_is_told_as_such_and_shows_nothing_of_it() {
    within(async {
        let cloud = cloud().await;
        for body in [
            r#"{"code":200,"data":{"deviceSecret":"hush-hush-1"}}"#,
            r#"{"code":200,"data":{"productKey":"pk","deviceName":"dn","deviceSecret":""},"message":"success"}"#,
            r#"{"code":200,"deviceSecret":"hush-hush-1"}"#,
        ] {
            let fault = Fault::Answer { status: 200, headers: vec![], body: body.into() };
            cloud.emulator.faults().push_at_authentication(fault, 1);
            let error = register(&cloud, &registration("7")).await.unwrap_err();
            assert_eq!((error.cause, error.delivery), (Cause::MalformedAnswer, Delivery::Unknown));
            assert!(!format!("{error:?}").contains("hush-hush"), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_registration_is_refused_before_anything_is_sent() {
    within(async {
        let cloud = cloud().await;
        let good = || registration("7");
        for (registration, named) in [
            (Registration { product_key: "a1 x".to_owned(), ..good() }, "product key"),
            (Registration { product_key: String::new(), ..good() }, "product key"),
            (Registration { device_name: "a/b".to_owned(), ..good() }, "device name"),
            (Registration { device_name: "new\n".to_owned(), ..good() }, "device name"),
            (Registration { random: String::new(), ..good() }, "random"),
            (Registration { random: "7\n".to_owned(), ..good() }, "random"),
            (Registration { endpoint: "https://x".to_owned(), ..good() }, "endpoint"),
            (Registration { port: 0, ..good() }, "port"),
        ] {
            let error = register(&cloud, &registration).await.unwrap_err();
            assert_eq!((error.stage, error.delivery), (Stage::Preparation, Delivery::NotSent), "{error:?}");
            assert!(error.explanation.contains(named), "{}", error.explanation);
        }
        assert_eq!(cloud.emulator.iot_auth_connections().accepted, 0);
    })
    .await;
}
