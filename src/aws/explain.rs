//! AWS refuses without a reason. What the reason most likely is follows from the port, the status, the message and
//! even from a missing answer.

use crate::error::{Cause, Error};
use crate::explain::with_step;
use crate::http::Failure;

/// The likely reason and the next step.
pub fn explain(error: &Error, host: &str, port: u16, topic: &str) -> String {
    let message = error.answer.as_ref().and_then(|answer| answer.message.as_deref());
    let step = match error.cause {
        Cause::Forbidden if message == Some("Missing Authentication Token") => match port {
            443 => {
                "on port 443 AWS looks for a client certificate only where the host offers the ALPN protocol \
                 x-amzn-http-ca, and this connection did not; on port 8443 none is needed"
            }
            _ => "AWS did not look for a client certificate on this connection: use port 8443, or 443 with the ALPN \
                  protocol x-amzn-http-ca",
        },
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
            "the server did not accept the client certificate, or wants another ALPN protocol: check that the \
             certificate belongs to this account"
        }
        Cause::Transport(Failure::TlsCertificate) if is_legacy(host) => {
            "this endpoint is not an ATS endpoint, and its certificate is signed by a root that is no longer trusted: \
             use the one from `aws iot describe-endpoint --endpoint-type iot:Data-ATS`"
        }
        _ => return crate::explain::explain(error),
    };
    with_step(error, Some(step))
}

/// `<prefix>.iot.<region>.amazonaws.com` without `-ats`.
fn is_legacy(host: &str) -> bool {
    match host.split_once('.') {
        Some((prefix, rest)) => rest.starts_with("iot.") && (rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn")) && !prefix.ends_with("-ats"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Stage;
    use crate::http::Response;

    const HOST: &str = "a-ats.iot.eu-central-1.amazonaws.com";

    fn refused(status: u16, body: &str) -> Error {
        let response = Response { status, headers: vec![], body: body.as_bytes().to_vec() };
        super::super::read_publish_response(&response).unwrap_err()
    }

    #[test]
    fn a_403_names_the_alpn_protocol_or_the_missing_permission() {
        let no_alpn = refused(403, r#"{"message":"Missing Authentication Token","traceId":"1"}"#);
        assert!(explain(&no_alpn, HOST, 443, "a/b").contains("x-amzn-http-ca"));
        let denied = refused(403, r#"{"message":null,"traceId":"1"}"#);
        assert!(explain(&denied, HOST, 443, "a/b").contains("iot:Publish on topic/a/b"));
    }

    #[test]
    fn a_closed_connection_points_at_the_certificate() {
        let error = Error::no_answer(Stage::Publication, Failure::ConnectionClosed.into());
        assert!(explain(&error, HOST, 8443, "a").contains("inactive"));
    }

    #[test]
    fn only_an_endpoint_without_ats_is_called_legacy() {
        let error = Error::no_answer(Stage::Publication, Failure::TlsCertificate.into());
        assert!(explain(&error, "a.iot.eu-central-1.amazonaws.com", 8443, "a").contains("Data-ATS"));
        assert!(!explain(&error, HOST, 8443, "a").contains("Data-ATS"));
        assert!(!explain(&error, "gateway.example", 8443, "a").contains("Data-ATS"));
    }
}
