//! Requests, as attacks want them.

use wasip2::http::types::{
    Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::http::{outgoing_handler, types};

/// A request to publish at this endpoint, without headers.
pub fn publication(endpoint: &str) -> OutgoingRequest {
    with_headers(endpoint, Fields::new())
}

/// A request to publish with these headers.
pub fn with_headers(endpoint: &str, headers: Fields) -> OutgoingRequest {
    let request = OutgoingRequest::new(headers);
    request.set_method(&Method::Post).unwrap();
    request.set_scheme(Some(&Scheme::Https)).unwrap();
    request.set_authority(Some(endpoint)).unwrap();
    request.set_path_with_query(Some("/topics/devices%2Fthermometer-7%2Fup?qos=1")).unwrap();
    request
}

/// Sends it as it is.
pub fn send(request: OutgoingRequest) -> Result<FutureIncomingResponse, types::ErrorCode> {
    outgoing_handler::handle(request, None)
}

/// Sends it with an empty body and these options.
pub fn send_empty(request: OutgoingRequest, options: RequestOptions) -> FutureIncomingResponse {
    let body = request.body().unwrap();
    let future = outgoing_handler::handle(request, Some(options)).unwrap();
    OutgoingBody::finish(body, None).unwrap();
    future
}

/// The status, or the name of the error.
pub fn outcome(future: &FutureIncomingResponse) -> String {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(answer))) => answer.status().to_string(),
        Some(Ok(Err(code))) => name(&code),
        _ => "nothing".to_owned(),
    }
}

/// An error without what stands in it.
pub fn name(code: &types::ErrorCode) -> String {
    let text = format!("{code:?}");
    text.split("::").last().unwrap_or_default().split('(').next().unwrap_or_default().to_owned()
}
