//! What AWS IoT Core is to the exchange.

use alloc::string::String;
use alloc::vec::Vec;

use super::publish::{self, wire_topic};
use super::{
    Authentication, Config, CredentialsProvider, TemporaryKey, clock, credentials_request, explain,
    read_credentials_response, read_publish_response,
};
use crate::config_error::ConfigError;
use crate::credential::{Credential, CredentialKind};
use crate::error::Error;
use crate::exchange::ErrorContext;
use crate::http::{Request, Response};
use crate::message::{Message, RequestError};
use crate::moment::Moment;
use crate::outcome::Receipt;
use crate::platform::Platform;

impl Platform for Config {
    fn publish_request(&self, message: &Message) -> Result<Request, RequestError> {
        publish::unauthorised_request(self, message)
    }

    fn read_receipt(&self, response: &Response) -> Result<Receipt, Error> {
        read_publish_response(self, response)
    }

    fn authorise(&self, request: Request, credential: Option<&Credential>, now: Moment) -> Request {
        self.authorised_by(request, credential.and_then(Credential::downcast_ref), now.unix_ms)
    }

    fn wire_topic(&self, message: Message) -> String {
        wire_topic(&message).unwrap_or(message.topic)
    }

    fn explain(&self, error: &Error, context: &ErrorContext) -> String {
        explain(self, error, context)
    }

    fn secrets(&self) -> Vec<&str> {
        self.authentication().secrets().collect()
    }

    fn wants_credential(&self) -> bool {
        self.credentials_provider().is_some()
    }

    fn credential_request(&self, _: Option<(&crate::Signing, &str)>) -> Option<Request> {
        self.credentials_provider().map(credentials_request)
    }

    fn read_credential(&self, response: &Response, now: Moment) -> Result<Credential, Error> {
        read_credentials_response(response, now.unix_ms).map(Credential::new)
    }

    fn import_credential(&self, text: &str) -> Result<Credential, ConfigError> {
        let provider = self.credentials_provider().ok_or(ConfigError::UselessCredential)?;
        TemporaryKey::import(text, provider).map(Credential::new)
    }

    fn export_credential(&self, credential: &Credential) -> Option<String> {
        let key: &TemporaryKey = credential.downcast_ref()?;
        self.credentials_provider().map(|provider| key.export(provider))
    }

    fn clock_refused(&self, error: &Error, set_back_ms: i64) -> Option<i64> {
        clock::clock_refused(self, error, set_back_ms)
    }

    fn by_platform_clock(&self, error: Error, ahead_ms: i64) -> Error {
        clock::by_the_platforms_clock(error, ahead_ms)
    }
}

impl Config {
    /// The credentials provider, where one gives out the keys of the device.
    pub fn credentials_provider(&self) -> Option<&CredentialsProvider> {
        match self.authentication() {
            Authentication::CredentialsProvider(provider) => Some(provider),
            _ => None,
        }
    }
}

impl CredentialKind for TemporaryKey {
    fn is_near_its_end(&self, now: Moment) -> bool {
        self.is_near_its_end(now.unix_ms)
    }

    fn secrets(&self) -> Vec<&str> {
        self.credentials().secrets().collect()
    }
}
