//! Where is the instance of this device? One door for the whole world knows.

use alloc::string::String;

use super::form::post;
use super::reply::{self, incomplete};
use crate::aliyun::device;
use crate::config_error::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::{Request, Response};
use crate::json::{Json, Slot};

/// Where a service of the platform listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The host name.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The question. The endpoint is `iot-auth-global.aliyuncs.com`.
///
/// # Errors
///
/// A product key or device name that cannot be one.
pub fn bootstrap_request(endpoint: &Endpoint, product_key: &str, device_name: &str) -> Result<Request, ConfigError> {
    device::check_identity(product_key, device_name)?;
    Ok(post(endpoint, "/auth/bootstrap", &[("productKey", product_key), ("deviceName", device_name)]))
}

/// The answer: where the instance takes MQTT connections. Its name tells the instance.
///
/// # Errors
///
/// What the platform refused, or why its answer cannot be read.
pub fn read_bootstrap_response(response: &Response) -> Result<Address, Error> {
    let (answer, data) = reply::read(response)?;
    let mut resources = Json::default();
    data.read(&mut [("resources", Slot::Value(&mut resources))]);
    address(resources).ok_or_else(|| incomplete(answer, "it has no address"))
}

/// The address among the resources of an answer.
pub(super) fn address(resources: Json<'_>) -> Option<Address> {
    let (mut mqtt, mut host, mut port) = (Json::default(), None, None);
    resources.read(&mut [("mqtt", Slot::Value(&mut mqtt))]);
    mqtt.read(&mut [("host", Slot::Text(&mut host)), ("port", Slot::Digits(&mut port))]);
    let host = host.filter(|host: &String| !host.is_empty())?;
    Some(Address { host, port: u16::try_from(port?).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;

    fn read(body: &str) -> Result<Address, Error> {
        read_bootstrap_response(&Response { status: 200, headers: vec![], body: body.as_bytes().to_vec() })
    }

    #[test]
    fn asks_for_a_device_and_reads_an_address() {
        let endpoint = Endpoint::new("iot-auth-global.aliyuncs.com", 443).unwrap();
        let request = bootstrap_request(&endpoint, "pk", "device1").unwrap();
        assert_eq!(request.path_with_query, "/auth/bootstrap");
        assert_eq!(*request.body, *b"productKey=pk&deviceName=device1");
        let body =
            r#"{"code":200,"data":{"resources":{"mqtt":{"host":"iot-1.mqtt.iothub.aliyuncs.com","port":1883}}}}"#;
        let expected = Address { host: "iot-1.mqtt.iothub.aliyuncs.com".into(), port: 1883 };
        assert_eq!(read(body), Ok(expected.clone()));
        assert_eq!(read(&body.replace("1883", "\"1883\"")), Ok(expected));
    }

    #[test]
    fn an_answer_without_an_address_is_incomplete() {
        for body in [
            r#"{"code":200,"data":{}}"#,
            r#"{"code":200,"data":{"resources":{"mqtt":{"host":"","port":1}}}}"#,
            r#"{"code":200,"data":{"resources":{"mqtt":{"host":"a","port":70000}}}}"#,
        ] {
            assert_eq!(read(body).unwrap_err().cause, Cause::MalformedAnswer, "{body}");
        }
    }
}
