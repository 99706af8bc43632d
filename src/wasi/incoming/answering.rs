//! The way back: an answer in pieces.

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::poll::poll;

use super::super::NS_PER_MS;
use super::super::alarm::Alarm;
use super::super::outgoing::{BodyWriter, Written};
use crate::http::Response;

/// How long a client may leave its answer unread. Answers are smaller than what a host takes at once, so it is the host
/// that is waited for, if anything.
const UNREAD_NS: u64 = 5_000 * NS_PER_MS;

/// Hands the answer to the host. A client that is gone does not get it, and that is all.
pub(super) fn answer(out: ResponseOutparam, mut answer: Response, is_head: bool) {
    if is_head {
        // The length would be that of a body that is not there, and hosts compare the two.
        answer.headers.retain(|(name, _)| name != "content-length");
        answer.body.clear();
    }
    // What is in them is text of ours, which the host has no reason to refuse; if it does, the answer goes without them.
    let headers = Fields::from_list(&answer.headers).unwrap_or_else(|_| Fields::new());
    let head = OutgoingResponse::new(headers);
    let _ = head.set_status_code(answer.status);
    let body = head.body();
    ResponseOutparam::set(out, Ok(head));
    let Ok(body) = body else { return };
    match answer.body.is_empty() {
        true => drop(OutgoingBody::finish(body, None)),
        false => {
            if let Ok(writer) = BodyWriter::new(body, answer.body.into()) {
                write(writer);
            }
        }
    }
}

fn write(mut writer: BodyWriter) {
    let until_ns = monotonic_clock::now().saturating_add(UNREAD_NS);
    let mut alarm = Alarm::default();
    while let Written::Blocked(blocked) = writer.write() {
        writer = blocked;
        let Some(writable) = writer.writable() else { return };
        match alarm.set(Some(until_ns)) {
            Some(timer) => poll(&[writable, timer]),
            None => poll(&[writable]),
        };
        if monotonic_clock::now() >= until_ns {
            return;
        }
    }
}
