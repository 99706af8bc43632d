//! Requests that do not come to a good end.

use std::hint::black_box;

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{ErrorCode, Fields, OutgoingResponse, ResponseOutparam};

use crate::answers::{begin, write};

/// Computes for ever.
pub fn compute() {
    let mut state = 1_u64;
    while black_box(state) != 0 {
        state = state.wrapping_mul(6_364_136_223_846_793_005) | 1;
    }
}

/// Takes memory until there is no more.
pub fn grow() {
    loop {
        std::mem::forget(black_box(vec![1_u8; 1024 * 1024]));
    }
}

/// Waits for centuries.
pub fn wait() {
    monotonic_clock::subscribe_duration(u64::MAX).block();
}

pub fn trap() {
    core::arch::wasm32::unreachable();
}

pub fn trap_after_head(out: ResponseOutparam) {
    begin_in_vain(out);
    trap();
}

pub fn loop_after_head(out: ResponseOutparam) {
    begin_in_vain(out);
    compute();
}

/// Comes back and leaves the body of its answer as it is.
pub fn unfinished(out: ResponseOutparam) {
    begin_in_vain(out);
}

fn begin_in_vain(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    write(&stream, b"half");
    std::mem::forget((stream, body));
}

/// Gives its answer up in the middle.
pub fn dropped(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    write(&stream, b"half");
    drop(stream);
    drop(body);
}

/// Says that it has no answer.
pub fn error(out: ResponseOutparam) {
    ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some("no answer".to_owned()))));
}

/// Announces a length, and has no body.
pub fn announced(out: ResponseOutparam, length: &str) {
    let headers = Fields::from_list(&[("content-length".to_owned(), length.as_bytes().to_vec())]).unwrap();
    ResponseOutparam::set(out, Ok(OutgoingResponse::new(headers)));
}
