//! Traps in the middle of a request: after each of the host's functions that it takes.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

/// Traps after so many calls; says so if there are fewer.
pub fn attack(trap: &str, endpoint: &str) -> String {
    let mut left: u32 = trap.strip_prefix("trap ").and_then(|calls| calls.parse().ok()).unwrap_or(u32::MAX);
    let mut called = || {
        if left == 0 {
            core::arch::wasm32::unreachable();
        }
        left -= 1;
    };
    called();
    let fields = Fields::new();
    called();
    // As AWS wants it: a request without it would be refused, and nothing of it could arrive.
    fields.append("content-length", b"7").unwrap();
    called();
    let request = OutgoingRequest::new(fields);
    called();
    request.set_method(&Method::Post).unwrap();
    called();
    request.set_scheme(Some(&Scheme::Https)).unwrap();
    called();
    request.set_authority(Some(endpoint)).unwrap();
    called();
    request.set_path_with_query(Some("/topics/devices%2Fthermometer-7%2Fup?qos=1")).unwrap();
    called();
    let body = request.body().unwrap();
    called();
    let future = outgoing_handler::handle(request, None).unwrap();
    called();
    let stream = body.write().unwrap();
    called();
    stream.check_write().unwrap();
    called();
    stream.write(b"hostile").unwrap();
    called();
    stream.flush().unwrap();
    called();
    drop(stream);
    called();
    OutgoingBody::finish(body, None).unwrap();
    called();
    let ready = future.subscribe();
    called();
    ready.block();
    called();
    let answer = future.get().unwrap().unwrap();
    called();
    let Ok(answer) = answer else { return "no answer".to_owned() };
    called();
    answer.status();
    called();
    let headers = answer.headers();
    called();
    headers.entries();
    called();
    let body = answer.consume().unwrap();
    called();
    let stream = body.stream().unwrap();
    called();
    let _ = stream.blocking_read(1024);
    called();
    "no calls left".to_owned()
}
