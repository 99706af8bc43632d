//! A success and a policy denial of AWS have the same length and differ in one JSON value, and the error type hides in a
//! header with a trailing colon. Clients trip over such details, so the answers stand here as they were captured.

use std::borrow::Cow;

use crate::clock::Clock;
use crate::http1::{self, Response};
use crate::ledger::Disposition;

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Without the trailing colon that AWS puts behind it. Empty where AWS is not known to send one.
    pub(super) error_type: &'static str,
    /// AWS answers a certificate that its policy denies with JSON's null.
    pub(super) message: Option<Cow<'static, str>>,
}

impl Refusal {
    pub(super) const CONFIRMATION_MISSING: Self = Self::new(
        504,
        "GatewayTimeoutException",
        Some("The delivery confirmation was not received from the client within the specified timeout period."),
    );
    /// What the control plane says to a signature for the data plane: it has another service in its scope.
    pub(super) const CONTROL_PLANE_SIGNATURE: Self =
        Self::new(403, "ForbiddenException", Some("Credential should be scoped to correct service: 'execute-api'."));
    /// What the control plane says to everybody else.
    pub(super) const CONTROL_PLANE: Self =
        Self::new(403, "MissingAuthenticationTokenException", Some("Missing Authentication Token"));
    pub(super) const DATE_REQUIRED: Self = Self::new(
        403,
        "ForbiddenException",
        Some("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."),
    );
    pub(super) const EXPIRED_TOKEN: Self =
        Self::new(403, "ForbiddenException", Some("The security token included in the request is expired"));
    /// A policy's denial of anybody without a certificate, and all that a custom authorizer ever says.
    pub(super) const FORBIDDEN: Self = Self::new(403, "ForbiddenException", Some("Forbidden"));
    pub(super) const HEADERS_NOT_SIGNED: Self =
        Self::new(403, "ForbiddenException", Some("There were headers present in the request which were not signed"));
    pub(super) const HOST_NOT_SIGNED: Self = Self::new(
        403,
        "ForbiddenException",
        Some("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."),
    );
    pub(super) const INVALID_TOKEN: Self =
        Self::new(403, "ForbiddenException", Some("The security token included in the request is invalid."));
    pub(super) const METHOD_NOT_ALLOWED: Self = Self::new(405, "MethodNotAllowedException", Some("Method Not Allowed"));
    pub(super) const MISSING_TOKEN: Self = Self::new(403, "ForbiddenException", Some("Missing Authentication Token"));
    pub(super) const NOT_FOUND: Self = Self::new(404, "ResourceNotFoundException", Some("Not Found"));
    pub(super) const LENGTH_REQUIRED: Self = Self::new(411, "", Some("Length Required"));
    pub(super) const POLICY: Self = Self::new(403, "ForbiddenException", None);
    pub(super) const SIGNATURE: Self = Self::new(
        403,
        "ForbiddenException",
        Some(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ),
    );
    pub(super) const SHADOW_CONFLICT: Self = Self::new(409, "ConflictException", Some("Version conflict"));
    pub(super) const SHADOW_ENCODING: Self = Self::new(
        415,
        "UnsupportedDocumentEncodingException",
        Some("Unsupported documented encoding; supported encoding is UTF-8"),
    );
    pub(super) const SHADOW_TOO_LARGE: Self =
        Self::new(413, "RequestEntityTooLargeException", Some("The payload exceeds the maximum size allowed"));
    pub(super) const THROTTLED: Self = Self::new(429, "ThrottlingException", Some("Rate exceeded"));
    pub(super) const TOO_LARGE: Self =
        Self::new(413, "RequestEntityTooLargeException", Some("Request entity too large"));

    const fn new(status: u16, error_type: &'static str, message: Option<&'static str>) -> Self {
        let message = match message {
            Some(message) => Some(Cow::Borrowed(message)),
            None => None,
        };
        Self { status, error_type, message }
    }

    /// A signature that is refused for a reason with details.
    pub(super) fn forbidden(message: String) -> Self {
        Self { message: Some(Cow::Owned(message)), ..Self::FORBIDDEN }
    }

