//! The body of these requests: names and values as a form.

use alloc::borrow::ToOwned;
use alloc::string::String;

use percent_encoding::utf8_percent_encode;

use crate::endpoint::Endpoint;
use crate::http::Request;
use crate::topic::SEGMENT;

/// A `POST` of these fields.
pub(super) fn post(endpoint: &Endpoint, path: &str, fields: &[(&str, &str)]) -> Request {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(name);
        body.push('=');
        body.extend(utf8_percent_encode(value, SEGMENT));
    }
    let media_type = "application/x-www-form-urlencoded";
    Request::post(endpoint.authority(), path.to_owned(), media_type, body.into_bytes().into())
}
