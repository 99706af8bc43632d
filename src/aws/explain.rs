//! AWS refuses without a reason. What the reason most likely is follows from the port, the status, the message and
//! even from a missing answer.

use alloc::string::String;

use crate::error::{Cause, Error};
use crate::explain::with_step;
use crate::http::Failure;

/// The likely reason and the next step.
pub fn explain(error: &Error, topic: &str) -> String {
    let message = error.answer.as_ref().and_then(|answer| answer.message.as_deref());
    let step = match error.cause {
        Cause::Forbidden if message == Some("Missing Authentication Token") => {
            "AWS did not look for a client certificate on this connection: on port 443 the host must offer the ALPN \
             protocol x-amzn-http-ca, on port 8443 none is needed"
        }
        Cause::Forbidden => {
            let parts = ["the policy of the device's certificate most likely lacks iot:Publish on topic/", topic];
            return with_step(error, Some(&parts.concat()));
        }
        Cause::Unauthenticated => "check that the certificate is registered in this account and region",
        Cause::Transport(Failure::ConnectionClosed) => {
            "AWS closes the connection without an answer when the certificate is inactive or not registered in this \
             account and region: activate or register it; after the first contact of just-in-time registration, \
             try again in half a minute"
        }
        Cause::Transport(Failure::TlsAlert) => {
            "if that names a certificate: check that this one belongs to this account; if it names a protocol: check \
             the port and the ALPN protocol"
        }
        Cause::Transport(Failure::TlsCertificate) => {
            "check that the roots in use sign this server, that the endpoint is spelled as its certificate says, and \
             that the clock is right; an AWS endpoint without `-ats` has a certificate that nobody trusts any more, \
             use the one from `aws iot describe-endpoint --endpoint-type iot:Data-ATS`"
        }
        _ => return crate::explain::explain(error),
    };
    with_step(error, Some(step))
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
        assert!(explain(&no_alpn, "a/b").contains("x-amzn-http-ca"));
        let denied = refused(403, r#"{"message":null,"traceId":"1"}"#);
        assert!(explain(&denied, "a/b").contains("iot:Publish on topic/a/b"));
    }

    #[test]
    fn a_closed_connection_points_at_the_certificate() {
        let error = Error::no_answer(Stage::Publication, Failure::ConnectionClosed.into());
        assert!(explain(&error, "a").contains("inactive"));
    }

    #[test]
    fn an_untrusted_server_may_be_an_endpoint_of_the_old_kind() {
        let error = Error::no_answer(Stage::Publication, Failure::TlsCertificate.into());
        assert!(explain(&error, "a").contains("Data-ATS"));
    }
}
