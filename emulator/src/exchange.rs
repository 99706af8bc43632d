//! "Before the message was taken" and "after it was taken" are the two places between which a client's duplicates and
//! losses arise, so they must be exact here: one request is read, decided, written into the ledger and answered, in
//! this order, and a fault strikes at a known point between two of these steps.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::fault::{AnswerFault, Break, Fault};
use crate::gauge::Turn;
use crate::http1::{self, Framing, ReadError, Request, Response, Wire};
use crate::ledger::{Disposition, Entry};
use crate::platform::{Decision, Description, Peer, Platform, Purpose};
use crate::serve::{self, Deadlines};

/// A connection from the end of its handshake to its own end.
pub(crate) struct Conversation<P> {
    platform: Arc<P>,
    wire: Wire<TlsStream<TcpStream>>,
    peer: Peer,
    connection: u64,
    deadlines: Deadlines,
}

/// What follows an exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Another request on this connection.
    Request,
    /// Its end, in this manner.
    End(Break),
    /// Its end, without waiting for the client to read or notice.
    CloseAtOnce,
}

impl<P: Platform> Conversation<P> {
    pub(crate) fn new(
        platform: Arc<P>,
        stream: TlsStream<TcpStream>,
        peer: Peer,
        connection: u64,
        deadlines: Deadlines,
    ) -> Self {
        Self { platform, wire: Wire::new(stream), peer, connection, deadlines }
    }

    pub(crate) async fn run(mut self) {
        let mut number = 0;
        let next = loop {
            number += 1;
            let idle_408 = self.platform.conditions().idle_408();
            let next = match timeout(idle_408.unwrap_or(self.deadlines.idle), self.wire.next_request()).await {
                Ok(Ok(request)) => self.exchange(&request, number).await,
                Ok(Err(error)) => self.reject(&error).await,
                Err(_idle) if idle_408.is_some() => self.say_408().await,
                Err(_idle) => Next::CloseAtOnce,
            };
            if next != Next::Request {
                break next;
            }
        };
        match next {
            Next::End(how) => serve::end(self.wire.stream, how, self.deadlines).await,
            Next::Request | Next::CloseAtOnce => {
                let _gone_already = timeout(self.deadlines.idle, self.wire.stream.shutdown()).await;
            }
        }
    }

    async fn reject(&mut self, error: &ReadError) -> Next {
        let status = match error {
            ReadError::Closed | ReadError::Broken => return Next::CloseAtOnce,
            ReadError::Malformed => 400,
            ReadError::HeadTooLarge => 431,
        };
        let mut response = self.platform.reject(status);
        response.announce_close();
        // The client is told that the connection ends; whether it still reads that is its own affair.
        let _unread = self.write(&response.to_bytes()).await;
        Next::End(Break::Close)
    }

    /// As a gateway says it to a connection that it has had enough of.
    async fn say_408(&mut self) -> Next {
        let response = canned(408, &[("connection".to_owned(), "close".to_owned())], b"");
        let _gone_already = self.write(&response.to_bytes()).await;
        Next::End(Break::Close)
    }

    async fn exchange(&mut self, request: &Request, number: u64) -> Next {
        let turn = self.platform.enter(request);
        let fault = match self.platform.purpose(request) {
            Purpose::Publish => self.platform.faults().take_at_publish(),
            Purpose::Authentication => self.platform.faults().take_at_authentication(),
            Purpose::Other => self.platform.faults().take_at_operation(),
        };
        let conditions = self.platform.conditions();
        // What a test has ordered goes first, and the bad day goes on after it.
        let fault = fault.or_else(|| conditions.strike_request(self.platform.clock()));

        let decision = match &fault {
            Some(Fault::BeforeAcceptance(_)) => {
                Decision { disposition: Disposition::Dropped, trace_id: None, answer: None }
            }
            Some(Fault::Answer { status, headers, body }) => Decision {
                disposition: Disposition::Refused { status: *status, code: String::new() },
                trace_id: None,
                answer: Some(canned(*status, headers, body)),
            },
            _ => self.platform.decide(&self.peer, request),
        };
        let Decision { mut disposition, trace_id, mut answer } = decision;
        if fault.as_ref().is_some_and(spoils_the_answer) {
            disposition = disposition.unanswered();
        }
        if let Some(Fault::AnswerAfterAcceptance { status, headers, body }) = &fault {
            answer = Some(canned(*status, headers, body));
        }
        let description = self.platform.describe(&self.peer, request);
        let entry = description.map(|description| self.record(description, request, number, disposition, trace_id));

        if let Some(Fault::BeforeAcceptance(how) | Fault::AfterAcceptance(how)) = fault {
            return Next::End(how);
        }
        let Some(mut answer) = answer else {
            return Next::CloseAtOnce;
        };
        if let Some(late) = conditions.late_answer() {
            tokio::time::sleep(late).await;
        }
        let readable = request.framing == Framing::Complete;
        if answer.persistent && !(request.persistent && readable) {
            answer.announce_close();
        }
        match self.answer(answer, fault, turn).await {
            Ok(next) => next,
            Err(_) => {
                if let Some(number) = entry {
                    self.platform.ledger().mark_unanswered(number);
                }
                Next::CloseAtOnce
            }
        }
    }

