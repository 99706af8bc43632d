//! Registration, bootstrap and log-in by pure functions, in a host that has an HTTP client of its own: what the codec makes is accepted, and
//! what it reads is what the platform has said.

use std::time::Duration;

use thingpost_emulator::AliyunEmulator;

use crate::bindings::codec::exports::thingpost::iot::aliyun_codec::{Device, Registration};
use crate::bindings::codec::exports::thingpost::iot::types::{
    Cause, Delivery, HttpRequest, HttpResponse, SignMethod, Stage,
};
use crate::fixtures::aliyun::{AliyunCloud, DEVICE_NAME, DEVICE_SECRET, IOT_AUTH, IOT_AUTH_GLOBAL, PRODUCT_KEY};
use crate::fixtures::blocking_http::{self, BlockingHttp, tls};
use crate::fixtures::codec::{Instance, NOW, owned, response};
use crate::fixtures::deadline::within;

const PRODUCT_SECRET: &str = "BXYbC7uQ2fLk9TzR";
const NEWCOMER: &str = "newcomer-1";
const METHODS: [SignMethod; 3] = [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256];

fn registration(method: SignMethod) -> Registration {
    Registration {
        endpoint: IOT_AUTH.to_owned(),
        port: 443,
        product_key: PRODUCT_KEY.to_owned(),
        device_name: NEWCOMER.to_owned(),
        method,
        random: "567 345+&".to_owned(),
    }
}

fn device() -> Device {
    Device {
        endpoint: IOT_AUTH.to_owned(),
        port: 443,
        product_key: PRODUCT_KEY.to_owned(),
        device_name: DEVICE_NAME.to_owned(),
        client_id: "12345 +&".to_owned(),
    }
}

/// Byte for byte as the codec has it.
async fn send(cloud: &AliyunCloud, request: HttpRequest) -> HttpResponse {
    let client = BlockingHttp { tls: tls(&cloud.authority, None), address: cloud.emulator.addr_iot_auth() };
    let sent = tokio::task::spawn_blocking(move || {
        client.send(&blocking_http::Request {
            method: &request.method,
            authority: &request.authority,
            path_with_query: &request.path_with_query,
            headers: &request.headers,
            body: &request.body,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
        })
    });
    let blocking_http::Response { status, headers, body } = sent.await.unwrap().unwrap();
    HttpResponse { status, headers, body }
}

fn codes(emulator: &AliyunEmulator) -> Vec<u32> {
    emulator.registrations().into_iter().map(|registration| registration.code).collect()
}

#[tokio::test]
async fn a_device_registers_by_every_method() {
    within(async {
        let cloud = AliyunCloud::start().await;
        cloud.emulator.add_product(PRODUCT_KEY, PRODUCT_SECRET, true);
        cloud.emulator.pre_register(PRODUCT_KEY, NEWCOMER);
        let mut instance = Instance::new();
        let (aliyun, store) = instance.aliyun();
        for method in METHODS {
            let registration = registration(method);
            let content = aliyun.call_registration_content(&mut *store, &registration).unwrap();
            assert_eq!(content, format!("deviceName{NEWCOMER}productKey{PRODUCT_KEY}random567 345+&"));
            let signature = aliyun.call_sign(&mut *store, method, PRODUCT_SECRET, &content).unwrap();
            let request = aliyun.call_registration_request(&mut *store, &registration, &signature).unwrap().unwrap();
            assert_eq!((request.method.as_str(), request.authority.as_str()), ("POST", IOT_AUTH));
            assert_eq!(request.path_with_query, "/auth/register/device");
            let length = request.body.len().to_string();
            let media_type = ("content-type", "application/x-www-form-urlencoded");
            assert_eq!(request.headers, owned(&[media_type, ("content-length", &length)]));

            let answer = send(&cloud, request).await;
            let registered = aliyun.call_read_registration_response(&mut *store, &answer, NOW).unwrap().unwrap();
            assert_eq!((registered.product_key.as_str(), registered.device_name.as_str()), (PRODUCT_KEY, NEWCOMER));
            assert_eq!(registered.device_secret.len(), 32);
        }
        let wrong = aliyun.call_registration_request(&mut *store, &registration(METHODS[0]), "00").unwrap().unwrap();
        let answer = send(&cloud, wrong).await;
        let error = aliyun.call_read_registration_response(&mut *store, &answer, NOW).unwrap().unwrap_err();
        assert_eq!((error.cause, error.delivery), (Cause::Unauthenticated, Delivery::Refused));
        assert!(!error.explanation.is_empty());
        assert_eq!(codes(&cloud.emulator), [200, 200, 200, 6600]);
    })
    .await;
}

