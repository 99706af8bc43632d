//! The one place that knows which platforms there are. A new one is a folder, a case here and an interface in `wit/`.

use alloc::string::String;
use core::fmt;

use crate::endpoint::EndpointProblem;
use crate::error::Error;
use crate::exchange::Subject;
use crate::http::{Request, Response};
use crate::message::{Message, RequestProblem};
use crate::moment::Moment;
use crate::outcome::Receipt;
use crate::{aliyun, aws};

/// Where to publish, and as whom.
#[derive(Clone, Debug)]
pub enum Platform {
    /// AWS IoT Core.
    Aws(aws::Config),
    /// Aliyun IoT Platform.
    Aliyun(aliyun::Config),
}

/// What a device has obtained by authenticating, for as long as it is good. A secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A temporary key.
    Aws(aws::Session),
    /// A token.
    Aliyun(aliyun::Session),
}

impl Platform {
    /// Reads what [`export_session`](Self::export_session) wrote for the same device.
    pub fn import_session(&self, text: &str) -> Result<Session, ConfigurationProblem> {
        Ok(Session(match (self, self.credentials_provider()) {
            (Self::Aws(_), Some(provider)) => Kind::Aws(aws::Session::import(text, provider)?),
            (Self::Aws(_), None) => return Err(ConfigurationProblem::UselessSession),
            (Self::Aliyun(config), _) => Kind::Aliyun(aliyun::Session::import(text, config.device())?),
        }))
    }

    /// A session as text, for the next instance. A secret.
    pub fn export_session(&self, session: &Session) -> Option<String> {
        match (self, &session.0) {
            (Self::Aws(_), Kind::Aws(session)) => Some(session.export(self.credentials_provider()?)),
            (Self::Aliyun(config), Kind::Aliyun(session)) => Some(session.export(config.device())),
            (Self::Aws(_), Kind::Aliyun(_)) | (Self::Aliyun(_), Kind::Aws(_)) => None,
        }
    }

    /// The likely reason of an error and the next step, for people.
    pub fn explain(&self, error: &Error, subject: &Subject) -> String {
        match self {
            Self::Aws(config) => aws::explain(config, error, subject),
            Self::Aliyun(config) => aliyun::explain(config.device(), error),
        }
    }

    /// Whether the signature for a session comes from somebody else.
    pub fn is_signed_elsewhere(&self) -> bool {
        match self {
            Self::Aws(_) => false,
            Self::Aliyun(config) => config.is_signed_elsewhere(),
        }
    }

    /// Whether somebody has to authenticate before anything else can be sent.
    pub(crate) fn wants_session(&self) -> bool {
        match self {
            Self::Aws(_) => self.credentials_provider().is_some(),
            Self::Aliyun(_) => true,
        }
    }

    /// What is to be signed before a session can be asked for, at this time.
    pub(crate) fn signing(&self, now_unix_ms: u64) -> Option<aliyun::Signing> {
        match self {
            Self::Aws(_) => None,
            Self::Aliyun(config) => Some(config.signing(now_unix_ms)),
        }
    }

    /// The signature, if it is we who sign.
    pub(crate) fn sign(&self, signing: &aliyun::Signing) -> Option<String> {
        match self {
            Self::Aws(_) => None,
            Self::Aliyun(config) => config.sign(signing),
        }
    }

    /// The request for a session, where one is wanted, with what was signed for it.
    pub(crate) fn session_request(&self, signed: Option<(&aliyun::Signing, &str)>) -> Option<Request> {
        match (self, signed) {
            (Self::Aws(_), _) => Some(aws::credentials_request(self.credentials_provider()?)),
            (Self::Aliyun(config), Some((signing, signature))) => Some(config.auth_request(signing, signature)),
            (Self::Aliyun(_), None) => None,
        }
    }

    /// Whether a wrong clock is corrected by that of the platform.
    pub(crate) fn corrects_clock(&self) -> bool {
        match self {
            Self::Aws(_) => false,
            Self::Aliyun(config) => config.corrects_clock(),
        }
    }

