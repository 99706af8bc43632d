//! Interface `aws-codec`.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use thingpost::aws::{self, Authentication, CredentialsProvider};
use thingpost::{ConfigError, ErrorContext};

use super::{config, operation};
use crate::Component;
use crate::bindings::exports::thingpost::iot::aws_codec::{
    Config, Error, Guest, HttpRequest, HttpResponse, Message, Operation, Receipt, Reply, RequestError, SigV4,
    TemporaryKey, TopicError,
};
use crate::bindings::exports::thingpost::iot::aws_types::Scope;
use crate::values::request_error::{configuration_error, request_error};
use crate::values::{explained, http, message, outcome};

impl Guest for Component {
    fn encode_topic(topic: String) -> Result<String, TopicError> {
        aws::encode_topic(&topic).map_err(outcome::topic_error)
    }

    fn publish_request(config: Config, message: Message, unix_ms: u64) -> Result<HttpRequest, RequestError> {
        let config = signing(config)?;
        let request = aws::publish_request(&config, &message::message(message), unix_ms);
        request.map(http::request).map_err(request_error)
    }

    fn read_publish_response(
        config: Config,
        message: Message,
        response: HttpResponse,
        unix_ms: u64,
    ) -> Result<Receipt, Error> {
        let config = read_config(config)?;
        let context = ErrorContext::publication(&config, message::message(message));
        let response = http::response(response);
        let outcome = aws::read_publish_response(&config, &response).map_err(|error| error.at(unix_ms, &response));
        explained::explained(outcome, |error| aws::explain(&config, error, &context))
    }

    fn operation_request(config: Config, operation: Operation, unix_ms: u64) -> Result<HttpRequest, RequestError> {
        let config = signing(config)?;
        let request = aws::operation_request(&config, &operation::operation(operation), unix_ms);
        request.map(http::request).map_err(request_error)
    }

    fn read_operation_response(
        config: Config,
        operation: Operation,
        response: HttpResponse,
        unix_ms: u64,
    ) -> Result<Reply, Error> {
        let config = read_config(config)?;
        let operation = operation::operation(operation);
        let response = http::response(response);
        aws::read_operation_response(&config, &operation, &response).map(operation::reply).map_err(|error| {
            let error = error.at(unix_ms, &response);
            let explanation = aws::explain(&config, &error, &ErrorContext::Operation(Arc::new(operation)));
            outcome::error(error, explanation)
        })
    }

    fn credentials_request(config: Config) -> Result<HttpRequest, RequestError> {
        let config = config::config(config).map_err(configuration_error)?;
        let provider = provider(&config).ok_or(RequestError::Unsupported)?;
        Ok(http::request(aws::credentials_request(provider)))
    }

    fn read_credentials_response(config: Config, response: HttpResponse, unix_ms: u64) -> Result<TemporaryKey, Error> {
        let config = read_config(config)?;
        let response = http::response(response);
        match aws::read_credentials_response(&response, unix_ms) {
            Ok(session) => {
                let key = session.credentials();
                let key = SigV4 {
                    access_key_id: key.access_key_id.clone(),
                    secret_access_key: key.secret_access_key.reveal().to_owned(),
                    session_token: key.session_token.as_ref().map(|token| token.reveal().to_owned()),
                    scope: provider(&config).map_or(Scope { region: None, service: None }, |provider| Scope {
                        region: Some(provider.scope.region.clone()),
                        service: Some(provider.scope.service.clone()),
                    }),
                };
                Ok(TemporaryKey { key, expires_unix_ms: session.expires_unix_ms() })
            }
            Err(error) => {
                let error = error.at(unix_ms, &response);
                let explanation = aws::explain(&config, &error, &ErrorContext::Authentication);
                Err(outcome::error(error, explanation))
            }
        }
    }
}

/// A configuration that requests can be made with.
fn signing(config: Config) -> Result<aws::Config, RequestError> {
    let config = config::config(config).map_err(configuration_error)?;
    match provider(&config) {
        Some(_) => Err(configuration_error(ConfigError::NoKeyYet)),
        None => Ok(config),
    }
}

fn provider(config: &aws::Config) -> Option<&CredentialsProvider> {
    match config.authentication() {
        Authentication::CredentialsProvider(provider) => Some(provider),
        _ => None,
    }
}

/// A configuration that was good enough for the request is so for the answer.
fn read_config(config: Config) -> Result<aws::Config, Error> {
    config::config(config).map_err(|problem| {
        let explanation = problem.to_string();
        outcome::error(thingpost::RequestError::Unsupported.into(), explanation)
    })
}
