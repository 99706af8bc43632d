//! Interface `aliyun-codec`.

use alloc::borrow::ToOwned;
use alloc::string::String;

use thingpost::{ConfigurationProblem, aliyun};

use crate::bindings::exports::thingpost::iot::aliyun_codec::{
    Device, Error, Guest, HttpRequest, HttpResponse, Message, Receipt, RequestProblem, SignMethod, Token,
};
use crate::{Component, config, http, message, outcome, problem};

impl Guest for Component {
    fn signing_content(device: Device, timestamp_ms: Option<u64>) -> String {
        aliyun::signing_content(&device.client_id, &device.device_name, &device.product_key, timestamp_ms)
    }

    fn sign(method: SignMethod, device_secret: String, content: String) -> String {
        aliyun::sign(config::sign_method(method), &device_secret, &content)
    }

    fn auth_request(
        device: Device,
        method: SignMethod,
        timestamp_ms: Option<u64>,
        signature: String,
    ) -> Result<HttpRequest, String> {
        let device = checked(&device).map_err(|problem| problem.text())?;
        let method = config::sign_method(method);
        Ok(http::request(aliyun::auth_request(&device, method, timestamp_ms, &signature)))
    }

    fn read_auth_response(response: HttpResponse, unix_ms: u64) -> Result<Token, Error> {
        let response = http::response(response);
        let token = aliyun::read_auth_response(&response).map_err(|error| {
            let error = error.at(unix_ms, &response);
            let explanation = aliyun::explain(&error);
            outcome::error(error, explanation)
        })?;
        Ok(Token { value: token.value().to_owned(), expires_unix_ms: token.expires_unix_ms() })
    }

    fn publish_request(device: Device, token: String, message: Message) -> Result<HttpRequest, RequestProblem> {
        let device = checked(&device).map_err(problem::configuration_problem)?;
        if !aliyun::Token::is_one(&token) {
            return Err(problem::configuration_problem(ConfigurationProblem::WhiteSpace("token")));
        }
        aliyun::publish_request(&device, &token, &message::message(message))
            .map(http::request)
            .map_err(problem::problem)
    }

    fn read_publish_response(response: HttpResponse, unix_ms: u64) -> Result<Receipt, Error> {
        let response = http::response(response);
        let outcome = aliyun::read_publish_response(&response).map_err(|error| error.at(unix_ms, &response));
        outcome::outcome(outcome, aliyun::explain)
    }
}

fn checked(device: &Device) -> Result<aliyun::Device, ConfigurationProblem> {
    let endpoint = config::endpoint(&device.endpoint, device.port)?;
    aliyun::Device::new(endpoint, &device.product_key, &device.device_name, Some(&device.client_id))
}
