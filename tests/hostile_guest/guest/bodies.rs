//! Bodies that are written, and never sent or never ended.

use wasip2::http::types::OutgoingBody;

use crate::requests::{publication, send};

/// The most that a host takes in one piece, as far as a guest can know; it says what it takes.
const PIECE: u64 = 2 * 1024 * 1024;

/// Fills the bodies of requests that it never sends. Ends with a trap.
pub fn attack() -> String {
    loop {
        let request = publication("a.example");
        let body = request.body().unwrap();
        let stream = body.write().unwrap();
        loop {
            let taken = stream.check_write().unwrap().min(PIECE);
            if taken == 0 {
                break;
            }
            stream.write_zeroes(taken).unwrap();
        }
        // Without these two the host's table is full later.
        drop(stream);
        drop(body);
        std::mem::forget(request);
    }
}

/// Writes half of a message, without ever having said how long it is, and does this with the rest when the answer shows that the
/// half has arrived.
pub fn half_written(end: &str, endpoint: &str) -> String {
    let request = publication(endpoint);
    let body = request.body().unwrap();
    let future = send(request).unwrap();
    let stream = body.write().unwrap();
    stream.blocking_write_and_flush(b"half a mess").unwrap();
    future.subscribe().block();
    // Without it the connection would be closed from here.
    std::mem::forget(future);
    match end {
        "trap" => core::arch::wasm32::unreachable(),
        "leave it" => std::mem::forget((stream, body)),
        "drop it" => {
            drop(stream);
            drop(body);
        }
        _ => {
            drop(stream);
            OutgoingBody::finish(body, None).unwrap();
        }
    }
    "done".to_owned()
}