#[tokio::test]
async fn a_device_finds_its_instance_and_gets_credentials_for_mqtt() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut instance = Instance::new();
        let (aliyun, store) = instance.aliyun();
        let question = aliyun.call_bootstrap_request(&mut *store, IOT_AUTH_GLOBAL, 443, PRODUCT_KEY, DEVICE_NAME);
        let question = question.unwrap().unwrap();
        assert_eq!(
            (question.authority.as_str(), question.path_with_query.as_str()),
            (IOT_AUTH_GLOBAL, "/auth/bootstrap")
        );
        let answer = send(&cloud, question).await;
        let address = aliyun.call_read_bootstrap_response(&mut *store, &answer, NOW).unwrap().unwrap();
        assert_eq!((address.host.as_str(), address.port), ("a1GFjLP3xxC.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883));

        for method in METHODS {
            for timestamp_ms in [None, Some(NOW)] {
                let content = aliyun.call_signing_content(&mut *store, &device(), timestamp_ms).unwrap();
                let signature = aliyun.call_sign(&mut *store, method, DEVICE_SECRET, &content).unwrap();
                let request = aliyun.call_mqtt_auth_request(&mut *store, &device(), method, timestamp_ms, &signature);
                let request = request.unwrap().unwrap();
                assert_eq!(request.path_with_query, "/auth/devicename");
                let answer = send(&cloud, request).await;
                let credentials = aliyun.call_read_mqtt_auth_response(&mut *store, &answer, NOW).unwrap().unwrap();
                assert_eq!(credentials.address.unwrap().host, address.host);
                assert!(!credentials.iot_id.is_empty() && !credentials.iot_token.is_empty());
            }
        }
        let request = aliyun.call_mqtt_auth_request(&mut *store, &device(), METHODS[0], None, "00").unwrap().unwrap();
        let answer = send(&cloud, request).await;
        let error = aliyun.call_read_mqtt_auth_response(&mut *store, &answer, NOW).unwrap().unwrap_err();
        assert_eq!((error.cause, error.stage), (Cause::Unauthenticated, Stage::Authentication));
    })
    .await;
}

#[test]
fn every_documented_code_is_read_alike_at_each_door() {
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    for (code, cause, delivery) in [
        (401, Cause::Unauthenticated, Delivery::Refused),
        (460, Cause::InvalidRequest, Delivery::Refused),
        (500, Cause::ServerError, Delivery::Unknown),
        (5001, Cause::NotFound, Delivery::Refused),
        (6200, Cause::Forbidden, Delivery::Refused),
        (6250, Cause::NotFound, Delivery::Refused),
        (6288, Cause::RegistrationOff, Delivery::Refused),
        (6289, Cause::AlreadyActive, Delivery::Refused),
        (6292, Cause::SignMethodUnsupported, Delivery::Refused),
        (6600, Cause::Unauthenticated, Delivery::Refused),
    ] {
        let answer = response(200, &[("EagleEye-TraceId", "0bc5")], &format!(r#"{{"code":{code},"message":"words"}}"#));
        let errors = [
            aliyun.call_read_registration_response(&mut *store, &answer, NOW).unwrap().unwrap_err(),
            aliyun.call_read_bootstrap_response(&mut *store, &answer, NOW).unwrap().unwrap_err(),
            aliyun.call_read_mqtt_auth_response(&mut *store, &answer, NOW).unwrap().unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.cause, error.delivery), (cause, delivery), "{code}");
            assert!(error.explanation.starts_with("while authenticating"), "{}", error.explanation);
            assert_eq!(error.answer.unwrap().trace_id.as_deref(), Some("0bc5"));
        }
    }
}

#[test]
fn bad_identifiers_are_refused_by_name() {
    let mut instance = Instance::new();
    let (aliyun, store) = instance.aliyun();
    let bad = Registration { device_name: "a/b".to_owned(), ..registration(METHODS[0]) };
    let problem = aliyun.call_registration_request(&mut *store, &bad, "00").unwrap().unwrap_err();
    assert!(problem.contains("device name"), "{problem}");
    let problem = aliyun.call_bootstrap_request(&mut *store, IOT_AUTH_GLOBAL, 443, "a b", "dn").unwrap().unwrap_err();
    assert!(problem.contains("product key"), "{problem}");
    let bad = Device { client_id: String::new(), ..device() };
    let problem = aliyun.call_mqtt_auth_request(&mut *store, &bad, METHODS[0], None, "00").unwrap().unwrap_err();
    assert!(problem.contains("client id"), "{problem}");
}