    fn record(
        &self,
        description: Description,
        request: &Request,
        number: u64,
        disposition: Disposition,
        trace_id: Option<String>,
    ) -> u64 {
        let properties = description.properties;
        self.platform.ledger().record(Entry {
            number: 0,
            listener: description.listener,
            device: description.device,
            topic: description.topic,
            target: request.target.clone(),
            qos: description.qos,
            retain: description.retain,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            message_expiry: properties.message_expiry,
            user_properties: properties.user_properties,
            payload_format_indicator: properties.payload_format_indicator,
            correlation_data: properties.correlation_data,
            payload: request.body.clone(),
            headers: request.headers.clone(),
            disposition,
            trace_id,
            connection: self.connection,
            request: number,
        })
    }

    async fn answer(&mut self, mut answer: Response, fault: Option<Fault>, turn: Option<Turn>) -> io::Result<Next> {
        // A client that has its answer may ask again before this task gets on, and that is not "at once". So a turn
        // ends before the answer is complete, and only one that is slow on purpose goes on into it.
        let is_slow = matches!(fault, Some(Fault::InAnswer(AnswerFault::SlowBytes { .. })));
        let turn = turn.filter(|_| is_slow);
        let after = if answer.persistent { Next::Request } else { Next::End(Break::Close) };
        let Some(Fault::InAnswer(fault)) = fault else {
            self.write(&answer.to_bytes()).await?;
            let leave = fault == Some(Fault::CloseWhenIdle);
            return Ok(if leave { Next::CloseAtOnce } else { after });
        };
        match fault {
            AnswerFault::Garbage => {
                self.write(b"\x00\x17garbage\xff\xfe, not an answer\r\n\r\n").await?;
                Ok(Next::End(Break::Close))
            }
            AnswerFault::HalfHead => {
                let head = answer.head();
                self.write(&head[..head.len() / 2]).await?;
                Ok(Next::End(Break::Close))
            }
            AnswerFault::ShortBody => {
                self.write(&answer.head()).await?;
                self.write(&answer.body[..answer.body.len() / 2]).await?;
                Ok(Next::End(Break::Close))
            }
            AnswerFault::SlowBytes { delay } => {
                self.write_slowly(&answer.to_bytes(), delay, turn).await?;
                Ok(after)
            }
            AnswerFault::LargeBody { megabytes } => {
                let mut body = answer.body.clone();
                body.resize(body.len().max(megabytes * 1024 * 1024), b' ');
                answer.replace_body(body);
                self.write(&answer.to_bytes()).await?;
                Ok(after)
            }
            AnswerFault::HalfClose => {
                self.write(&answer.to_bytes()).await?;
                self.wire.stream.shutdown().await?;
                // Stalling reads on and writes nothing more: exactly what is left of a half-closed connection.
                Ok(Next::End(Break::Stall))
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = &mut self.wire.stream;
        timeout(self.deadlines.idle, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        })
        .await?
    }

    async fn write_slowly(&mut self, bytes: &[u8], delay: Duration, mut turn: Option<Turn>) -> io::Result<()> {
        for (index, byte) in bytes.iter().enumerate() {
            tokio::time::sleep(delay).await;
            if index + 1 == bytes.len() {
                drop(turn.take());
            }
            self.write(std::slice::from_ref(byte)).await?;
        }
        Ok(())
    }
}

/// Whether the client is kept from getting the platform's own answer.
fn spoils_the_answer(fault: &Fault) -> bool {
    match fault {
        Fault::AfterAcceptance(_) | Fault::AnswerAfterAcceptance { .. } => true,
        Fault::InAnswer(how) => match how {
            AnswerFault::Garbage | AnswerFault::HalfHead | AnswerFault::ShortBody => true,
            // The answer stands at the beginning of the large one.
            AnswerFault::SlowBytes { .. } | AnswerFault::HalfClose | AnswerFault::LargeBody { .. } => false,
        },
        Fault::AtAccept(_)
        | Fault::InHandshake(_)
        | Fault::BeforeAcceptance(_)
        | Fault::Answer { .. }
        | Fault::CloseWhenIdle => false,
    }
}

fn canned(status: u16, headers: &[(String, String)], body: &[u8]) -> Response {
    let mut headers = headers.to_vec();
    headers.push(("content-length".to_owned(), body.len().to_string()));
    let closes = headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close"));
    Response { status, reason: http1::reason(status), headers, body: body.to_vec(), persistent: !closes }
}
