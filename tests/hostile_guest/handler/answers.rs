//! Answers as they should be.

use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::{OutputStream, StreamError};

use crate::bindings::thingpost::probe::gate;

/// Sets the head of an answer, and gives its body.
pub fn begin(out: ResponseOutparam) -> OutgoingBody {
    let answer = OutgoingResponse::new(Fields::new());
    let body = answer.body().unwrap();
    ResponseOutparam::set(out, Ok(answer));
    body
}

/// Writes all of it.
pub fn write(stream: &OutputStream, text: &[u8]) {
    for piece in text.chunks(4096) {
        // The client may be gone.
        let _ = stream.blocking_write_and_flush(piece);
    }
}

pub fn text(out: ResponseOutparam, text: &str) {
    let body = begin(out);
    let stream = body.write().unwrap();
    write(&stream, text.as_bytes());
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

/// Answers with what comes, while it comes.
pub fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    let incoming = request.consume().unwrap();
    let input = incoming.stream().unwrap();
    loop {
        match input.blocking_read(4096) {
            Ok(piece) => write(&stream, &piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => {
                write(&stream, b"(broken off)");
                break;
            }
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

/// The second piece comes when a test allows it.
pub fn piecewise(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    write(&stream, b"first,");
    gate::wait();
    write(&stream, b"second");
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

pub fn not_found(out: ResponseOutparam) {
    let answer = OutgoingResponse::new(Fields::new());
    answer.set_status_code(404).unwrap();
    ResponseOutparam::set(out, Ok(answer));
}
