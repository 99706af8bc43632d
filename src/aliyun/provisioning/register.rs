//! Dynamic registration: all devices of a product leave the factory with the product's secret, and each gets its own when
//! it first comes on line. The secret is given out once. The vendor's own SDK signs with the same "random" text on every
//! device; here the caller has to bring one.

use alloc::string::String;

use super::form::post;
use super::reply::{self, incomplete};
use crate::aliyun::{SignMethod, sign};
use crate::config_error::ConfigError as Problem;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::{Request, Response};
use crate::json::Slot;
use crate::secret::Secret;

/// A device that asks for its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    endpoint: Endpoint,
    product_key: String,
    device_name: String,
    method: SignMethod,
    random: String,
}

/// A device that has got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The product.
    pub product_key: String,
    /// The device.
    pub device_name: String,
    /// Its secret. The platform does not give it out again.
    pub device_secret: Secret,
}

impl Registration {
    /// `random` is any text that differs each time.
    ///
    /// # Errors
    ///
    /// A product key or device name that cannot be one, or random text that is empty.
    pub fn new(
        endpoint: Endpoint,
        product_key: &str,
        device_name: &str,
        method: SignMethod,
        random: &str,
    ) -> Result<Self, Problem> {
        crate::aliyun::device::check_identity(product_key, device_name)?;
        crate::aliyun::device::check("random", random)?;
        Ok(Self {
            endpoint,
            product_key: product_key.into(),
            device_name: device_name.into(),
            method,
            random: random.into(),
        })
    }

    /// Whether it is this device that has got a secret.
    pub fn is_of(&self, registered: &Registered) -> bool {
        self.product_key == registered.product_key && self.device_name == registered.device_name
    }

    /// The signature, with the secret of the product.
    pub fn sign(&self, product_secret: &str) -> String {
        let content = registration_content(&self.product_key, &self.device_name, &self.random);
        sign(self.method, product_secret, &content)
    }
}

/// The text to sign, with the secret of the product.
pub fn registration_content(product_key: &str, device_name: &str, random: &str) -> String {
    ["deviceName", device_name, "productKey", product_key, "random", random].concat()
}

/// The request for the secret. The signature is that of [`registration_content`].
pub fn registration_request(registration: &Registration, signature: &str) -> Request {
    let Registration { endpoint, product_key, device_name, method, random } = registration;
    let fields = [
        ("productKey", product_key.as_str()),
        ("deviceName", device_name),
        ("random", random),
        ("sign", signature),
        // With a capital M here, and without one where tokens are given out.
        ("signMethod", method.name()),
    ];
    post(endpoint, "/auth/register/device", &fields)
}

/// The secret in the answer.
///
/// # Errors
///
/// What the platform refused, or why its answer cannot be read.
pub fn read_registration_response(response: &Response) -> Result<Registered, Error> {
    let (answer, data) = reply::read(response)?;
    let (mut product_key, mut device_name, mut secret) = (None, None, None);
    let mut wanted = [
        ("productKey", Slot::Text(&mut product_key)),
        ("deviceName", Slot::Text(&mut device_name)),
        ("deviceSecret", Slot::Text(&mut secret)),
    ];
    data.read(&mut wanted);
    let is_one = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    match (product_key.filter(is_one), device_name.filter(is_one), secret.filter(is_one)) {
        (Some(product_key), Some(device_name), Some(secret)) => {
            Ok(Registered { product_key, device_name, device_secret: Secret::new(secret) })
        }
        _ => Err(incomplete(answer, "it has no device secret")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;

    fn registration(method: SignMethod) -> Registration {
        let endpoint = Endpoint::new("iot-auth.cn-shanghai.aliyuncs.com", 443).unwrap();
        Registration::new(endpoint, "pk", "device@1", method, "567345").unwrap()
    }

    fn read(body: &str) -> Result<Registered, Error> {
        read_registration_response(&Response { status: 200, headers: vec![], body: body.as_bytes().to_vec() })
    }

    #[test]
    fn the_request_is_a_form_with_its_own_spelling_of_the_sign_method() {
        let registration = registration(SignMethod::HmacSha256);
        let content = registration_content("pk", "device@1", "567345");
        assert_eq!(content, "deviceNamedevice@1productKeypkrandom567345");
        let signature = registration.sign("product secret");
        assert_eq!(signature, sign(SignMethod::HmacSha256, "product secret", &content));
        let request = registration_request(&registration, &signature);
        assert_eq!((request.method, request.path_with_query.as_str()), ("POST", "/auth/register/device"));
        assert_eq!(request.headers[0].1, "application/x-www-form-urlencoded");
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        assert!(body.starts_with("productKey=pk&deviceName=device%401&random=567345&sign="), "{body}");
        assert!(body.ends_with("&signMethod=hmacsha256"), "{body}");
    }

    #[test]
    fn the_secret_is_read_and_does_not_show() {
        let registered = read(
            r#"{"code":200,"data":{"deviceName":"device1","deviceSecret":"hunter2","productKey":"pk"},"message":"success"}"#,
        )
        .unwrap();
        assert_eq!(registered.device_secret.reveal(), "hunter2");
        assert!(!format!("{registered:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_that_cannot_be_one_is_none() {
        let body = r#"{"code":200,"data":{"deviceName":"d","deviceSecret":"a\nb","productKey":"pk"}}"#;
        assert_eq!(read(body).unwrap_err().cause, Cause::MalformedAnswer);
        let registered = |device_name: &str| Registered {
            product_key: "pk".into(),
            device_name: device_name.into(),
            device_secret: Secret::new("s"),
        };
        assert!(registration(SignMethod::HmacSha1).is_of(&registered("device@1")));
        assert!(!registration(SignMethod::HmacSha1).is_of(&registered("other")));
    }

    #[test]
    fn an_active_device_gets_no_secret_and_a_success_without_one_is_none() {
        let error = read(r#"{"code":6289,"message":"device is already active"}"#).unwrap_err();
        assert_eq!(error.cause, Cause::AlreadyActive);
        let error = read(r#"{"code":200,"data":{"deviceName":"d","deviceSecret":"","productKey":"pk"}}"#).unwrap_err();
        assert_eq!(error.cause, Cause::MalformedAnswer);
    }
}