    /// How far our clock is ahead, if that is why a message was refused.
    pub(crate) fn clock_refused(&self, error: &Error) -> Option<i64> {
        match self {
            Self::Aws(config) => aws::clock_refused(config, error),
            Self::Aliyun(_) => None,
        }
    }

    /// The error of a message that was signed by the platform's clock, ours being so far ahead.
    pub(crate) fn by_the_platforms_clock(&self, error: Error, ahead_ms: i64) -> Error {
        match self {
            Self::Aws(_) => aws::by_the_platforms_clock(error, ahead_ms),
            Self::Aliyun(_) => error,
        }
    }

    /// The session in the answer to it.
    pub(crate) fn read_session(&self, response: &Response, now: Moment) -> Result<Session, Error> {
        match self {
            Self::Aws(_) => aws::read_credentials_response(response, now.unix_ms).map(Session::from),
            Self::Aliyun(_) => {
                aliyun::read_auth_response(response).map(|token| aliyun::Session::new(token, now.unix_ms).into())
            }
        }
    }

    /// A publication without what shows who the device is.
    pub(crate) fn publish_request(&self, message: &Message) -> Result<Request, RequestProblem> {
        match self {
            Self::Aws(config) => aws::unauthorised_request(config, message),
            Self::Aliyun(config) => aliyun::unauthorised_request(config.device(), message),
        }
    }

    /// Another operation without what shows who the device is.
    pub(crate) fn operation_request(&self, operation: &aws::Operation) -> Result<Request, RequestProblem> {
        match self {
            Self::Aws(config) => aws::unauthorised_operation_request(config, operation),
            Self::Aliyun(_) => Err(RequestProblem::Unsupported),
        }
    }

    /// The request with what shows, now, who the device is.
    pub(crate) fn authorise(&self, request: Request, session: Option<&Session>, now: Moment) -> Request {
        match (self, session.map(|session| &session.0)) {
            (Self::Aws(config), Some(Kind::Aws(session))) => config.authorise(request, Some(session), now.unix_ms),
            (Self::Aws(config), _) => config.authorise(request, None, now.unix_ms),
            (Self::Aliyun(_), Some(Kind::Aliyun(session))) => aliyun::with_token(request, session.token().value()),
            (Self::Aliyun(_), _) => request,
        }
    }

    /// What the answer to a publication means.
    pub(crate) fn read_receipt(&self, response: &Response) -> Result<Receipt, Error> {
        match self {
            Self::Aws(config) => aws::read_publish_response(config, response),
            Self::Aliyun(_) => aliyun::read_publish_response(response),
        }
    }

    /// The error without what must not be given away of the configuration, whoever quotes it: the platform or, without an
    /// answer, the host.
    pub(crate) fn redact(&self, error: Error) -> Error {
        match self {
            Self::Aws(config) => error.without(config.secrets()),
            Self::Aliyun(config) => error.without(config.secret().into_iter()),
        }
    }

    /// Whether only the body of a success says that a message was taken.
    pub(crate) fn needs_body_of_receipt(&self) -> bool {
        match self {
            Self::Aws(_) => false,
            Self::Aliyun(_) => true,
        }
    }

    /// What the answer to another operation means.
    pub(crate) fn read_reply(&self, operation: &aws::Operation, response: &Response) -> Result<aws::Reply, Error> {
        match self {
            Self::Aws(config) => aws::read_operation_response(config, operation, response),
            Self::Aliyun(_) => Err(RequestProblem::Unsupported.into()),
        }
    }

    fn credentials_provider(&self) -> Option<&aws::CredentialsProvider> {
        match self {
            Self::Aws(config) => match config.authentication() {
                aws::Authentication::CredentialsProvider(provider) => Some(provider),
                _ => None,
            },
            Self::Aliyun(_) => None,
        }
    }
}

impl From<aliyun::Session> for Session {
    fn from(session: aliyun::Session) -> Self {
        Self(Kind::Aliyun(session))
    }
}

