//! What Aliyun IoT Platform is to the exchange.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Config, IssuedToken, explain, publish, read_auth_response, read_publish_response};
use crate::config_error::ConfigError;
use crate::credential::{Credential, CredentialKind};
use crate::error::Error;
use crate::exchange::ErrorContext;
use crate::http::{Request, Response};
use crate::message::{Message, RequestError};
use crate::moment::Moment;
use crate::outcome::Receipt;
use crate::platform::Platform;
use crate::signing::Signing;

impl Platform for Config {
    fn publish_request(&self, message: &Message) -> Result<Request, RequestError> {
        publish::unauthorised_request(self.device(), message)
    }

    fn read_receipt(&self, response: &Response) -> Result<Receipt, Error> {
        read_publish_response(response)
    }

    /// An error comes with HTTP status 200 as well.
    fn needs_body_of_receipt(&self) -> bool {
        true
    }

    fn authorise(&self, request: Request, credential: Option<&Credential>, _: Moment) -> Request {
        match credential.and_then(Credential::downcast_ref::<IssuedToken>) {
            Some(issued) => publish::with_token(request, issued.token().value()),
            None => request,
        }
    }

    fn explain(&self, error: &Error, _: &ErrorContext) -> String {
        explain(self.device(), error)
    }

    fn secrets(&self) -> Vec<&str> {
        self.secret().into_iter().collect()
    }

    fn wants_credential(&self) -> bool {
        true
    }

    fn credential_request(&self, signed: Option<(&Signing, &str)>) -> Option<Request> {
        signed.map(|(signing, signature)| self.auth_request(signing, signature))
    }

    fn read_credential(&self, response: &Response, now: Moment) -> Result<Credential, Error> {
        read_auth_response(response).map(|token| Credential::new(IssuedToken::new(token, now.unix_ms)))
    }

    fn import_credential(&self, text: &str) -> Result<Credential, ConfigError> {
        IssuedToken::import(text, self.device()).map(Credential::new)
    }

    fn export_credential(&self, credential: &Credential) -> Option<String> {
        credential.downcast_ref().map(|issued: &IssuedToken| issued.export(self.device()))
    }

    fn is_signed_externally(&self) -> bool {
        self.is_signed_externally()
    }

    fn signing(&self, now_unix_ms: u64) -> Option<Signing> {
        Some(self.signing(now_unix_ms))
    }

    fn sign(&self, signing: &Signing) -> Option<String> {
        self.sign(signing)
    }

    fn corrects_clock(&self) -> bool {
        self.corrects_clock()
    }
}

impl CredentialKind for IssuedToken {
    fn is_near_its_end(&self, now: Moment) -> bool {
        self.is_near_its_end(now.unix_ms)
    }

    fn secrets(&self) -> Vec<&str> {
        [self.token().value()].into()
    }
}
