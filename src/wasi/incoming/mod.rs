//! Requests that come in through `wasi:http/incoming-handler`.
//!
//! A guest that answers before it has read the body of a request takes the answer away from a client that is still sending:
//! its host closes the connection, what was sent meanwhile is answered by the kernel with a reset, and the reset throws
//! away the answer that the client had not read yet. So a refusal goes out at once, and what is still coming is read
//! and thrown away for a while.

mod answering;
mod body;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use wasip2::http::types::{IncomingRequest, Method, ResponseOutparam};

use self::body::{Body, Piece};
use crate::edge::{Head, Payload, Refusal};
use crate::http::Response;

/// A request that came in, and what was read of it.
pub struct Incoming {
    method: String,
    path_with_query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Taking,
    /// Dropped behind its body.
    request: IncomingRequest,
}

/// How far the body of a request was taken.
enum Taking {
    NotBegun,
    Begun(Body),
    /// It is at its end, or there is nothing to be had of it any more.
    Over,
}

impl Incoming {
    /// Reads the head of a request.
    pub fn new(request: IncomingRequest) -> Self {
        Self {
            method: method(request.method()),
            path_with_query: request.path_with_query().unwrap_or_default(),
            headers: request.headers().entries(),
            body: Taking::NotBegun,
            request,
        }
    }

    /// The head.
    pub fn head(&self) -> Head<'_> {
        Head { method: &self.method, path_with_query: &self.path_with_query, headers: &self.headers }
    }

    /// Reads the body, and no more of it than a message may have.
    ///
    /// # Errors
    ///
    /// It is too large, it broke off, or nothing came for half a minute.
    pub fn payload(&mut self) -> Result<Arc<[u8]>, Refusal> {
        let mut payload = Payload::new();
        self.begin();
        loop {
            let Taking::Begun(body) = &mut self.body else { return Err(Refusal::BrokenOff) };
            match body.read() {
                Piece::Bytes(bytes) => payload.push(&bytes)?,
                Piece::End => {
                    self.body = Taking::Over;
                    return Ok(payload.finish());
                }
                Piece::BrokenOff => {
                    self.body = Taking::Over;
                    return Err(Refusal::BrokenOff);
                }
                Piece::Late => return Err(Refusal::BodyLate),
            }
        }
    }

    /// Answers, and then reads what the client is still sending, for a while.
    pub fn answer(mut self, out: ResponseOutparam, answer: Response) {
        answering::answer(out, answer, self.method == "HEAD");
        if !self.is_held_back() {
            self.begin();
        }
        if let Taking::Begun(body) = &mut self.body {
            body.throw_away();
        }
    }

    fn begin(&mut self) {
        if matches!(self.body, Taking::NotBegun) {
            self.body = Body::of(&self.request).map_or(Taking::Over, Taking::Begun);
        }
    }

    /// Whether the client waits for a word before it sends the body (`Expect: 100-continue`). Reading it would be that
    /// word.
    fn is_held_back(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("expect"))
    }
}

fn method(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}