impl From<aws::Session> for Session {
    fn from(session: aws::Session) -> Self {
        Self(Kind::Aws(session))
    }
}

impl Session {
    /// Whether it should be renewed.
    pub(crate) fn is_near_its_end(&self, now: Moment) -> bool {
        match &self.0 {
            Kind::Aws(session) => session.is_near_its_end(now.unix_ms),
            Kind::Aliyun(session) => session.is_near_its_end(now.unix_ms),
        }
    }

    /// What an answer must not give away when it quotes the request.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let (key, token) = match &self.0 {
            Kind::Aws(session) => (Some(session.credentials()), None),
            Kind::Aliyun(session) => (None, Some(session.token().value())),
        };
        key.into_iter().flat_map(aws::sigv4::Credentials::secrets).chain(token)
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationProblem {
    /// The endpoint is none.
    Endpoint(EndpointProblem),
    /// The option of this name is empty.
    Empty(&'static str),
    /// The option of this name begins or ends with white space, or has a control character.
    WhiteSpace(&'static str),
    /// The option of this name has a form that the platform does not take.
    Malformed(&'static str),
    /// The region is neither given nor in the name of the endpoint.
    NoRegion,
    /// A credentials provider gives out the key; it has to be asked before.
    NoKeyYet,
    /// Somebody else is to sign, and there is nobody.
    NoSigner,
    /// The client id has more than 64 characters.
    ClientIdTooLong,
    /// The client id is the one of an MQTT client, with the parameters of its signature. This is what stands before them.
    ClientIdWithParameters(String),
    /// The option of this name is 0.
    Zero(&'static str),
    /// The option of this name is more than another one, or a number.
    TooLarge(&'static str, &'static str),
    /// The option of this name is not within these bounds.
    OutOfRange(&'static str, &'static str),
    /// The platform does not have the option of this name.
    Unsupported(&'static str),
    /// The session is none of ours, or of a later version.
    UnknownSession,
    /// The session belongs to another device or endpoint.
    ForeignSession,
    /// This platform has no sessions.
    UselessSession,
}

impl ConfigurationProblem {
    /// What is wrong, in words.
    pub fn text(&self) -> String {
        let (option, problem) = match self {
            Self::Endpoint(problem) => return problem.text(),
            Self::OutOfRange(option, bounds) => return ["the ", option, " is not within ", bounds].concat(),
            Self::Unsupported(option) => (*option, " is not to be had on this platform"),
            Self::TooLarge(option, bound) => return ["the ", option, " is more than ", bound].concat(),
            Self::Empty(option) => (*option, " is empty"),
            Self::WhiteSpace(option) => (*option, " has white space or a control character in it or around it"),
            Self::Malformed(option) => (*option, " has characters that are not allowed in it, or too many"),
            Self::NoRegion => ("region", " is not in the name of the endpoint: give it"),
            Self::NoKeyYet => ("key", " is not there yet: ask the credentials provider, and configure its key"),
            Self::NoSigner => {
                ("signer", " is not there: this component signs by itself, use the one of the world publish-signed")
            }
            Self::ClientIdTooLong => ("client id", " has more than 64 characters"),
            Self::ClientIdWithParameters(bare) if bare.is_empty() => {
                ("client id", " is nothing but parameters, which are added behind it: leave it out")
            }
            Self::ClientIdWithParameters(bare) => {
                let parts =
                    ["the client id has parameters behind a `|`, which are added for it: give what is before, ", bare];
                return parts.concat();
            }
            Self::Zero(option) => (*option, " is 0"),
            Self::UnknownSession => ("session", " is of an unknown form: start without one"),
            Self::ForeignSession => ("session", " belongs to another device or endpoint: start without one"),
            Self::UselessSession => {
                ("session", " is of no use here, nothing is obtained by authenticating: start without one")
            }
        };
        ["the ", option, problem].concat()
    }
}

impl fmt::Display for ConfigurationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl core::error::Error for ConfigurationProblem {}
