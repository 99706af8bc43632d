//! Publishing with a token.

use alloc::borrow::ToOwned;

use super::response::Reply;
use super::topic::encode_path;
use super::{Device, lint};
use crate::error::{Error, Stage};
use crate::http::{Request, Response};
use crate::message::{Message, RequestError};
use crate::outcome::Receipt;

/// The request that publishes a message. Nothing is sent if it cannot succeed.
///
/// # Errors
///
/// A topic or payload that the platform does not take, or what it does not have: retained messages, rules and properties.
pub fn publish_request(device: &Device, token: &str, message: &Message) -> Result<Request, RequestError> {
    Ok(with_token(unauthorised_request(device, message)?, token))
}

/// The request with this token.
pub(super) fn with_token(mut request: Request, token: &str) -> Request {
    request.headers.push(("password".into(), token.to_owned()));
    request
}

/// All of the request but its token: a bad message is found before a token is asked for.
pub(super) fn unauthorised_request(device: &Device, message: &Message) -> Result<Request, RequestError> {
    if message.retain || message.rule.is_some() || message.properties.is_some() {
        return Err(RequestError::Unsupported);
    }
    let path = encode_path(&message.topic)?;
    lint::check_owner(device, &message.topic)?;
    let payload = message.checked_payload()?;
    // Any other media type is a "param error".
    Ok(Request::post(device.endpoint.authority(), ["/topic", &path].concat(), "application/octet-stream", payload))
}

/// What the answer to a publish request means.
///
/// # Errors
///
/// What the platform refused, or why its answer cannot be read.
pub fn read_publish_response(response: &Response) -> Result<Receipt, Error> {
    let reply = Reply::read(Stage::Publication, response)?;
    Ok(Receipt { message_id: reply.message_id(), trace_id: reply.answer.trace_id, attempts: 1 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::endpoint::Endpoint;
    use crate::error::Cause;
    use crate::message::Qos;

    fn read(body: &str) -> Result<Receipt, Error> {
        read_publish_response(&Response { status: 200, headers: vec![], body: body.as_bytes().to_vec() })
    }

    #[test]
    fn sends_the_token_as_password() {
        let device = Device::new(Endpoint::new("a.example", 443).unwrap(), "pk", "dn", None).unwrap();
        let payload = b"\0\x01\xff";
        let message = Message::new("/pk/dn/user/update", *payload, Qos::AtLeastOnce);
        let request = publish_request(&device, "token", &message).unwrap();
        assert_eq!((request.method, request.path_with_query.as_str()), ("POST", "/topic/pk/dn/user/update"));
        assert_eq!(
            request.headers,
            [
                ("content-type".into(), "application/octet-stream".into()),
                ("content-length".into(), "3".into()),
                ("password".into(), "token".into())
            ]
        );
        assert_eq!(&request.body[..], b"\0\x01\xff");
    }

    #[test]
    fn message_numbers_above_2_to_the_53rd_are_exact() {
        for (body, number) in [
            (r#"{"code":0,"info":{"messageId":1207967842654323713}}"#, Some(1_207_967_842_654_323_713)),
            (r#"{"code":0,"Info":{"messageId":892687627916247040}}"#, Some(892_687_627_916_247_040)),
            (r#"{"code":0,"info":{"messageId":18446744073709551615}}"#, Some(u64::MAX)),
            (r#"{"code":0,"info":{"messageId":"1207967842654323713"}}"#, Some(1_207_967_842_654_323_713)),
            (r#"{"code":0,"info":{"messageId":1.5}}"#, None),
            (r#"{"code":0}"#, None),
        ] {
            assert_eq!(read(body).unwrap().message_id, number, "{body}");
        }
    }

    #[test]
    fn reads_the_captured_expiry_although_it_has_a_message_number() {
        let body = r#"{"code":20001,"info":{"messageId":1207967842654323713},"message":"token is expired"}"#;
        let error = read(body).unwrap_err();
        assert_eq!(error.cause, Cause::TokenRejected);
        assert_eq!(error.answer.unwrap().message.as_deref(), Some("token is expired"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(status in any::<u16>(), body in any::<Vec<u8>>()) {
            let _ = read_publish_response(&Response { status, headers: vec![], body });
        }

        #[test]
        fn any_json_of_the_right_shape_is_read_without_a_panic(code in any::<u64>(), number in any::<f64>()) {
            let _ = read(&format!(r#"{{"code":{code},"info":{{"messageId":{number:?}}}}}"#));
        }
    }
}
