//! User name and password for MQTT, for devices that do not sign each connection.

use alloc::string::{String, ToString};

use super::bootstrap::{Address, address};
use super::form::post;
use super::reply::{self, incomplete};
use crate::aliyun::{Device, SignMethod};
use crate::error::Error;
use crate::http::{Request, Response};
use crate::json::{Json, Slot};
use crate::secret::Secret;

/// What an MQTT client needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttCredentials {
    /// The user name.
    pub iot_id: String,
    /// The password. Good for 7 days.
    pub iot_token: Secret,
    /// Where to connect, if the answer says it.
    pub address: Option<Address>,
}

/// The request for them. The signature is that of [`signing_content`](crate::aliyun::signing_content) with the same device
/// and timestamp.
pub fn mqtt_auth_request(device: &Device, method: SignMethod, timestamp_ms: Option<u64>, signature: &str) -> Request {
    let timestamp = timestamp_ms.map(|ms| ms.to_string()).unwrap_or_default();
    let fields = [
        ("productKey", device.product_key.as_str()),
        ("deviceName", &device.device_name),
        ("clientId", &device.client_id),
        ("sign", signature),
        ("signmethod", method.name()),
        ("resources", "mqtt"),
        ("timestamp", &timestamp),
    ];
    let given = if timestamp_ms.is_some() { fields.len() } else { fields.len() - 1 };
    post(&device.endpoint, "/auth/devicename", &fields[..given])
}

/// The credentials in the answer.
///
/// # Errors
///
/// What the platform refused, or why its answer cannot be read.
pub fn read_mqtt_auth_response(response: &Response) -> Result<MqttCredentials, Error> {
    let (answer, data) = reply::read(response)?;
    let (mut iot_id, mut iot_token, mut resources) = (None, None, Json::default());
    let mut wanted = [
        ("iotId", Slot::Text(&mut iot_id)),
        ("iotToken", Slot::Text(&mut iot_token)),
        ("resources", Slot::Value(&mut resources)),
    ];
    data.read(&mut wanted);
    match (iot_id, iot_token) {
        (Some(iot_id), Some(token)) => {
            Ok(MqttCredentials { iot_id, iot_token: Secret::new(token), address: address(resources) })
        }
        _ => Err(incomplete(answer, "it has no user name and password")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    #[test]
    fn asks_with_or_without_a_timestamp_and_reads_what_mqtt_needs() {
        let endpoint = Endpoint::new("iot-auth.cn-shanghai.aliyuncs.com", 443).unwrap();
        let device = Device::new(endpoint, "pk", "device1", Some("id 1")).unwrap();
        let request = mqtt_auth_request(&device, SignMethod::HmacSha1, None, "s");
        let expected = "productKey=pk&deviceName=device1&clientId=id%201&sign=s&signmethod=hmacsha1&resources=mqtt";
        assert_eq!(*request.body, *expected.as_bytes());
        let request = mqtt_auth_request(&device, SignMethod::HmacSha1, Some(789), "s");
        assert!(request.body.ends_with(b"&timestamp=789"));
        let body = br#"{"code":200,"data":{"iotId":"42Ze0mk355","iotToken":"hunter2",
            "resources":{"mqtt":{"host":"x.iot-as-mqtt.cn-shanghai.aliyuncs.com","port":1883}}}}"#;
        let read = read_mqtt_auth_response(&Response { status: 200, headers: vec![], body: body.to_vec() }).unwrap();
        assert_eq!((read.iot_id.as_str(), read.iot_token.reveal()), ("42Ze0mk355", "hunter2"));
        assert_eq!(read.address.unwrap().port, 1883);
    }
}
