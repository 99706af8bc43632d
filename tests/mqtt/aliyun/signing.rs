use thingpost_emulator::Device as Who;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::mqtt::{AliyunBroker, AliyunMqttAuthentication, AliyunMqttSignature};
use thingpost_host::runtime::types::{SignMethod, Signer};

use super::broker::{AliyunBrokerCloud, METHODS, known, signed_by_the_host};
use crate::fixtures::aliyun::{DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, TOPIC, secret, secrets};
use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::options;

fn name(method: SignMethod) -> &'static str {
    match method {
        SignMethod::HmacMd5 => "hmacmd5",
        SignMethod::HmacSha1 => "hmacsha1",
        SignMethod::HmacSha256 => "hmacsha256",
    }
}

#[tokio::test]
async fn whoever_signs_and_however_a_device_is_let_in_and_publishes() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        for is_host in [false, true] {
            for sign_method in METHODS {
                for (timestamp_ms, port) in [(None, 443), (Some(789), 1883)] {
                    cloud.front.ledger().clear();
                    let (signer, secrets) = match is_host {
                        false => (secret(DEVICE_SECRET), DeviceSecrets::new()),
                        true => (Signer::Host, secrets()),
                    };
                    let authentication =
                        AliyunMqttAuthentication::Signature(AliyunMqttSignature { signer, sign_method, timestamp_ms });
                    let broker = AliyunBroker { authentication, port, ..known() };
                    let mut device = cloud.open(broker, secrets, &options()).await;
                    device.connect().await.unwrap();
                    device.publish(&at_least_once(TOPIC, *b"21.5")).await;
                    device.settle().await;
                    assert_eq!(device.receipts().len(), 1);
                    device.session.disconnect().await.unwrap();

                    let connect = cloud.front.ledger().connects().remove(0);
                    let timestamp = timestamp_ms.map(|at| format!(",timestamp={at}")).unwrap_or_default();
                    let parameters = format!("|securemode=2,signmethod={}{timestamp}|", name(sign_method));
                    assert_eq!(connect.client_id, format!("{PRODUCT_KEY}.{DEVICE_NAME}{parameters}"));
                    assert_eq!(connect.user_name, Some(format!("{DEVICE_NAME}&{PRODUCT_KEY}")));
                    assert_eq!((connect.level, connect.alpn), (4, None));
                    let (product_key, device_name) = (PRODUCT_KEY.to_owned(), DEVICE_NAME.to_owned());
                    assert_eq!(connect.device, Some(Who::Aliyun { product_key, device_name }));
                    assert_eq!(cloud.front.ledger().payloads(TOPIC), [b"21.5"]);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_loss_a_device_comes_back_whoever_signs() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        for (broker, secrets) in [(known(), DeviceSecrets::new()), (signed_by_the_host(), secrets())] {
            let mut device = cloud.open(broker, secrets, &options()).await;
            device.connect().await.unwrap();
            for losses in 1..=2 {
                cloud.front.link().cut();
                device.publish(&at_least_once(TOPIC, format!("{losses}"))).await;
                device.until(|device| device.connections().len() == losses).await;
            }
            device.settle().await;
            assert_eq!(device.receipts().len(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_id_of_ones_own_goes_as_it_is() {
    within(async {
        let cloud = AliyunBrokerCloud::start().await;
        let broker = AliyunBroker { client_id: Some("00:11:22:33:44:55".to_owned()), ..known() };
        cloud.open(broker, DeviceSecrets::new(), &options()).await.connect().await.unwrap();
        let connect = cloud.front.ledger().connects().remove(0);
        assert_eq!(connect.client_id, "00:11:22:33:44:55|securemode=2,signmethod=hmacsha256|");
    })
    .await;
}
