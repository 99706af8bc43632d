//! Interface `aliyun-codec`.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use thingpost::{ConfigError, aliyun};

use super::registration;
use crate::Component;
use crate::bindings::exports::thingpost::iot::aliyun_codec::{
    Address, Device, Error, Guest, HttpRequest, HttpResponse, Message, MqttCredentials, Receipt, Registered,
    Registration, RequestError, SignMethod, Token,
};
use crate::values::request_error::{configuration_error, request_error};
use crate::values::sign_method::sign_method;
use crate::values::{endpoint, http, message, outcome};

impl Guest for Component {
    fn signing_content(device: Device, timestamp_ms: Option<u64>) -> String {
        aliyun::signing_content(&device.client_id, &device.device_name, &device.product_key, timestamp_ms)
    }

    fn sign(method: SignMethod, device_secret: String, content: String) -> String {
        aliyun::sign(sign_method(method), &device_secret, &content)
    }

    fn auth_request(
        device: Device,
        method: SignMethod,
        timestamp_ms: Option<u64>,
        signature: String,
    ) -> Result<HttpRequest, String> {
        let device = checked(&device).map_err(|problem| problem.to_string())?;
        let method = sign_method(method);
        Ok(http::request(aliyun::auth_request(&device, method, timestamp_ms, &signature)))
    }

    fn read_auth_response(device: Device, response: HttpResponse, unix_ms: u64) -> Result<Token, Error> {
        let device = read_device(&device)?;
        let token = read(response, unix_ms, aliyun::read_auth_response, |error| aliyun::explain(&device, error))?;
        Ok(Token { value: token.value().to_owned(), expires_unix_ms: token.expires_unix_ms() })
    }

    fn publish_request(device: Device, token: String, message: Message) -> Result<HttpRequest, RequestError> {
        let device = checked(&device).map_err(configuration_error)?;
        if !aliyun::Token::is_one(&token) {
            return Err(configuration_error(ConfigError::WhiteSpace("token")));
        }
        aliyun::publish_request(&device, &token, &message::message(message)).map(http::request).map_err(request_error)
    }

    fn read_publish_response(device: Device, response: HttpResponse, unix_ms: u64) -> Result<Receipt, Error> {
        let device = read_device(&device)?;
        read(response, unix_ms, aliyun::read_publish_response, |error| aliyun::explain(&device, error))
            .map(outcome::receipt)
    }

    fn registration_content(registration: Registration) -> String {
        let Registration { product_key, device_name, random, .. } = registration;
        aliyun::registration_content(&product_key, &device_name, &random)
    }

    fn registration_request(registration: Registration, signature: String) -> Result<HttpRequest, String> {
        let registration = registration::registration(&registration).map_err(|problem| problem.to_string())?;
        Ok(http::request(aliyun::registration_request(&registration, &signature)))
    }

    fn read_registration_response(response: HttpResponse, unix_ms: u64) -> Result<Registered, Error> {
        read(response, unix_ms, aliyun::read_registration_response, aliyun::explain_provisioning)
            .map(registration::registered)
    }

    fn bootstrap_request(
        endpoint: String,
        port: u16,
        product_key: String,
        device_name: String,
    ) -> Result<HttpRequest, String> {
        let request = endpoint::endpoint(&endpoint, port)
            .and_then(|endpoint| aliyun::bootstrap_request(&endpoint, &product_key, &device_name));
        request.map(http::request).map_err(|problem| problem.to_string())
    }

    fn read_bootstrap_response(response: HttpResponse, unix_ms: u64) -> Result<Address, Error> {
        read(response, unix_ms, aliyun::read_bootstrap_response, aliyun::explain_provisioning)
            .map(registration::address)
    }

    fn mqtt_auth_request(
        device: Device,
        method: SignMethod,
        timestamp_ms: Option<u64>,
        signature: String,
    ) -> Result<HttpRequest, String> {
        let device = checked(&device).map_err(|problem| problem.to_string())?;
        let method = sign_method(method);
        Ok(http::request(aliyun::mqtt_auth_request(&device, method, timestamp_ms, &signature)))
    }

    fn read_mqtt_auth_response(response: HttpResponse, unix_ms: u64) -> Result<MqttCredentials, Error> {
        read(response, unix_ms, aliyun::read_mqtt_auth_response, aliyun::explain_provisioning)
            .map(registration::mqtt_credentials)
    }
}

/// What an answer means, which came at this time.
fn read<T>(
    response: HttpResponse,
    unix_ms: u64,
    read: impl FnOnce(&thingpost::http::Response) -> Result<T, thingpost::Error>,
    explain: impl FnOnce(&thingpost::Error) -> String,
) -> Result<T, Error> {
    let response = http::response(response);
    read(&response).map_err(|error| {
        let error = error.at(unix_ms, &response);
        let explanation = explain(&error);
        outcome::error(error, explanation)
    })
}

/// A device that was good enough for the request is so for the answer.
fn read_device(device: &Device) -> Result<aliyun::Device, Error> {
    checked(device).map_err(|problem| {
        let explanation = problem.to_string();
        outcome::error(thingpost::RequestError::Unsupported.into(), explanation)
    })
}

fn checked(device: &Device) -> Result<aliyun::Device, ConfigError> {
    let endpoint = endpoint::endpoint(&device.endpoint, device.port)?;
    aliyun::Device::new(endpoint, &device.product_key, &device.device_name, Some(&device.client_id))
}
