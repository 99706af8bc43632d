//! Each platform has its own idea of a topic, a request, an answer and of who a device is; what a message goes through on its way is
//! the same on all. This is the line between the two: a platform is a folder that implements [`Platform`], and the state
//! machine of [`exchange`](crate::exchange) knows nothing else of it.

use alloc::string::String;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use crate::config_error::ConfigError;
use crate::credential::Credential;
use crate::error::{Error, Stage};
use crate::exchange::ErrorContext;
use crate::http::{Request, Response, TransportErrorKind};
use crate::message::{Message, RequestError};
use crate::moment::Moment;
use crate::outcome::Receipt;
use crate::signing::Signing;

/// Where to publish over HTTPS, and as whom.
///
/// Three functions make a platform that takes messages as they are. The others have defaults, which say that it does not have the
/// thing: no credential to obtain, nothing to sign, no clock to learn from.
pub trait Platform: Any + Send + Sync {
    /// A publication without what shows who the device is.
    ///
    /// # Errors
    ///
    /// What is known to be refused, before anything is sent.
    fn publish_request(&self, message: &Message) -> Result<Request, RequestError>;

    /// What the answer to a publication means.
    ///
    /// # Errors
    ///
    /// Why the message was not taken, and whether it may be another time.
    fn read_receipt(&self, response: &Response) -> Result<Receipt, Error>;

    /// The request with what shows, now, who the device is.
    fn authorise(&self, request: Request, credential: Option<&Credential>, now: Moment) -> Request;

    /// Whether only the body of a success says that a message was taken.
    fn needs_body_of_receipt(&self) -> bool {
        false
    }

    /// The topic of a message as the platform knows it, for explanations.
    fn wire_topic(&self, message: Message) -> String {
        message.topic
    }

    /// The likely reason of an error and the next step, for people.
    fn explain(&self, error: &Error, _: &ErrorContext) -> String {
        crate::explain::explain(error)
    }

    /// What must not be given away of the configuration, by whomever it is quoted: the platform or, without an answer, the host.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether a credential has to be obtained before anything else can be sent.
    fn wants_credential(&self) -> bool {
        false
    }

    /// The request for a credential, with what was signed for it where something is.
    fn credential_request(&self, _: Option<(&Signing, &str)>) -> Option<Request> {
        None
    }

    /// The credential in the answer to that.
    ///
    /// # Errors
    ///
    /// Why the platform gives none.
    fn read_credential(&self, _: &Response, _: Moment) -> Result<Credential, Error> {
        Err(Error::transport(Stage::Authentication, TransportErrorKind::Other.into()))
    }

    /// A credential from what [`export_credential`](Self::export_credential) wrote for the same device.
    ///
    /// # Errors
    ///
    /// [`ConfigError::UselessCredential`] on a platform that has none, and others for what was not written so.
    fn import_credential(&self, _: &str) -> Result<Credential, ConfigError> {
        Err(ConfigError::UselessCredential)
    }

    /// A credential as text, for the next instance. A secret.
    fn export_credential(&self, _: &Credential) -> Option<String> {
        None
    }

    /// Whether the signature for a credential comes from outside.
    fn is_signed_externally(&self) -> bool {
        false
    }

    /// What is to be signed before a credential can be asked for, at this time.
    fn signing(&self, _now_unix_ms: u64) -> Option<Signing> {
        None
    }

    /// The signature, if the configuration has the secret for it.
    fn sign(&self, _: &Signing) -> Option<String> {
        None
    }

    /// Whether a wrong clock is corrected by that of the platform when it refuses a credential for its time.
    fn corrects_clock(&self) -> bool {
        false
    }

    /// How far the local clock is ahead, if that is why a message was refused that was signed by one set back by so much.
    fn clock_refused(&self, _: &Error, _set_back_ms: i64) -> Option<i64> {
        None
    }

    /// The error of a message that was signed by the platform's clock, the local one being so far ahead.
    fn by_platform_clock(&self, error: Error, _ahead_ms: i64) -> Error {
        error
    }
}

/// Shows nothing. What a vtable has comes into each component, and the formatting of a whole configuration is large.
impl fmt::Debug for dyn Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Platform(..)")
    }
}

impl dyn Platform {
    /// The platform as itself, if it is that one.
    pub fn downcast_ref<T: Platform>(&self) -> Option<&T> {
        let platform: &dyn Any = self;
        platform.downcast_ref()
    }

    /// The error without what must not be given away of the configuration.
    pub(crate) fn redact(&self, error: Error) -> Error {
        error.without(self.secrets().into_iter())
    }
}