    /// A request that AWS understands and does not like.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message.into()), ..Self::new(400, "InvalidRequestException", None) }
    }

    /// Something that is asked for and is not there.
    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message.into()), ..Self::NOT_FOUND }
    }

    pub(super) fn disposition(&self) -> Disposition {
        Disposition::Refused { status: self.status, code: self.error_type.to_owned() }
    }
}

/// What the answer to a request says that is not refused.
#[derive(Debug)]
pub(super) enum Success {
    /// That it was done.
    Ok,
    /// A JSON document.
    Document(String),
    /// Nothing but the status.
    Empty,
}

pub(super) fn succeeded(clock: &Clock, trace_id: &str, success: Success) -> Response {
    let body = match success {
        Success::Ok => message(Some("OK"), trace_id),
        Success::Document(document) => document,
        Success::Empty => String::new(),
    };
    response(clock, 200, trace_id, None, body)
}

pub(super) fn refused(clock: &Clock, trace_id: &str, refusal: &Refusal) -> Response {
    let error_type = (!refusal.error_type.is_empty()).then(|| format!("{}:", refusal.error_type));
    response(clock, refusal.status, trace_id, error_type, message(refusal.message.as_deref(), trace_id))
}

fn message(message: Option<&str>, trace_id: &str) -> String {
    // By hand, because the captured order of the keys is not the alphabetical one that serde_json has.
    let message = serde_json::Value::from(message);
    format!(r#"{{"message":{message},"traceId":"{trace_id}"}}"#)
}

/// What all answers of AWS have in common, with the error type as it stands in the header.
pub(super) fn response(
    clock: &Clock,
    status: u16,
    trace_id: &str,
    error_type: Option<String>,
    body: String,
) -> Response {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = Vec::with_capacity(6);
    if !body.is_empty() {
        headers.push(header("content-type", "application/json"));
    }
    headers.extend([
        header("content-length", &body.len().to_string()),
        header("date", &clock.http_date()),
        header("x-amzn-RequestId", trace_id),
    ]);
    if let Some(error_type) = error_type {
        headers.push(header("x-amzn-ErrorType", &error_type));
    }
    headers.push(header("connection", "keep-alive"));
    Response { status, reason: http1::reason(status), headers, body: body.into_bytes(), persistent: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE_ID: &str = "602536fa-5868-07ee-d9bd-78f66063db45";

    #[test]
    fn success_and_policy_denial_have_the_captured_bodies_of_the_same_length() {
        let clock = Clock::default();
        let success = succeeded(&clock, TRACE_ID, Success::Ok);
        assert_eq!(success.body, format!(r#"{{"message":"OK","traceId":"{TRACE_ID}"}}"#).as_bytes());
        let denial = refused(&clock, TRACE_ID, &Refusal::POLICY);
        assert_eq!(denial.body, format!(r#"{{"message":null,"traceId":"{TRACE_ID}"}}"#).as_bytes());
        assert_eq!((success.body.len(), denial.body.len()), (65, 65));
    }

    #[test]
    fn the_refusal_of_a_clock_that_is_ahead_has_the_captured_length() {
        // The length and the error type are those of a capture in aws-iot-device-sdk-cpp-v2's issue 221; the text is that
        // of AWS's other services, and fits the length.
        let text = "Signature not yet current: 20210118T095457Z is still later than 20210118T090000Z \
                    (20210118T085500Z + 5 min.)";
        let response = refused(&Clock::default(), TRACE_ID, &Refusal::forbidden(text.to_owned()));
        assert_eq!(response.body.len(), 171);
        let expected = ("x-amzn-ErrorType".to_owned(), "ForbiddenException:".to_owned());
        assert!(response.headers.contains(&expected));
    }

    #[test]
    fn the_refusal_without_credentials_has_the_captured_length() {
        let response = refused(&Clock::default(), TRACE_ID, &Refusal::MISSING_TOKEN);
        assert_eq!(response.body.len(), 91);
        let expected = ("x-amzn-ErrorType".to_owned(), "ForbiddenException:".to_owned());
        assert!(response.headers.contains(&expected));
    }
}
