//! One request under way.

use alloc::vec::Vec;

use wasip2::http::types::{
    ErrorCode, FutureIncomingResponse, IncomingBody, IncomingResponse, IoError, http_error_code,
};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, StreamError};

use super::NS_PER_MS;
use super::failure::no_answer;
use super::outgoing::{BodyWriter, Written, begin};
use crate::exchange::Outgoing;
use crate::http::{Failure, NoAnswer, Response};

/// The host's own timeouts say more (was there a connection at all?), so they get the chance to strike first.
const GRACE_NS: u64 = 250 * NS_PER_MS;

/// A request whose answer is not complete.
pub(super) struct Flight {
    pub id: u32,
    pub deadline_ns: u64,
    max_answer_bytes: usize,
    /// Until the body is written.
    writer: Option<BodyWriter>,
    answer: Answer,
}

/// The fields of each are in the order in which they must be dropped.
enum Answer {
    Awaited { ready: Pollable, future: FutureIncomingResponse },
    Read { ready: Pollable, stream: InputStream, _body: IncomingBody, head: IncomingResponse, bytes: Vec<u8> },
}

impl Flight {
    pub fn start(outgoing: Outgoing, now_ns: u64) -> Result<Self, NoAnswer> {
        let Outgoing { id, max_answer_bytes, .. } = outgoing;
        let deadline_ns = now_ns.saturating_add(u64::from(outgoing.timeout_ms) * NS_PER_MS).saturating_add(GRACE_NS);
        let (future, writer) = begin(outgoing)?;
        let answer = Answer::Awaited { ready: future.subscribe(), future };
        Ok(Self { id, deadline_ns, max_answer_bytes, writer: Some(writer), answer })
    }

    pub fn expired(&self, now_ns: u64) -> bool {
        self.deadline_ns <= now_ns
    }

    /// What to wait for. An answer may come before the body is written: a refusal.
    pub fn pollables(&self) -> impl Iterator<Item = &Pollable> {
        let answer = match &self.answer {
            Answer::Awaited { ready, .. } | Answer::Read { ready, .. } => ready,
        };
        self.writer.iter().map(BodyWriter::writable).chain([answer])
    }

    /// Does what can be done without waiting.
    pub fn progress(&mut self) -> Option<Result<Response, NoAnswer>> {
        self.write();
        loop {
            match &mut self.answer {
                Answer::Awaited { future, .. } => match future.get()? {
                    Ok(Ok(head)) => match Answer::read(head) {
                        Ok(answer) => self.answer = answer,
                        Err(no_answer) => return Some(Err(no_answer)),
                    },
                    Ok(Err(code)) => return Some(Err(no_answer(code))),
                    Err(()) => return Some(Err(Failure::Other.into())),
                },
                Answer::Read { stream, head, bytes, .. } => {
                    // One byte more than allowed shows that it is too much.
                    let room = self.max_answer_bytes + 1 - bytes.len();
                    match stream.read(room as u64) {
                        Ok(piece) if piece.is_empty() => return None,
                        Ok(piece) => bytes.extend(piece),
                        Err(StreamError::Closed) => return Some(Ok(response(head, core::mem::take(bytes)))),
                        Err(StreamError::LastOperationFailed(error)) => return Some(Err(broken_off(&error).into())),
                    }
                    if bytes.len() > self.max_answer_bytes {
                        return Some(Err(Failure::AnswerTooLarge.into()));
                    }
                }
            }
        }
    }

    fn write(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        match writer.write() {
            Written::Blocked => self.writer = Some(writer),
            Written::Complete => writer.finish(),
            Written::Abandoned => {}
        }
    }
}

impl Answer {
    fn read(head: IncomingResponse) -> Result<Self, NoAnswer> {
        // Both are taken for the first time here, so they are there.
        let missing = |()| NoAnswer::from(Failure::Other);
        let body = head.consume().map_err(missing)?;
        let stream = body.stream().map_err(missing)?;
        Ok(Self::Read { ready: stream.subscribe(), stream, _body: body, head, bytes: Vec::new() })
    }
}

/// Why an answer has no end.
fn broken_off(error: &IoError) -> Failure {
    match http_error_code(error) {
        Some(ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout) => Failure::AnswerTimeout,
        _ => Failure::AnswerIncomplete,
    }
}

fn response(head: &IncomingResponse, body: Vec<u8>) -> Response {
    Response { status: head.status(), headers: head.headers().entries(), body }
}
