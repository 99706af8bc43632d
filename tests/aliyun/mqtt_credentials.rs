//! The way to MQTT: where the instance of a device is, and a user name and a password for it. Two more doors that look
//! like the ones for messages and are not.

use std::sync::Arc;

use thingpost_emulator::{Break, Fault};
use thingpost_host::runtime::types::{
    AliyunConfig, Cause, Delivery, Error, MqttCredentials, SignMethod, Signer, Stage, TimestampPolicy,
    TransportErrorKind,
};
use thingpost_host::runtime::{DeviceSecrets, PublisherPre};

use crate::fixtures::aliyun::{
    self, AliyunCloud, DEVICE_NAME, DEVICE_SECRET, ENDPOINT, IOT_AUTH, IOT_AUTH_GLOBAL, PRODUCT_KEY, secrets,
};
use crate::fixtures::deadline::within;
use crate::fixtures::host::{publisher, signed_publisher};
use crate::fixtures::visible_memory::VisibleMemories;

const MQTT: &str = "a1GFjLP3xxC.iot-as-mqtt.cn-shanghai.aliyuncs.com";

fn config() -> AliyunConfig {
    AliyunConfig { endpoint: IOT_AUTH.to_owned(), ..aliyun::config() }
}

async fn credentials(
    pre: &PublisherPre,
    cloud: &AliyunCloud,
    secrets: DeviceSecrets,
    config: &AliyunConfig,
) -> Result<MqttCredentials, Error> {
    let mut provisioning = pre.provisioning_with_secrets(cloud.transport(), Arc::new(secrets)).await.unwrap();
    provisioning.mqtt_credentials(config, Some(20_000)).await.unwrap()
}

