//! What both directions share: the connection, and what is known of its end.
//!
//! A server that refuses a client certificate in TLS 1.3 says so and closes while the guest is already writing; so does
//! a broker that ends the session with a reason. The write that fails then knows nothing but "broken pipe". So a
//! failed write only stops the writing, and the reading side is heard out first: the alert, the last packet or the end
//! is there, because on a broken socket it comes at once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncWrite};

use crate::error::TransportError;
use crate::observe::Observation;
use crate::pool::Dialed;
use crate::route::Endpoint;

/// What may wait for the socket, beside the 64 KiB that TLS keeps; and the most that is read at once, or before the
/// guest asks for it.
pub(super) const BUFFER: usize = 64 * 1024;

pub(super) struct StreamConnection {
    to: Endpoint,
    dialed: Dialed,
    /// What TLS has not taken yet.
    unsent: BytesMut,
    /// What came while a failed write was looking for its reason.
    heard: BytesMut,
    /// Whether anything has come.
    has_answered: bool,
    /// Why nothing can be written any more.
    broken: Option<io::ErrorKind>,
    /// After it nothing can be read any more but what is in `heard`.
    end: Option<End>,
    /// What the guest that writes is told, if the server talks too long to be heard out.
    end_of_writing: Option<End>,
    has_said_goodbye: bool,
    /// Whom a failure is told; after the goodbye nobody.
    observation: Option<Observation>,
}

/// How the connection ended.
#[derive(Clone)]
pub(super) enum End {
    /// The server said goodbye.
    Closed,
    /// It did not.
    Failed(Arc<TransportError>),
}

impl StreamConnection {
    pub fn new(to: Endpoint, dialed: Dialed, observation: Observation) -> Self {
        Self {
            to,
            dialed,
            unsent: BytesMut::new(),
            heard: BytesMut::new(),
            has_answered: false,
            broken: None,
            end: None,
            end_of_writing: None,
            has_said_goodbye: false,
            observation: Some(observation),
        }
    }

    /// Up to so many of the bytes that are there, and whether there will be no more.
    pub fn read(&mut self, most: usize) -> Result<Bytes, End> {
        let most = most.min(BUFFER);
        let mut read = self.heard.split_to(most.min(self.heard.len()));
        while read.len() < most && self.end.is_none() {
            let most = most - read.len();
            if self
                .poll_next(&mut now(), |data| {
                    let taken = data.len().min(most);
                    read.extend_from_slice(&data[..taken]);
                    taken
                })
                .is_pending()
            {
                break;
            }
        }
        match &self.end {
            Some(end) if read.is_empty() && most > 0 && self.heard.is_empty() => Err(end.clone()),
            _ => Ok(read.freeze()),
        }
    }

    /// Waits until there is something to read, or the end.
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.end.is_some() || !self.heard.is_empty() {
            return Poll::Ready(());
        }
        self.poll_next(cx, |_| 0)
    }

    /// Shows what came next to `take`, which says how much of it is done with; or finds the end.
    fn poll_next(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8]) -> usize) -> Poll<()> {
        match Pin::new(&mut self.dialed.stream).poll_fill_buf(cx) {
            Poll::Pending => {
                ready!(self.dialed.poll_closing(cx));
                self.end = Some(self.told(TransportError::outdated(self.to.clone())));
            }
            Poll::Ready(Ok([])) => self.end = Some(End::Closed),
            Poll::Ready(Ok(data)) => {
                let taken = take(data);
                Pin::new(&mut self.dialed.stream).consume(taken);
                self.has_answered = true;
            }
            Poll::Ready(Err(error)) => self.end = Some(self.failed(error)),
        }
        Poll::Ready(())
    }

    /// How much more may be written now.
    pub fn room(&self) -> usize {
        BUFFER.saturating_sub(self.unsent.len())
    }

    /// Hands this to TLS and the socket as far as they take it, and keeps the rest. On a broken connection it is lost,
    /// as is what was written just before.
    pub fn write(&mut self, mut bytes: Bytes) {
        while self.unsent.is_empty() && !bytes.is_empty() {
            match self.poll_offer(&mut now(), &bytes) {
                Poll::Ready(taken) => bytes.advance(taken),
                Poll::Pending => break,
            }
        }
        if self.broken.is_none() {
            self.unsent.extend_from_slice(&bytes);
        }
        let _ = self.poll_sent(&mut now());
    }

    /// Waits until the socket has all that was written, or will take no more.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            let offered = self.poll_offer(cx, &unsent);
            self.unsent = unsent;
            match offered {
                Poll::Ready(taken) => self.unsent.advance(taken),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.broken.is_none() && self.dialed.stream.get_ref().1.wants_write() {
            match Pin::new(&mut self.dialed.stream).poll_flush(cx) {
                Poll::Ready(Err(error)) => self.broke(&error),
                flushed => return flushed.map(|_| ()),
            }
        }
        Poll::Ready(())
    }

    /// How many of these bytes are done with: on a broken connection all of them.
    fn poll_offer(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<usize> {
        if self.broken.is_none() {
            match Pin::new(&mut self.dialed.stream).poll_write(cx, bytes) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(taken)) if taken > 0 => return Poll::Ready(taken),
                Poll::Ready(Ok(_)) => self.broke(&io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => self.broke(&error),
            }
        }
        Poll::Ready(bytes.len())
    }

    fn broke(&mut self, error: &io::Error) {
        tracing::debug!("a write to {} failed ({error}); listening to what it has to say", self.to);
        self.broken = Some(error.kind());
    }

    /// Whether a write has failed.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Waits until it is known what a failed write came from; at once if none has failed.
    pub fn poll_reason(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(broken) = self.broken else { return Poll::Ready(()) };
        while self.end.is_none() && self.end_of_writing.is_none() {
            let room = BUFFER.saturating_sub(self.heard.len());
            if room == 0 {
                // A server that says so much, unread, is not about to come to an end.
                self.end_of_writing = Some(self.failed(broken.into()));
                break;
            }
            let mut heard = std::mem::take(&mut self.heard);
            let polled = self.poll_next(cx, |data| {
                let taken = data.len().min(room);
                heard.extend_from_slice(&data[..taken]);
                taken
            });
            self.heard = heard;
            if polled.is_pending() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Why nothing can be written, if that is so and known. A server that said goodbye may still listen.
    pub fn end_of_writing(&self) -> Option<&End> {
        match &self.end {
            Some(End::Closed) if self.broken.is_none() => None,
            end => end.as_ref().or(self.end_of_writing.as_ref()),
        }
    }

    /// Sends what is left and says goodbye, and then waits for the server to do the same; what it says meanwhile is not
    /// heard.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.observation = None;
        if !self.has_said_goodbye {
            ready!(self.poll_sent(cx));
            if self.broken.is_none() && ready!(Pin::new(&mut self.dialed.stream).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            self.has_said_goodbye = true;
        }
        while self.broken.is_none() && self.end.is_none() {
            ready!(self.poll_next(cx, <[u8]>::len));
        }
        Poll::Ready(())
    }

    fn may_be_refused(&self) -> bool {
        !self.has_answered && self.dialed.ends_handshake_early()
    }

    fn failed(&self, error: io::Error) -> End {
        self.told(TransportError::lost(self.to.clone(), error, self.may_be_refused()))
    }

    fn told(&self, error: TransportError) -> End {
        if let Some(observation) = &self.observation {
            observation.log(&error);
            observation.lost(&error);
        }
        End::Failed(Arc::new(error))
    }
}

/// A context for attempts that are not repeated by themselves: a caller that waits makes them anew.
pub(super) fn now() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
