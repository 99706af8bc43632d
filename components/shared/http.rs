//! Requests and answers at the border.
//!
//! Part of every component that has such values at its border: each component generates its own types from `wit/`,
//! alike in shape and foreign to each other, so this file is compiled into each.

use alloc::borrow::ToOwned;

use thingpost::http::{Request, Response};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn request(request: Request) -> wit::HttpRequest {
    wit::HttpRequest {
        method: request.method.to_owned(),
        authority: request.authority,
        path_with_query: request.path_with_query,
        headers: request.headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
        body: request.body.to_vec(),
    }
}

pub(crate) fn response(response: wit::HttpResponse) -> Response {
    Response { status: response.status, headers: response.headers, body: response.body }
}