#[tokio::test]
async fn credentials_are_given_to_who_signs_in_the_guest_and_to_who_lets_the_host_sign() {
    within(async {
        let cloud = AliyunCloud::start().await;
        for sign_method in [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256] {
            for timestamp in [TimestampPolicy::None, TimestampPolicy::Now, TimestampPolicy::Corrected] {
                let config = AliyunConfig { sign_method, timestamp, ..config() };
                let own = credentials(publisher(), &cloud, DeviceSecrets::new(), &config).await.unwrap();
                let config = AliyunConfig { signer: Signer::Host, ..config };
                let signed = credentials(signed_publisher(), &cloud, secrets(), &config).await.unwrap();
                assert_eq!(own.iot_id, signed.iot_id);
                assert_ne!(own.iot_token, signed.iot_token);
                for credentials in [own, signed] {
                    let shown = format!("{credentials:?} {credentials:#?}");
                    assert!(shown.contains(&credentials.iot_id) && !shown.contains(&credentials.iot_token), "{shown}");
                    let address = credentials.address.unwrap();
                    assert_eq!((address.host.as_str(), address.port), (MQTT, 1883));
                }
            }
        }
        // Nothing of that is for messages.
        assert_eq!((cloud.emulator.connections().accepted, cloud.emulator.authentications()), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn the_device_secret_is_nowhere_in_the_guest_where_the_host_signs_for_the_credentials() {
    within(async {
        for (signer, is_there) in [(Signer::Host, false), (aliyun::secret(DEVICE_SECRET), true)] {
            let cloud = AliyunCloud::start().await;
            let memories = VisibleMemories::default();
            let pre = memories.signed_publisher();
            let config = AliyunConfig { signer, ..config() };
            cloud.emulator.faults().push_at_authentication(Fault::AfterAcceptance(Break::Stall), 1);
            let mut provisioning = pre.provisioning_with_secrets(cloud.transport(), Arc::new(secrets())).await.unwrap();
            let error = provisioning.mqtt_credentials(&config, Some(3_000)).await.unwrap().unwrap_err();
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout));
            let contents = memories.contents();
            assert!(contents.contain(DEVICE_NAME.as_bytes()));
            assert_eq!(contents.contain(DEVICE_SECRET.as_bytes()), is_there);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_gets_no_credentials_is_told_why_without_the_secret() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let none = DeviceSecrets::new;
        let host = || AliyunConfig { signer: Signer::Host, ..config() };
        let unknown = AliyunConfig { device_name: "stranger-1".to_owned(), ..config() };
        let wrong = AliyunConfig { signer: aliyun::secret("guessed-1"), ..config() };
        let wrong_host = AliyunConfig { endpoint: ENDPOINT.to_owned(), ..config() };
        for (pre, secrets, config, cause, delivery, named) in [
            (publisher(), none(), wrong, Cause::Unauthenticated, Delivery::Refused, "device secret"),
            (publisher(), none(), unknown, Cause::NotFound, Delivery::Refused, "not known here"),
            (publisher(), none(), wrong_host, Cause::WrongHostOrPath, Delivery::Refused, "host"),
            (publisher(), none(), host(), Cause::SigningFailed, Delivery::NotSent, "sign"),
            (signed_publisher(), none(), host(), Cause::SigningFailed, Delivery::NotSent, "no secret of this device"),
        ] {
            let error = credentials(pre, &cloud, secrets, &config).await.unwrap_err();
            assert_eq!((error.cause, error.delivery, error.stage), (cause, delivery, Stage::Authentication));
            assert!(error.explanation.contains(named), "{}", error.explanation);
            for secret in [DEVICE_SECRET, "guessed-1"] {
                assert!(!format!("{error:?}").contains(secret), "{error:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_password_is_told_as_such_and_a_missing_address_is_none() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let answer = |body: &str| Fault::Answer { status: 200, headers: vec![], body: body.into() };
        let ask = async |body: &str| {
            cloud.emulator.faults().push_at_authentication(answer(body), 1);
            credentials(publisher(), &cloud, DeviceSecrets::new(), &config()).await
        };
        let error = ask(r#"{"code":200,"data":{"iotToken":"hush-hush-1"}}"#).await.unwrap_err();
        assert_eq!(error.cause, Cause::MalformedAnswer);
        assert!(!format!("{error:?}").contains("hush-hush"), "{error:?}");
        for resources in ["", r#","resources":{}"#, r#","resources":{"mqtt":{"host":"x","port":65536}}"#] {
            let body = format!(r#"{{"code":200,"data":{{"iotId":"i","iotToken":"hush-hush-1"{resources}}}}}"#);
            let credentials = ask(&body).await.unwrap();
            assert_eq!((credentials.iot_id.as_str(), credentials.address), ("i", None), "{body}");
        }
        let body =
            r#"{"code":200,"data":{"iotId":"i","iotToken":"t","resources":{"mqtt":{"host":"x","port":"1883"}}}}"#;
        assert_eq!(ask(body).await.unwrap().address.unwrap().port, 1883);
    })
    .await;
}

#[tokio::test]
async fn a_device_is_sent_to_its_instance() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut provisioning = cloud.provisioning().await;
        let address = provisioning.bootstrap(IOT_AUTH_GLOBAL, 443, PRODUCT_KEY, DEVICE_NAME, None).await.unwrap();
        let address = address.unwrap();
        assert_eq!((address.host.as_str(), address.port), (MQTT, 1883));
        cloud.emulator.set_mqtt_endpoint("iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com", 443);
        let address = provisioning.bootstrap(IOT_AUTH_GLOBAL, 443, PRODUCT_KEY, DEVICE_NAME, None).await.unwrap();
        let address = address.unwrap();
        assert_eq!((address.host.as_str(), address.port), ("iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com", 443));

        let unknown = provisioning.bootstrap(IOT_AUTH_GLOBAL, 443, "a1Unknown", DEVICE_NAME, None).await.unwrap();
        assert_eq!(unknown.unwrap_err().cause, Cause::NotFound);
        let bad = provisioning.bootstrap(IOT_AUTH_GLOBAL, 443, PRODUCT_KEY, "a/b", None).await.unwrap().unwrap_err();
        assert_eq!((bad.stage, bad.delivery), (Stage::Preparation, Delivery::NotSent));
        assert!(bad.explanation.contains("device name"), "{}", bad.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_bootstrap_does_not_find_is_told_that_it_is_not_known() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut provisioning = cloud.provisioning().await;
        let unknown = provisioning.bootstrap(IOT_AUTH_GLOBAL, 443, PRODUCT_KEY, "stranger-1", None).await.unwrap();
        let error = unknown.unwrap_err();
        assert_eq!((error.cause, error.answer.unwrap().code.as_deref()), (Cause::NotFound, Some("6100")));
    })
    .await;
}
