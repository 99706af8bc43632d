//! The error of a message, written by hand: a generated one prints as the record that it is, and what a caller of `?` wants to
//! read is the sentence in it.

use std::{error, fmt};

use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Answer, Cause, Delivery, Retry, Stage};

/// Why a message was not delivered, what that means and what to do. Displays as its explanation.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Error {
    /// What went wrong.
    pub cause: Cause,
    /// When it went wrong.
    pub stage: Stage,
    /// Where the message stands.
    pub delivery: Delivery,
    /// Whether a retry can help, and when.
    pub retry: Retry,
    /// How many attempts were made to send it.
    pub attempts: u32,
    /// What the platform answered, if it did.
    pub answer: Option<Answer>,
    /// The likely reason and the next step, in a sentence or two for people. Holds no secret.
    pub explanation: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explanation)
    }
}

/// The source is what the platform answered.
impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.answer.as_ref().map(|answer| answer as _)
    }
}

/// Displays as the status, the code and the platform's own words.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the platform answered {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl error::Error for Answer {}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn error(answer: Option<Answer>) -> Error {
        Error {
            cause: Cause::Forbidden,
            stage: Stage::Publication,
            delivery: Delivery::Refused,
            retry: Retry::Never,
            attempts: 1,
            answer,
            explanation: "the policy does not allow it: add iot:Publish".to_owned(),
        }
    }

    #[test]
    fn an_error_displays_as_its_explanation_and_comes_from_the_answer() {
        let answer = Answer {
            status: 403,
            code: Some("ForbiddenException".to_owned()),
            message: Some("Not authorized".to_owned()),
            trace_id: None,
            clock_ahead_ms: None,
        };
        let refused = error(Some(answer));
        assert_eq!(refused.to_string(), "the policy does not allow it: add iot:Publish");
        let source = refused.source().unwrap();
        assert_eq!(source.to_string(), "the platform answered 403 ForbiddenException: Not authorized");
        assert!(error(None).source().is_none());
    }
}
