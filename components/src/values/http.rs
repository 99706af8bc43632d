//! Requests and answers at the border.

use alloc::borrow::ToOwned;

use thingpost::http::{Request, Response};

use crate::bindings::exports::thingpost::iot::types as wit;

pub fn request(request: Request) -> wit::HttpRequest {
    wit::HttpRequest {
        method: request.method.to_owned(),
        authority: request.authority,
        path_with_query: request.path_with_query,
        headers: request.headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
        body: request.body.to_vec(),
    }
}

pub fn response(response: wit::HttpResponse) -> Response {
    Response { status: response.status, headers: response.headers, body: response.body }
}
