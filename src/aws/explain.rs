//! AWS refuses without a reason. What the reason most likely is follows from the port, the status, the message and
//! even from a missing answer.

use alloc::string::String;

use super::Way;
use crate::error::{Cause, Error};
use crate::explain::with_step;
use crate::http::Failure;

/// The likely reason and the next step. `topic` is the one of the message.
pub fn explain(error: &Error, way: Way, topic: &str) -> String {
    let message = error.answer.as_ref().and_then(|answer| answer.message.as_deref()).unwrap_or_default();
    let step = match (error.cause, way) {
        (Cause::Forbidden, Way::Certificate) if message == MISSING_TOKEN => {
            "AWS did not look for a client certificate on this connection: on port 443 the host must offer the ALPN \
             protocol x-amzn-http-ca, on port 8443 none is needed"
        }
        (Cause::Forbidden, Way::Certificate) => return denied(error, "the policy of the device's certificate", topic),
        (Cause::Forbidden, Way::SigV4) => match signature_step(message) {
            Some(step) => step,
            None => return denied(error, "the IAM policy of the access key", topic),
        },
        (Cause::Forbidden, Way::CustomAuthorizer) => {
            "the authorizer denies it, or was not reached: check its name, the name and the value of the token, and \
             the signature, and that it allows iot:Publish on this topic"
        }
        (Cause::Unauthenticated, Way::Certificate) => {
            "check that the certificate is registered in this account and region"
        }
        (Cause::Transport(Failure::ConnectionClosed), Way::Certificate) => {
            "AWS closes the connection without an answer when the certificate is inactive or not registered in this \
             account and region: activate or register it; after the first contact of just-in-time registration, \
             try again in half a minute"
        }
        (Cause::Transport(Failure::ConnectionClosed), _) => {
            "port 8443 is for client certificates only: without one, use port 443"
        }
        (Cause::Transport(Failure::TlsAlert), _) => {
            "the server did not accept the client certificate, or wants another ALPN protocol: check that the \
             certificate belongs to this account"
        }
        (Cause::Transport(Failure::TlsCertificate), _) => {
            "check that the roots in use sign this server, that the endpoint is spelled as its certificate says, and \
             that the clock is right; an AWS endpoint without `-ats` has a certificate that nobody trusts any more, \
             use the one from `aws iot describe-endpoint --endpoint-type iot:Data-ATS`"
        }
        _ => return crate::explain::explain(error),
    };
    with_step(error, Some(step))
}

const MISSING_TOKEN: &str = "Missing Authentication Token";

fn denied(error: &Error, policy: &str, topic: &str) -> String {
    with_step(error, Some(&[policy, " most likely lacks iot:Publish on topic/", topic].concat()))
}

/// What AWS says of a signature, by the beginning of its sentence.
fn signature_step(message: &str) -> Option<&'static str> {
    let steps = [
        (
            "The request signature we calculated",
            "the signature does not fit: check the secret access key, and that nothing on the way changes the path",
        ),
        (
            "The security token included",
            "the access key or its session token is not known: temporary keys end after some hours, fetch new ones",
        ),
        (
            "Credential should be scoped to a valid region",
            "the signature is for another region: give the one in the endpoint's name",
        ),
        (
            "Credential should be scoped to correct service: 'execute-api'",
            "this is the host of the control plane: use the one from `aws iot describe-endpoint --endpoint-type \
             iot:Data-ATS`",
        ),
        ("Credential should be scoped to correct service", "the signature is for another service: use iotdata"),
        ("Signature expired", "this machine's clock is behind: AWS takes a signature for 5 minutes"),
        ("Signature not yet current", "this machine's clock is ahead: AWS takes a signature for 5 minutes"),
        (MISSING_TOKEN, "the signature did not arrive: something on the way takes headers out"),
    ];
    steps.into_iter().find(|(beginning, _)| message.starts_with(beginning)).map(|(_, step)| step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Stage;
    use crate::http::Response;

    fn refused(status: u16, body: &str) -> Error {
        let response = Response { status, headers: vec![], body: body.as_bytes().to_vec() };
        super::super::read_publish_response(&response).unwrap_err()
    }

    #[test]
    fn a_403_names_the_alpn_protocol_or_the_missing_permission() {
        let no_alpn = refused(403, r#"{"message":"Missing Authentication Token","traceId":"1"}"#);
        assert!(explain(&no_alpn, Way::Certificate, "a/b").contains("x-amzn-http-ca"));
        let denied = refused(403, r#"{"message":null,"traceId":"1"}"#);
        assert!(explain(&denied, Way::Certificate, "a/b").contains("iot:Publish on topic/a/b"));
    }

    #[test]
    fn a_closed_connection_points_at_the_certificate() {
        let error = Error::no_answer(Stage::Publication, Failure::ConnectionClosed.into());
        assert!(explain(&error, Way::Certificate, "a").contains("inactive"));
    }

    #[test]
    fn an_untrusted_server_may_be_an_endpoint_of_the_old_kind() {
        let error = Error::no_answer(Stage::Publication, Failure::TlsCertificate.into());
        assert!(explain(&error, Way::Certificate, "a").contains("Data-ATS"));
    }

    #[test]
    fn what_is_wrong_with_a_signature_is_told_apart() {
        for (message, word) in [
            ("The request signature we calculated does not match the signature you provided.", "secret access key"),
            ("The security token included in the request is invalid.", "session token"),
            ("Credential should be scoped to a valid region, not 'us-east-1'.", "region"),
            ("Credential should be scoped to correct service: 'execute-api'.", "control plane"),
            ("Credential should be scoped to correct service: 'iotdata'.", "use iotdata"),
            ("Signature expired: 20150830T123600Z is now earlier than 20150830T130000Z", "behind"),
            ("Missing Authentication Token", "headers"),
            ("Forbidden", "iot:Publish on topic/a/b"),
        ] {
            let error = refused(403, &[r#"{"message":""#, message, r#"","traceId":"1"}"#].concat());
            let explanation = explain(&error, Way::SigV4, "a/b");
            assert!(explanation.contains(word), "{message}: {explanation}");
        }
        let error = refused(403, r#"{"message":"Forbidden","traceId":"1"}"#);
        assert!(explain(&error, Way::CustomAuthorizer, "a").contains("authorizer"));
    }
}
