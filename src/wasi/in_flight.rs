//! One request under way.
//!
//! Every call of the host costs as much as a thousand instructions of ours, and a request takes some forty of them. So
//! nothing is asked for that is not needed: what is there already is not waited for, and what can only be awaited is not
//! looked at before.

use alloc::vec::Vec;

use wasip2::http::types::{
    ErrorCode, FutureIncomingResponse, IncomingBody, IncomingResponse, IoError, http_error_code,
};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, StreamError};

use super::NS_PER_MS;
use super::outgoing::{BodyWriter, Written, begin};
use super::transport_error::transport_error;
use crate::exchange::Outgoing;
use crate::http::{Response, Scheme, TransportError, TransportErrorKind};

/// The host's own timeouts say more (was there a connection at all?), so they get the chance to strike first.
const GRACE_NS: u64 = 250 * NS_PER_MS;

/// A process that looks at a deadline so late was not running meanwhile: a container was paused, a laptop slept. The answer may
/// lie in the host, which needs as much again to hand it out.
const STANDSTILL_NS: u64 = 1_000 * NS_PER_MS;

/// A request whose answer is not complete.
pub(super) struct InFlight {
    pub id: u32,
    pub deadline_ns: u64,
    /// Whether the deadline was put off, which happens once.
    stood_still: bool,
    max_answer_bytes: usize,
    body_needed: bool,
    /// Whether something has happened to it.
    is_ready: bool,
    /// Until the body is written.
    writer: Option<BodyWriter>,
    answer: Answer,
}

/// The fields of each are in the order in which they must be dropped.
enum Answer {
    Awaited { ready: Pollable, future: FutureIncomingResponse },
    Read(Reading),
}

/// An answer whose head is there.
struct Reading {
    /// Only where the body was not there yet with its head.
    ready: Option<Pollable>,
    stream: InputStream,
    _body: IncomingBody,
    head: IncomingResponse,
    bytes: Vec<u8>,
}

impl InFlight {
    /// Hands the request to the host, with as much of the body as it takes.
    pub fn start(outgoing: Outgoing, scheme: Scheme, now_ms: u64) -> Result<Self, TransportError> {
        let Outgoing { id, max_answer_bytes, body_needed, timeout_ms, .. } = outgoing;
        let deadline_ms = now_ms.saturating_add(u64::from(timeout_ms));
        let deadline_ns = deadline_ms.saturating_mul(NS_PER_MS).saturating_add(GRACE_NS);
        let (future, writer) = begin(outgoing, scheme)?;
        let answer = Answer::Awaited { ready: future.subscribe(), future };
        let mut request = Self {
            id,
            deadline_ns,
            stood_still: false,
            max_answer_bytes,
            body_needed,
            is_ready: false,
            writer: Some(writer),
            answer,
        };
        request.write();
        Ok(request)
    }

    pub fn expired(&mut self, now_ns: u64) -> bool {
        let late_ns = now_ns.saturating_sub(self.deadline_ns);
        if late_ns >= STANDSTILL_NS && !core::mem::replace(&mut self.stood_still, true) {
            self.deadline_ns = now_ns.saturating_add(STANDSTILL_NS);
        }
        self.deadline_ns <= now_ns
    }

    /// What to wait for. An answer may come before the body is written: a refusal.
    pub fn pollables(&self) -> impl Iterator<Item = &Pollable> {
        let answer = match &self.answer {
            Answer::Awaited { ready, .. } => Some(ready),
            Answer::Read(reading) => reading.ready.as_ref(),
        };
        self.writer.as_ref().and_then(BodyWriter::writable).into_iter().chain(answer)
    }

    /// Something has happened to it.
    pub fn mark_ready(&mut self) {
        self.is_ready = true;
    }

    /// Does what can be done without waiting, if anything has happened.
    pub fn progress(&mut self) -> Option<Result<Response, TransportError>> {
        if !core::mem::take(&mut self.is_ready) {
            return None;
        }
        self.write();
        if let Answer::Awaited { future, .. } = &mut self.answer {
            match future.get()? {
                Ok(Ok(head)) => match Reading::begin(head) {
                    Ok(reading) => self.answer = Answer::Read(reading),
                    Err(transport_error) => return Some(Err(transport_error)),
                },
                Ok(Err(code)) => return Some(Err(transport_error(code))),
                Err(()) => return Some(Err(TransportErrorKind::Other.into())),
            }
        }
        match &mut self.answer {
            Answer::Awaited { .. } => None,
            Answer::Read(reading) => match reading.read(self.max_answer_bytes)? {
                Ok(response) => Some(Ok(response)),
                Err(failure) => Some(reading.cut_short(failure, self.body_needed)),
            },
        }
    }

    /// What there is when its time is over.
    pub fn end(&mut self) -> Result<Response, TransportError> {
        match &mut self.answer {
            Answer::Awaited { .. } => Err(TransportErrorKind::AnswerTimeout.into()),
            Answer::Read(reading) => reading.cut_short(TransportErrorKind::AnswerTimeout, self.body_needed),
        }
    }

    fn write(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Written::Blocked(writer) = writer.write()
        {
            self.writer = Some(writer);
        }
    }
}

impl Reading {
    fn begin(head: IncomingResponse) -> Result<Self, TransportError> {
        // Both are taken for the first time here, so they are there.
        let missing = |()| TransportError::from(TransportErrorKind::Other);
        let body = head.consume().map_err(missing)?;
        let stream = body.stream().map_err(missing)?;
        Ok(Self { ready: None, stream, _body: body, head, bytes: Vec::new() })
    }

    fn read(&mut self, max_bytes: usize) -> Option<Result<Response, TransportErrorKind>> {
        loop {
            // One byte more than allowed shows that it is too much.
            let room = max_bytes + 1 - self.bytes.len();
            match self.stream.read(room as u64) {
                Ok(piece) if piece.is_empty() => {
                    self.ready.get_or_insert_with(|| self.stream.subscribe());
                    return None;
                }
                Ok(piece) if self.bytes.is_empty() => self.bytes = piece,
                Ok(piece) => self.bytes.extend(piece),
                Err(StreamError::Closed) => return Some(Ok(self.response())),
                Err(StreamError::LastOperationFailed(error)) => return Some(Err(broken_off(&error))),
            }
            // Status and headers are there, and the rest is a page that some gateway has added.
            if self.bytes.len() > max_bytes {
                return Some(Ok(self.response()));
            }
        }
    }

    /// What an answer is worth of which no more comes.
    fn cut_short(&mut self, failure: TransportErrorKind, body_needed: bool) -> Result<Response, TransportError> {
        let response = self.response();
        if response.decides_though_cut_short(body_needed) { Ok(response) } else { Err(failure.into()) }
    }

    fn response(&mut self) -> Response {
        let (status, headers) = (self.head.status(), self.head.headers().entries());
        Response { status, headers, body: core::mem::take(&mut self.bytes) }
    }
}

/// Why an answer has no end.
fn broken_off(error: &IoError) -> TransportErrorKind {
    match http_error_code(error) {
        Some(ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout) => TransportErrorKind::AnswerTimeout,
        _ => TransportErrorKind::AnswerIncomplete,
    }
}
