//! Requests that a handler sends itself.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

/// Sends a small message there. The status, or the name of the error.
pub fn send(authority: &str) -> String {
    let headers = Fields::from_list(&[("content-length".to_owned(), b"4".to_vec())]).unwrap();
    let request = OutgoingRequest::new(headers);
    request.set_method(&Method::Post).unwrap();
    request.set_scheme(Some(&Scheme::Https)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some("/topics/a")).unwrap();
    let body = request.body().unwrap();
    let future = match outgoing_handler::handle(request, None) {
        Ok(future) => future,
        Err(code) => return format!("{code:?}"),
    };
    let stream = body.write().unwrap();
    let _ = stream.blocking_write_and_flush(b"21.5");
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(answer))) => answer.status().to_string(),
        Some(Ok(Err(code))) => format!("{code:?}"),
        _ => "nothing".to_owned(),
    }
}
