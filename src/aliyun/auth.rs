//! Trading a signature for a token.

use alloc::borrow::ToOwned;
use alloc::string::ToString;

use super::response::Reply;
use super::token::Token;
use super::{Device, SignMethod};
use crate::error::{Error, Stage};
use crate::http::{Request, Response};
use crate::json::ObjectWriter;

/// The request for a token. The signature is that of [`signing_content`](super::signing_content) with the same
/// device and timestamp.
pub fn auth_request(device: &Device, method: SignMethod, timestamp_ms: Option<u64>, signature: &str) -> Request {
    let mut body = ObjectWriter::new();
    body.text("version", "default");
    body.text("clientId", &device.client_id);
    body.text("signmethod", method.name());
    body.text("sign", signature);
    body.text("productKey", &device.product_key);
    body.text("deviceName", &device.device_name);
    if let Some(timestamp_ms) = timestamp_ms {
        // A string, as in the documentation's sample. It is signed with the same digits.
        body.text("timestamp", &timestamp_ms.to_string());
    }
    let body = body.finish();
    Request::post(device.endpoint.authority(), "/auth".to_owned(), "application/json", body.into_bytes().into())
}

/// The token in the answer.
///
/// # Errors
///
/// What the platform refused, or why its answer cannot be read.
pub fn read_auth_response(response: &Response) -> Result<Token, Error> {
    let reply = Reply::read(Stage::Authentication, response)?;
    match reply.token() {
        Some(token) if Token::is_one(&token) => Ok(Token::new(&token)),
        Some(_) => Err(reply.incomplete(Stage::Authentication, "its token is none")),
        None => Err(reply.incomplete(Stage::Authentication, "it has no token")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::endpoint::Endpoint;
    use crate::error::Cause;

    fn answer(body: &str) -> Response {
        Response { status: 200, headers: vec![], body: body.as_bytes().to_vec() }
    }

    #[test]
    fn sends_what_is_signed_and_the_length_of_the_body() {
        let device = Device::new(Endpoint::new("a.example", 443).unwrap(), "pk", "device", Some("12345")).unwrap();
        let request = auth_request(&device, SignMethod::HmacSha1, Some(789), "abc");
        assert_eq!((request.method, request.path_with_query.as_str()), ("POST", "/auth"));
        assert_eq!(request.authority, "a.example");
        assert_eq!(request.headers[0], ("content-type".into(), "application/json".into()));
        assert_eq!(request.headers[1], ("content-length".into(), request.body.len().to_string()));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let expected = json!({
            "version": "default", "clientId": "12345", "signmethod": "hmacsha1", "sign": "abc",
            "productKey": "pk", "deviceName": "device", "timestamp": "789",
        });
        assert_eq!(body, expected);
        let without = auth_request(&device, SignMethod::HmacMd5, None, "abc");
        let body: Value = serde_json::from_slice(&without.body).unwrap();
        assert!(body.get("timestamp").is_none());
    }

    #[test]
    fn finds_the_token_under_both_spellings() {
        for name in ["info", "Info"] {
            let token = read_auth_response(&answer(&format!(
                r#"{{"code":0,"message":"success","{name}":{{"token":"6944e5bfb92e4d4ea3918d1eda3942f6"}}}}"#
            )));
            assert_eq!(token.unwrap().value(), "6944e5bfb92e4d4ea3918d1eda3942f6");
        }
    }

    #[test]
    fn a_success_without_a_usable_token_is_malformed() {
        for body in [
            r#"{"code":0}"#,
            r#"{"code":0,"info":{}}"#,
            r#"{"code":0,"info":{"token":7}}"#,
            r#"{"code":0,"info":{"token":""}}"#,
            r#"{"code":0,"info":{"token":"a\r\nb: c"}}"#,
        ] {
            let error = read_auth_response(&answer(body)).unwrap_err();
            assert_eq!(error.cause, Cause::MalformedAnswer, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(status in any::<u16>(), body in any::<Vec<u8>>()) {
            let _ = read_auth_response(&Response { status, headers: vec![], body });
        }

        #[test]
        fn any_token_is_read_without_a_panic(token in any::<String>()) {
            let body = json!({"code": 0, "info": {"token": token}}).to_string();
            let _ = read_auth_response(&answer(&body));
        }
    }
}
